package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assume.assumeTrue;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.OutgoingMessage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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

/** That bytes in a directory go back with their letters, and go when no letter needs them. */
@RunWith(Parameterized.class)
public class LetterFilesTest {
  private static final TemporaryFolder folder = new TemporaryFolder();
  private static final LetterServers servers = new LetterServers(folder);
  private static final String HASH = "0123456789abcdef0123456789abcdef";

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
  public void bytesInADirectoryGoBackTooAndTheirFileWhenNoLetterNeedsIt() throws Exception {
    Path directory = folder.newFolder().toPath();
    Path value = directory.resolve("results-0-1-" + HASH + ".value");
    Path all = directory.resolve("results-0-2-" + HASH + ".json");
    Files.writeString(value, "the whole value");
    Files.writeString(
        all,
        "{\"headers\":[{\"name\":\"theirs\",\"value\":\"dg==\"},{\"name\":\"none\",\"value\":null}],"
            + "\"key\":\"a2V5\",\"value\":\"dmFsdWU=\"}");
    Path others = Files.writeString(directory.resolve("others.value"), "not ours");
    servers.publish(
        servers.letter(1).value(new byte[0]).with("tailrace.payload-uri", value + "").message(),
        servers
            .letter(1)
            .value(new byte[0])
            .with("tailrace.stage", "WriteOnline")
            .with("tailrace.payload-uri", value + "")
            .message(),
        servers
            .letter(2)
            .value(new byte[0])
            .with("tailrace.stage", "Third")
            .with("tailrace.payload-uri", all + "")
            .message());
    String overflow = "--deadLetterOverflow=" + directory;

    assertThat(replay().out()).contains("Not sent: 3 letters with bytes in a file");
    assertThat(replay("--stage=DecodeResults", overflow).code()).isEqualTo(0);
    assertThat(Files.exists(value)).isTrue();
    // A subscription does not show for certain that no other letter needs the file.
    boolean goes = kind == LetterServers.Kind.KAFKA;
    assertThat(replay("--stage=WriteOnline", overflow).out().contains("1 file deleted from"))
        .isEqualTo(goes);
    assertThat(Files.exists(value)).isEqualTo(!goes);
    assertThat(replay(overflow).code()).isEqualTo(0);

    List<BusMessage> sent = servers.read(servers.results());
    assertThat(sent.stream().map(each -> new String(each.payload(), UTF_8)))
        .containsExactly("the whole value", "the whole value", "value");
    BusMessage whole =
        sent.stream().filter(it -> it.payload().length == 5).findFirst().orElseThrow();
    assertThat(whole.key()).isEqualTo("key".getBytes(UTF_8));
    assertThat(whole.headers().all()).contains(Header.of("theirs", "v"));
    assertThat(whole.headers().all()).contains(new Header("none", null));
    assertThat(whole.replayed()).isPresent();
    assertThat(Files.exists(all)).isEqualTo(!goes);
    assertThat(Files.exists(others)).isTrue();
  }

  @Test
  public void noOtherFileIsReadOrDeletedWhateverALetterSays() throws Exception {
    Path directory = folder.newFolder().toPath();
    Path secret = Files.writeString(folder.newFolder().toPath().resolve("passwd"), "secret");
    Path inside = Files.writeString(directory.resolve("results-0-1-secret.value"), "secret");
    String[] uris = {
      secret.toString(),
      inside.toString(),
      directory + "/../" + secret.getParent().getFileName() + "/passwd",
      directory + "/sub/results-0-1-" + HASH + ".value"
    };
    List<OutgoingMessage> letters = new ArrayList<>();
    for (String uri : uris) {
      letters.add(servers.letter(letters.size()).with("tailrace.payload-uri", uri).message());
    }
    servers.publish(servers.letters(), letters);
    String overflow = "--deadLetterOverflow=" + directory;

    assertThat(replay(overflow).out()).contains("Not sent: 4 letters with bytes in a file");
    assertThat(servers.run("discard", "--yes", overflow).code()).isEqualTo(0);

    assertThat(servers.read(servers.results())).isEmpty();
    assertThat(Files.exists(secret)).isTrue();
    assertThat(Files.exists(inside)).isTrue();
  }

  @Test
  public void aFileThatIsGoneKeepsItsLetterAndStopsNoOther() throws Exception {
    Path directory = folder.newFolder().toPath();
    servers.publish(
        servers
            .letter(1)
            .with("tailrace.payload-uri", directory + "/results-0-1-" + HASH + ".value")
            .message(),
        servers.letter(2).message());

    LetterServers.Run run = replay("--deadLetterOverflow=" + directory);

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("was not sent: the rest of it can't be read");
    assertThat(run.out()).contains("1 letter sent");
    assertThat(servers.waiting()).hasSize(1);
  }

  @Test
  public void whatIsOlderThanTheTopicKeepsLettersGoesUnlessOneThatWaitsNeedsIt() throws Exception {
    Path directory = folder.newFolder().toPath();
    Path forgotten = file(directory, 1, Duration.ofDays(16));
    Path settled = file(directory, 2, Duration.ofDays(16));
    Path waiting = file(directory, 3, Duration.ofDays(16));
    Path young = file(directory, 4, Duration.ofDays(6));
    Path theirs = Files.writeString(directory.resolve("theirs.value"), "");
    Files.setLastModifiedTime(theirs, FileTime.from(Instant.EPOCH));
    servers.publish(
        servers.letter(2).with("tailrace.payload-uri", settled + "").message(),
        servers.letter(3).with("tailrace.payload-uri", waiting + "").message());
    String position =
        servers.waiting().stream()
            .filter(letter -> letter.payloadUri().equals(Optional.of(settled + "")))
            .map(StoredLetter::position)
            .findFirst()
            .orElseThrow();
    assertThat(servers.run("discard", position, "--yes").code()).isEqualTo(0);

    LetterServers.Run sweep = servers.run("sweep", "--deadLetterOverflow=" + directory);

    assertThat(sweep.out()).isEqualTo("2 files deleted from " + directory + "\n");
    for (Path gone : List.of(forgotten, settled)) {
      assertThat(Files.exists(gone)).isFalse();
    }
    for (Path left : List.of(waiting, young, theirs)) {
      assertThat(Files.exists(left)).isTrue();
    }
    assertThat(servers.run("sweep", "--deadLetterOverflow=" + directory).out())
        .isEqualTo("No file in " + directory + " can be deleted\n");
  }

  @Test
  public void whereATopicKeepsLettersForEverNoFileGoesByItsAge() throws Exception {
    assumeTrue("no subscription does", kind == LetterServers.Kind.KAFKA);
    servers.createTopics(Map.of("retention.ms", "-1"));
    Path directory = folder.newFolder().toPath();
    Path old = file(directory, 1, Duration.ofDays(10_000));

    LetterServers.Run sweep =
        LetterServers.execute(
            "sweep",
            "--deadLetterBus=" + servers.uri("results"),
            "--deadLetterOverflow=" + directory);

    assertThat(sweep.out()).isEqualTo("No file in " + directory + " can be deleted\n");
    assertThat(Files.exists(old)).isTrue();
  }

  private static Path file(Path directory, int offset, Duration age) throws Exception {
    Path file =
        Files.writeString(directory.resolve("results-0-" + offset + "-" + HASH + ".value"), "v");
    return Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(age)));
  }

  private static LetterServers.Run replay(String... more) {
    List<String> arguments = new ArrayList<>(List.of(more));
    arguments.add(0, "replay");
    arguments.add("--yes");
    return servers.run(arguments.toArray(String[]::new));
  }
}
