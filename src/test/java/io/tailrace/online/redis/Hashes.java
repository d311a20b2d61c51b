package io.tailrace.online.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.BusMessage;
import io.tailrace.online.EntityKey;
import io.tailrace.testing.ExpectedCells;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import redis.clients.jedis.Jedis;

/**
 * What a Redis holds, and what it must hold after messages came in any order: the cells that every
 * online store must hold, in the layout that is documented. Everything is text, bytes in
 * hexadecimal, so that a difference can be read.
 */
final class Hashes {
  private Hashes() {}

  /** Returns the hashes that messages must end in, if none of their cells has expired. */
  static Map<String, Map<String, String>> after(List<BusMessage> messages) {
    Map<String, Map<String, String>> hashes = new TreeMap<>();
    ExpectedCells.after(messages)
        .forEach(
            (key, entity) -> {
              Map<String, String> fields = entity.cells();
              fields.put(
                  "",
                  time(entity.highWater())
                      + time(entity.fence())
                      + (entity.rememberedUntil() == Long.MIN_VALUE
                          ? ""
                          : time(entity.rememberedUntil())));
              hashes.put(key(key), fields);
            });
    return hashes;
  }

  /**
   * Returns every hash of a server. Of the reserved field, what does not depend on the order of
   * writes: until when a key is kept is the sooner the truer.
   */
  static Map<String, Map<String, String>> in(Jedis redis) {
    Map<String, Map<String, String>> hashes = new TreeMap<>();
    for (byte[] key : redis.keys("*".getBytes(UTF_8))) {
      Map<String, String> fields = new TreeMap<>();
      redis
          .hgetAll(key)
          .forEach(
              (name, cell) -> {
                String hex = HexFormat.of().formatHex(cell);
                fields.put(
                    new String(name, UTF_8),
                    name.length == 0 && hex.length() >= 2 * 28
                        ? hex.substring(0, 2 * 16) + hex.substring(2 * 28)
                        : hex);
              });
      hashes.put(new String(key, UTF_8), fields);
    }
    return hashes;
  }

  private static String key(EntityKey key) {
    return String.join(
        ":", escaped(key.environment()), escaped(key.namespace()), escaped(key.primaryKey()));
  }

  private static String escaped(String part) {
    return part.replace("%", "%25").replace(":", "%3A").replace("{", "%7B");
  }

  private static String time(long micros) {
    return HexFormat.of()
        .formatHex(ByteBuffer.allocate(8).putLong(micros ^ Long.MIN_VALUE).array());
  }
}
