package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;
import static org.quicktheories.QuickTheory.qt;
import static org.quicktheories.generators.SourceDSL.integers;

import io.tailrace.offline.Dividing.Divided;
import io.tailrace.offline.Dividing.Refusal;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.BitSet;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.Test;

/** Which rows are found to be refused, and after how many tries a table is. */
public class DividingTest {
  private static final Optional<Refusal> OF_ROWS =
      Optional.of(new Refusal(Reason.TABLE_REFUSES, false, "why"));

  private final BitSet taken = new BitSet();
  private int tries;

  /** Divides rows of which some are refused. */
  private Divided divide(int rows, BitSet bad) throws Exception {
    taken.clear();
    tries = 0;
    return Dividing.divide(
        rows,
        (from, to) -> {
          tries++;
          if (!bad.get(from, to).isEmpty()) {
            return OF_ROWS;
          }
          taken.set(from, to);
          return Optional.empty();
        });
  }

  private static BitSet refused(Divided divided) {
    BitSet refused = new BitSet();
    divided.refused().forEach(each -> refused.set(each.from(), each.to()));
    return refused;
  }

  @Test
  public void exactlyTheRowsAtFaultAreRefused() {
    qt().forAll(integers().between(1, 3_000), integers().between(0, 40), integers().all())
        .checkAssert(
            (rows, percent, seed) -> {
              Random random = new Random(seed);
              BitSet bad = new BitSet();
              IntStream.range(0, rows)
                  .filter(row -> random.nextInt(1_000) < percent)
                  .forEach(bad::set);
              try {
                Divided divided = divide(rows, bad);
                assertThat(refused(divided)).isEqualTo(bad);
                assertThat(divided.isSick()).isFalse();
                BitSet all = (BitSet) taken.clone();
                all.or(bad);
                assertThat(all.cardinality()).isEqualTo(rows);
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            });
  }

  @Test
  public void aTableThatRefusesEverythingIsSickAfterSixteenTries() throws Exception {
    BitSet bad = new BitSet();
    bad.set(0, 100_000);

    Divided divided = divide(100_000, bad);

    assertThat(divided.isSick()).isTrue();
    assertThat(tries).isEqualTo(Dividing.MAX_IN_A_ROW);
    assertThat(refused(divided)).isEqualTo(bad);
  }

  @Test
  public void aFewRowsThatAreAllRefusedDoNotMakeATableSick() throws Exception {
    BitSet bad = new BitSet();
    bad.set(0, 3);

    Divided divided = divide(3, bad);

    assertThat(divided.isSick()).isFalse();
    assertThat(refused(divided)).isEqualTo(bad);
  }

  @Test
  public void oneTryTellsATableThatRefusesWhateverItIsAsked() throws Exception {
    Divided divided =
        Dividing.divide(
            100,
            (from, to) -> {
              tries++;
              return Optional.of(new Refusal(Reason.TABLE_REFUSES, true, "no right"));
            });

    assertThat(divided.isSick()).isTrue();
    assertThat(tries).isEqualTo(1);
    assertThat(refused(divided).cardinality()).isEqualTo(100);
  }

  @Test
  public void dividingEndsWhateverManyRowsAreRefused() throws Exception {
    BitSet bad = new BitSet();
    IntStream.range(0, 100_000).filter(row -> row % 2 == 0).forEach(bad::set);

    Divided divided = divide(100_000, bad);

    assertThat(divided.isSick()).isFalse();
    assertThat(tries).isLessThan(5_000);
    BitSet all = (BitSet) taken.clone();
    all.or(refused(divided));
    assertThat(all.cardinality()).isEqualTo(100_000);
    assertThat(taken.intersects(bad)).isFalse();
  }
}
