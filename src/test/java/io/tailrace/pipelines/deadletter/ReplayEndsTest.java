package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assume.assumeTrue;

import com.google.common.collect.Range;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.pubsub.PubSubTopics;
import io.tailrace.pipelines.Tailrace;
import io.tailrace.pipelines.TerminalText;
import io.tailrace.testing.WriterJvm;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.RuleChain;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;

/** That a replay whose process ends in the middle is taken up, whatever ended it. */
@RunWith(Parameterized.class)
public class ReplayEndsTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final int LETTERS = 2_000;

  private static final TemporaryFolder folder = new TemporaryFolder();
  private static final LetterServers servers = new LetterServers(folder);

  @ClassRule public static final RuleChain rules = RuleChain.outerRule(folder).around(servers);

  @Parameter public LetterServers.Kind kind = LetterServers.Kind.KAFKA;

  @Parameters(name = "{0}")
  public static LetterServers.Kind[] kinds() {
    return LetterServers.Kind.values();
  }

  @Before
  public void publishLetters() throws Exception {
    servers.createTopics(kind);
    List<OutgoingMessage> letters = new ArrayList<>();
    for (int i = 0; i < LETTERS; i++) {
      letters.add(servers.letter(i).key(null).message());
    }
    servers.publish(servers.letters(), letters);
  }

  @Test
  public void whatCtrlCHasStoppedIsTakenUpAndSentOnce() throws Exception {
    String before;
    try (WriterJvm command =
        WriterJvm.start(
            Tailrace.class,
            folder.newFile(),
            "dead-letters",
            "replay",
            "--yes",
            "--rate=10",
            "--deadLetterBus=" + servers.uri("letters"))) {
      awaitSome(command);
      before = command.interrupt();
    }

    assertThat(before).contains("; stopped: the same command goes on with the rest");
    int first = sent().values().stream().mapToInt(Integer::intValue).sum();
    assertThat(first).isLessThan(LETTERS);
    assertThat(servers.waiting()).hasSize(LETTERS - first);
    assertThat(replay().out()).contains(TerminalText.count(LETTERS - first, "letter") + " sent");
    assertThat(counts()).containsExactly(1, LETTERS);
  }

  @Test
  public void whatWasSentAsTheProcessDiedIsSentAgainOnlyWhereABusHasNoTransactions()
      throws Exception {
    try (WriterJvm command =
        WriterJvm.start(HaltingReplay.class, folder.newFile(), servers.uri("letters"))) {
      command.awaitHalt();
    }
    if (kind == LetterServers.Kind.PUBSUB) {
      // As if a minute had passed.
      servers.pubSub().expireLeases();
      servers.pubSub().set(PubSubTopics.subscription(servers.letters().topic()), "{\"labels\":{}}");
    }

    // A batch of a slow machine is smaller.
    int settled = LETTERS - servers.waiting().size();
    assertThat(settled).isIn(Range.closed(1, LetterReplay.BATCH_LETTERS));
    assertThat(replay().out()).contains(TerminalText.count(LETTERS - settled, "letter") + " sent");

    Map<Integer, Integer> counts = counts();
    if (kind == LetterServers.Kind.KAFKA) {
      assertThat(counts).containsExactly(1, LETTERS);
    } else {
      assertThat(counts.keySet()).containsExactly(1, 2);
      assertThat(counts.get(2)).isAtMost(LetterReplay.BATCH_LETTERS);
    }
    assertThat(servers.waiting()).isEmpty();
  }

  @Test
  public void lettersThatUnpackedAreMoreThanTheHeapAreReplayed() throws Exception {
    assumeTrue("nothing is compressed", kind == LetterServers.Kind.KAFKA);
    servers.createTopics(kind);
    List<OutgoingMessage> letters = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      letters.add(servers.letter(i).key(null).value(new byte[1_000_000]).message());
    }
    servers.publish(servers.letters(), letters);
    try (WriterJvm command =
        WriterJvm.start(
            Tailrace.class,
            folder.newFile(),
            "dead-letters",
            "replay",
            "--yes",
            "--rate=100000",
            "--deadLetterBus=" + servers.uri("letters"))) {
      assertThat(command.await()).contains("300 letters sent");
    }

    int[] sent = {0};
    try (BusLog log = servers.results().log(BusLog.Use.LOOK)) {
      log.read(message -> ++sent[0] > 0);
    }
    assertThat(sent[0]).isEqualTo(300);
  }

  private static LetterServers.Run replay() {
    LetterServers.Run run = servers.run("replay", "--yes", "--rate=100000");
    assertWithMessage(run.err()).that(run.code()).isEqualTo(0);
    return run;
  }

  private static void awaitSome(WriterJvm command) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (sent().isEmpty()) {
      command.checkAlive();
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.sleep(50);
    }
  }

  /** Returns how often each message was sent back. */
  private static Map<String, Integer> sent() throws Exception {
    Map<String, Integer> sent = new TreeMap<>();
    for (BusMessage each : servers.read(servers.results())) {
      sent.merge(new String(each.payload(), UTF_8), 1, Integer::sum);
    }
    return sent;
  }

  /** Returns how many messages were sent back how often. */
  private static Map<Integer, Integer> counts() throws Exception {
    Map<Integer, Integer> counts = new TreeMap<>();
    sent().values().forEach(times -> counts.merge(times, 1, Integer::sum));
    return counts;
  }
}
