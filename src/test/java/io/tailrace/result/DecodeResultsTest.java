package io.tailrace.result;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.stage.Failure;
import io.tailrace.testing.Balance;
import io.tailrace.testing.Messages;
import io.tailrace.testing.RandomResults;
import io.tailrace.v1.Column;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.metrics.MetricNameFilter;
import org.apache.beam.sdk.metrics.MetricsFilter;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.testing.TestPipeline;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.MapElements;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.TypeDescriptors;
import org.junit.Rule;
import org.junit.Test;

/**
 * What becomes of messages that are sound, broken, of another environment or for another writer.
 */
public class DecodeResultsTest {
  private static final long T = RandomResults.START;

  @Rule public final transient TestPipeline pipeline = TestPipeline.create();

  @Test
  public void soundMessagesBecomeResults() {
    BusMessage first = message(1, result("op-1"));
    BusMessage second = message(2, result("op-2"));

    WithFailures.Result<PCollection<Result>, Failure> decoded =
        decode(DecodeResults.forWriter("online-writer"), first, second);

    PAssert.that(operationIds(decoded)).containsInAnyOrder("op-1 from 1", "op-2 from 2");
    PAssert.that(decoded.failures()).empty();
    Balance.run(pipeline);
  }

  @Test
  public void aBrokenMessageIsAFailureAndThoseAroundItGoOn() {
    byte[] cutOff = Arrays.copyOf(result("op-2").toByteArray(), 9);
    BusMessage broken = message(2, cutOff);
    BusMessage withoutTime =
        message(
            3,
            result("op-3").toBuilder()
                .addFrames(
                    Frame.newBuilder()
                        .setNamespace("user")
                        .addStringKeys("ann")
                        .addColumns(
                            Column.newBuilder()
                                .setFeature("user.age")
                                .setType(Column.Type.INT64)
                                .addInt64Values(42)))
                .build());

    WithFailures.Result<PCollection<Result>, Failure> decoded =
        decode(
            DecodeResults.forWriter("online-writer"),
            message(1, result("op-1")),
            broken,
            withoutTime,
            message(4, result("op-4")));

    PAssert.that(operationIds(decoded)).containsInAnyOrder("op-1 from 1", "op-4 from 4");
    PAssert.that(decoded.failures())
        .containsInAnyOrder(
            Failure.ofMessage(
                "DecodeResults",
                Reason.UNDECODABLE,
                "",
                "a field of 10 bytes at byte 8 goes past the end of the message",
                broken),
            Failure.ofMessage(
                "DecodeResults",
                Reason.MISSING_FIELD,
                "frames[0].columns[0].observed_at",
                "'user.age' needs the time of its observation",
                withoutTime));
    Balance.run(pipeline);
  }

  @Test
  public void aFailureKeepsTheOriginalBytesAndWhereTheyCameFrom() {
    byte[] payload = "{\"operation_id\": \"op-1\"}".getBytes(StandardCharsets.UTF_8);
    byte[] key = {7};

    WithFailures.Result<PCollection<Result>, Failure> decoded =
        decode(
            DecodeResults.forWriter("online-writer"),
            BusMessage.of(
                payload,
                key,
                Place.numbered("result-bus", 3, 42),
                MessageTime.ofBus(T + 1),
                Messages.letterOf("online-writer")));

    PAssert.thatSingleton(decoded.failures())
        .satisfies(
            failure -> {
              BusMessage original = failure.original();
              assertThat(failure.stage()).isEqualTo("DecodeResults");
              assertThat(failure.retryable()).isFalse();
              assertThat(failure.cells()).isEmpty();
              assertThat(original.payload())
                  .isEqualTo("{\"operation_id\": \"op-1\"}".getBytes(StandardCharsets.UTF_8));
              assertThat(original.key()).isEqualTo(new byte[] {7});
              assertThat(original.topic()).isEqualTo("result-bus");
              assertThat(original.partition()).isEqualTo(3);
              assertThat(original.offset()).isEqualTo(42);
              assertThat(original.publishedAt()).isEqualTo(T + 1);
              assertThat(original.headers()).isEqualTo(Messages.letterOf("online-writer"));
              return null;
            });
    PAssert.that(decoded.output()).empty();
    Balance.run(pipeline);
  }

