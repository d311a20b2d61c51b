package io.tailrace.metrics;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import org.apache.datasketches.common.SketchesArgumentException;
import org.apache.datasketches.kll.KllDoublesSketch;
import org.apache.datasketches.memory.Memory;
import org.apache.datasketches.quantilescommon.QuantileSearchCriteria;

/**
 * Reads the serialized KLL sketches of summaries, and says what is wrong with one before the
 * library, which believes what it reads, makes arrays of it. Stateless and thread-safe.
 *
 * <p>The layout is that of the "compact" forms of Apache DataSketches' KllDoublesSketch, in little
 * endian: 8 bytes of preamble and the item if there is one only; otherwise 20 bytes of preamble,
 * where each level begins, the least and the greatest item, and the items of all levels. An item of
 * level n stands for 2^n numbers.
 */
final class QuantileSketch {
  /** The k of every sketch on the metrics bus. */
  static final int K = 200;

  /** Of the largest sketch with this k, of more numbers than anybody counts, about a half. */
  static final int MAX_BYTES = 16 << 10;

  private static final int M = 8;
  private static final int FAMILY = 15;
  private static final int ONE_ITEM_BYTES = 8 + Double.BYTES;
  private static final int PREAMBLE_BYTES = 20;
  private static final int MAX_LEVELS = 50;
  private static final int FULL = 1;
  private static final int ONE_ITEM = 2;
  private static final int EMPTY_FLAG = 1;
  private static final int ONE_ITEM_FLAG = 4;

  private QuantileSketch() {}

  /**
   * Returns what is wrong with a sketch; empty: nothing is.
   *
   * @param count how many numbers it must be of
   * @param min the least of them
   * @param max the greatest of them
   */
  static Optional<String> problem(ByteString bytes, long count, double min, double max) {
    if (bytes.size() > MAX_BYTES) {
      return Optional.of("it has " + bytes.size() + " bytes, more than " + MAX_BYTES);
    }
    Optional<String> problem = problemOfLayout(bytes, count, min, max);
    if (problem.isPresent()) {
      return problem;
    }
    try {
      KllDoublesSketch sketch = sketch(bytes);
      if (sketch.getNumRetained() != items(bytes)) {
        return Optional.of("its levels do not begin where they must");
      }
      double[] quantiles = quantiles(sketch);
      return quantiles[0] <= quantiles[1] && quantiles[1] <= quantiles[2]
          ? Optional.empty()
          : Optional.of("its quantiles are not in order");
    } catch (SketchesArgumentException | IndexOutOfBoundsException | AssertionError e) {
      // The library checks its arguments by assertions, too.
      return Optional.of("it can't be read: " + String.valueOf(e.getMessage()).strip());
    }
  }

  private static int items(ByteString bytes) {
    return bytes.byteAt(1) == ONE_ITEM
        ? 1
        : (bytes.size() - itemsBegin(bytes.byteAt(18))) / Double.BYTES;
  }

  private static int itemsBegin(int levels) {
    return PREAMBLE_BYTES + levels * Integer.BYTES + 2 * Double.BYTES;
  }

  private static Optional<String> problemOfLayout(
      ByteString bytes, long count, double min, double max) {
    ByteBuffer buffer = bytes.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    if (buffer.remaining() < ONE_ITEM_BYTES || buffer.get(2) != FAMILY) {
      return Optional.of("it is no KLL sketch of at least one number");
    }
    if (buffer.getShort(4) != K || buffer.get(6) != M) {
      return Optional.of("its k is " + (buffer.getShort(4) & 0xffff) + ", not " + K);
    }
    int flags = buffer.get(3) & (EMPTY_FLAG | ONE_ITEM_FLAG);
    int form = buffer.get(1);
    if (form == ONE_ITEM && flags == ONE_ITEM_FLAG) {
      return buffer.remaining() == ONE_ITEM_BYTES
          ? problemOfItems(buffer, 8, 1, min, max).or(() -> problemOfCount(1, count))
          : Optional.of("it is not as long as a sketch of one number");
    }
    if (form != FULL || flags != 0 || buffer.remaining() < PREAMBLE_BYTES) {
      return Optional.of("it is not in the compact form");
    }
    return problemOfLevels(buffer, count, min, max);
  }

  private static Optional<String> problemOfLevels(
      ByteBuffer buffer, long count, double min, double max) {
    int levels = buffer.get(18);
    int items = itemsBegin(levels);
    int itemBytes = buffer.remaining() - items;
    if (levels < 1 || levels > MAX_LEVELS || itemBytes < 0 || itemBytes % Double.BYTES != 0) {
      return Optional.of("it is not as long as its " + levels + " levels");
    }
    int begin = buffer.getInt(PREAMBLE_BYTES);
    int end = begin + itemBytes / Double.BYTES;
    if (begin < 0 || begin > MAX_BYTES) {
      return Optional.of("its levels are not in order");
    }
    long numbers = 0;
    for (int level = 0; level < levels; level++) {
      int from = buffer.getInt(PREAMBLE_BYTES + level * Integer.BYTES);
      int to =
          level + 1 < levels ? buffer.getInt(PREAMBLE_BYTES + (level + 1) * Integer.BYTES) : end;
      if (to < from || to > end) {
        return Optional.of("its levels are not in order");
      }
      numbers += (long) (to - from) << level;
    }
    if (buffer.getLong(8) != numbers) {
      return Optional.of(
          "it says " + buffer.getLong(8) + " numbers and its levels have " + numbers);
    }
    return problemOfItems(buffer, items - 2 * Double.BYTES, 2 + end - begin, min, max)
        .or(() -> problemOfCount(buffer.getLong(8), count));
  }

  private static Optional<String> problemOfItems(
      ByteBuffer buffer, int at, int items, double min, double max) {
    for (int i = 0; i < items; i++) {
      double item = buffer.getDouble(at + i * Double.BYTES);
      if (!(item >= min && item <= max)) {
        return Optional.of("it has numbers that are not between min and max");
      }
    }
    return Optional.empty();
  }

  private static Optional<String> problemOfCount(long numbers, long count) {
    return numbers == count
        ? Optional.empty()
        : Optional.of("it is of " + numbers + " numbers, and count is " + count);
  }

  /** Returns p50, p95 and p99 of a sketch without problems. */
  static double[] quantiles(ByteString bytes) {
    return quantiles(sketch(bytes));
  }

  private static double[] quantiles(KllDoublesSketch sketch) {
    return sketch.getQuantiles(new double[] {0.5, 0.95, 0.99}, QuantileSearchCriteria.INCLUSIVE);
  }

  private static KllDoublesSketch sketch(ByteString bytes) {
    return KllDoublesSketch.heapify(Memory.wrap(bytes.toByteArray()));
  }
}
