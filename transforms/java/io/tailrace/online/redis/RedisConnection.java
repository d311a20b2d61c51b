package io.tailrace.online.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.Cell;
import io.tailrace.online.EntityKey;
import io.tailrace.online.EntityWrite;
import io.tailrace.online.EntityWrite.CellOutcome;
import io.tailrace.online.OnlineStore;
import io.tailrace.online.redis.RedisAddress.Node;
import io.tailrace.online.redis.WriteScript.Piece;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Connection;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisAccessControlException;
import redis.clients.jedis.exceptions.JedisAskDataException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisMovedDataException;
import redis.clients.jedis.exceptions.JedisNoScriptException;
import redis.clients.jedis.util.JedisClusterCRC16;

/**
 * Writes to and reads from Redis. Every reply is looked at: what a server refuses for now is sent
 * again, to the node that it names or after a pause, for {@code retryFor}; a call that it refuses
 * for its content is divided until the entity at fault stands alone, and only that is rejected. Not
 * thread-safe.
 */
final class RedisConnection implements OnlineStore.Connection {
  /** Bytes of cells in one call; a single larger entity still goes in one. */
  private static final int MAX_CALL_BYTES = 256 << 10;

  private final RedisAddress address;
  private final RedisNodes nodes;
  private final NameBytes names = new NameBytes();
  // Nodes that were sent the script in this round: every call of the round missed it.
  private final Set<Node> scriptLoadedOn = new HashSet<>();
  // Said of calls that are answered again and again with what to do.
  private String answeredLast = "";

  RedisConnection(RedisAddress address, RedisNodes nodes) {
    this.address = address;
    this.nodes = nodes;
  }

  /** Entities that are written by one script call. */
  private static final class Call {
    final List<Piece> pieces = new ArrayList<>();
    final List<byte[]> features = new ArrayList<>();
    long bytes;
    // Set by an ASK: this once, another node serves the slot.
    @Nullable Node asked;

    void add(Piece piece, byte[] packed) {
      pieces.add(piece);
      features.add(packed);
      bytes += packed.length;
    }
  }

  @Override
  public void write(List<EntityWrite> writes, long nowMicros) throws UnavailableException {
    boolean complete = false;
    try {
      List<Call> open = calls(writes);
      Retry retry = retry();
      while (!open.isEmpty()) {
        List<Call> again = new ArrayList<>();
        Optional<String> trouble = send(open, nowMicros, again);
        open = again;
        if (!open.isEmpty()) {
          if (trouble.isPresent()) {
            retry.pause(trouble.get());
          } else {
            retry.atOnce(answeredLast);
          }
        }
      }
      complete = true;
    } finally {
      if (!complete) {
        // Replies may be on their way that the next write would take for its own.
        nodes.close();
      }
    }
  }

  private Retry retry() {
    return Retry.of(address.text(), address.timeouts().retryFor());
  }

  private List<Call> calls(List<EntityWrite> writes) {
    List<Call> calls = new ArrayList<>(writes.size() / address.writing().entitiesPerCall() + 1);
    // The call that is being filled: one, or in a cluster one for each hash slot.
    Map<Integer, Call> filling = new HashMap<>();
    for (EntityWrite write : writes) {
      byte[] key = RedisKeys.of(write.key());
      int slot = nodes.mixesSlots() ? 0 : JedisClusterCRC16.getSlot(key);
      int from = 0;
      // Without a cell and a fence there is nothing to write, and no time to compare.
      if (write.count() == 0 && write.fence() == EntityWrite.NO_FENCE) {
        continue;
      }
      do {
        int to = Math.min(write.count(), from + WriteScript.MAX_FEATURES);
        Piece piece =
            new Piece(write, key, from, to, from == 0 ? write.fence() : EntityWrite.NO_FENCE);
        byte[] features = WriteScript.features(piece, names);
        Call call = filling.get(slot);
        if (call == null
            || call.pieces.size() >= address.writing().entitiesPerCall()
            || call.bytes + features.length > MAX_CALL_BYTES) {
          call = new Call();
          filling.put(slot, call);
          calls.add(call);
        }
        call.add(piece, features);
        from = to;
      } while (from < write.count());
    }
    return calls;
  }

