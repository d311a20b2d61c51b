package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assume.assumeTrue;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.OutgoingMessage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.RuleChain;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;

/** That a letter which its bus does not take stays, and keeps no other from being sent. */
@RunWith(Parameterized.class)
public class RefusedReplaysTest {
  private static final TemporaryFolder folder = new TemporaryFolder();
  private static final LetterServers servers = new LetterServers(folder);
  private static final String HASH = "0123456789abcdef0123456789abcdef";
  private static final int LETTERS = 60;

  /** Those that the bus does not take. */
  private static final List<Integer> LARGE = List.of(7, 8, 31);

  @ClassRule public static final RuleChain rules = RuleChain.outerRule(folder).around(servers);

  @Parameter public LetterServers.Kind kind = LetterServers.Kind.KAFKA;

  @Parameters(name = "{0}")
  public static LetterServers.Kind[] kinds() {
    return LetterServers.Kind.values();
  }

  @Test
  public void theOthersAreSentOnceAndItIsNamed() throws Exception {
    createTopics();
    Path overflow = folder.newFolder().toPath();
    publishLetters(overflow);

    LetterServers.Run run = replay(overflow);

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).contains("57 letters sent\n");
    List<StoredLetter> waiting = servers.waiting();
    assertThat(waiting.stream().map(it -> Integer.valueOf(it.letter().text("tailrace.offset"))))
        .containsExactlyElementsIn(LARGE);
    for (StoredLetter letter : waiting) {
      assertThat(run.err()).containsMatch("(?m)^" + letter.position() + " was not sent: ");
    }
    assertThat(sent()).hasSize(LETTERS - LARGE.size());
    assertThat(sent().values().stream().distinct()).containsExactly(1);
    assertThat(replay(overflow).out()).contains("0 letters sent\n");
  }

  @Test
  public void whenTheLimitIsRaisedItGoesAndACopyOfItHasNotTakenItAway() throws Exception {
    assumeTrue("Pub/Sub's limit is Google's", kind == LetterServers.Kind.KAFKA);
    createTopics();
    byte[] large = new byte[50_000];
    new Random(1).nextBytes(large);
    OutgoingMessage letter = servers.letter(1).value(large).message();
    servers.publish(letter, servers.letter(2).message(), letter);

    LetterServers.Run run = servers.run("replay", "--yes", "--wait=1s", "--json");

    assertThat(run.out()).contains("\"outcome\":\"NOT_SENT\"");
    assertThat(run.out()).contains("max.message.bytes=BYTES");
    assertThat(servers.waiting()).hasSize(1);
    raiseLimit();
    // The controller's word is given before the broker has heard it.
    long deadline = System.nanoTime() + Duration.ofMinutes(1).toNanos();
    LetterServers.Run again = servers.run("replay", "--yes");
    while (again.out().contains("0 letters sent\n") && System.nanoTime() < deadline) {
      again = servers.run("replay", "--yes");
    }
    assertThat(again.out()).contains("1 letter sent\n");
    assertThat(servers.waiting()).isEmpty();
    assertThat(servers.read(servers.results())).hasSize(2);
  }

  @Test
  public void toOtherServersTheOthersAreSentOnceToo() throws Exception {
    assumeTrue("a project has one Pub/Sub", kind == LetterServers.Kind.KAFKA);
    createTopics();
    Path overflow = folder.newFolder().toPath();
    publishLetters(overflow);

    LetterServers.Run run =
        replay(overflow, "--to=" + servers.uri("results") + "?client.id=another");

    assertThat(run.out()).contains("57 letters sent\n");
    assertThat(sent()).hasSize(LETTERS - LARGE.size());
    assertThat(sent().values().stream().distinct()).containsExactly(1);
    assertThat(servers.waiting()).hasSize(LARGE.size());
  }

  private void createTopics() throws Exception {
    if (kind == LetterServers.Kind.KAFKA) {
      servers.createTopics(Map.of("max.message.bytes", "20000"));
    } else {
      servers.createTopics(kind);
    }
  }

  /** Publishes letters of which some are too large for where they came from. */
  private void publishLetters(Path overflow) throws Exception {
    List<OutgoingMessage> letters = new ArrayList<>();
    for (int i = 0; i < LETTERS; i++) {
      LetterServers.Draft letter = servers.letter(i);
      if (LARGE.contains(i)) {
        byte[] large = new byte[kind == LetterServers.Kind.KAFKA ? 50_000 : 8_000_000];
        new Random(i).nextBytes(large);
        Path file = overflow.resolve("results-0-" + i + "-" + HASH + ".value");
        Files.write(file, large);
        letter.value(new byte[0]).with("tailrace.payload-uri", file.toString());
      }
      if (i < LARGE.get(0) && kind == LetterServers.Kind.PUBSUB) {
        // So large that they are on their way when one is refused.
        byte[] own = new byte[700_000];
        new Random(i).nextBytes(own);
        letter.value(own);
      }
      letters.add(letter.message());
    }
    servers.publish(servers.letters(), letters);
  }

  private static LetterServers.Run replay(Path overflow, String... more) {
    List<String> arguments = new ArrayList<>(List.of(more));
    arguments.addAll(0, List.of("replay", "--yes", "--rate=100000"));
    arguments.add("--deadLetterOverflow=" + overflow);
    return servers.run(arguments.toArray(String[]::new));
  }

  /** Returns how often each message was sent back. */
  private static Map<String, Integer> sent() throws Exception {
    Map<String, Integer> sent = new TreeMap<>();
    for (BusMessage each : servers.read(servers.results())) {
      sent.merge(new String(each.payload(), UTF_8), 1, Integer::sum);
    }
    return sent;
  }

  private static void raiseLimit() throws Exception {
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", (Object) servers.kafka().bootstrapServers()))) {
      admin
          .incrementalAlterConfigs(
              Map.of(
                  new ConfigResource(ConfigResource.Type.TOPIC, servers.results().topic()),
                  List.of(
                      new AlterConfigOp(
                          new ConfigEntry("max.message.bytes", "1000000"),
                          AlterConfigOp.OpType.SET))))
          .all()
          .get();
    }
  }
}
