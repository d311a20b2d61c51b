package io.tailrace.result;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.stage.Failure;
import io.tailrace.stage.ReaderClock;
import io.tailrace.stage.RejectedCells;
import io.tailrace.testing.Messages;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.QueryResult;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** Which observations no store takes, whichever path they come on. */
@RunWith(JUnit4.class)
public class AdmissionTest {
  private static final long T = RandomResults.START;
  private static final long SKEW = 300_000_000;

  private final List<Instant> clock = new ArrayList<>();
  private final Admission admission =
      new Admission(new ReaderClock(() -> clock.get(0), Duration.ofMinutes(5)));

  private static Instant instant(long micros) {
    return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
  }

  private static Result publishedAt(long micros) throws Exception {
    return published(MessageTime.ofBus(micros));
  }

  private static Result published(MessageTime time) throws Exception {
    QueryResult result =
        Results.of(Results.users(List.of("ann", ""), Results.int64("age", T, 1, 2)));
    return new ResultDecoder()
        .decode(BusMessage.of(result.toByteArray(), Place.numbered(Messages.TOPIC, 0, 1), time));
  }

  @Test
  public void anObservationMayBeAheadOfItsPublicationByTheLimit() throws Exception {
    clock.add(instant(T + 3_600_000_000L));
    admission.begin(publishedAt(T));

    assertThat(admission.isInTime(T + SKEW)).isTrue();
    assertThat(admission.isInTime(T + SKEW + 1)).isFalse();
  }

  @Test
  public void whereOnlyThePublisherSaysWhenItWasThisClockCounts() throws Exception {
    clock.add(instant(T));
    for (MessageTime time :
        List.of(
            MessageTime.ofPublisher(T - 3_600_000_000L),
            MessageTime.ofPublisher(T + 3_600_000_000L),
            MessageTime.ofPublisher(0),
            MessageTime.ofPublisher(-1),
            MessageTime.ABSENT)) {
      admission.begin(published(time));

      assertThat(admission.isInTime(T + SKEW)).isTrue();
      assertThat(admission.isInTime(T + SKEW + 1)).isFalse();
    }
  }

  @Test
  public void aClockThatIsBehindJudgesNothing() throws Exception {
    clock.add(instant(T));

    assertThrows(
        UnavailableException.class, () -> admission.begin(publishedAt(T + 3_600_000_000L)));
  }

  @Test
  public void theCellsSayWhatIsWrong() throws Exception {
    clock.add(instant(T));
    Result result = publishedAt(T);
    admission.begin(result);
    PrimaryKeys keys = result.frames().get(0).keys();
    RejectedCells rejected = new RejectedCells();

    assertThat(Admission.isKey(keys, 0)).isTrue();
    assertThat(Admission.isKey(keys, 1)).isFalse();
    Admission.rejectKey(rejected, "frames[0]", "user", 1, 1);
    admission.rejectTime(
        rejected,
        "frames[0].columns[0].observed_at[0]",
        "user",
        "ann",
        "user.age",
        T + SKEW + 1,
        1);

    Failure failure = rejected.failure("WriteOnline", result.message()).orElseThrow();
    assertThat(failure.reasons())
        .containsExactly(Reason.MISSING_FIELD, 1, Reason.OBSERVED_IN_FUTURE, 1);
    assertThat(failure.cells().get(0).message()).isEqualTo("the primary key of row 1 is empty");
    assertThat(failure.cells().get(1).message())
        .isEqualTo(
            "observed at "
                + instant(T + SKEW + 1)
                + ", too far after its publication at "
                + instant(T)
                + "; check the publisher's clock");
  }
}
