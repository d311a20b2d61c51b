package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assume.assumeTrue;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.Place;
import io.tailrace.bus.pubsub.PubSubTopics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.RuleChain;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;

/** What is said of letters that were sent back by those who wait for their writers. */
@RunWith(Parameterized.class)
public class WatchedReplaysTest {
  private static final TemporaryFolder folder = new TemporaryFolder();
  private static final LetterServers servers = new LetterServers(folder);

  @ClassRule public static final RuleChain rules = RuleChain.outerRule(folder).around(servers);

  @Parameter public LetterServers.Kind kind = LetterServers.Kind.KAFKA;

  @Parameters(name = "{0}")
  public static LetterServers.Kind[] kinds() {
    return LetterServers.Kind.values();
  }

  @Before
  public void createTopics() throws Exception {
    servers.createTopics(kind);
  }

  @Test
  public void whoWaitsHearsWhatBecameOfEveryLetter() throws Exception {
    assumeTrue("Pub/Sub does not tell", kind == LetterServers.Kind.KAFKA);
    servers.publish(servers.letter(1).message(), servers.letter(2).message());
    // What a writer does meanwhile: it is done with both, and refuses the second again.
    Thread writer =
        new Thread(
            () -> {
              try {
                while (servers.read(servers.results()).size() < 2) {
                  Thread.sleep(20);
                }
                servers.publish(
                    servers
                        .letter(1)
                        .value("message 2".getBytes(UTF_8))
                        .with("tailrace.attempts", "2")
                        .with("tailrace.reason", "MISSING_FIELD")
                        .with("tailrace.message", "operation_id is empty")
                        .message());
                commit(2);
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            });
    writer.start();

    LetterServers.Run run = replay("--wait=3m");
    writer.join();

    assertThat(run.code()).isEqualTo(1);
    List<String> lines = run.out().lines().filter(line -> line.matches("  [01]@\\d.*")).toList();
    assertThat(lines).hasSize(2);
    assertThat(lines.get(0)).containsMatch("@0  stored$");
    assertThat(lines.get(1))
        .containsMatch("@1  refused again: [01]@\\d+  MISSING_FIELD: operation_id is empty$");
  }

  @Test
  public void whatNobodyHasComeToIsSaidWhenTheTimeIsOver() throws Exception {
    boolean tells = kind == LetterServers.Kind.KAFKA;
    servers.publish(servers.letter(1).message(), servers.letter(2).message());
    if (tells) {
      commit(1);
    }

    LetterServers.Run run = replay("--wait=500ms");

    assertThat(run.code()).isEqualTo(1);
    if (tells) {
      assertThat(run.out()).containsMatch("(?m)@0  stored$");
      assertThat(run.out()).containsMatch("(?m)@1  still on its way$");
    } else {
      assertThat(run.out()).containsMatch("(?m)^ +2 sent, and the bus does not tell more$");
    }
  }

  @Test
  public void whereTheBusTellsNothingOnlyWhatIsRefusedAgainIsKnown() throws Exception {
    assumeTrue("Kafka tells", kind == LetterServers.Kind.PUBSUB);
    servers.publish(servers.letter(1).message());
    Thread writer =
        new Thread(
            () -> {
              try {
                String topic = PubSubTopics.subscription(servers.results().topic());
                while (servers.pubSub().messages(topic).size() < 1) {
                  Thread.sleep(20);
                }
                servers.publish(
                    servers
                        .letter(1)
                        .with("tailrace.attempts", "2")
                        .with("tailrace.reason", "MISSING_FIELD")
                        .with("tailrace.message", "operation_id is empty")
                        .without("tailrace.partition")
                        .without("tailrace.offset")
                        .with(
                            "tailrace.message-id",
                            servers.pubSub().messages(topic).get(0).path("messageId").asText())
                        .message());
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            });
    writer.start();

    LetterServers.Run run = replay("--wait=3m");
    writer.join();

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out())
        .containsMatch("refused again: \\d+  MISSING_FIELD: operation_id is empty");
    assertThat(run.out()).containsMatch("(?m)^ +1 refused again$");
  }

  @Test
  public void aProgramGetsALineForEveryLetter() throws Exception {
    servers.publish(servers.letter(1).message());
    boolean tells = kind == LetterServers.Kind.KAFKA;
    if (tells) {
      commit(1);
    }

    LetterServers.Run run = replay("--wait=500ms", "--json");

    assertThat(run.code()).isEqualTo(tells ? 0 : 1);
    List<String> lines = run.out().lines().toList();
    assertThat(lines).hasSize(2);
    assertThat(lines.get(0)).contains("\"letters\":1");
    assertThat(lines.get(1)).contains("\"outcome\":\"" + (tells ? "STORED" : "UNKNOWN") + "\"");
    assertThat(servers.run("replay", "--json").err()).contains("say --yes or --dry-run");
  }

  @Test
  public void whatIsRefusedAgainIsKnownByItsPlaceWhicheverServersItsWriterNames() throws Exception {
    assumeTrue("Pub/Sub has no list of servers", kind == LetterServers.Kind.KAFKA);
    String own = servers.results().name();
    String writers = own.replace("kafka://", "kafka://another:9092,");
    servers.publish(
        servers.letter(5).with("tailrace.bus", writers).message(),
        servers.letter(6).with("tailrace.bus", writers).message());
    List<StoredLetter> sent = servers.waiting();

    try (Stopping stopping = Stopping.onSignal();
        BusLog log = servers.letters().log(BusLog.Use.LOOK)) {
      ReplayWatch watch = new ReplayWatch(log);
      for (int i = 0; i < 2; i++) {
        Bus bus = servers.letters().beside(writers).orElseThrow();
        assertThat(bus.name()).isEqualTo(own);
        watch.replayed(
            sent.get(i), bus, Optional.of(Place.numbered(servers.results().topic(), 0, i)));
      }
      servers.publish(
          servers.letter(0).with("tailrace.bus", writers).with("tailrace.attempts", "2").message(),
          // Of another cluster: it was never sent back.
          servers.letter(1).with("tailrace.bus", "kafka://other:9092/results").message());
      commit(2);
      watch.watch(Duration.ZERO, stopping);

      assertThat(watch.outcomes().values().stream().map(ReplayWatch.Watched::outcome))
          .containsExactly(ReplayWatch.Outcome.REFUSED_AGAIN, ReplayWatch.Outcome.STORED)
          .inOrder();
    }
  }

  private static void commit(long offset) throws Exception {
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", (Object) servers.kafka().bootstrapServers()))) {
      admin
          .alterConsumerGroupOffsets(
              "online-writer",
              Map.of(
                  new TopicPartition(servers.results().topic(), 0), new OffsetAndMetadata(offset)))
          .all()
          .get();
    }
  }

  private static LetterServers.Run replay(String... more) {
    List<String> arguments = new ArrayList<>(List.of(more));
    arguments.add(0, "replay");
    arguments.add("--yes");
    return servers.run(arguments.toArray(String[]::new));
  }
}
