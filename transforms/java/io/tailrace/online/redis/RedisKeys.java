package io.tailrace.online.redis;

import io.tailrace.online.EntityKey;
import java.nio.charset.StandardCharsets;

/**
 * Names the hash of an entity: {@code <environment>:<namespace>:<primary key>}, as UTF-8, with
 * {@code %} written as {@code %25}, {@code :} as {@code %3A} and <code>{</code> as {@code %7B}
 * within the three parts, so that no two entities share a key, and none chooses the slot of a
 * cluster that it is in. Stateless and thread-safe.
 */
public final class RedisKeys {
  /**
   * The reserved field of a hash: what is known of the entity as a whole. A hash without it is
   * somebody else's.
   */
  static final byte[] RESERVED_FIELD = {};

  private RedisKeys() {}

  /** Returns the key of an entity's hash. */
  public static byte[] of(EntityKey entity) {
    StringBuilder key =
        new StringBuilder(
            entity.environment().length()
                + entity.namespace().length()
                + entity.primaryKey().length()
                + 8);
    append(key, entity.environment());
    key.append(':');
    append(key, entity.namespace());
    key.append(':');
    append(key, entity.primaryKey());
    return key.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** Returns a key of no entity, in the namespace of one; others for other numbers. */
  static byte[] trial(EntityKey entity, int number) {
    StringBuilder key = new StringBuilder();
    append(key, entity.environment());
    key.append(':');
    append(key, entity.namespace());
    // No part of an entity's key has such an escape.
    key.append(":%trial").append(number);
    return key.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void append(StringBuilder key, String part) {
    if (part.indexOf(':') < 0 && part.indexOf('%') < 0 && part.indexOf('{') < 0) {
      key.append(part);
    } else {
      key.append(part.replace("%", "%25").replace(":", "%3A").replace("{", "%7B"));
    }
  }
}
