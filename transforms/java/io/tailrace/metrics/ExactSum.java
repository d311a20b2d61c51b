package io.tailrace.metrics;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.math.BigInteger;
import java.util.Arrays;

/**
 * A sum of doubles without any rounding, so that it does not depend on the order of its terms or on
 * how they were grouped. Not thread-safe.
 *
 * <p>It is a fixed-point number whose unit is the smallest double, 2^-1074, in digits of 32 bits of
 * which only those in use are kept; carries are left in the upper halves of the digits and
 * propagated now and then. See R. M. Neal, "Fast exact summation using small and large
 * superaccumulators", 2015.
 */
final class ExactSum {
  private static final int DIGIT_BITS = 32;
  private static final long DIGIT_MASK = 0xffff_ffffL;

  /** The unit is two to this power. */
  private static final int UNIT_EXPONENT = -1074;

  private static final int MANTISSA_BITS = 52;
  private static final int MAX_BIASED_EXPONENT = 0x7ff;

  /** Digits of the largest finite double, with room for carries of a long's worth of terms. */
  private static final int MAX_DIGITS = 68;

  /** Terms after which a digit might overflow: each adds less than 2^32 to one. */
  private static final int MAX_PENDING = 1 << 29;

  // Digits from `first` on; a digit may be negative, and have more than 32 bits.
  private long[] digits = new long[0];
  private int first;
  private int pending;

  /** Adds a finite number. */
  void add(double term) {
    long bits = Double.doubleToRawLongBits(term);
    int biased = (int) (bits >>> MANTISSA_BITS) & MAX_BIASED_EXPONENT;
    if (biased == MAX_BIASED_EXPONENT) {
      throw new IllegalArgumentException("not a finite number: " + term);
    }
    long mantissa = bits & ((1L << MANTISSA_BITS) - 1);
    if (biased == 0) {
      biased = 1;
    } else {
      mantissa |= 1L << MANTISSA_BITS;
    }
    if (mantissa == 0) {
      return;
    }
    int shift = (biased - 1) % DIGIT_BITS;
    int digit = (biased - 1) / DIGIT_BITS;
    reserve(digit, digit + 3);
    int at = digit - first;
    // Shifted, the 53 bits lie in three digits at most.
    long low = (mantissa << shift) & DIGIT_MASK;
    long middle = (mantissa >>> (DIGIT_BITS - shift)) & DIGIT_MASK;
    long high = shift == 0 ? 0 : mantissa >>> (2 * DIGIT_BITS - shift);
    if (bits < 0) {
      digits[at] -= low;
      digits[at + 1] -= middle;
      digits[at + 2] -= high;
    } else {
      digits[at] += low;
      digits[at + 1] += middle;
      digits[at + 2] += high;
    }
    if (++pending == MAX_PENDING) {
      settle();
    }
  }

  /** Adds an integer, also one that no double is equal to. */
  void add(long term) {
    // Both halves are doubles.
    add((double) (term >> DIGIT_BITS) * (1L << DIGIT_BITS));
    add((double) (term & DIGIT_MASK));
  }

  /** Adds all terms of another sum. */
  void add(ExactSum other) {
    if (other.digits.length == 0) {
      return;
    }
    settle();
    other.settle();
    reserve(other.first, other.first + other.digits.length);
    for (int i = 0; i < other.digits.length; i++) {
      digits[other.first - first + i] += other.digits[i];
    }
    pending = 1;
  }

  /** Makes room for digits from one, up to another that is excluded. */
  private void reserve(int from, int to) {
    if (digits.length == 0) {
      first = from;
      digits = new long[to - from];
    } else if (from < first || to > first + digits.length) {
      int newFirst = Math.min(from, first);
      long[] more = new long[Math.max(to, first + digits.length) - newFirst];
      System.arraycopy(digits, 0, more, first - newFirst, digits.length);
      digits = more;
      first = newFirst;
    }
  }

  /**
   * Leaves 32 bits in every digit but the last, which has the sign. Until something is added again,
   * the sum can be read by several threads.
   */
  void settle() {
    if (pending == 0) {
      return;
    }
    pending = 0;
    for (int i = 0; i + 1 < digits.length; i++) {
      digits[i + 1] += digits[i] >> DIGIT_BITS;
      digits[i] &= DIGIT_MASK;
    }
    int last = digits.length - 1;
    while (last >= 0 && digits[last] >> DIGIT_BITS != 0 && digits[last] >> DIGIT_BITS != -1) {
      long over = digits[last] >> DIGIT_BITS;
      digits[last] &= DIGIT_MASK;
      digits = Arrays.copyOf(digits, digits.length + 1);
      digits[++last] = over;
    }
  }

  /** Returns the sum, rounded once, to the nearest double; infinite if it is beyond all of them. */
  double rounded() {
    settle();
    BigInteger sum = BigInteger.ZERO;
    for (int i = digits.length - 1; i >= 0; i--) {
      sum = sum.shiftLeft(DIGIT_BITS).add(BigInteger.valueOf(digits[i]));
    }
    if (sum.signum() == 0) {
      return 0;
    }
    BigInteger magnitude = sum.abs();
    int exponent = UNIT_EXPONENT + first * DIGIT_BITS;
    int excess = magnitude.bitLength() - Long.SIZE;
    if (excess > 0) {
      // More bits than rounding needs; the last one says whether any of those left out is set.
      boolean more = magnitude.getLowestSetBit() < excess;
      magnitude = magnitude.shiftRight(excess);
      magnitude = more ? magnitude.setBit(0) : magnitude;
      exponent += excess;
    }
    double rounded = Math.scalb(magnitude.doubleValue(), exponent);
    return sum.signum() < 0 ? -rounded : rounded;
  }

  void encode(DataOutput out) throws IOException {
    settle();
    out.writeByte(digits.length);
    out.writeByte(first);
    for (long digit : digits) {
      out.writeLong(digit);
    }
  }

  static ExactSum decode(DataInput in) throws IOException {
    ExactSum sum = new ExactSum();
    int length = in.readUnsignedByte();
    sum.first = in.readUnsignedByte();
    if (sum.first + length > MAX_DIGITS + 2) {
      throw new IOException("a sum has " + length + " digits from " + sum.first);
    }
    sum.digits = new long[length];
    for (int i = 0; i < length; i++) {
      sum.digits[i] = in.readLong();
    }
    return sum;
  }
}
