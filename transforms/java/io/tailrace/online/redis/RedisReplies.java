package io.tailrace.online.redis;

import java.util.List;
import redis.clients.jedis.Connection;
import redis.clients.jedis.exceptions.JedisAccessControlException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/** What servers answer, and what it means. Stateless and thread-safe. */
final class RedisReplies {
  private RedisReplies() {}

  /** Reads a reply; a server's own error is returned. */
  static Object read(Connection connection) {
    try {
      return connection.getOne();
    } catch (JedisDataException e) {
      // The server's own error: the connection is sound.
      return e;
    }
  }

  /** Returns whether an error goes away by itself. */
  static boolean isTemporary(String message) {
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
  static boolean says(String code, String message) {
    return message.startsWith(code)
        || message.contains(": -" + code)
        || message.contains(": " + code);
  }

  /**
   * Returns whether an error is for a command that a user may not run, or a key that is not its.
   */
  static boolean isForPermission(String message) {
    return message.startsWith("NOPERM");
  }

  /** Returns whether an error is for what an entity, or its record, holds. */
  static boolean isForContent(String message) {
    return message.contains("WRONGTYPE")
        || message.contains("string exceeds maximum allowed size")
        || message.contains("invalid bulk length");
  }

  /** Says that a server refuses what it is not known why. */
  static String refused(EntityCall.Refusal refusal) {
    return (isForPermission(refusal.message())
            ? "the user or the password is refused, or lacks a permission: "
            : refusal.by() + " answers: ")
        + refusal.message();
  }

  /** Says what went wrong. */
  static String problem(JedisException e) {
    if (e instanceof JedisAccessControlException) {
      return "the user or the password is refused, or lacks a permission: " + e.getMessage();
    }
    return RedisCheck.rootMessage(e);
  }
}
