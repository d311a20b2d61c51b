package io.tailrace.online.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.endpoint.UnavailableException;
import java.util.UUID;
import redis.clients.jedis.Connection;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * An id that a Redis database holds itself, made by whoever asks first: a Redis that lost
 * everything has another one. It is in a hash whose key is no entity's, as those have two colons.
 * Stateless and thread-safe.
 */
final class RedisIdentity {
  private static final String NAME = "tailrace:store";
  private static final byte[] KEY = NAME.getBytes(UTF_8);

  /** As a rule of {@code ACL SETUSER}. */
  private static final String PATTERN = "~" + NAME;

  private static final byte[] FIELD = "id".getBytes(UTF_8);

  private RedisIdentity() {}

  static String of(RedisAddress address, RedisNodes nodes) throws UnavailableException {
    try {
      Connection connection = nodes.connection(nodes.nodeOf(KEY));
      connection.sendCommand(
          Command.HSETNX, KEY, FIELD, UUID.randomUUID().toString().getBytes(UTF_8));
      Object answer = RedisReplies.read(connection);
      if (answer instanceof JedisDataException e) {
        throw e;
      }
      connection.sendCommand(Command.HGET, KEY, FIELD);
      return new String(connection.getBinaryBulkReply(), UTF_8);
    } catch (JedisException e) {
      throw new UnavailableException(
          address.text()
              + ": its id can't be read or made: "
              + e.getMessage()
              + (RedisReplies.isForPermission(String.valueOf(e.getMessage()))
                  ? "; the ACL user needs " + PATTERN + " beside the pattern of its entities"
                  : ""),
          e);
    }
  }
}
