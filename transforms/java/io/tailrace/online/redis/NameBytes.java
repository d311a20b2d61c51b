package io.tailrace.online.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The UTF-8 bytes of features' names. Entities of one query have the same names in the same order,
 * so the name last seen at a position is looked at first. Not thread-safe.
 */
final class NameBytes {
  /** A power of two; more features than most queries ask for. */
  private static final int POSITIONS = 64;

  /** Names that are remembered, far above the number of live features. */
  private static final int MAX_NAMES = 100_000;

  private final Map<String, byte[]> known = new HashMap<>();
  private final @Nullable String[] recentNames = new String[POSITIONS];
  private final byte[][] recentBytes = new byte[POSITIONS][];

  @SuppressWarnings(
      "ReferenceEquality") // A name that is equal and not the same is found in the map.
  byte[] of(int position, String name) {
    int slot = position & (POSITIONS - 1);
    if (recentNames[slot] != name) {
      if (known.size() >= MAX_NAMES) {
        known.clear();
      }
      recentBytes[slot] = known.computeIfAbsent(name, text -> text.getBytes(UTF_8));
      recentNames[slot] = name;
    }
    return recentBytes[slot];
  }
}