  @Test
  public void anEnvironmentThatIsNotServedIsAFailure() {
    BusMessage staging = message(2, result("op-2").toBuilder().setEnvironmentId("staging").build());

    WithFailures.Result<PCollection<Result>, Failure> decoded =
        decode(
            DecodeResults.forWriter("online-writer")
                .ofEnvironments(Set.of("production", "development")),
            message(1, result("op-1")),
            staging);

    PAssert.that(operationIds(decoded)).containsInAnyOrder("op-1 from 1");
    PAssert.that(decoded.failures())
        .containsInAnyOrder(
            Failure.ofMessage(
                "DecodeResults",
                Reason.UNKNOWN_ENVIRONMENT,
                "environment_id",
                "environment 'staging' is not one of those served here: development, production",
                staging));
    Balance.run(pipeline);
  }

  @Test
  public void withoutAListEveryEnvironmentIsServed() {
    WithFailures.Result<PCollection<Result>, Failure> decoded =
        decode(
            DecodeResults.forWriter("online-writer").ofEnvironments(Set.of()),
            message(1, result("op-1").toBuilder().setEnvironmentId("staging").build()));

    PAssert.that(operationIds(decoded)).containsInAnyOrder("op-1 from 1");
    PAssert.that(decoded.failures()).empty();
    Balance.run(pipeline);
  }

  @Test
  public void messagesForAnotherWriterArePassedOverBrokenOrNot() {
    WithFailures.Result<PCollection<Result>, Failure> decoded =
        decode(
            DecodeResults.forWriter("online-writer"),
            addressed(1, result("op-1").toByteArray(), ""),
            addressed(2, result("op-2").toByteArray(), "online-writer"),
            addressed(3, result("op-3").toByteArray(), "offline-writer"),
            addressed(4, new byte[] {1}, "offline-writer"));

    PAssert.that(operationIds(decoded)).containsInAnyOrder("op-1 from 1", "op-2 from 2");
    PAssert.that(decoded.failures()).empty();
    PipelineResult run = pipeline.run();
    run.waitUntilFinish();
    assertThat(counter(run, "results_read")).isEqualTo(4);
    assertThat(counter(run, "results_for_other_writers")).isEqualTo(2);
  }

  @Test
  public void manyQueriesAndManyBrokenMessagesAreToldApart() {
    List<BusMessage> messages = new ArrayList<>();
    List<String> sound = new ArrayList<>();
    List<Long> broken = new ArrayList<>();
    RandomResults results = RandomResults.seeded(5);
    for (int i = 0; i < 100; i++) {
      QueryResult result = results.next();
      if (i % 3 == 0) {
        messages.add(message(i, result.toBuilder().clearOperationId().build()));
        broken.add((long) i);
      } else {
        messages.add(message(i, result));
        sound.add(result.getOperationId() + " from " + i);
      }
    }

    WithFailures.Result<PCollection<Result>, Failure> decoded =
        decode(DecodeResults.forWriter("online-writer"), messages.toArray(BusMessage[]::new));

    PAssert.that(operationIds(decoded)).containsInAnyOrder(sound);
    PAssert.that(
            decoded
                .failures()
                .apply(
                    "OffsetsOfFailures",
                    MapElements.into(TypeDescriptors.longs())
                        .via(failure -> failure.original().offset())))
        .containsInAnyOrder(broken);
    Balance.run(pipeline);
  }

  private WithFailures.Result<PCollection<Result>, Failure> decode(
      DecodeResults transform, BusMessage... messages) {
    return pipeline.apply(Create.of(List.of(messages))).apply("DecodeResults", transform);
  }

  private static PCollection<String> operationIds(
      WithFailures.Result<PCollection<Result>, Failure> decoded) {
    return decoded
        .output()
        .apply(
            "OperationIds",
            MapElements.into(TypeDescriptors.strings())
                .via(result -> result.operationId() + " from " + result.message().offset()));
  }

  private static long counter(PipelineResult run, String name) {
    return run.metrics()
        .queryMetrics(
            MetricsFilter.builder()
                .addNameFilter(MetricNameFilter.named(DecodeResults.STAGE, name))
                .build())
        .getCounters()
        .iterator()
        .next()
        .getAttempted();
  }

  private static QueryResult result(String operationId) {
    return QueryResult.newBuilder()
        .setOperationId(operationId)
        .setEnvironmentId("production")
        .setQueryTimestamp(T)
        .build();
  }

  private static BusMessage message(long offset, QueryResult result) {
    return message(offset, result.toByteArray());
  }

  private static BusMessage message(long offset, byte[] payload) {
    return addressed(offset, payload, "");
  }

  private static BusMessage addressed(long offset, byte[] payload, String writer) {
    return BusMessage.of(
        payload,
        null,
        Place.numbered("result-bus", 0, offset),
        MessageTime.ofBus(T),
        writer.isEmpty() ? Headers.NONE : Messages.letterOf(writer));
  }
}
