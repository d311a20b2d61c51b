package io.tailrace.stage;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.RejectedCell;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.beam.sdk.testing.CoderProperties;
import org.junit.Test;

/** That failures travel between workers, and stay small. */
public class FailureCoderTest {
  private static final BusMessage MESSAGE =
      BusMessage.of(
          new byte[] {0, -1}, Place.numbered("result-bus", 7, 42), MessageTime.ofBus(1_000_000));

  @Test
  public void aFailureComesBackFromItsBytes() throws Exception {
    CoderProperties.coderSerializable(FailureCoder.of());
    for (Reason reason : Reason.values()) {
      if (reason != Reason.UNRECOGNIZED) {
        CoderProperties.coderDecodeEncodeEqual(
            FailureCoder.of(),
            Failure.ofMessage("DecodeResults", reason, "frames[0].größe", "it is wrong", MESSAGE));
      }
    }
    CoderProperties.coderDecodeEncodeEqual(
        FailureCoder.of(),
        new Failure(
            "WriteOnline",
            Reason.REJECTED_BY_STORE,
            true,
            "",
            "too large",
            List.of(cell("ann"), cell("bob")),
            Map.of(Reason.REJECTED_BY_STORE, 990, Reason.OBSERVED_IN_FUTURE, 10),
            MESSAGE));
  }

  @Test
  public void aFailureOfAMessageHasNoCellsAndIsNotToBeRetried() {
    Failure failure =
        Failure.ofMessage("DecodeResults", Reason.MISSING_FIELD, "operation_id", "none", MESSAGE);

    assertThat(failure.cells()).isEmpty();
    assertThat(failure.cellCount()).isEqualTo(0);
    assertThat(failure.retryable()).isFalse();
    assertThat(failure.original()).isSameInstanceAs(MESSAGE);
  }

  @Test
  public void aFailureOfCellsListsAHundredAndCountsAll() {
    List<RejectedCell> cells = new ArrayList<>();
    for (int i = 0; i < 101; i++) {
      cells.add(cell("e" + i));
    }

    Failure failure =
        Failure.ofCells(
            "WriteOnline",
            Reason.OBSERVED_IN_FUTURE,
            "late",
            cells,
            Map.of(Reason.OBSERVED_IN_FUTURE, 4_990, Reason.MISSING_FIELD, 10),
            MESSAGE);

    assertThat(failure.cells()).isEqualTo(cells.subList(0, 100));
    assertThat(failure.cellCount()).isEqualTo(5_000);
    assertThat(failure.field()).isEmpty();
  }

  private static RejectedCell cell(String primaryKey) {
    return RejectedCell.newBuilder()
        .setNamespace("user")
        .setPrimaryKey(primaryKey)
        .setFeature("user.age")
        .setMessage("too large")
        .build();
  }
}