  /** Sends calls and settles what is final; the others are added to {@code again}. */
  private Optional<String> send(List<Call> calls, long nowMicros, List<Call> again)
      throws UnavailableException {
    Map<Node, List<Call>> byNode = new LinkedHashMap<>();
    @Nullable String trouble = null;
    for (Call call : calls) {
      try {
        Node node = call.asked != null ? call.asked : nodes.nodeOf(call.pieces.get(0).key());
        byNode.computeIfAbsent(node, any -> new ArrayList<>()).add(call);
      } catch (JedisException e) {
        trouble = problem(e);
        again.add(call);
        nodes.refresh();
      }
    }
    // All nodes work at once: everything is sent before the first reply is read.
    Map<Node, Connection> sent = new LinkedHashMap<>();
    for (Map.Entry<Node, List<Call>> each : byNode.entrySet()) {
      try {
        Connection connection = nodes.connection(each.getKey());
        for (Call call : each.getValue()) {
          if (call.asked != null) {
            connection.sendCommand(Protocol.Command.ASKING);
          }
          connection.sendCommand(arguments(call, nowMicros));
        }
        if (address.writing().waitReplicas() > 0) {
          connection.sendCommand(
              Protocol.Command.WAIT,
              Integer.toString(address.writing().waitReplicas()),
              Long.toString(address.writing().waitTimeout().toMillis()));
        }
        sent.put(each.getKey(), connection);
      } catch (JedisAccessControlException e) {
        throw new UnavailableException(address.text() + ": " + problem(e), e);
      } catch (JedisException e) {
        trouble = broken(each.getKey(), e);
        repeat(each.getValue(), again);
      }
    }
    scriptLoadedOn.clear();
    for (Map.Entry<Node, Connection> each : sent.entrySet()) {
      Node node = each.getKey();
      List<Call> theirs = byNode.getOrDefault(node, List.of());
      List<Object> replies = new ArrayList<>(theirs.size());
      try {
        for (Call call : theirs) {
          if (call.asked != null) {
            read(each.getValue());
          }
          replies.add(read(each.getValue()));
        }
        if (address.writing().waitReplicas() > 0) {
          Object confirmed = read(each.getValue());
          if (confirmed instanceof JedisAccessControlException refused) {
            throw new UnavailableException(address.text() + ": " + problem(refused), refused);
          }
          if (!(confirmed instanceof Long replicas
              && replicas >= address.writing().waitReplicas())) {
            trouble =
                confirmed instanceof JedisDataException refused
                    ? node + " answers to WAIT: " + refused.getMessage()
                    : node
                        + " has the write on "
                        + confirmed
                        + " of "
                        + address.writing().waitReplicas()
                        + " replicas";
            if (confirmed instanceof JedisDataException) {
              // Perhaps it is a master no longer.
              nodes.discard(node);
              nodes.refresh();
            }
            for (int i = 0; i < theirs.size(); i++) {
              if (replies.get(i) instanceof JedisDataException) {
                settle(node, theirs.get(i), replies.get(i), again);
              } else {
                repeat(List.of(theirs.get(i)), again);
              }
            }
            continue;
          }
        }
      } catch (JedisException e) {
        // What was answered before the connection broke may be lost or not: all of it is sent
        // again.
        trouble = broken(node, e);
        repeat(theirs, again);
        continue;
      }
      for (int i = 0; i < theirs.size(); i++) {
        String refused = settle(node, theirs.get(i), replies.get(i), again);
        trouble = refused == null ? trouble : refused;
      }
    }
    return Optional.ofNullable(trouble);
  }

  /** Has calls sent again, to the node that serves them then: what an ASK said held for once. */
  private static void repeat(List<Call> calls, List<Call> again) {
    for (Call call : calls) {
      call.asked = null;
      again.add(call);
    }
  }

  private static Object read(Connection connection) {
    try {
      return connection.getOne();
    } catch (JedisDataException e) {
      // The server's own error: the connection is sound.
      return e;
    }
  }

  private ScriptCall arguments(Call call, long nowMicros) {
    List<Piece> pieces = call.pieces;
    ScriptCall script = new ScriptCall();
    script.with(WriteScript.SHA).with(Integer.toString(pieces.size()).getBytes(UTF_8));
    for (Piece piece : pieces) {
      script.with(piece.key());
    }
    for (int i = 0; i < pieces.size(); i++) {
      script.with(WriteScript.head(pieces.get(i), nowMicros, address.writing().grace()));
      script.with(call.features.get(i));
    }
    return script;
  }

