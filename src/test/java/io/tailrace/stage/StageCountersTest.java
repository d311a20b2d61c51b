package io.tailrace.stage;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;
import static org.junit.Assume.assumeTrue;

import java.util.List;
import org.junit.Test;

/** That what a stage does not account for is seen. */
public class StageCountersTest {
  private static final class Counts extends StageCounters {
    private static final long serialVersionUID = 1;

    final Count received = count("received", "messages", "all");
    final Count putOut = count("put_out", "messages", "those that went on");
    final Count refused = count("refused", "messages", "dead letters");

    Counts() {
      super("Stage");
      accounts(received, putOut, refused);
    }

    long unaccounted() {
      return counts().stream()
          .filter(each -> each.name().equals("unaccounted"))
          .mapToLong(Count::unflushed)
          .sum();
    }
  }

  @Test
  public void aBundleInWhichAllIsSettledIsEven() {
    Counts counts = new Counts();
    counts.clear();
    counts.received.add(5);
    counts.putOut.add(3);
    counts.refused.add(2);

    counts.finish();

    assertThat(counts.unaccounted()).isEqualTo(0);
  }

  @Test
  public void whatWasToldBeforeTheEndOfTheBundleCounts() {
    Counts counts = new Counts();
    counts.clear();
    counts.received.add(5);
    counts.flush();
    counts.putOut.add(5);

    counts.finish();
  }

  @Test
  public void aBundleThatFailedIsForgotten() {
    Counts counts = new Counts();
    counts.clear();
    counts.received.add(5);
    counts.clear();

    counts.finish();
  }

  @Test
  public void whatIsLeftOverFailsTheBundleWhereAssertionsAreOn() {
    assumeTrue("assertions are off", StageCounters.class.desiredAssertionStatus());
    for (List<Long> uneven : List.of(List.of(5L, 4L), List.of(5L, 6L))) {
      Counts counts = new Counts();
      counts.clear();
      counts.received.add(uneven.get(0));
      counts.putOut.add(uneven.get(1));

      AssertionError e = assertThrows(AssertionError.class, counts::finish);

      assertThat(e)
          .hasMessageThat()
          .isEqualTo("Stage: 5 received are not " + uneven.get(1) + " put_out + 0 refused");
      assertThat(counts.unaccounted()).isEqualTo(1);
    }
  }
}
