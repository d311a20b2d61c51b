package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.FileRows;
import io.tailrace.parquet.ForeignFile;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFileCoder;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Failure;
import io.tailrace.testing.Balance;
import io.tailrace.testing.Results;
import io.tailrace.v1.DeadLetter.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.testing.TestPipeline;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.util.CoderUtils;
import org.apache.beam.sdk.values.PCollection;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What the streaming-insert writer takes of files at its door. */
@RunWith(JUnit4.class)
public class DecodeObservationFilesTest {
  private static final Instant NOON = Instant.parse("2025-06-01T12:00:00Z");

  @Rule public final transient TestPipeline pipeline = TestPipeline.create();

  @Test
  public void whatWasObservedAfterItsFileWasPublishedIsRefusedRowByRow() throws Exception {
    BusMessage message =
        message(
            rows(NOON.plusSeconds(299), NOON.plusSeconds(301), NOON.plus(Duration.ofDays(365)))
                .bytes(),
            MessageTime.ofBus(micros(NOON)));

    assertDecoded(message, DecodeObservationFiles.forWriter("inserter"), 1, 2);
  }

  @Test
  public void howFarAClockMayBeAheadCanBeSet() throws Exception {
    BusMessage message =
        message(
            rows(NOON.plusSeconds(59), NOON.plusSeconds(61)).bytes(),
            MessageTime.ofBus(micros(NOON)));

    assertDecoded(
        message,
        DecodeObservationFiles.forWriter("inserter").withMaxClockSkew(Duration.ofMinutes(1)),
        1,
        1);
  }

  /** A publisher's time may be that of an event long ago: it condemns nothing. */
  @Test
  public void wherePublishersStampMessagesTheClockIsWhatCounts() throws Exception {
    Instant now = Instant.now();
    BusMessage message =
        message(
            rows(now, now.plus(Duration.ofHours(1))).bytes(),
            MessageTime.ofPublisher(micros(NOON)));

    assertDecoded(message, DecodeObservationFiles.forWriter("inserter"), 1, 1);
  }

  /** The offline writer has held them against the rule, and a replay comes later. */
  @Test
  public void filesOfTheOfflineWriterAreNotHeldAgainstTheClockAgain() throws Exception {
    byte[] ours =
        BundleEncoder.files(
                Results.of(
                    Results.user("ann", Results.int64("age", micros(NOON.plusSeconds(600)), 1))))
            .stream()
            .filter(it -> it.kind() == ObservationFile.Kind.OBSERVATIONS)
            .findFirst()
            .orElseThrow()
            .bytes();

    assertDecoded(
        message(ours, MessageTime.ofBus(micros(NOON))),
        DecodeObservationFiles.forWriter("inserter"),
        1,
        0);
  }

  /** One old row among many must not cost a letter as large as the file. */
  @Test
  public void aLetterHoldsTheRowsThatWereRefusedAlone() throws Exception {
    Instant[] times = new Instant[1_000];
    Arrays.setAll(times, i -> i == 500 ? NOON.plus(Duration.ofDays(1)) : NOON.minusSeconds(i));
    WithFailures.Result<PCollection<ObservationFile>, Failure> decoded =
        pipeline
            .apply(Create.of(message(rows(times).bytes(), MessageTime.ofBus(micros(NOON)))))
            .apply(DecodeObservationFiles.forWriter("inserter"));
    PAssert.that(decoded.failures())
        .satisfies(
            failures -> {
              byte[] alone = failures.iterator().next().rows().orElseThrow();
              try {
                assertThat(FileRows.of(FileDecoder.decode(BundleEncoder.message(alone))))
                    .hasSize(1);
              } catch (Exception e) {
                throw new AssertionError(e);
              }
              return null;
            });
    Balance.run(pipeline);
  }

  /** Wherever a file is sent on, the rows that were refused stay away. */
  @Test
  public void aFileThatWasEncodedForAShuffleLacksTheSameRows() throws Exception {
    BusMessage message =
        message(rows(NOON, NOON.plusSeconds(400)).bytes(), MessageTime.ofPublisher(micros(NOON)));
    ObservationFile file =
        FileDecoder.decode(
                message, new io.tailrace.stage.RejectedCells(), micros(NOON.plusSeconds(300)))
            .file();

    ObservationFile sent = CoderUtils.clone(ObservationFileCoder.of(), file);

    assertThat(file.rowCount()).isEqualTo(1);
    assertThat(FileRows.of(sent)).isEqualTo(FileRows.of(file));
    assertThat(FileRows.of(CoderUtils.clone(ObservationFileCoder.of(), sent)))
        .isEqualTo(FileRows.of(file));
  }

  @Test
  public void aSkewThatIsNoneIsRefused() {
    for (Duration none : List.of(Duration.ZERO, Duration.ofSeconds(-1))) {
      assertThrows(
          IllegalArgumentException.class,
          () -> DecodeObservationFiles.forWriter("inserter").withMaxClockSkew(none));
    }
  }

  private static ForeignFile rows(Instant... times) {
    List<String> rows = new ArrayList<>();
    for (Instant time : times) {
      rows.add("('user.age', 'ann', 42::BIGINT, TIMESTAMPTZ '" + time + "', 'op')");
    }
    return ForeignFile.of(ValueType.INT64, rows.toArray(String[]::new));
  }

  private static long micros(Instant time) {
    return Micros.of(time);
  }

  private static BusMessage message(byte[] file, MessageTime time) {
    return BusMessage.of(file, null, Place.numbered("files", 0, 0), time, Headers.NONE);
  }

  private void assertDecoded(
      BusMessage message, DecodeObservationFiles decode, long stored, int refused) {
    WithFailures.Result<PCollection<ObservationFile>, Failure> decoded =
        pipeline.apply(Create.of(message)).apply(decode);
    PAssert.that(decoded.output())
        .satisfies(
            files -> {
              assertThat(files.iterator().next().rowCount()).isEqualTo(stored);
              return null;
            });
    PAssert.that(decoded.failures())
        .satisfies(
            failures -> {
              List<Failure> all = new ArrayList<>();
              failures.forEach(all::add);
              assertThat(all).hasSize(refused == 0 ? 0 : 1);
              for (Failure failure : all) {
                assertThat(failure.reason()).isEqualTo(Reason.OBSERVED_IN_FUTURE);
                assertThat(failure.cellCount()).isEqualTo(refused);
                assertThat(failure.message()).contains("check the publisher's clock");
                assertThat(failure.field()).isEqualTo("observed_at[" + stored + "]");
              }
              return null;
            });
    Balance.run(pipeline);
  }
}
