package io.tailrace.online.redis;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.redis.RedisAddress.Node;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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

/**
 * Sends calls of the script to the nodes that serve them, in rounds, and settles them by their
 * replies. Not thread-safe.
 */
final class EntitySender {
  private final RedisAddress address;
  private final RedisNodes nodes;
  // Nodes that were sent the script in this round: every call of the round missed it.
  private final Set<Node> scriptLoadedOn = new HashSet<>();
  // The last call that each node took.
  private final Map<Node, EntityCall> taken = new HashMap<>();
  private String answeredLast = "";

  EntitySender(RedisAddress address, RedisNodes nodes) {
    this.address = address;
    this.nodes = nodes;
  }

  /** Returns a call that each node took, of those that were sent since this was asked last. */
  Map<Node, EntityCall> drainTaken() {
    Map<Node, EntityCall> calls = Map.copyOf(taken);
    taken.clear();
    return calls;
  }

  /** Returns the error that was answered last, for calls that are to be sent again at once. */
  String answeredLast() {
    return answeredLast;
  }

  /**
   * Sends calls and settles what is final; the others are added to {@code again}.
   *
   * @return what a pause may mend; empty: those can be sent again at once
   */
  Optional<String> send(List<EntityCall> calls, long nowMicros, List<EntityCall> again)
      throws UnavailableException {
    Map<Node, List<EntityCall>> byNode = new LinkedHashMap<>();
    @Nullable String trouble = null;
    for (EntityCall call : calls) {
      try {
        Node node = call.asked != null ? call.asked : nodes.nodeOf(call.pieces.get(0).key());
        byNode.computeIfAbsent(node, any -> new ArrayList<>()).add(call);
      } catch (JedisException e) {
        trouble = RedisReplies.problem(e);
        repeat(List.of(call), again);
        nodes.refresh();
      }
    }
    // All nodes work at once: everything is sent before the first reply is read.
    Map<Node, Connection> sent = new LinkedHashMap<>();
    for (Map.Entry<Node, List<EntityCall>> each : byNode.entrySet()) {
      try {
        Connection connection = nodes.connection(each.getKey());
        for (EntityCall call : each.getValue()) {
          if (call.asked != null) {
            connection.sendCommand(Protocol.Command.ASKING);
          }
          connection.sendCommand(call.arguments(nowMicros, address.writing().graceMicros()));
        }
        if (address.writing().waitReplicas() > 0) {
          connection.sendCommand(
              Protocol.Command.WAIT,
              Integer.toString(address.writing().waitReplicas()),
              Long.toString(address.writing().waitTimeout().toMillis()));
        }
        sent.put(each.getKey(), connection);
      } catch (JedisAccessControlException e) {
        throw new UnavailableException(address.text() + ": " + RedisReplies.problem(e), e);
      } catch (JedisException e) {
        trouble = broken(each.getKey(), e);
        repeat(each.getValue(), again);
      }
    }
    scriptLoadedOn.clear();
    for (Map.Entry<Node, Connection> each : sent.entrySet()) {
      Node node = each.getKey();
      List<EntityCall> theirs = byNode.getOrDefault(node, List.of());
      List<Object> replies = new ArrayList<>(theirs.size());
      try {
        for (EntityCall call : theirs) {
          if (call.asked != null) {
            RedisReplies.read(each.getValue());
          }
          replies.add(RedisReplies.read(each.getValue()));
        }
        if (address.writing().waitReplicas() > 0) {
          Object confirmed = RedisReplies.read(each.getValue());
          if (confirmed instanceof JedisAccessControlException refused) {
            throw new UnavailableException(
                address.text() + ": " + RedisReplies.problem(refused), refused);
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
  private static void repeat(List<EntityCall> calls, List<EntityCall> again) {
    for (EntityCall call : calls) {
      call.asked = null;
      call.refusal = null;
      again.add(call);
    }
  }

  /**
   * Settles a call by its reply, or adds to {@code again} what must be sent once more.
   *
   * @return what a pause may mend, or null if there is nothing to wait for
   */
  private @Nullable String settle(Node node, EntityCall call, Object reply, List<EntityCall> again)
      throws UnavailableException {
    call.asked = null;
    call.refusal = null;
    if (!(reply instanceof JedisDataException error)) {
      call.settle(reply);
      taken.put(node, call);
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
    if (error instanceof JedisAccessControlException && !RedisReplies.isForPermission(message)) {
      throw new UnavailableException(address.text() + ": " + RedisReplies.problem(error), error);
    }
    if (message.startsWith("TRYAGAIN") && call.pieces.size() > 1) {
      // The slot moves and some of the keys are there already: each by itself is on one node.
      call.divide(again);
      return null;
    }
    if (RedisReplies.isTemporary(message)) {
      if (RedisReplies.says("READONLY", message) || RedisReplies.says("MASTERDOWN", message)) {
        // Another node is the master now, under the same name: resolve it again.
        nodes.discard(node);
        nodes.refresh();
      }
      again.add(call);
      return node + " answers: " + message;
    }
    if (RedisReplies.isForContent(message)) {
      call.reject("the store refuses it: " + message, again);
      return null;
    }
    call.refusal = new EntityCall.Refusal(node, message);
    again.add(call);
    return node + " answers: " + message;
  }

  private @Nullable String loadScript(Node node) throws UnavailableException {
    try {
      Connection connection = nodes.connection(node);
      connection.sendCommand(WriteScript.load());
      connection.getOne();
      return null;
    } catch (JedisAccessControlException e) {
      throw new UnavailableException(address.text() + ": " + RedisReplies.problem(e), e);
    } catch (JedisDataException e) {
      return node + " does not load the script: " + e.getMessage();
    } catch (JedisException e) {
      return broken(node, e);
    }
  }

  private String broken(Node node, JedisException e) {
    nodes.discard(node);
    nodes.refresh();
    return node + ": " + RedisReplies.problem(e);
  }
}
