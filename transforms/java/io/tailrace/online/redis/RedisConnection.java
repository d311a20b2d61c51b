package io.tailrace.online.redis;

import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.Cell;
import io.tailrace.online.EntityKey;
import io.tailrace.online.EntityWrite;
import io.tailrace.online.OnlineStore;
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
 * for its content is divided until the entity at fault stands alone, and only that is rejected. Not
 * thread-safe.
 */
final class RedisConnection implements OnlineStore.Connection {
  private final RedisAddress address;
  private final RedisNodes nodes;
  private final EntityCalls calls;
  private final EntitySender sender;
  private final EntityReader reader;

  RedisConnection(RedisAddress address, RedisNodes nodes) {
    this.address = address;
    this.nodes = nodes;
    this.calls = new EntityCalls(address, nodes);
    this.sender = new EntitySender(address, nodes);
    this.reader = new EntityReader(address, nodes);
  }

  @Override
  public void write(List<EntityWrite> writes, long nowMicros) throws UnavailableException {
    boolean complete = false;
    try {
      List<EntityCall> open = calls.of(writes);
      Retry retry = retry();
      while (!open.isEmpty()) {
        List<EntityCall> again = new ArrayList<>();
        Optional<String> trouble = sender.send(open, nowMicros, again);
        open = again;
        if (!open.isEmpty()) {
          if (trouble.isPresent()) {
            retry.pause(trouble.get());
          } else {
            retry.atOnce(sender.answeredLast());
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
  public void close() {
    nodes.close();
  }
}
