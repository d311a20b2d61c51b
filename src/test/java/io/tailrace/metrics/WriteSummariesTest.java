package io.tailrace.metrics;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStores;
import io.tailrace.stage.Failure;
import io.tailrace.testing.Balance;
import io.tailrace.testing.Messages;
import io.tailrace.testing.Summaries;
import io.tailrace.v1.FeatureSummary;
import io.tailrace.v1.MetricsSummary;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.beam.runners.direct.DirectOptions;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.Pipeline.PipelineExecutionException;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.metrics.MetricsFilter;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.testing.TestPipeline;
import org.apache.beam.sdk.transforms.Count;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.Sum;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What becomes of messages on their way into a metrics store, good ones between bad ones. */
@RunWith(JUnit4.class)
public class WriteSummariesTest {
  @Rule public final transient TestPipeline pipeline = TestPipeline.create();
  @Rule public final transient TemporaryFolder folder = new TemporaryFolder();

  private String uri() {
    return "duckdb://" + folder.getRoot() + "/metrics.db";
  }

  private static BusMessage message(MetricsSummary summary) {
    return Messages.of(summary.toByteArray(), Summaries.MINUTE);
  }

  private WithFailures.Result<PCollection<PublishedSummary>, Failure> decoded(
      List<BusMessage> messages) {
    return pipeline
        .apply(Create.of(messages))
        .apply(DecodeSummaries.forWriter("metrics-bus-writer"));
  }

  private List<String> rows(String sql) throws Exception {
    return OfflineStores.at(uri()).reader().query(sql, 100_000).rows().stream()
        .map(row -> String.join("|", row))
        .toList();
  }

  @Test
  public void everySummaryHasAnOutcomeAndIsCounted() throws Exception {
    MetricsSummary age = Summaries.feature("user.age");
    WithFailures.Result<PCollection<SummaryOutcome>, Failure> written =
        decoded(
                List.of(
                    message(Summaries.computed(age, 5, 2)),
                    message(Summaries.computed(age, 4, 1)),
                    message(Summaries.computed(Summaries.feature("user.name"), 1, 0))))
            .output()
            .apply(WriteSummaries.to(uri()));

    PAssert.that(written.output())
        .satisfies(
            outcomes -> {
              assertThat(outcomes).hasSize(3);
              for (SummaryOutcome outcome : outcomes) {
                assertThat(outcome.minute()).isEqualTo(Summaries.MINUTE);
                assertThat(outcome.publishedAt()).isEqualTo(Summaries.MINUTE);
                assertThat(outcome.writtenAt()).isGreaterThan(Summaries.MINUTE);
              }
              return null;
            });
    PAssert.that(written.failures()).empty();
    PipelineResult result = pipeline.run();
    Balance.assertEven(result);

    assertThat(rows("SELECT feature, computed FROM tailrace_metrics.feature_minutes ORDER BY 1"))
        .containsExactly("user.age|5", "user.name|1")
        .inOrder();
    Map<String, Long> counters = counters(result);
    assertThat(counters).containsEntry("DecodeSummaries summaries_read", 3L);
    // The direct runner may have taken them in bundles of their own.
    assertThat(
            counters.get("WriteSummaries summaries_written")
                + counters.getOrDefault("WriteSummaries summaries_stale", 0L))
        .isEqualTo(3);
    assertThat(counters).containsEntry("WriteSummaries freshness_count", 3L);
  }

  private static Map<String, Long> counters(PipelineResult result) {
    Map<String, Long> counters = new TreeMap<>();
    result
        .metrics()
        .queryMetrics(MetricsFilter.builder().build())
        .getCounters()
        .forEach(
            counter ->
                counters.merge(
                    counter.getName().getNamespace() + " " + counter.getName().getName(),
                    counter.getAttempted(),
                    Long::sum));
    return counters;
  }

