package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.bus.Replayed;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.RuleChain;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;

/** That letters go back as what they were, each once, and which stay. */
@RunWith(Parameterized.class)
public class ReplayLettersTest {
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
  public void aLetterGoesBackAsItsMessageWasAddressedToItsWriter() throws Exception {
    servers.publish(
        servers
            .letter(7)
            .header(new Header("theirs", null))
            .header(Header.of("theirs", "again"))
            .with("tailrace.published-at", Instant.now().minus(Duration.ofDays(25)).toString())
            .with("tailrace.attempts", "2")
            .with("tailrace.cells", "[]")
            .message(),
        servers.letter(8).key(null).value(null).message());

    assertThat(replay().code()).isEqualTo(1);
    assertThat(replay("--deletionRetention=100d").code()).isEqualTo(0);

    List<BusMessage> sent = servers.read(servers.results());
    assertThat(sent).hasSize(2);
    BusMessage nothing = sent.stream().filter(it -> !it.hasKey()).findFirst().orElseThrow();
    assertThat(nothing.hasPayload()).isFalse();
    BusMessage message = sent.stream().filter(BusMessage::hasKey).findFirst().orElseThrow();
    assertThat(message.key()).isEqualTo("k".getBytes(UTF_8));
    assertThat(message.payload()).isEqualTo("message 7".getBytes(UTF_8));
    assertThat(message.headers().all().stream().filter(it -> it.name().equals("theirs")).toList())
        .containsExactly(new Header("theirs", null), Header.of("theirs", "again"))
        .inOrder();
    assertThat(
            message.headers().all().stream()
                .map(Header::name)
                .filter(name -> !name.equals("theirs")))
        .containsExactly(
            "tailrace.writer",
            "tailrace.group",
            "tailrace.failed-at",
            "tailrace.published-at",
            "tailrace.published-by",
            "tailrace.attempts");
    Replayed replayed = message.replayed().orElseThrow();
    assertThat(replayed.isFor("online-writer", "online-writer")).isTrue();
    assertThat(replayed.attempts()).isEqualTo(2);
  }

  @Test
  public void aSecondReplaySendsNothingTwice() throws Exception {
    OutgoingMessage twice = servers.letter(2).message();
    servers.publish(servers.letter(1).message(), twice, twice, servers.letter(3).message());

    LetterServers.Run first = replay();
    LetterServers.Run second = replay();

    assertThat(first.out()).contains("3 letters to " + servers.results().name());
    assertThat(first.out()).contains("3 letters sent");
    assertThat(second.code()).isEqualTo(0);
    assertThat(second.out()).contains("No letter can be sent");
    assertThat(servers.read(servers.results())).hasSize(3);
    assertThat(servers.waiting()).isEmpty();
  }

  @Test
  public void aCopyThatComesLaterOrWasSettledItselfIsTheSameLetter() throws Exception {
    OutgoingMessage twice = servers.letter(2).message();
    servers.publish(twice, twice);
    String copy = StoredLetter.position(servers.read(servers.letters()).get(1).place());

    assertThat(replay(copy).out()).contains("1 letter sent");
    assertThat(replay().out()).contains("No letter can be sent");
    servers.publish(twice);
    assertThat(replay().out()).contains("No letter can be sent");

    assertThat(servers.read(servers.results())).hasSize(1);
  }

  @Test
  public void lettersWithoutAValueAtOnePositionOfTwoTopicsAreTwo() throws Exception {
    servers.publish(
        servers.letter(0).value(null).with("tailrace.topic-id", "a").message(),
        servers.letter(0).value(null).with("tailrace.topic-id", "b").message());

    assertThat(replay("--limit=1").out()).contains("1 letter sent");
    assertThat(servers.waiting()).hasSize(1);
    assertThat(replay().out()).contains("1 letter sent");
    assertThat(servers.read(servers.results())).hasSize(2);
  }

  @Test
  public void aCopyOfWhatAnEarlierVersionHasSettledIsSettled() throws Exception {
    OutgoingMessage twice = servers.letter(1).message();
    servers.publish(twice, twice);
    StoredLetter first = servers.waiting().get(0);
    servers.publish(
        new OutgoingMessage(
            "k".getBytes(UTF_8),
            new byte[0],
            Headers.of(
                Header.of("tailrace.settled", first.position()),
                Header.of(
                    "tailrace.settled-letter",
                    LetterIdentity.ofEarlierVersions(first).toString()))));

    assertThat(replay().out()).contains("No letter can be sent");
  }

