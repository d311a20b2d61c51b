package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.bus.OutgoingMessage;
import io.tailrace.testing.Results;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.RuleChain;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** That a command which can't do what was meant says so, and does not end as if it had done it. */
@RunWith(JUnit4.class)
public class MistypedLettersTest {
  private static final TemporaryFolder folder = new TemporaryFolder();
  private static final LetterServers servers = new LetterServers(folder);
  private static final String HASH = "0123456789abcdef0123456789abcdef";

  /** Those that choose letters, and what they need to do something. */
  private static final List<List<String>> CHOOSING =
      List.of(
          List.of("list"),
          List.of("show"),
          List.of("replay", "--yes"),
          List.of("discard", "--yes"));

  @ClassRule public static final RuleChain rules = RuleChain.outerRule(folder).around(servers);

  @Before
  public void createTopics() throws Exception {
    servers.createTopics();
  }

  @Test
  public void aLetterThatIsNotThereIsNamedAndNothingIsDone() throws Exception {
    for (LetterServers.Kind kind : LetterServers.Kind.values()) {
      servers.createTopics(kind);
      servers.publish(servers.letter(1).message(), servers.letter(2).message());
      String there = servers.waiting().get(0).position();
      String absent = kind == LetterServers.Kind.KAFKA ? "1@77" : "987654321";

      for (List<String> command : CHOOSING) {
        LetterServers.Run run = run(command, there, absent);

        assertWithMessage("%s", command).that(run.code()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).startsWith("There is no letter " + absent + " on ");
        assertThat(run.err()).containsMatch("where one is named like ([01]@1|\\d+): ");
      }
      assertThat(servers.read(servers.results())).isEmpty();
      assertThat(servers.waiting()).hasSize(2);
    }
  }

  @Test
  public void aLetterThatIsSettledAlreadyIsNoMistake() throws Exception {
    for (LetterServers.Kind kind : LetterServers.Kind.values()) {
      servers.createTopics(kind);
      servers.publish(servers.letter(1).message(), servers.letter(2).message());
      String position = servers.waiting().get(0).position();
      assertThat(servers.run("replay", position, "--yes").code()).isEqualTo(0);

      for (List<String> command : CHOOSING) {
        LetterServers.Run run = run(command, position);

        assertWithMessage("%s", command)
            .that(run.code())
            .isEqualTo(command.contains("show") ? 1 : 0);
        assertThat(run.out() + run.err()).contains("Not chosen: 1 letter more\n");
        assertThat(run.out() + run.err()).contains(position + " is settled already\n");
      }
    }
  }

  @Test
  public void aWriterAStageOrAReasonThatNobodyKnowsIsAnsweredWithTheNearest() throws Exception {
    servers.publish(
        servers.letter(1).with("tailrace.writer", "ours").with("tailrace.stage", "Ours").message());

    for (List<String> command : CHOOSING) {
      assertWrong(
          run(command, "--writer=online-writer,ofline-writer"),
          "--writer: there is no writer 'ofline-writer', and no letter of one;"
              + " did you mean 'offline-writer'?");
      assertWrong(run(command, "--writer=our"), "no letter of one; did you mean 'ours'?");
      assertWrong(
          run(command, "--writer=x"), "no letter of one: there are online-writer, offline-writer,");
      assertWrong(
          run(command, "--stage=DecodeResult"),
          "--stage: there is no stage 'DecodeResult', and no letter of one;"
              + " did you mean 'DecodeResults'?");
      assertWrong(
          run(command, "--reason=TYPE_CHANGE"),
          "'TYPE_CHANGE' is no reason for dead letters; did you mean TYPE_CHANGED? There are"
              + " UNDECODABLE, MISSING_FIELD,");
    }
    assertThat(servers.run("list", "--writer=offline-writer").code()).isEqualTo(0);
    assertThat(servers.run("list", "--writer=ours", "--stage=Ours").out())
        .contains("1 letter waits");
  }

  @Test
  public void everyStageIsKnownOfWhichThereMayBeLetters() throws Exception {
    Pattern constant = Pattern.compile(" String STAGE = \"([A-Z]\\w+)\"");
    List<String> stages = new ArrayList<>();
    try (Stream<Path> sources = Files.walk(Path.of("transforms/java"))) {
      for (Path each : sources.filter(it -> it.toString().endsWith(".java")).toList()) {
        Matcher found = constant.matcher(Files.readString(each));
        if (found.find()) {
          stages.add(found.group(1));
        }
      }
    }
    // These refuse nothing.
    stages.removeAll(List.of("ReadBus", "DeadLetters", "DeduplicateResults"));

    assertThat(KnownNames.STAGES).containsExactlyElementsIn(stages);
  }

