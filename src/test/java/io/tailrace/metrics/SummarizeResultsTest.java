package io.tailrace.metrics;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import com.google.protobuf.ByteString;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusMessageCoder;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import io.tailrace.result.DecodeResults;
import io.tailrace.result.DeduplicateResults;
import io.tailrace.result.Result;
import io.tailrace.stage.Failure;
import io.tailrace.testing.Balance;
import io.tailrace.testing.Messages;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column;
import io.tailrace.v1.FeatureSummary;
import io.tailrace.v1.Frame;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.MetricsSummary.Timing;
import io.tailrace.v1.Numbers;
import io.tailrace.v1.PublisherSummary;
import io.tailrace.v1.QueryResult;
import io.tailrace.v1.QuerySummary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.metrics.MetricResult;
import org.apache.beam.sdk.metrics.MetricsFilter;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.testing.TestPipeline;
import org.apache.beam.sdk.testing.TestStream;
import org.apache.beam.sdk.transforms.SerializableFunction;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.windowing.FixedWindows;
import org.apache.beam.sdk.transforms.windowing.Window;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.TimestampedValue;
import org.apache.datasketches.kll.KllDoublesSketch;
import org.apache.datasketches.memory.Memory;
import org.joda.time.Duration;
import org.joda.time.Instant;
import org.junit.Rule;
import org.junit.Test;

/** What is told of minutes of results, and when. */
public final class SummarizeResultsTest {
  private static final long MINUTE = 60_000_000;

  /** The start of a minute that is over. */
  private static final long START = RandomResults.START / MINUTE * MINUTE;

  private static final long EPOCH = 1_700_000_000_000_000L;
  private static final String DEPLOYMENT = "d1";

  @Rule public final transient TestPipeline pipeline = TestPipeline.create();

  private static QueryResult.Builder query(String name) {
    return Results.named("op-" + name)
        .setDeploymentId(DEPLOYMENT)
        .setQueryName(name)
        .setStatus(QueryResult.Status.SUCCEEDED)
        .setQueryTimestamp(START);
  }

  private static Column.Builder float64(String feature, double... values) {
    return Column.newBuilder()
        .setFeature("user." + feature)
        .setType(Column.Type.FLOAT64)
        .setResolverFqn("resolve_" + feature)
        .addObservedAt(START)
        .addAllFloat64Values(Arrays.stream(values).boxed().toList());
  }