  @Test
  public void aReplayThatWasStoppedIsTakenUp() throws Exception {
    List<OutgoingMessage> letters = new ArrayList<>();
    for (int i = 0; i < 1_500; i++) {
      letters.add(servers.letter(i).key(null).message());
    }
    servers.publish(servers.letters(), letters);

    assertThat(replay("--limit=700", "--rate=100000").out()).contains("700 letters sent");
    assertThat(servers.waiting()).hasSize(800);
    assertThat(replay("--rate=100000").out()).contains("800 letters sent");

    List<BusMessage> sent = servers.read(servers.results());
    assertThat(sent.stream().map(each -> new String(each.payload(), UTF_8)).distinct().count())
        .isEqualTo(1_500);
    assertThat(sent).hasSize(1_500);
  }

  @Test
  public void aLetterWaitsForItsMomentAndWhatWasSentIsSettledMeanwhile() throws Exception {
    servers.publish(
        servers.letter(1).message(), servers.letter(2).message(), servers.letter(3).message());
    LetterContents contents = new LetterContents(Optional.empty());
    ReplayDoor door =
        new ReplayDoor(servers.letters(), Optional.empty(), Duration.ofDays(14), contents);
    try (Stopping stopping = Stopping.onSignal();
        BusLog log = servers.letters().log(BusLog.Use.SETTLE);
        LetterReplay replay =
            new LetterReplay(door, contents, log, stopsAtTheFirst(stopping), stopping)) {
      // One in eleven days.
      assertThat(replay.run(WaitingLetters.of(log), letter -> true, 1e-6, Long.MAX_VALUE))
          .isFalse();
      assertThat(replay.count()).isEqualTo(1);
    }
    assertThat(servers.waiting()).hasSize(2);
    assertThat(servers.read(servers.results())).hasSize(1);
  }

  private static LetterReplay.Listener stopsAtTheFirst(Stopping stopping) {
    return new LetterReplay.Listener() {
      @Override
      public void replayed(StoredLetter letter, Bus bus, Optional<Place> place) {
        stopping.ask();
      }

      @Override
      public void stays(StoredLetter letter, String why) {
        throw new AssertionError(why);
      }
    };
  }

  @Test
  public void nothingIsDoneUntilSomebodySaysYes() throws Exception {
    servers.publish(servers.letter(1).message(), servers.letter(2).message());

    LetterServers.Run dry = servers.run("replay", "--dry-run");
    assertThat(dry.code()).isEqualTo(0);
    assertThat(dry.out()).containsMatch("(?m)^ +2  UNDECODABLE$");
    assertThat(answered("no\n").out()).contains("Nothing was done");
    assertThat(answered("").err()).contains("--yes goes on without asking");
    assertThat(servers.read(servers.results())).isEmpty();

    assertThat(answered("y\n").out()).contains("2 letters sent");
    assertThat(servers.read(servers.results())).hasSize(2);
  }

  @Test
  public void whatComesWhileSomebodyThinksIsNeitherSentNorDiscarded() throws Exception {
    OutgoingMessage meanwhile = servers.letter(2).with("tailrace.topic", "another").message();
    servers.publish(servers.letter(1).message());
    assertThat(thoughtOver(meanwhile, "replay", "--to=" + servers.uri("results")).out())
        .contains("1 letter sent");
    assertThat(servers.waiting()).hasSize(1);
    assertThat(servers.read(servers.results())).hasSize(1);

    assertThat(thoughtOver(servers.letter(3).message(), "discard").out())
        .contains("1 letter discarded");
    assertThat(servers.waiting().stream().map(it -> it.letter().text("tailrace.offset")))
        .containsExactly("3");
  }

