package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import io.tailrace.metrics.DecodeSummaries;
import io.tailrace.metrics.EncodeSummaries;
import io.tailrace.metrics.MetricsStores;
import io.tailrace.metrics.SummarizeResults;
import io.tailrace.metrics.SummaryOutcome;
import io.tailrace.metrics.WriteSummaries;
import io.tailrace.offline.OfflineStores;
import io.tailrace.pipelines.local.proof.MetricsModel;
import io.tailrace.result.DecodeResults;
import io.tailrace.result.Result;
import io.tailrace.stage.Failure;
import io.tailrace.testing.Results;
import io.tailrace.v1.QueryResult;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.testing.TestPipeline;
import org.apache.beam.sdk.transforms.Count;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.MapElements;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.TypeDescriptor;
import org.apache.beam.sdk.values.TypeDescriptors;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.RuleChain;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;

/**
 * What the metrics writer counts, and the metrics store holds, after letters went back in any way,
 * in any order: as the engine publishes, by the command, by a plain producer with all headers on,
 * once and again.
 */
@RunWith(Parameterized.class)
public class CountedReplaysTest {
  private static final int RESULTS = 30;
  private static final int STEPS = 40;
  private static final String WRITER = "metrics-writer";

  /** Who refused a letter, and as which group. */
  private static final List<List<String>> OWNERS =
      List.of(
          List.of("online-writer", "online-writer"),
          List.of("offline-writer", "offline-writer"),
          List.of(WRITER, WRITER),
          List.of(WRITER, ""),
          List.of(WRITER, "blue"));

  private static final TemporaryFolder folder = new TemporaryFolder();
  private static final LetterServers servers = new LetterServers(folder);

  @ClassRule public static final RuleChain rules = RuleChain.outerRule(folder).around(servers);

  @Rule public final TestPipeline pipeline = TestPipeline.create();

  @Parameter public LetterServers.Kind kind = LetterServers.Kind.KAFKA;

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final Map<String, Long> counted = new TreeMap<>();
  private final Map<String, List<String>> waiting = new TreeMap<>();

  @Parameters(name = "{0}")
  public static LetterServers.Kind[] kinds() {
    return LetterServers.Kind.values();
  }

  @Before
  public void createTopics() throws Exception {
    servers.createTopics(kind);
  }

  @Test
  public void aLetterCountsAsOftenAsItIsSentAndForItsAddresseeAlone() throws Exception {
    // The minute that its message was published in, long before it is sent back.
    Instant published = Instant.now().minus(Duration.ofHours(2));
    List<OutgoingMessage> letters = new ArrayList<>();
    for (int i = 0; i < RESULTS; i++) {
      String operation = "op-" + i;
      List<String> owner = OWNERS.get(random.nextInt(OWNERS.size()));
      waiting.put(operation, owner);
      letters.add(
          servers
              .letter(i)
              .value(bytes(operation))
              .with("tailrace.writer", owner.get(0))
              .with("tailrace.group", owner.get(1))
              .with("tailrace.published-at", published.plusSeconds(10L * i).toString())
              .message());
    }
    servers.publish(servers.letters(), letters);
    for (int step = 0; step < STEPS; step++) {
      switch (random.nextInt(4)) {
        case 0 -> engine("op-" + random.nextInt(RESULTS));
        case 1, 2 -> producer(letters.get(random.nextInt(RESULTS)));
        default -> command(OWNERS.get(random.nextInt(OWNERS.size())));
      }
    }

    List<BusMessage> messages = servers.read(servers.results());
    WithFailures.Result<PCollection<Result>, Failure> decoded =
        pipeline
            .apply(Create.of(messages))
            .apply("DecodeResults", DecodeResults.forWriter(WRITER).inGroup(WRITER));
    List<KV<String, Long>> expected = new ArrayList<>();
    counted.forEach((operation, times) -> expected.add(KV.of(operation, times)));
    PAssert.that(
            "seed " + seed,
            decoded
                .output()
                .apply(
                    "Operations",
                    MapElements.into(TypeDescriptors.strings()).via(Result::operationId))
                .apply("Count", Count.perElement()))
        .containsInAnyOrder(expected);
    PAssert.that(decoded.failures()).empty();
    String store = "duckdb://" + folder.newFolder() + "/metrics.db";
    store(decoded.output(), store);
    pipeline.run().waitUntilFinish();

    MetricsModel.Comparison comparison =
        model(messages, published).compare(OfflineStores.at(store).reader());
    assertWithMessage("seed %s: %s", seed, comparison.first())
        .that(comparison.differences())
        .isEqualTo(0);
    // Several minutes at least, and the engine's own.
    assertWithMessage("seed %s", seed).that(comparison.series()).isAtLeast(4);
  }