  private static Frame frame(int rows, Column.Builder... columns) {
    List<String> keys = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      keys.add("u" + i);
    }
    return Results.users(
        keys, Arrays.stream(columns).map(Column.Builder::build).toArray(Column[]::new));
  }

  private static TimestampedValue<BusMessage> at(long micros, QueryResult.Builder result) {
    return TimestampedValue.of(Messages.of(result.build(), micros), new Instant(micros / 1_000));
  }

  private static Instant instant(long micros) {
    return new Instant(micros / 1_000);
  }

  private static TestStream.Builder<BusMessage> stream() {
    return TestStream.create(BusMessageCoder.of()).advanceWatermarkTo(instant(START));
  }

  private PCollection<Result> decoded(TestStream<BusMessage> messages) {
    return pipeline.apply(messages).apply(DecodeResults.forWriter("test")).output();
  }

  private PCollection<MetricsSummary> summaries(TestStream<BusMessage> messages) {
    return summaries(decoded(messages), SummarizeResults.create());
  }

  private static PCollection<MetricsSummary> summaries(
      PCollection<Result> results, SummarizeResults summarize) {
    WithFailures.Result<PCollection<MetricsSummary>, Failure> summarized =
        results.apply(summarize.withEpoch(EPOCH));
    PAssert.that(summarized.failures()).empty();
    return summarized.output();
  }

  /** Leaves out sketches, whose bytes mean nothing to a reader. */
  private static MetricsSummary withoutSketches(MetricsSummary summary) {
    MetricsSummary.Builder builder = summary.toBuilder();
    if (builder.hasFeature()) {
      FeatureSummary.Builder feature = builder.getFeatureBuilder();
      if (feature.hasValues()) {
        feature.getValuesBuilder().clearKllSketch();
      }
      if (feature.hasStalenessMillis()) {
        feature.getStalenessMillisBuilder().clearKllSketch();
      }
    } else if (builder.getQuery().hasLatencyMillis()) {
      builder.getQueryBuilder().getLatencyMillisBuilder().clearKllSketch();
    }
    return builder.build();
  }

  private static MetricsSummary.Builder summary(long minute, Timing timing, long pane) {
    return MetricsSummary.newBuilder()
        .setEnvironmentId(Results.ENVIRONMENT)
        .setMinute(minute)
        .setEpoch(EPOCH)
        .setPane(pane)
        .setTiming(timing);
  }

  private static Numbers numbers(long count, double sum, double min, double max) {
    return Numbers.newBuilder().setCount(count).setSum(sum).setMin(min).setMax(max).build();
  }

  private static void assertAll(
      PCollection<MetricsSummary> summaries, MetricsSummary.Builder... expected) {
    List<MetricsSummary> all = Arrays.stream(expected).map(MetricsSummary.Builder::build).toList();
    PAssert.that(summaries)
        .satisfies(
            (SerializableFunction<Iterable<MetricsSummary>, Void>)
                found -> {
                  assertThat(
                          list(found).stream().map(SummarizeResultsTest::withoutSketches).toList())
                      .containsExactlyElementsIn(all);
                  return null;
                });
  }

  private static <T> List<T> list(Iterable<T> of) {
    return StreamSupport.stream(of.spliterator(), false).collect(Collectors.toList());
  }

  /** Ends the stream: everything is told. */
  private static TestStream<BusMessage> ended(TestStream.Builder<BusMessage> stream) {
    return stream.advanceWatermarkToInfinity();
  }

  @Test
  public void whatComesTooLateIsCounted() {
    long lateness = 10 * MINUTE;
    TestStream<BusMessage> messages =
        stream()
            .addElements(at(START, query("q").addFrames(frame(2, float64("age", 1, 2)))))
            .advanceWatermarkTo(instant(START + MINUTE + lateness - 1_000))
            .addElements(at(START, query("q")))
            .advanceWatermarkTo(instant(START + MINUTE + lateness))
            .addElements(
                at(START + 30_000_000, query("q").addFrames(frame(2, float64("age", 1, 2)))))
            .advanceWatermarkToInfinity();
    PCollection<MetricsSummary> summaries = summaries(messages);

    PAssert.that(summaries)
        .satisfies(
            all -> {
              long most = 0;
              for (MetricsSummary each : all) {
                most = Math.max(most, each.getQuery().getExecutions());
              }
              assertThat(most).isEqualTo(2);
              return null;
            });
    long dropped = 0;
    PipelineResult result = pipeline.run();
    Balance.assertEven(result);
    for (MetricResult<Long> counter :
        result.metrics().queryMetrics(MetricsFilter.builder().build()).getCounters()) {
      dropped +=
          counter.getName().getName().equals("values_dropped_late") ? counter.getAttempted() : 0;
    }
    // An execution and two values.
    assertThat(dropped).isEqualTo(3);
  }

  @Test
  public void resultsThatTheirPublisherNumberedAreCountedByIt() {
    TestStream<BusMessage> messages =
        stream()
            .addElements(
                at(START, query("q").setPublisherId("p").setSequence(7)),
                at(START, query("q").setPublisherId("p").setSequence(9).setParts(2)),
                at(START, query("q").setPublisherId("p").setSequence(9).setPart(1).setParts(2)),
                at(START, query("q").setPublisherId("p").setSequence(-1)),
                at(START, query("q").setPublisherId("other").setSequence(0)),
                at(START, query("q").setSequence(5)))
            .advanceWatermarkToInfinity();

    PAssert.that(summaries(messages))
        .satisfies(
            all -> {
              Set<PublisherSummary> publishers = new HashSet<>();
              for (MetricsSummary each : all) {
                if (each.hasPublisher() && each.getTiming() == Timing.ON_TIME) {
                  publishers.add(each.getPublisher());
                }
              }
              assertThat(publishers)
                  .containsExactly(
                      PublisherSummary.newBuilder()
                          .setPublisherId("p")
                          .setResults(2)
                          .setLeast(7)
                          .setGreatest(9)
                          .build(),
                      PublisherSummary.newBuilder().setPublisherId("other").setResults(1).build());
              return null;
            });
    Balance.run(pipeline);
  }

  @Test
  public void aPublishersTimeIsTheEventsIfItCanBe() {
    long before = Micros.now();
    long anHourAgo = before - 60 * MINUTE;
    // A stream waits for what it has put in: a clock that is not held back would make it late.
    TestStream.Builder<BusMessage> messages = TestStream.create(BusMessageCoder.of());
    for (long said :
        new long[] {anHourAgo, 0, -1, before + 60 * MINUTE, before - 3 * 24 * 60 * MINUTE}) {
      messages =
          messages.addElements(
              TimestampedValue.of(
                  BusMessage.of(
                      query("q").build().toByteArray(),
                      Place.numbered(Messages.TOPIC, 0, 1),
                      MessageTime.ofPublisher(said)),
                  instant(anHourAgo)));
    }
    PCollection<MetricsSummary> summaries =
        summaries(
            decoded(messages.advanceWatermarkToInfinity()),
            SummarizeResults.create().withBusRetention(java.time.Duration.ofDays(2)));

    PAssert.that(summaries)
        .satisfies(
            all -> {
              long now = 0;
              long then = 0;
              for (MetricsSummary each : all) {
                if (each.getMinute() >= before / MINUTE * MINUTE) {
                  assertThat(each.getMinute()).isAtMost(Micros.now());
                  now = Math.max(now, each.getQuery().getExecutions());
                } else {
                  assertThat(each.getMinute()).isEqualTo(anHourAgo / MINUTE * MINUTE);
                  then = Math.max(then, each.getQuery().getExecutions());
                }
              }
              assertThat(then).isEqualTo(1);
              // Unless a minute has begun amid them.
              assertThat(now).isAtLeast(2);
              return null;
            });
    Balance.run(pipeline);
  }

  @Test
  public void aMinuteOfResultsIsToldBySeries() {
    QueryResult.Builder succeeded =
        query("q")
            .setExecutionStartedAt(START)
            .setExecutionFinishedAt(START + 20_500)
            .addFrames(
                frame(
                    3,
                    float64("score", 1.5, 0, Double.NaN)
                        .setNulls(ByteString.copyFrom(new byte[] {2})),
                    float64("cached", 1, 2, 3)
                        .setOrigin(Column.Origin.ONLINE_STORE)
                        .setObservedAt(0, START - 4_000),
                    float64("old", 1, 2, 3)
                        .setOrigin(Column.Origin.OFFLINE_STORE)
                        // After the question: not negative.
                        .setObservedAt(0, START + 1),
                    float64("default", 0, 2, 3).setOrigin(Column.Origin.DEFAULT),
                    float64("given", 0, 2, 3).setOrigin(Column.Origin.GIVEN)));
    QueryResult.Builder failed =
        query("q")
            .setStatus(QueryResult.Status.FAILED)
            .setExecutionStartedAt(START)
            .setExecutionFinishedAt(START + 500);
    QueryResult.Builder partial =
        query("q")
            .setStatus(QueryResult.Status.PARTIAL)
            .addFrames(frame(1, float64("score", -0.25)))
            .addFrames(frame(3, float64("zero", 0, -0.0, 1)));
    PCollection<MetricsSummary> summaries =
        summaries(
            ended(
                stream()
                    .addElements(
                        at(START, succeeded),
                        at(START + 1_000_000, failed),
                        at(START + MINUTE - 1_000, partial))));
    assertAll(
        summaries,
        summary(START, Timing.ON_TIME, 0)
            .setFeature(
                feature("score")
                    .setComputed(4)
                    .setNulls(1)
                    .setNonFinite(1)
                    .setValues(numbers(2, 1.25, -0.25, 1.5))),
        summary(START, Timing.ON_TIME, 0)
            .setFeature(
                feature("cached").setServedOnline(3).setStalenessMillis(numbers(3, 12, 4, 4))),
        summary(START, Timing.ON_TIME, 0)
            .setFeature(feature("old").setServedOffline(3).setStalenessMillis(numbers(3, 0, 0, 0))),
        summary(START, Timing.ON_TIME, 0).setFeature(feature("default").setDefaultsUsed(3)),
        summary(START, Timing.ON_TIME, 0).setFeature(feature("given").setGiven(3)),
        summary(START, Timing.ON_TIME, 0)
            .setFeature(feature("zero").setComputed(3).setZeros(2).setValues(numbers(3, 1, 0, 1))),
        summary(START, Timing.ON_TIME, 0)
            .setQuery(
                QuerySummary.newBuilder()
                    .setQueryName("q")
                    .setExecutions(3)
                    .setFailures(1)
                    .setPartial(1)
                    .setLatencyMillis(numbers(2, 21, 0.5, 20.5))));
    Balance.run(pipeline);
  }

  private static FeatureSummary.Builder feature(String name) {
    return FeatureSummary.newBuilder()
        .setDeploymentId(DEPLOYMENT)
        .setFeature("user." + name)
        .setResolverFqn("resolve_" + name);
  }

  private static MetricsSummary.Builder queries(long minute, Timing timing, long pane, long count) {
    return summary(minute, timing, pane)
        .setQuery(QuerySummary.newBuilder().setQueryName("q").setExecutions(count));
  }

  @Test
  public void minutesAreThoseOfPublicationAndKeptApart() {
    assertAll(
        summaries(
            ended(
                stream()
                    .addElements(
                        at(START + MINUTE - 1_000, query("q").setQueryTimestamp(START - MINUTE)),
                        at(START + MINUTE, query("q").setQueryTimestamp(START - MINUTE))))),
        queries(START, Timing.ON_TIME, 0, 1),
        queries(START + MINUTE, Timing.ON_TIME, 0, 1));
    Balance.run(pipeline);
  }

  @Test
  public void theMinuteThatFillsIsToldAgainWithEverythingSoFar() {
    assertAll(
        summaries(
            ended(
                stream()
                    .addElements(at(START, query("q")))
                    .advanceProcessingTime(Duration.standardSeconds(6))
                    // Nothing new: nothing is told.
                    .advanceProcessingTime(Duration.standardSeconds(6))
                    .addElements(at(START + 1_000, query("q")))
                    .advanceProcessingTime(Duration.standardSeconds(6))
                    .advanceWatermarkTo(instant(START + MINUTE)))),
        queries(START, Timing.EARLY, 0, 1),
        queries(START, Timing.EARLY, 1, 2),
        // At its end, though nothing has changed: it is final.
        queries(START, Timing.ON_TIME, 2, 2));
    Balance.run(pipeline);
  }

  @Test
  public void lateResultsChangeTheirMinuteUntilTheyAreTooLate() {
    long tooLate = START + 11 * MINUTE;
    PCollection<MetricsSummary> summaries =
        summaries(
            ended(
                stream()
                    .addElements(at(START, query("q")))
                    .advanceWatermarkTo(instant(START + MINUTE))
                    .addElements(at(START + 1_000, query("q")), at(START + 2_000, query("q")))
                    .advanceProcessingTime(Duration.standardSeconds(6))
                    .advanceWatermarkTo(instant(tooLate - 1_000))
                    .addElements(at(START + 3_000, query("q")))
                    .advanceProcessingTime(Duration.standardSeconds(6))
                    .advanceWatermarkTo(instant(tooLate))
                    .addElements(at(START + 4_000, query("q")))
                    .advanceProcessingTime(Duration.standardSeconds(6))));
    assertAll(
        summaries,
        queries(START, Timing.ON_TIME, 0, 1),
        queries(START, Timing.LATE, 1, 3),
        queries(START, Timing.LATE, 2, 4));
    Balance.run(pipeline);
  }

  @Test
  public void aMinuteThatHasOnlyLateResultsIsTold() {
    assertAll(
        summaries(
            ended(
                stream()
                    .advanceWatermarkTo(instant(START + 2 * MINUTE))
                    .addElements(at(START, query("q")))
                    .advanceProcessingTime(Duration.standardSeconds(6)))),
        queries(START, Timing.LATE, 0, 1));
    Balance.run(pipeline);
  }

  @Test
  public void theClockOfAPublisherCannotOpenAMinuteInTheFuture() {
    long future = (System.currentTimeMillis() + 3_600_000) * 1_000 / MINUTE * MINUTE;
    PAssert.that(summaries(ended(stream().addElements(at(future, query("q"))))))
        .satisfies(
            found -> {
              assertThat(list(found)).hasSize(1);
              assertThat(list(found).get(0).getMinute()).isLessThan(future);
              assertThat(list(found).get(0).getQuery().getExecutions()).isEqualTo(1);
              return null;
            });
    Balance.run(pipeline);
  }

  @Test
  public void aDividedResultIsOneExecutionWithAllItsValues() {
    assertAll(
        summaries(
            ended(
                stream()
                    .addElements(
                        at(START, query("q").setParts(2).addFrames(frame(1, float64("a", 1)))),
                        at(
                            START,
                            query("q")
                                .setParts(2)
                                .setPart(1)
                                .addFrames(frame(1, float64("a", 2))))))),
        queries(START, Timing.ON_TIME, 0, 1),
        summary(START, Timing.ON_TIME, 0)
            .setFeature(feature("a").setComputed(2).setValues(numbers(2, 3, 1, 2))));
    Balance.run(pipeline);
  }

  @Test
  public void aSeriesIsAFeatureOfAResolverInADeployment() {
    Column.Builder other = float64("a", 2).setResolverFqn("other");
    assertAll(
        summaries(
            ended(
                stream()
                    .addElements(
                        at(START, query("q").addFrames(frame(1, float64("a", 1)))),
                        at(START, query("q").addFrames(frame(1, other))),
                        at(
                            START,
                            query("q")
                                .setDeploymentId("d2")
                                .addFrames(frame(1, float64("a", 4))))))),
        queries(START, Timing.ON_TIME, 0, 3),
        summary(START, Timing.ON_TIME, 0)
            .setFeature(feature("a").setComputed(1).setValues(numbers(1, 1, 1, 1))),
        summary(START, Timing.ON_TIME, 0)
            .setFeature(
                feature("a").setResolverFqn("other").setComputed(1).setValues(numbers(1, 2, 2, 2))),
        summary(START, Timing.ON_TIME, 0)
            .setFeature(
                feature("a").setDeploymentId("d2").setComputed(1).setValues(numbers(1, 4, 4, 4))));
    Balance.run(pipeline);
  }

  @Test
  public void seriesBeyondTheLimitAreCountedTogetherAndSaySo() {
    SummarizeResults limited = SummarizeResults.create().withMaxSeries(2);
    PCollection<MetricsSummary> summaries =
        summaries(
            decoded(
                ended(
                    stream()
                        .addElements(at(START, query("q").addFrames(frame(1, float64("a", 1)))))
                        .addElements(at(START, query("q").addFrames(frame(1, float64("b", 1)))))
                        .addElements(
                            at(
                                START,
                                query("q2").addFrames(frame(1, float64("c", 1), float64("d", 1)))))
                        // Those that are in, stay in.
                        .addElements(
                            at(
                                START,
                                query("q3").addFrames(frame(1, float64("a", 1), float64("e", 1)))))
                        // Another minute begins anew.
                        .addElements(
                            at(START + MINUTE, query("q").addFrames(frame(1, float64("e", 1))))))),
            limited);
    assertAll(
        summaries,
        queries(START, Timing.ON_TIME, 0, 2),
        summary(START, Timing.ON_TIME, 0)
            .setQuery(QuerySummary.newBuilder().setQueryName("q2").setExecutions(1)),
        summary(START, Timing.ON_TIME, 0)
            .setQuery(QuerySummary.newBuilder().setOverflow(true).setExecutions(1)),
        summary(START, Timing.ON_TIME, 0)
            .setFeature(feature("a").setComputed(2).setValues(numbers(2, 2, 1, 1))),
        summary(START, Timing.ON_TIME, 0)
            .setFeature(feature("b").setComputed(1).setValues(numbers(1, 1, 1, 1))),
        summary(START, Timing.ON_TIME, 0)
            .setFeature(FeatureSummary.newBuilder().setOverflow(true).setComputed(3)),
        queries(START + MINUTE, Timing.ON_TIME, 0, 1),
        summary(START + MINUTE, Timing.ON_TIME, 0)
            .setFeature(feature("e").setComputed(1).setValues(numbers(1, 1, 1, 1))));
    Balance.run(pipeline);
  }

  @Test
  public void namesThatNoStoreTakesAreCountedTogether() {
    String longest = "n".repeat(2_000 - Results.ENVIRONMENT.length());
    assertAll(
        summaries(
            ended(
                stream()
                    .addElements(
                        at(START, query(longest)),
                        at(START, query(longest + "n")),
                        at(START, query("with\0nul"))))),
        summary(START, Timing.ON_TIME, 0)
            .setQuery(QuerySummary.newBuilder().setQueryName(longest).setExecutions(1)),
        summary(START, Timing.ON_TIME, 0)
            .setQuery(QuerySummary.newBuilder().setOverflow(true).setExecutions(2)));
    Balance.run(pipeline);
  }

  @Test
  public void resultsThatAreInWindowsAlreadyAreRefusedInASentence() {
    PCollection<Result> windowed =
        decoded(ended(stream())).apply(Window.into(FixedWindows.of(Duration.standardMinutes(1))));
    IllegalArgumentException wrong =
        assertThrows(
            IllegalArgumentException.class, () -> windowed.apply(SummarizeResults.create()));
    assertThat(wrong).hasMessageThat().contains("give it results in the global window");
    pipeline.enableAbandonedNodeEnforcement(false);
  }

  @Test
  public void aMillionDistinctValuesCostOneSketch() {
    int results = 100;
    int rows = 10_000;
    TestStream.Builder<BusMessage> stream = stream();
    for (int i = 0; i < results; i++) {
      double[] values = new double[rows];
      for (int row = 0; row < rows; row++) {
        values[row] = i * (double) rows + row;
      }
      stream =
          stream.addElements(at(START, query("q").addFrames(frame(rows, float64("a", values)))));
    }
    PAssert.that(summaries(ended(stream)))
        .satisfies(
            found -> {
              Numbers values =
                  list(found).stream()
                      .filter(MetricsSummary::hasFeature)
                      .map(it -> it.getFeature().getValues())
                      .reduce((one, two) -> two)
                      .orElseThrow();
              long count = (long) results * rows;
              assertThat(values.getCount()).isEqualTo(count);
              assertThat(values.getSum()).isEqualTo((count - 1) * (double) count / 2);
              assertThat(values.getKllSketch().size()).isLessThan(6_000);
              KllDoublesSketch sketch =
                  KllDoublesSketch.heapify(Memory.wrap(values.getKllSketch().toByteArray()));
              for (double rank : new double[] {0.5, 0.95, 0.99}) {
                // Twice the error that is exceeded once in a hundred times.
                assertThat(sketch.getQuantile(rank) / count).isWithin(2 * 0.0133).of(rank);
              }
              return null;
            });
    Balance.run(pipeline);
  }

  @Test
  public void aResultThatIsPublishedTwiceCountsTwiceUnlessDeduplicated() {
    TestStream<BusMessage> twice =
        ended(
            stream()
                .addElements(at(START, query("q")))
                .addElements(at(START + 1_000, query("q")))
                .addElements(at(START, query("q").setParts(2).setPart(1))));
    PCollection<Result> results = decoded(twice);
    assertAll(
        summaries(
            results.apply(DeduplicateResults.within(java.time.Duration.ofMinutes(1))).output(),
            SummarizeResults.create()),
        queries(START, Timing.ON_TIME, 0, 1));
    Balance.run(pipeline);
  }

  @Test
  public void valuesThatAreNoNumbersAreOnlyCounted() {
    Column.Builder text =
        Column.newBuilder()
            .setFeature("user.name")
            .setType(Column.Type.STRING)
            .setResolverFqn("resolve_name")
            .addObservedAt(START)
            .addStringValues("x");
    assertAll(
        summaries(ended(stream().addElements(at(START, query("q").addFrames(frame(1, text)))))),
        queries(START, Timing.ON_TIME, 0, 1),
        summary(START, Timing.ON_TIME, 0).setFeature(feature("name").setComputed(1)));
    Balance.run(pipeline);
  }
}
