package io.tailrace.parquet;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Finds texts in a list by their bytes: eight bytes for each, where a map would take a hundred, of
 * which a file with a million keys has as many. Not thread-safe.
 */
final class TextIndex {
  private static final int FIRST_PLACES = 64;

  private final List<byte[]> texts;
  // Another one for each index: nobody can choose texts that meet in one place.
  private final long factor = ThreadLocalRandom.current().nextLong() | 1;
  // The number of a text plus one, at the place that its bytes give, or the next free one.
  private int[] places = new int[FIRST_PLACES];

  /** Finds texts in a list, which only this adds to. */
  TextIndex(List<byte[]> texts) {
    this.texts = texts;
  }

  /** Returns the number of a text, or one below zero if it is not there. */
  int find(ByteBuffer text) {
    for (int at = place(text); places[at] != 0; at = (at + 1) & (places.length - 1)) {
      if (ByteBuffer.wrap(texts.get(places[at] - 1)).equals(text)) {
        return places[at] - 1;
      }
    }
    return -1;
  }

  /** Adds a text that is not there, and returns its number. */
  int add(byte[] text) {
    texts.add(text);
    if (2 * texts.size() > places.length) {
      places = new int[2 * places.length];
      for (int i = 0; i < texts.size(); i++) {
        put(i);
      }
    } else {
      put(texts.size() - 1);
    }
    return texts.size() - 1;
  }

  private void put(int number) {
    int at = place(ByteBuffer.wrap(texts.get(number)));
    while (places[at] != 0) {
      at = (at + 1) & (places.length - 1);
    }
    places[at] = number + 1;
  }

  private int place(ByteBuffer text) {
    long hash = factor;
    for (int i = text.position(); i < text.limit(); i++) {
      hash = (hash ^ text.get(i)) * factor;
      hash ^= hash >>> 29;
    }
    return (int) (hash ^ hash >>> 32) & (places.length - 1);
  }
}