  /**
   * Settles a call by its reply, or adds to {@code again} what must be sent once more.
   *
   * @return what a pause may mend, or null if there is nothing to wait for
   */
  private @Nullable String settle(Node node, Call call, Object reply, List<Call> again)
      throws UnavailableException {
    call.asked = null;
    if (!(reply instanceof JedisDataException error)) {
      settle(call, reply);
      return null;
    }
    String message = String.valueOf(error.getMessage());
    answeredLast = node + " answers: " + message;
    if (error instanceof JedisMovedDataException) {
      nodes.refresh();
      again.add(call);
      return message;
    }
    if (error instanceof JedisAskDataException ask) {
      HostAndPort target = ask.getTargetNode();
      call.asked = new Node(target.getHost(), target.getPort());
      again.add(call);
      return null;
    }
    if (error instanceof JedisNoScriptException) {
      again.add(call);
      return scriptLoadedOn.add(node) ? loadScript(node) : null;
    }
    if (error instanceof JedisAccessControlException) {
      throw new UnavailableException(address.text() + ": " + problem(error), error);
    }
    if (message.startsWith("TRYAGAIN") && call.pieces.size() > 1) {
      // The slot moves and some of the keys are there already: each by itself is on one node.
      divide(call, again);
      return null;
    }
    if (isTemporary(message)) {
      if (says("READONLY", message) || says("MASTERDOWN", message)) {
        // Another node is the master now, under the same name: resolve it again.
        nodes.discard(node);
        nodes.refresh();
      }
      again.add(call);
      return node + " answers: " + message;
    }
    if (isForContent(message)) {
      reject(call, message, again);
      return null;
    }
    again.add(call);
    return node + " answers: " + message;
  }

  private static void settle(Call call, Object reply) {
    List<Piece> pieces = call.pieces;
    List<?> contested = reply instanceof List<?> list ? list : List.of();
    int next = 0;
    for (int p = 0; p < pieces.size(); p++) {
      Piece piece = pieces.get(p);
      byte[] outcomes = null;
      if (next < contested.size() && contested.get(next) instanceof Long n && n == p + 1) {
        outcomes = (byte[]) contested.get(next + 1);
        next += 2;
      }
      for (int i = piece.from(); i < piece.to(); i++) {
        piece
            .write()
            .settle(
                i,
                outcomes == null ? CellOutcome.WRITTEN : outcome(outcomes[i - piece.from() + 1]));
      }
      if (piece.fence() != EntityWrite.NO_FENCE && outcomes != null) {
        piece.write().settleFence(outcome(outcomes[0]));
      }
    }
  }

  private static CellOutcome outcome(byte letter) {
    return switch (letter) {
      case 'w' -> CellOutcome.WRITTEN;
      case 's' -> CellOutcome.STALE;
      case 'd' -> CellOutcome.DUPLICATE;
      case 'x' -> CellOutcome.EXPIRED;
      default ->
          throw new IllegalStateException("the script answered '" + (char) letter + "' for a cell");
    };
  }

  /**
   * Rejects an entity that stands alone; sends several again one by one to find the one at fault.
   */
  private static void reject(Call call, String message, List<Call> again) {
    if (call.pieces.size() > 1) {
      divide(call, again);
      return;
    }
    Piece piece = call.pieces.get(0);
    String why =
        message.contains("WRONGTYPE")
            ? "the key '" + new String(piece.key(), UTF_8) + "' holds something that is not a hash"
            : message;
    for (int i = piece.from(); i < piece.to(); i++) {
      piece.write().reject(i, why);
    }
    if (piece.fence() != EntityWrite.NO_FENCE) {
      piece.write().rejectFence(why);
    }
  }

  private static void divide(Call call, List<Call> again) {
    for (int i = 0; i < call.pieces.size(); i++) {
      Call single = new Call();
      single.add(call.pieces.get(i), call.features.get(i));
      again.add(single);
    }
  }

