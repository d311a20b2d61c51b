package io.tailrace.metrics;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.Test;

/** Sums are those of exact arithmetic, rounded once, in any order and any grouping. */
public final class ExactSumTest {
  private static final int ROUNDS = 2_000;

  private static ExactSum sum(double... terms) {
    ExactSum sum = new ExactSum();
    for (double term : terms) {
      sum.add(term);
    }
    return sum;
  }

  @Test
  public void whatCancelsOutLeavesNoError() {
    assertThat(sum(1e308, 1, -1e308, 1e-300, -1).rounded()).isEqualTo(1e-300);
  }

  @Test
  public void nothingSumsToZero() {
    assertThat(new ExactSum().rounded()).isEqualTo(0.0);
    assertThat(sum(-0.0, 5, -5).rounded()).isEqualTo(0.0);
  }

  @Test
  public void theSmallestNumbersCount() {
    assertThat(sum(Double.MIN_VALUE, Double.MIN_VALUE).rounded()).isEqualTo(2 * Double.MIN_VALUE);
  }

  @Test
  public void beyondTheGreatestDoubleIsInfinity() {
    ExactSum sum = sum(Double.MAX_VALUE, Double.MAX_VALUE);
    assertThat(sum.rounded()).isEqualTo(Double.POSITIVE_INFINITY);
    sum.add(-Double.MAX_VALUE);
    assertThat(sum.rounded()).isEqualTo(Double.MAX_VALUE);
  }

  @Test
  public void integersThatNoDoubleIsEqualToAreExact() {
    ExactSum sum = new ExactSum();
    sum.add(Long.MAX_VALUE);
    sum.add(Long.MIN_VALUE);
    sum.add((1L << 53) + 1);
    sum.add(-(1L << 53));
    assertThat(sum.rounded()).isEqualTo(0.0);
  }

  @Test
  public void whatIsNotFiniteIsRefused() {
    ExactSum sum = new ExactSum();
    assertThrows(IllegalArgumentException.class, () -> sum.add(Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> sum.add(Double.NEGATIVE_INFINITY));
  }

  @Test
  public void anyNumbersInAnyOrderAndGroupingHaveTheSumOfExactArithmetic() throws IOException {
    Random random = new Random(1);
    for (int round = 0; round < ROUNDS; round++) {
      List<Double> terms = new ArrayList<>();
      BigDecimal exact = BigDecimal.ZERO;
      int count = random.nextInt(50);
      for (int i = 0; i < count; i++) {
        double term = anyFinite(random, round % 3);
        terms.add(term);
        exact = exact.add(new BigDecimal(term));
      }
      Collections.shuffle(terms, random);
      int split = count == 0 ? 0 : random.nextInt(count);
      ExactSum left = new ExactSum();
      terms.subList(0, split).forEach(left::add);
      ExactSum right = new ExactSum();
      terms.subList(split, count).forEach(right::add);
      left.add(copy(right));
      left.add(new ExactSum());
      assertThat(copy(left).rounded()).isEqualTo(exact.doubleValue());
    }
  }

  private static double anyFinite(Random random, int kind) {
    while (true) {
      double term =
          switch (kind) {
            case 0 -> Double.longBitsToDouble(random.nextLong());
            case 1 -> random.nextGaussian() * 100;
            default -> Math.scalb(random.nextDouble() - 0.5, random.nextInt(120) - 1_050);
          };
      if (Double.isFinite(term)) {
        return term;
      }
    }
  }

  private static ExactSum copy(ExactSum sum) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    sum.encode(new DataOutputStream(bytes));
    return ExactSum.decode(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
  }
}
