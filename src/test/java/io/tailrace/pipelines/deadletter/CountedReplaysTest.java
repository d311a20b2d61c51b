package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.result.DecodeResults;
import io.tailrace.result.Result;
import io.tailrace.stage.Failure;
import io.tailrace.testing.Results;
import io.tailrace.v1.QueryResult;
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
 * What the metrics writer counts after letters went back in any way, in any order: as the engine
 * publishes, by the command, by a plain producer with all headers on, once and again.
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

  private final Random random = new Random(11);
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
            decoded
                .output()
                .apply(
                    "Operations",
                    MapElements.into(TypeDescriptors.strings()).via(Result::operationId))
                .apply("Count", Count.perElement()))
        .containsInAnyOrder(expected);
    PAssert.that(decoded.failures()).empty();
    pipeline.run().waitUntilFinish();
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
    LetterServers.Run run =
        servers.run("replay", "--yes", "--writer=" + owner.get(0), "--group=" + owner.get(1));
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
    return Results.named(operation)
        .addFrames(Results.user("u", Results.int64("age", 1, operation.getBytes(UTF_8).length)))
        .build()
        .toByteArray();
  }
}