  @Test
  public void whatWasPublishedBeforeDeletionsAreForgottenStaysWithTheOnlineWriter()
      throws Exception {
    String old = "2020-01-31T12:00:00Z";
    servers.publish(
        servers.letter(1).with("tailrace.published-at", old).message(),
        servers.letter(2).without("tailrace.published-at").message(),
        servers
            .letter(3)
            .with("tailrace.published-at", old)
            .with("tailrace.writer", "offline-writer")
            .message(),
        servers
            .letter(4)
            .with("tailrace.published-at", old)
            .with("tailrace.writer", "somebody-elses-writer")
            .message());

    LetterServers.Run run = replay();

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).contains("Not sent: 3 letters published longer ago than");
    assertThat(run.out()).contains("1 letter sent");
    assertThat(servers.read(servers.results()).get(0).payload())
        .isEqualTo("message 3".getBytes(UTF_8));
  }

  @Test
  public void aBusElsewhereIsNeverSentToUnlessItIsNamed() throws Exception {
    servers.publish(
        servers.letter(1).with("tailrace.bus", "kafka://elsewhere:9092/results").message(),
        servers.letter(2).without("tailrace.bus").message(),
        servers.letter(3).with("tailrace.bus", "file:///etc/passwd").message());

    LetterServers.Run run = replay();

    assertThat(run.out()).contains("Not sent: 3 letters from a bus on other servers");
    assertThat(run.out()).contains("No letter can be sent");
    assertThat(replay("--to=" + servers.uri("results")).out()).contains("3 letters sent");
    assertThat(servers.read(servers.results())).hasSize(3);
  }

  @Test
  public void aBusThatIsNamedAndNotThereIsSaidBeforeAnythingElse() throws Exception {
    servers.publish(servers.letter(1).message());
    String missing =
        servers.uri("results").replace(servers.results().topic(), servers.results().topic() + "x");

    LetterServers.Run run = replay("--to=" + missing);

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).contains("'" + servers.results().topic() + "x' does not exist");
  }

  @Test
  public void aRecordThatNamesItsPositionAloneSettlesALetter() throws Exception {
    servers.publish(servers.letter(1).message(), servers.letter(2).message());
    String first = servers.waiting().get(0).position();
    servers.publish(
        new OutgoingMessage(
            "k".getBytes(UTF_8), new byte[0], Headers.of(Header.of("tailrace.settled", first))));

    assertThat(servers.waiting().stream().map(StoredLetter::position)).doesNotContain(first);
    assertThat(replay().out()).contains("1 letter sent");
  }

  @Test
  public void oneBusIsNoPlaceForMessagesOfSeveralTopics() throws Exception {
    servers.publish(
        servers.letter(1).message(), servers.letter(2).with("tailrace.topic", "files").message());

    LetterServers.Run run = replay("--to=" + servers.uri("results"));

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("choose those of one with --topic=NAME");
    assertThat(servers.read(servers.results())).isEmpty();
    assertThat(replay("--to=" + servers.uri("results"), "--topic=files").code()).isEqualTo(0);
  }

  @Test
  public void aLetterWithoutAPartOfItsMessageStays() throws Exception {
    servers.publish(
        servers.letter(1).value(new byte[0]).with("tailrace.reason", "TOO_LARGE").message(),
        servers.letter(2).with("tailrace.reason", "TOO_LARGE").message(),
        servers.letter(3).with("tailrace.missing", "headers").message(),
        servers.letter(4).with("tailrace.missing", "headers,key").message(),
        // Of rows whose file was gone from the stage.
        servers.letter(5).value(new byte[0]).with("tailrace.reason", "TYPE_CHANGED").message());

    LetterServers.Run run = replay();

    assertThat(run.out()).contains("Not sent: 4 letters without the value, the key or the headers");
    assertThat(run.out()).contains("1 letter sent");
  }

  private static LetterServers.Run replay(String... more) {
    List<String> arguments = new ArrayList<>(List.of(more));
    arguments.add(0, "replay");
    arguments.add("--yes");
    return servers.run(arguments.toArray(String[]::new));
  }

  private static LetterServers.Run answered(String answer) {
    return answered(new ByteArrayInputStream(answer.getBytes(UTF_8)), "replay");
  }

  /** Says yes when a letter has come. */
  private static LetterServers.Run thoughtOver(OutgoingMessage letter, String... arguments) {
    return answered(
        new FilterInputStream(new ByteArrayInputStream("y\n".getBytes(UTF_8))) {
          @Override
          public int read(byte[] into, int from, int length) throws IOException {
            try {
              servers.publish(letter);
            } catch (Exception e) {
              throw new IOException(e);
            }
            return super.read(into, from, length);
          }
        },
        arguments);
  }

  private static LetterServers.Run answered(InputStream answers, String... arguments) {
    InputStream before = System.in;
    System.setIn(answers);
    try {
      return servers.run(arguments);
    } finally {
      System.setIn(before);
    }
  }
}