  private static boolean isTemporary(String message) {
    for (String code :
        List.of(
            "LOADING",
            "READONLY",
            "OOM",
            "MISCONF",
            "TRYAGAIN",
            "CLUSTERDOWN",
            "MASTERDOWN",
            "BUSY",
            "NOREPLICAS",
            "UNKILLABLE")) {
      if (says(code, message)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Returns whether an error has a code; a script's stands behind where in the script it happened.
   */
  private static boolean says(String code, String message) {
    return message.startsWith(code)
        || message.contains(": -" + code)
        || message.contains(": " + code);
  }

  private static boolean isForContent(String message) {
    return message.contains("WRONGTYPE")
        || message.contains("FOREIGN ")
        || message.contains("string exceeds maximum allowed size")
        || message.contains("invalid bulk length");
  }

  private @Nullable String loadScript(Node node) throws UnavailableException {
    try {
      Connection connection = nodes.connection(node);
      connection.sendCommand(Protocol.Command.SCRIPT, "LOAD".getBytes(UTF_8), WriteScript.SOURCE);
      connection.getOne();
      return null;
    } catch (JedisAccessControlException e) {
      throw new UnavailableException(address.text() + ": " + problem(e), e);
    } catch (JedisDataException e) {
      return node + " does not load the script: " + e.getMessage();
    } catch (JedisException e) {
      return broken(node, e);
    }
  }

  private String broken(Node node, JedisException e) {
    nodes.discard(node);
    nodes.refresh();
    return node + ": " + problem(e);
  }

  private String problem(JedisException e) {
    if (e instanceof JedisAccessControlException) {
      return "the user or the password is refused, or lacks a permission: " + e.getMessage();
    }
    return RedisCheck.rootMessage(e);
  }

  @Override
  public List<Map<String, Cell>> read(List<EntityKey> keys) throws UnavailableException {
    Retry retry = retry();
    while (true) {
      String trouble;
      try {
        return readOnce(keys);
      } catch (JedisAccessControlException e) {
        throw new UnavailableException(address.text() + ": " + problem(e), e);
      } catch (JedisMovedDataException e) {
        nodes.refresh();
        trouble = String.valueOf(e.getMessage());
      } catch (JedisDataException e) {
        if (!isTemporary(String.valueOf(e.getMessage()))) {
          throw new UnavailableException(address.text() + ": " + e.getMessage(), e);
        }
        trouble = String.valueOf(e.getMessage());
      } catch (JedisException e) {
        trouble = problem(e);
        // Whichever node it was: a reply that comes late must not be taken for another entity's.
        nodes.close();
      }
      retry.pause(trouble);
    }
  }

  private List<Map<String, Cell>> readOnce(List<EntityKey> keys) throws UnavailableException {
    List<byte[]> redisKeys = keys.stream().map(RedisKeys::of).toList();
    Map<Node, List<Integer>> byNode = new LinkedHashMap<>();
    for (int i = 0; i < redisKeys.size(); i++) {
      byNode.computeIfAbsent(nodes.nodeOf(redisKeys.get(i)), any -> new ArrayList<>()).add(i);
    }
    Map<Integer, Map<String, Cell>> entities = new TreeMap<>();
    for (Map.Entry<Node, List<Integer>> each : byNode.entrySet()) {
      Connection connection = nodes.connection(each.getKey());
      for (int i : each.getValue()) {
        connection.sendCommand(Protocol.Command.HGETALL, redisKeys.get(i));
      }
      List<Object> replies = new ArrayList<>();
      for (int ignored : each.getValue()) {
        replies.add(read(connection));
      }
      for (int r = 0; r < replies.size(); r++) {
        Object reply = replies.get(r);
        if (reply instanceof JedisAskDataException ask) {
          reply = readElsewhere(ask, redisKeys.get(each.getValue().get(r)));
        }
        if (reply instanceof JedisDataException error) {
          throw error;
        }
        entities.put(each.getValue().get(r), cells(keys.get(each.getValue().get(r)), reply));
      }
    }
    return List.copyOf(entities.values());
  }

  private Object readElsewhere(JedisAskDataException ask, byte[] key) {
    HostAndPort target = ask.getTargetNode();
    Connection connection = nodes.connection(new Node(target.getHost(), target.getPort()));
    connection.sendCommand(Protocol.Command.ASKING);
    connection.sendCommand(Protocol.Command.HGETALL, key);
    read(connection);
    return read(connection);
  }

  private Map<String, Cell> cells(EntityKey key, Object reply) throws UnavailableException {
    if (!(reply instanceof List<?> fields)) {
      throw new UnavailableException(address.text() + " answers HGETALL with " + reply);
    }
    Map<String, Cell> cells = new TreeMap<>();
    for (int i = 0; i < fields.size(); i += 2) {
      byte[] name = (byte[]) fields.get(i);
      if (name.length == RedisKeys.RESERVED_FIELD.length) {
        continue;
      }
      String text = new String(name, UTF_8);
      try {
        cells.put(text, Cell.of((byte[]) fields.get(i + 1)));
      } catch (IllegalArgumentException e) {
        throw new UnavailableException(
            "field '" + text + "' of " + key + " was not written by Tailrace: " + e.getMessage(),
            e);
      }
    }
    return cells;
  }

  @Override
  public void close() {
    nodes.close();
  }
}
