package io.tailrace.result;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.stage.Failure;
import io.tailrace.stage.RejectedCells;
import io.tailrace.testing.Messages;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.DeadLetter.Reason;
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
  private final Admission admission = new Admission(Duration.ofMinutes(5), () -> clock.get(0));

  private static Instant instant(long micros) {
    return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
  }

  private static Result publishedAt(long micros) throws Exception {
    return new ResultDecoder()
        .decode(
            Messages.of(
                Results.of(Results.users(List.of("ann", ""), Results.int64("age", T, 1, 2))),
                micros));
  }

  @Test
  public void anObservationMayBeAheadOfItsPublicationByTheLimit() throws Exception {
    clock.add(instant(T + 3_600_000_000L));
    admission.begin(publishedAt(T));

    assertThat(admission.isInTime(T + SKEW)).isTrue();
    assertThat(admission.isInTime(T + SKEW + 1)).isFalse();
  }

  @Test
  public void aPublicationAheadOfThisClockCountsByThisClock() throws Exception {
    clock.add(instant(T));
    admission.begin(publishedAt(T + 3_600_000_000L));

    assertThat(admission.isInTime(T + SKEW)).isTrue();
    assertThat(admission.isInTime(T + SKEW + 1)).isFalse();
  }

  @Test
  public void theClockIsLookedAtAgainForAResultThatIsAheadOfIt() throws Exception {
    clock.add(instant(T));
    admission.begin(publishedAt(T));
    clock.set(0, instant(T + 1_000));
    admission.begin(publishedAt(T + 500));

    assertThat(admission.isInTime(T + 500 + SKEW)).isTrue();
    assertThat(admission.isInTime(T + 501 + SKEW)).isFalse();
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
    Admission.rejectKey(rejected, "user", 1);
    admission.rejectTime(rejected, "user", "ann", "user.age", T + SKEW + 1);

    Failure failure = rejected.failure("WriteOnline", result.message()).orElseThrow();
    assertThat(failure.reasons())
        .containsExactly(Reason.MISSING_FIELD, 1, Reason.OBSERVED_IN_FUTURE, 1);
    assertThat(failure.cells().get(0).getMessage()).isEqualTo("the primary key of row 1 is empty");
    assertThat(failure.cells().get(1).getMessage())
        .isEqualTo(
            "observed at "
                + instant(T + SKEW + 1)
                + ", too far after its publication at "
                + instant(T)
                + " or after the writer's clock; check the publisher's clock");
  }
}
