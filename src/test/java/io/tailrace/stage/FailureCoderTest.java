package io.tailrace.stage;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.testing.FrozenBytes;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.testing.CoderProperties;
import org.junit.Test;

/** That failures travel between workers, and stay small. */
public class FailureCoderTest {
  private static final BusMessage MESSAGE =
      BusMessage.of(
          new byte[] {0, -1}, Place.numbered("result-bus", 7, 42), MessageTime.ofBus(1_000_000));

  @Test
  public void itsBytesAreThoseOfSavepoints() throws Exception {
    Map<Reason, Integer> reasons = Map.of(Reason.TOO_OLD, 300, Reason.REJECTED_BY_STORE, 1);
    Failure full =
        new Failure(
            "WriteOnline",
            new Failure.Cause(Reason.REJECTED_BY_STORE, "frames[0].größe", "it is wrong"),
            new Failure.Cells(
                List.of(
                    new RejectedCell(Reason.TOO_OLD, "user", "ann", "user.age", "too old"),
                    cell("größe")),
                reasons),
            FrozenBytes.fullMessage(new byte[] {0, -1}),
            Optional.of(new byte[] {'P', 'A', 'R', '1'}));
    Failure empty =
        Failure.ofMessage(
            "", Reason.REASON_UNSPECIFIED, "", "", FrozenBytes.bareMessage(new byte[0]));

    Failure read = FrozenBytes.of("FailureCoder", "full").writtenFor(FailureCoder.of(), full);

    assertThat(read.stage()).isEqualTo(full.stage());
    assertThat(read.cause()).isEqualTo(full.cause());
    assertThat(read.rejected()).isEqualTo(full.rejected());
    assertThat(read.original()).isEqualTo(full.original());
    assertThat(read.rows().orElseThrow()).isEqualTo(full.rows().orElseThrow());
    assertThat(FrozenBytes.of("FailureCoder", "empty").writtenFor(FailureCoder.of(), empty))
        .isEqualTo(empty);
  }

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
        Failure.ofCells(
            "WriteOnline",
            Reason.REJECTED_BY_STORE,
            "too large",
            new Failure.Cells(
                List.of(cell("ann"), cell("bob")),
                Map.of(Reason.REJECTED_BY_STORE, 990, Reason.OBSERVED_IN_FUTURE, 10)),
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
            new Failure.Cells(
                cells, Map.of(Reason.OBSERVED_IN_FUTURE, 4_990, Reason.MISSING_FIELD, 10)),
            MESSAGE);

    assertThat(failure.cells()).isEqualTo(cells.subList(0, 100));
    assertThat(failure.cellCount()).isEqualTo(5_000);
    assertThat(failure.field()).isEmpty();
  }

  @Test
  public void whatAnotherConfigurationClockOrVersionHelpsIsToBeRetried() {
    assertThat(
            Arrays.stream(Reason.values())
                .filter(each -> Failure.ofMessage("S", each, "", "", MESSAGE).retryable())
                .toList())
        .containsExactly(
            Reason.UNKNOWN_TYPE,
            Reason.OBSERVED_IN_FUTURE,
            Reason.UNKNOWN_ENVIRONMENT,
            Reason.MISSING_FILE,
            Reason.TYPE_CHANGED,
            Reason.NAME_TAKEN,
            Reason.TOO_LARGE,
            Reason.TABLE_REFUSES);
    RejectedCells cells = new RejectedCells();
    cells.add(Reason.INVALID_VALUE, "user", "ann", "user.age", "no", 1);
    assertThat(cells.failure("S", MESSAGE).orElseThrow().retryable()).isFalse();
    cells.add(Reason.TYPE_CHANGED, "user", "ann", "user.zip", "no", 1);
    assertThat(cells.failure("S", MESSAGE).orElseThrow().retryable()).isTrue();
  }

  @Test
  public void aFailureIsSmallWhateverItQuotes() {
    String name = "n".repeat(600_000);
    RejectedCells cells = new RejectedCells();
    cells.add(Reason.INVALID_VALUE, name, name, name, name, 1);
    Failure failure = cells.failure("S", MESSAGE).orElseThrow();

    assertThat(failure.message().length()).isAtMost(1_000);
    assertThat(failure.cells().toString().length()).isAtMost(2_000);
    assertThat(
            Failure.ofMessage("S", Reason.INVALID_VALUE, name, name, MESSAGE)
                .cause()
                .toString()
                .length())
        .isAtMost(2_500);
  }

  private static RejectedCell cell(String primaryKey) {
    return new RejectedCell(Reason.REJECTED_BY_STORE, "user", primaryKey, "user.age", "too large");
  }
}
