package io.tailrace.online.redis;

import static java.util.Objects.requireNonNull;

import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.Cell;
import io.tailrace.online.EntityKey;
import io.tailrace.online.EntityWrite;
import io.tailrace.online.OnlineStore;
import io.tailrace.online.WriteRate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import redis.clients.jedis.exceptions.JedisAccessControlException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisMovedDataException;

/**
 * Writes to and reads from Redis. Every reply is looked at: what a server refuses for now is sent
 * again, to the node that it names or after a pause, for {@code retryFor}; a call that it refuses
 * for its content is divided until the entity at fault stands alone, and only that is rejected.
 * Where an error does not say which of the two it is, {@link Refusals} finds out. Not thread-safe.
 */
final class RedisConnection implements OnlineStore.Connection {
  private final RedisAddress address;
  private final RedisNodes nodes;
  private final EntityCalls calls;
  private final EntitySender sender;
  private final Refusals refusals;
  private final EntityReader reader;
  private final WriteRate rate;

  RedisConnection(RedisAddress address, RedisNodes nodes) {
    this(address, nodes, WriteRate.of(address.writing().maxPerSecond()));
  }

  /** With a limit of its own. */
  RedisConnection(RedisAddress address, RedisNodes nodes, WriteRate rate) {
    this.address = address;
    this.nodes = nodes;
    this.calls = new EntityCalls(address, nodes);
    this.sender = new EntitySender(address, nodes);
    this.refusals = new Refusals(address, nodes, sender);
    this.reader = new EntityReader(address, nodes);
    this.rate = rate;
  }

  @Override
  public void write(List<EntityWrite> writes, long nowMicros) throws UnavailableException {
    boolean complete = false;
    try {
      for (List<EntityCall> some : portions(calls.of(writes))) {
        rate.await(entities(some));
        send(some, nowMicros);
      }
      complete = true;
    } finally {
      if (!complete) {
        // Replies may be on their way that the next write would take for its own.
        nodes.close();
      }
    }
  }

  /** Parts calls into what may be sent at once. */
  private List<List<EntityCall>> portions(List<EntityCall> all) {
    if (all.isEmpty() || rate.portion() == Integer.MAX_VALUE) {
      return List.of(all);
    }
    List<List<EntityCall>> portions = new ArrayList<>();
    int held = 0;
    for (EntityCall call : all) {
      if (held == 0 || held + call.pieces.size() > rate.portion()) {
        portions.add(new ArrayList<>());
        held = 0;
      }
      portions.get(portions.size() - 1).add(call);
      held += call.pieces.size();
    }
    return portions;
  }

  private static int entities(List<EntityCall> calls) {
    return calls.stream().mapToInt(call -> call.pieces.size()).sum();
  }

  private void send(List<EntityCall> all, long nowMicros) throws UnavailableException {
    var unused = sender.drainTaken();
    List<EntityCall> open = all;
    Retry retry = retry();
    boolean judged = false;
    while (!open.isEmpty()) {
      List<EntityCall> again = new ArrayList<>();
      Optional<String> trouble = sender.send(open, nowMicros, again);
      open = again;
      if (!judged && refusals.areKnown(open)) {
        open = refusals.judge(open, nowMicros);
        // As long as some are under way, one of them may yet tell that the store works.
        judged = Refusals.areAllRefused(open);
        if (!open.isEmpty() && Refusals.areForPermission(open)) {
          throw outage(open);
        }
      }
      if (!open.isEmpty()) {
        open = await(trouble, retry, open, nowMicros);
      }
    }
  }

  private UnavailableException outage(List<EntityCall> refused) {
    return new UnavailableException(
        address.text() + ": " + RedisReplies.refused(requireNonNull(refused.get(0).refusal)));
  }

  /** Waits until it is time to send calls again; returns what is left of them. */
  private List<EntityCall> await(
      Optional<String> trouble, Retry retry, List<EntityCall> open, long nowMicros)
      throws UnavailableException {
    try {
      if (trouble.isPresent()) {
        retry.pause(trouble.get());
      } else {
        retry.atOnce(sender.answeredLast());
      }
      return open;
    } catch (UnavailableException e) {
      // Time is over, or the thread is to end.
      if (Thread.currentThread().isInterrupted() || !refusals.judge(open, nowMicros).isEmpty()) {
        throw e;
      }
      return List.of();
    }
  }

  private Retry retry() {
    return Retry.of(address.text(), address.timeouts().retryFor());
  }

  @Override
  public List<Map<String, Cell>> read(List<EntityKey> keys) throws UnavailableException {
    Retry retry = retry();
    while (true) {
      String trouble;
      try {
        return reader.read(keys);
      } catch (JedisAccessControlException e) {
        throw new UnavailableException(address.text() + ": " + RedisReplies.problem(e), e);
      } catch (JedisMovedDataException e) {
        nodes.refresh();
        trouble = String.valueOf(e.getMessage());
      } catch (JedisDataException e) {
        if (!RedisReplies.isTemporary(String.valueOf(e.getMessage()))) {
          throw new UnavailableException(address.text() + ": " + e.getMessage(), e);
        }
        trouble = String.valueOf(e.getMessage());
      } catch (JedisException e) {
        trouble = RedisReplies.problem(e);
        // Whichever node it was: a reply that comes late must not be taken for another entity's.
        nodes.close();
      }
      retry.pause(trouble);
    }
  }

  @Override
  public Instant now() throws UnavailableException {
    Retry retry = retry();
    while (true) {
      String asked = "";
      try {
        RedisAddress.Node node = nodes.nodeOf(RedisKeys.RESERVED_FIELD);
        asked = node + ": ";
        return nodes.now(node);
      } catch (JedisAccessControlException e) {
        throw new UnavailableException(address.text() + ": " + RedisReplies.problem(e), e);
      } catch (JedisException e) {
        nodes.close();
        retry.pause(asked + RedisReplies.problem(e), e);
      }
    }
  }

  @Override
  public void close() {
    nodes.close();
  }
}
