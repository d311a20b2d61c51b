package io.tailrace.online.redis;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.redis.RedisAddress.Node;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Tells entities that a server will never take from a server that takes nothing, where the error is
 * on no list: a proxy has words of its own, and a user may be kept from some keys. What is refused
 * alone, by a node that takes something else at that time, is rejected. Not thread-safe.
 */
final class Refusals {
  /** Words of an error that say which one it is; behind them names follow, perhaps. */
  private static final int TELLING_WORDS = 3;

  private final RedisNodes nodes;
  private final EntitySender sender;
  private final long graceMicros;
  // Errors that were for content before: for those nobody waits a second time.
  private final Set<String> known = new HashSet<>();

  Refusals(RedisAddress address, RedisNodes nodes, EntitySender sender) {
    this.nodes = nodes;
    this.sender = sender;
    this.graceMicros = address.writing().graceMicros();
  }

  /** Returns whether some calls were refused with errors that need not be waited for. */
  boolean areKnown(List<EntityCall> calls) {
    for (EntityCall call : calls) {
      if (call.refusal != null
          && (RedisReplies.isForPermission(call.refusal.message())
              || known.contains(kind(call.refusal.message())))) {
        return true;
      }
    }
    return false;
  }

  /** Returns whether all calls were refused, and none awaits something else. */
  static boolean areAllRefused(List<EntityCall> calls) {
    return calls.stream().allMatch(call -> call.refusal != null);
  }

  /** Returns whether all calls were refused for want of a permission, which time does not mend. */
  static boolean areForPermission(List<EntityCall> calls) {
    for (EntityCall call : calls) {
      if (call.refusal == null || !RedisReplies.isForPermission(call.refusal.message())) {
        return false;
      }
    }
    return true;
  }

  private static String kind(String message) {
    String[] words = message.split(" ", TELLING_WORDS + 1);
    return String.join(" ", List.of(words).subList(0, Math.min(TELLING_WORDS, words.length)));
  }

  /**
   * Sends every entity of calls that were refused once more, each by itself, and rejects those that
   * are refused again by a node that takes something else.
   *
   * @return what is neither settled nor rejected
   */
  List<EntityCall> judge(List<EntityCall> calls, long nowMicros) throws UnavailableException {
    List<EntityCall> left = new ArrayList<>();
    List<EntityCall> single = new ArrayList<>();
    for (EntityCall call : calls) {
      if (call.refusal == null) {
        left.add(call);
      } else {
        call.divide(single);
      }
    }
    Map<Node, EntityCall> before = sender.drainTaken();
    List<EntityCall> again = new ArrayList<>();
    var unused = sender.send(single, nowMicros, again);
    Map<Node, Boolean> working = new HashMap<>();
    sender.drainTaken().keySet().forEach(node -> working.put(node, true));
    for (EntityCall call : again) {
      EntityCall.Refusal refusal = call.refusal;
      if (refusal == null) {
        left.add(call);
        continue;
      }
      if (!working.containsKey(refusal.by())) {
        working.put(refusal.by(), works(call, refusal.by(), before, nowMicros));
      }
      if (Boolean.TRUE.equals(working.get(refusal.by()))) {
        known.add(kind(refusal.message()));
        call.reject("the store refuses it, and takes others: " + refusal.message(), left);
      } else {
        left.add(call);
      }
    }
    return left;
  }

  /**
   * Returns whether a node takes a write now: one that it took before, which changes nothing, or a
   * trial in the namespace of the entity that it refuses.
   */
  private boolean works(
      EntityCall refused, Node node, Map<Node, EntityCall> before, long nowMicros) {
    EntityCall witness = before.get(node);
    if (witness != null && takes(node, witness.arguments(nowMicros, graceMicros))) {
      return true;
    }
    try {
      byte[] key = nodes.trialKey(refused.pieces.get(0).write().key(), node);
      return takes(node, WriteScript.load()) && takes(node, WriteScript.trial(key));
    } catch (JedisException e) {
      // Nobody knows any more which node is where.
      return false;
    }
  }

  private boolean takes(Node node, CommandArguments call) {
    try {
      Connection connection = nodes.connection(node);
      connection.sendCommand(call);
      return !(RedisReplies.read(connection) instanceof JedisDataException);
    } catch (JedisException e) {
      // A reply may still be on its way.
      nodes.discard(node);
      return false;
    }
  }
}
