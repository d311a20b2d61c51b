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
  private static final long GRACE = 3600L * 1_000_000;
  private static final long GRANULARITY = 1L << 30;

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
                      + time(rounded(entity.keptUntil())));
              hashes.put(key(key), fields);
            });
    return hashes;
  }

  /** Returns every hash of a server. */
  static Map<String, Map<String, String>> in(Jedis redis) {
    Map<String, Map<String, String>> hashes = new TreeMap<>();
    for (byte[] key : redis.keys("*".getBytes(UTF_8))) {
      Map<String, String> fields = new TreeMap<>();
      redis
          .hgetAll(key)
          .forEach(
              (name, cell) -> fields.put(new String(name, UTF_8), HexFormat.of().formatHex(cell)));
      hashes.put(new String(key, UTF_8), fields);
    }
    return hashes;
  }

  private static String key(EntityKey key) {
    return String.join(
        ":", escaped(key.environment()), escaped(key.namespace()), escaped(key.primaryKey()));
  }

  private static String escaped(String part) {
    return part.replace("%", "%25").replace(":", "%3A");
  }

  private static long rounded(long until) {
    if (until > Long.MAX_VALUE - GRACE - GRANULARITY) {
      return Long.MAX_VALUE;
    }
    long kept = until + GRACE;
    long over = Math.floorMod(kept, GRANULARITY);
    return over == 0 ? kept : kept - over + GRANULARITY;
  }

  private static String time(long micros) {
    return HexFormat.of()
        .formatHex(ByteBuffer.allocate(8).putLong(micros ^ Long.MIN_VALUE).array());
  }
}