  @Test
  public void whereNothingIsChosenItIsSaidWhatElseWaits() throws Exception {
    byte[] result = Results.of(Results.user("u", Results.int64("age", 1, 1))).toByteArray();
    servers.publish(servers.letter(1).value(result).message(), servers.letter(2).message());
    String topic = servers.results().topic();

    for (List<String> command : CHOOSING) {
      LetterServers.Run run =
          run(
              command,
              "--topic=" + topic.replace("res", "ers"),
              "--group=onlinewriter",
              "--environment=" + Results.ENVIRONMENT + "x",
              "--feature=unlike.any");

      assertWithMessage("%s", command).that(run.code()).isEqualTo(command.contains("show") ? 1 : 0);
      assertThat(run.out() + run.err())
          .contains(
              "Not chosen: 2 letters more\n"
                  + "None of these came from the topic '"
                  + topic.replace("res", "ers")
                  + "'; did you mean '"
                  + topic
                  + "'?\n"
                  + "None of these is of the group 'onlinewriter'; did you mean 'online-writer'?\n"
                  + "None of these is of the environment '"
                  + Results.ENVIRONMENT
                  + "x'; did you mean '"
                  + Results.ENVIRONMENT
                  + "'?\n"
                  + "None of these is about the feature 'unlike.any'\n");
    }
  }

  @Test
  public void whatCanChooseNothingIsRefused() {
    for (List<String> command : CHOOSING) {
      for (String option : List.of("writer", "group", "stage", "topic", "feature", "environment")) {
        assertWrong(run(command, "--" + option + "="), "the name is empty");
      }
      assertWrong(run(command, "--maxAttempts=0"), "--maxAttempts must be 1 or more, not 0");
      assertWrong(run(command, "--maxAttempts=two"), "'two' is not a whole number, such as 1000");
      assertWrong(run(command, "--since=1h", "--until=2h"), "--since must be before --until: ");
      assertWrong(run(command, "--since=2999-01-01T00:00:00Z"), "which is yet to come");
      assertWrong(
          run(command, "--since=yesterday"),
          "'yesterday' is neither a time such as 2026-01-31T12:00:00Z nor how long ago");
      assertWrong(
          run(command, "letter-7"),
          "'letter-7' is no letter: name it by its position, such as 0@17");
    }
    assertWrong(LetterServers.execute(), "list, show, replay, discard or sweep");
    assertWrong(servers.run("replay", "--rate=NaN"), "'NaN' is not a number");
    assertWrong(servers.run("sweep"), "--deadLetterOverflow=DIR, as the writers have it");
  }

  @Test
  public void aBusThatHasNoLettersIsNotTakenForOneThatHasNoneNow() throws Exception {
    Path directory = folder.newFolder().toPath();
    Path file = Files.writeString(directory.resolve("results-0-1-" + HASH + ".value"), "v");
    Files.setLastModifiedTime(file, FileTime.from(Instant.EPOCH));
    servers.publish(servers.results(), List.of(OutgoingMessage.of(new byte[] {1})));
    List<List<String>> all = new ArrayList<>(CHOOSING);
    all.add(List.of("sweep"));

    for (List<String> command : all) {
      List<String> arguments = new ArrayList<>(command);
      arguments.add("--deadLetterOverflow=" + directory);
      assertFails(
          execute(arguments, "kafka://" + servers.kafka().bootstrapServers() + "/none"),
          "the topic 'none' does not exist");
      assertFails(execute(arguments, "redis://localhost"), "names no bus");
      assertFails(
          execute(arguments, servers.uri("results")),
          "None of the messages of " + servers.results().topic() + " is a letter: ");
      assertThat(execute(arguments, servers.uri("letters")).code())
          .isEqualTo(command.contains("show") ? 1 : 0);
      Files.writeString(file, "v");
      Files.setLastModifiedTime(file, FileTime.from(Instant.EPOCH));
    }
  }

  @Test
  public void aDirectoryThatIsNotThatOfTheWritersIsRefused() throws Exception {
    Path directory = folder.newFolder().toPath();
    Path absent = directory.resolve("absent");
    List<List<String>> all = new ArrayList<>(CHOOSING);
    all.add(List.of("sweep"));
    for (List<String> command : all) {
      assertFails(
          run(command, "--deadLetterOverflow=" + absent),
          "--deadLetterOverflow: there is no directory " + absent + " on this machine");
    }
    servers.publish(
        servers
            .letter(1)
            .with("tailrace.payload-uri", "s3://other/results-0-1-" + HASH + ".value")
            .message());

    assertFails(
        servers.run("sweep", "--deadLetterOverflow=" + directory),
        "letters name files elsewhere, such as s3://other/results-0-1-" + HASH + ".value: ");
  }

  private static void assertWrong(LetterServers.Run run, String why) {
    assertThat(run.err()).contains(why);
    assertThat(run.code()).isEqualTo(2);
  }

  private static void assertFails(LetterServers.Run run, String why) {
    assertThat(run.err()).contains(why);
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.code()).isEqualTo(1);
  }

  private static LetterServers.Run run(List<String> command, String... more) {
    List<String> arguments = new ArrayList<>(command);
    arguments.addAll(List.of(more));
    return servers.run(arguments.toArray(String[]::new));
  }

  private static LetterServers.Run execute(List<String> arguments, String bus) {
    List<String> all = new ArrayList<>(arguments);
    all.add("--deadLetterBus=" + bus);
    return LetterServers.execute(all.toArray(String[]::new));
  }
}