  /** Takes results to a store, as both writers of metrics do. */
  private static void store(PCollection<Result> results, String store) {
    WithFailures.Result<PCollection<OutgoingMessage>, Failure> summaries =
        results
            .apply("SummarizeResults", SummarizeResults.create())
            .output()
            .apply("EncodeSummaries", EncodeSummaries.create());
    PAssert.that("everything is described", summaries.failures()).empty();
    WithFailures.Result<PCollection<SummaryOutcome>, Failure> written =
        summaries
            .output()
            .apply(
                "Published",
                MapElements.into(TypeDescriptor.of(BusMessage.class))
                    .via(
                        summary ->
                            BusMessage.of(
                                summary.bytes(),
                                Place.numbered("metrics", 0, 0),
                                MessageTime.ofBus(Micros.now()))))
            .apply("DecodeSummaries", DecodeSummaries.forWriter("metrics-bus-writer"))
            .output()
            .apply("WriteSummaries", WriteSummaries.to(MetricsStores.KINDS.at(store)));
    PAssert.that("everything is written", written.failures()).empty();
  }

  /** Adds what was counted, at the time of its message: of the engine's when the bus got it. */
  private MetricsModel model(List<BusMessage> messages, Instant published) throws Exception {
    MetricsModel model = new MetricsModel();
    Map<String, Long> letters = new TreeMap<>(counted);
    for (BusMessage message : messages) {
      if (message.headers().text("tailrace.failed-at").isEmpty()) {
        QueryResult result = QueryResult.parseFrom(message.payload());
        model.add(result, message.ownTime().micros());
        letters.merge(result.getOperationId(), -1L, Long::sum);
      }
    }
    letters.forEach(
        (operation, times) -> {
          int number = Integer.parseInt(operation.substring("op-".length()));
          for (int i = 0; i < times; i++) {
            model.add(result(operation), Micros.of(published.plusSeconds(10L * number)));
          }
        });
    return model;
  }

  /** One that copies the writer's header, as engines do with headers, addresses nobody. */
  private void engine(String operation) throws Exception {
    servers.publish(
        servers.results(),
        List.of(
            new OutgoingMessage(
                null,
                bytes(operation),
                Headers.of(Header.of("tailrace.writer", "online-writer")))));
    counted.merge(operation, 1L, Long::sum);
  }

  private void producer(OutgoingMessage letter) throws Exception {
    servers.publish(servers.results(), List.of(letter));
    String operation = QueryResult.parseFrom(letter.bytes()).getOperationId();
    count(
        operation,
        List.of(
            letter.headers().text("tailrace.writer").orElseThrow(),
            letter.headers().text("tailrace.group").orElseThrow()));
  }

  private void command(List<String> owner) {
    List<String> arguments =
        new ArrayList<>(List.of("replay", "--yes", "--writer=" + owner.get(0)));
    if (!owner.get(1).isEmpty()) {
      arguments.add("--group=" + owner.get(1));
    }
    LetterServers.Run run = servers.run(arguments.toArray(String[]::new));
    assertWithMessage(run.err()).that(run.code()).isEqualTo(0);
    List.copyOf(waiting.keySet())
        .forEach(
            operation -> {
              if (owner.equals(waiting.get(operation))) {
                waiting.remove(operation);
                count(operation, owner);
              }
            });
  }

  private void count(String operation, List<String> owner) {
    boolean isAddressee =
        owner.get(0).equals(WRITER) && (owner.get(1).isEmpty() || owner.get(1).equals(WRITER));
    if (isAddressee) {
      counted.merge(operation, 1L, Long::sum);
    }
  }

  private static byte[] bytes(String operation) {
    return result(operation).toByteArray();
  }

  private static QueryResult result(String operation) {
    return Results.named(operation)
        .setQueryName("q")
        .addFrames(Results.user("u", Results.int64("age", 1, operation.hashCode())))
        .build();
  }
}
