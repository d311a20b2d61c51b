package io.tailrace.metrics;

import com.google.protobuf.ByteString;
import io.tailrace.v1.Numbers;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;
import org.apache.datasketches.kll.KllDoublesSketch;
import org.apache.datasketches.memory.Memory;
import org.jspecify.annotations.Nullable;

/**
 * What is kept of many finite numbers: how many they are, their exact sum, the least and the
 * greatest, and a sketch of their quantiles. A few hundred bytes for few of them, some 5 kB for any
 * number. Not thread-safe.
 */
final class Distribution {
  /** Makes the error of a quantile's rank 1.33 %; Apache DataSketches' own default. */
  static final int SKETCH_K = 200;

  /** So many numbers are kept as they are: a sketch takes 2 kB as soon as it has one. */
  private static final int FEW = 32;

  private static final int FIRST_CAPACITY = 4;

  private long count;
  private double min = Double.POSITIVE_INFINITY;
  private double max = Double.NEGATIVE_INFINITY;
  private final ExactSum sum;
  private double[] few = new double[FIRST_CAPACITY];
  private @Nullable KllDoublesSketch sketch;

  Distribution() {
    this(new ExactSum());
  }

  private Distribution(ExactSum sum) {
    this.sum = sum;
  }

  /** Returns how many numbers there are. */
  long count() {
    return count;
  }

  /** Adds a finite number. */
  void add(double number) {
    sum.add(number);
    note(number);
  }

  /** Adds an integer; its part in the sum is exact. */
  void add(long number) {
    sum.add(number);
    note((double) number);
  }

  private void note(double number) {
    // There is no negative zero.
    double plain = number + 0.0;
    min = Math.min(min, plain);
    max = Math.max(max, plain);
    sketch(plain);
    count++;
  }

  private void sketch(double number) {
    if (sketch != null) {
      sketch.update(number);
      return;
    }
    if (count < FEW) {
      if (count == few.length) {
        few = Arrays.copyOf(few, Math.min(FEW, 2 * few.length));
      }
      few[(int) count] = number;
      return;
    }
    sketchOfFew().update(number);
  }

  private KllDoublesSketch sketchOfFew() {
    KllDoublesSketch made = KllDoublesSketch.newHeapInstance(SKETCH_K);
    for (int i = 0; i < count; i++) {
      made.update(few[i]);
    }
    sketch = made;
    few = new double[0];
    return made;
  }

  /** Returns a distribution of the numbers of both, which stay as they are. */
  Distribution plus(Distribution other) {
    Distribution both = new Distribution();
    both.sum.add(sum);
    both.sum.add(other.sum);
    both.settle();
    both.count = count;
    both.min = Math.min(min, other.min);
    both.max = Math.max(max, other.max);
    both.few = few.clone();
    both.sketch =
        sketch == null ? null : KllDoublesSketch.heapify(Memory.wrap(sketch.toByteArray()));
    if (other.sketch == null) {
      for (int i = 0; i < other.count; i++) {
        both.sketch(other.few[i]);
        both.count++;
      }
    } else {
      (both.sketch == null ? both.sketchOfFew() : both.sketch).merge(other.sketch);
      both.count += other.count;
    }
    return both;
  }

  /** After this, several threads can read it until something is added again. */
  void settle() {
    sum.settle();
  }

  /** Describes the numbers, of which there is at least one. */
  Numbers numbers() {
    KllDoublesSketch described = sketch;
    if (described == null) {
      described = KllDoublesSketch.newHeapInstance(SKETCH_K);
      for (int i = 0; i < count; i++) {
        described.update(few[i]);
      }
    }
    return Numbers.newBuilder()
        .setCount(count)
        .setSum(sum.rounded())
        .setMin(min)
        .setMax(max)
        .setKllSketch(ByteString.copyFrom(described.toByteArray()))
        .build();
  }

  void encode(DataOutput out) throws IOException {
    out.writeLong(count);
    sum.encode(out);
    if (sketch == null) {
      for (int i = 0; i < count; i++) {
        out.writeDouble(few[i]);
      }
    } else {
      out.writeDouble(min);
      out.writeDouble(max);
      byte[] bytes = sketch.toByteArray();
      out.writeInt(bytes.length);
      out.write(bytes);
    }
  }

  static Distribution decode(DataInput in) throws IOException {
    long count = in.readLong();
    Distribution decoded = new Distribution(ExactSum.decode(in));
    if (count <= FEW) {
      for (int i = 0; i < count; i++) {
        decoded.note(in.readDouble());
      }
      return decoded;
    }
    decoded.count = count;
    decoded.min = in.readDouble();
    decoded.max = in.readDouble();
    byte[] bytes = new byte[in.readInt()];
    in.readFully(bytes);
    decoded.sketch = KllDoublesSketch.heapify(Memory.wrap(bytes));
    decoded.few = new double[0];
    return decoded;
  }
}
