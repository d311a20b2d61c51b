package io.tailrace.stage;

import static com.google.common.truth.Truth.assertThat;
import static org.quicktheories.QuickTheory.qt;
import static org.quicktheories.generators.SourceDSL.arbitrary;
import static org.quicktheories.generators.SourceDSL.lists;

import io.tailrace.bus.BusMessage;
import io.tailrace.testing.Messages;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.Collections;
import java.util.List;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** One letter for what a stage can't store of a message. */
@RunWith(JUnit4.class)
public class RejectedCellsTest {
  private static final BusMessage MESSAGE = Messages.of(new byte[] {1}, 7);

  @Test
  public void theLetterHasTheReasonOfTheFirstCellAndCountsThemAll() {
    RejectedCells rejected = new RejectedCells();
    rejected.add(Reason.TOO_LARGE, "user", "ann", "user.age", "is too large", 1);
    rejected.add(Reason.MISSING_FIELD, "user", "", "", "has no key", 3);
    rejected.add(Reason.TOO_LARGE, "user", "bob", "user.age", "is too large", 1);

    Failure failure = rejected.failure("WriteOnline", MESSAGE).orElseThrow();

    assertThat(failure.reason()).isEqualTo(Reason.TOO_LARGE);
    assertThat(failure.reasons()).containsExactly(Reason.TOO_LARGE, 2, Reason.MISSING_FIELD, 3);
    assertThat(failure.cellCount()).isEqualTo(5);
    assertThat(failure.message()).isEqualTo("user.age of 'ann': is too large; and 4 more");
    assertThat(failure.cells().stream().map(RejectedCell::key))
        .containsExactly("ann", "", "bob")
        .inOrder();
    assertThat(failure.original()).isSameInstanceAs(MESSAGE);
  }

  @Test
  public void ofNoCellsThereIsNoLetter() {
    assertThat(new RejectedCells().failure("WriteOnline", MESSAGE)).isEmpty();
  }

  @Test
  public void whatHasNoPlaceSaysOnlyWhatIsWrong() {
    RejectedCells rejected = new RejectedCells();
    rejected.add(Reason.TOO_LARGE, "", "", "", "its row is too large", 1);

    assertThat(rejected.failure("EncodeObservations", MESSAGE).orElseThrow().message())
        .isEqualTo("its row is too large");
  }

  @Test
  public void everyReasonIsCountedWhateverTheOrder() {
    List<Reason> all = List.of(Reason.TOO_LARGE, Reason.MISSING_FIELD, Reason.INVALID_VALUE);
    qt().forAll(lists().of(arbitrary().pick(all)).ofSizeBetween(1, 300))
        .checkAssert(
            reasons -> {
              RejectedCells rejected = new RejectedCells();
              reasons.forEach(each -> rejected.add(each, "user", "ann", "user.age", "no", 1));

              Failure failure = rejected.failure("WriteOnline", MESSAGE).orElseThrow();

              assertThat(failure.reason()).isEqualTo(reasons.get(0));
              for (Reason each : all) {
                assertThat(failure.reasons().getOrDefault(each, 0))
                    .isEqualTo(Collections.frequency(reasons, each));
              }
              assertThat(failure.cells()).hasSize(Math.min(reasons.size(), Failure.MAX_CELLS));
            });
  }
}
