package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusMessageCoder;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.result.DecodeResults;
import io.tailrace.stage.Failure;
import io.tailrace.testing.Balance;
import io.tailrace.testing.Messages;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.QueryResult;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.testing.TestPipeline;
import org.apache.beam.sdk.testing.TestStream;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.windowing.FixedWindows;
import org.apache.beam.sdk.transforms.windowing.IntervalWindow;
import org.apache.beam.sdk.transforms.windowing.Window;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.TimestampedValue;
import org.joda.time.Duration;
import org.joda.time.Instant;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What becomes of results on their way into files. */
@RunWith(JUnit4.class)
public class EncodeObservationsTest {
  private static final Duration MINUTE = Duration.standardMinutes(1);
  private static final long PUBLISHED_AT = RandomResults.START;

  @Rule public final transient TestPipeline pipeline = TestPipeline.create();

  private static TimestampedValue<BusMessage> at(int second, String key) {
    QueryResult result =
        Results.of(Results.user(key, Results.int64("user.age", PUBLISHED_AT, second)));
    return TimestampedValue.of(
        Messages.of(result, PUBLISHED_AT), new Instant(0).plus(Duration.standardSeconds(second)));
  }

  private static IntervalWindow minute(int minute) {
    return new IntervalWindow(new Instant(0).plus(MINUTE.multipliedBy(minute)), MINUTE);
  }

  @Test
  public void filesAndFailuresAreInTheWindowOfTheirResults() {
    WithFailures.Result<PCollection<OutgoingMessage>, Failure> encoded =
        pipeline
            .apply(
                TestStream.create(BusMessageCoder.of())
                    .addElements(at(1, "ada"), at(2, "ben"), at(61, "eve"), at(62, ""))
                    .advanceWatermarkToInfinity())
            .apply("DecodeResults", DecodeResults.forWriter("offline-writer"))
            .output()
            .apply(Window.into(FixedWindows.of(MINUTE)))
            .apply("EncodeObservations", EncodeObservations.create());

    PCollection<String> rows = encoded.output().apply(ParDo.of(new RowsFn()));
    PAssert.that(rows).inWindow(minute(0)).containsInAnyOrder("2 OBSERVATIONS", "2 QUERIES");
    PAssert.that(rows).inWindow(minute(1)).containsInAnyOrder("1 OBSERVATIONS", "2 QUERIES");
    PAssert.that(encoded.failures()).inWindow(minute(0)).empty();
    PAssert.that(encoded.failures())
        .inWindow(minute(1))
        .satisfies(
            failures -> {
              assertThat(failures).hasSize(1);
              Failure failure = failures.iterator().next();
              assertThat(failure.reason()).isEqualTo(Reason.MISSING_FIELD);
              assertThat(failure.cellCount()).isEqualTo(1);
              return null;
            });
    Balance.run(pipeline);
  }

  private static final class RowsFn extends DoFn<OutgoingMessage, String> {
    private static final long serialVersionUID = 1;

    @ProcessElement
    public void count(@Element OutgoingMessage file, OutputReceiver<String> out) throws Exception {
      var decoded = FileDecoder.decode(BundleEncoder.message(file.bytes()));
      out.output(decoded.rowCount() + " " + decoded.kind());
    }
  }
}