  @Test
  public void goodSummariesBetweenHostileBytesAreStored() throws Exception {
    Random random = new Random(4);
    List<BusMessage> messages = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      MetricsSummary good =
          Summaries.of(
              FeatureSummary.newBuilder()
                  .setFeature("user.f" + i)
                  .setComputed(500)
                  .setValues(Summaries.numbers(random.doubles(500).toArray())));
      messages.add(message(good));
      byte[] bytes =
          good.toBuilder()
              .setFeature(good.getFeature().toBuilder().setFeature("user.hostile"))
              .build()
              .toByteArray();
      for (int change = 0; change < 40; change++) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      messages.add(BusMessage.of(bytes, Place.numbered("metrics", 0, i), MessageTime.ofBus(5)));
    }
    WithFailures.Result<PCollection<PublishedSummary>, Failure> decoded = decoded(messages);
    PCollection<Long> stored =
        decoded.output().apply(WriteSummaries.to(uri())).output().apply("Stored", Count.globally());
    PCollection<Long> refused = decoded.failures().apply("Refused", Count.globally());
    // One or the other may be a summary still, of other numbers.
    PAssert.thatSingleton(refused)
        .satisfies(
            count -> {
              assertThat(count).isAtLeast(290);
              return null;
            });
    PAssert.thatSingleton(
            PCollectionList.of(stored)
                .and(refused)
                .apply(Flatten.pCollections())
                .apply(Sum.longsGlobally()))
        .isEqualTo(600L);
    Balance.run(pipeline);

    assertThat(
            rows(
                "SELECT count(*), count(value_p50) FROM tailrace_metrics.feature_minutes"
                    + " WHERE feature LIKE 'user.f%' AND computed = 500"))
        .containsExactly("300|300");
  }

  @Test
  public void aStoreThatCanNotBeUsedFailsTheBundle() throws Exception {
    Files.writeString(folder.getRoot().toPath().resolve("metrics.db"), "not a database");
    PCollection<SummaryOutcome> unused =
        decoded(List.of(message(Summaries.feature("user.age"))))
            .output()
            .apply(WriteSummaries.to(uri()))
            .output();

    PipelineExecutionException failed =
        assertThrows(PipelineExecutionException.class, () -> pipeline.run());

    assertThat(failed).hasCauseThat().isInstanceOf(UnavailableException.class);
    assertThat(failed).hasCauseThat().hasMessageThat().contains("metrics.db");
  }

  /** Writes down how many summaries it gets at once. */
  private record Recording() implements MetricsStore {
    private static final long serialVersionUID = 1;
    private static final Queue<Integer> WRITES = new ConcurrentLinkedQueue<>();

    @Override
    public String uri() {
      return "recording";
    }

    @Override
    public void check() {}

    @Override
    public Connection connect(List<MetricsTable> tables) {
      return new Connection() {
        @Override
        public int write(List<MetricsSummary> summaries) {
          WRITES.add(summaries.size());
          return 0;
        }

        @Override
        public void close() {}
      };
    }
  }

  private static final class MarkFn extends DoFn<PublishedSummary, PublishedSummary> {
    private static final long serialVersionUID = 1;

    @ProcessElement
    public void mark(@Element PublishedSummary summary, OutputReceiver<PublishedSummary> out) {
      out.output(new PublishedSummary(summary.summary(), summary.message().endingBacklog()));
    }
  }

  private List<PublishedSummary> hundred() {
    List<PublishedSummary> summaries = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      MetricsSummary summary = Summaries.feature("user.f" + i);
      summaries.add(new PublishedSummary(summary, message(summary)));
    }
    return summaries;
  }

  @Test
  public void summariesAreGatheredUntilTheBundleEnds() {
    Recording.WRITES.clear();
    PCollection<SummaryOutcome> unused =
        pipeline.apply(Create.of(hundred())).apply(WriteSummaries.to(new Recording())).output();
    Balance.run(pipeline);

    assertThat(Recording.WRITES.stream().mapToInt(it -> it).sum()).isEqualTo(100);
    assertThat(Recording.WRITES.size()).isLessThan(50);
  }

  @Test
  public void nothingIsGatheredWhenNothingWaitsOnTheBus() {
    Recording.WRITES.clear();
    DirectOptions options = PipelineOptionsFactory.create().as(DirectOptions.class);
    // An element that is encoded on its way forgets the hint.
    options.setEnforceEncodability(false);
    options.setEnforceImmutability(false);
    Pipeline own = Pipeline.create(options);
    PCollection<SummaryOutcome> unused =
        own.apply(Create.of(hundred()))
            .apply(ParDo.of(new MarkFn()))
            .apply(WriteSummaries.to(new Recording()))
            .output();
    PipelineResult.State done = own.run().waitUntilFinish();

    assertThat(done).isEqualTo(PipelineResult.State.DONE);
    assertThat(Recording.WRITES).containsExactlyElementsIn(Collections.nCopies(100, 1));
  }
}
