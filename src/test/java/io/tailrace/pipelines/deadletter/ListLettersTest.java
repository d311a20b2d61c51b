package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.testing.Results;
import java.util.ArrayList;
import java.util.List;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.RuleChain;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;

/** That letters are listed by what they have in common, and which are. */
@RunWith(Parameterized.class)
public class ListLettersTest {
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
  public void whatIsAlikeIsOneGroupWithItsFirstItsLastAndAnExample() throws Exception {
    servers.publish(
        servers.letter(1).with("tailrace.failed-at", "2026-01-31T12:00:00Z").message(),
        servers.letter(2).with("tailrace.failed-at", "2026-01-31T11:00:00.5Z").message(),
        servers
            .letter(3)
            .with("tailrace.failed-at", "2026-01-31T13:00:00Z")
            .with("tailrace.attempts", "3")
            .message(),
        servers.letter(4).with("tailrace.reason", "MISSING_FIELD").message(),
        servers.letter(5).with("tailrace.writer", "offline-writer").message());

    JsonNode groups = json(servers.run("list", "--json"));

    assertThat(groups).hasSize(3);
    JsonNode first = groups.get(0);
    assertThat(first.path("reason").asText()).isEqualTo("UNDECODABLE");
    assertThat(first.path("writer").asText()).isEqualTo("online-writer");
    assertThat(first.path("stage").asText()).isEqualTo("DecodeResults");
    assertThat(first.path("topic").asText()).isEqualTo(servers.results().topic());
    assertThat(first.path("count").asLong()).isEqualTo(3);
    assertThat(first.path("first").asText()).isEqualTo("2026-01-31T11:00:00.500Z");
    assertThat(first.path("last").asText()).isEqualTo("2026-01-31T13:00:00Z");
    assertThat(first.path("attempts").asInt()).isEqualTo(3);
    assertThat(first.at("/example/position").asText()).matches("[01]@0|\\d+");
    assertThat(first.at("/example/message").asText()).isEqualTo("it is no result");
  }

  @Test
  public void aPersonSeesATableAndWhatToDoNext() throws Exception {
    servers.publish(
        servers.letter(1).with("tailrace.message", "a\u001b[2Jb\nc").message(),
        servers.letter(2).with("tailrace.message", "a\u001b[2Jb\nc").message());

    LetterServers.Run list = servers.run("list");

    assertThat(list.code()).isEqualTo(0);
    assertThat(list.out()).containsMatch("(?m)^ +2  UNDECODABLE  online-writer  DecodeResults  ");
    assertThat(list.out()).contains("a\\u001B[2Jb\\u000Ac");
    assertThat(list.out()).contains("2 letters wait\n");
    assertThat(list.out()).containsMatch("'dead-letters show ([01]@0|\\d+)' explains one");
    // Kafka's default: a week, and a week for the segment to be rolled.
    int days = kind == LetterServers.Kind.KAFKA ? 14 : 7;
    assertThat(list.out()).contains("The topic keeps a letter for " + days + " days at most");
  }

  @Test
  public void letterAreChosenByWhateverIsSaidOfThem() throws Exception {
    byte[] result = Results.of(Results.user("u", Results.int64("age", 1, 1))).toByteArray();
    servers.publish(
        servers.letter(1).message(),
        servers.letter(2).with("tailrace.group", "blue").message(),
        servers.letter(3).with("tailrace.stage", "WriteOnline").message(),
        servers.letter(4).with("tailrace.failed-at", "2020-01-31T12:00:00Z").message(),
        servers.letter(5).value(result).with("tailrace.reason", "UNKNOWN_ENVIRONMENT").message(),
        servers
            .letter(6)
            .with("tailrace.reason", "INVALID_VALUE")
            .with("tailrace.reasons", "{\"INVALID_VALUE\":1,\"OBSERVED_IN_FUTURE\":2}")
            .with(
                "tailrace.cells",
                "[{\"reason\":\"INVALID_VALUE\",\"namespace\":\"user\",\"key\":\"k\","
                    + "\"feature\":\"user.name\",\"message\":\"m\"}]")
            .message(),
        servers.letter(7).with("tailrace.topic", "other").with("tailrace.attempts", "4").message());

    assertThat(count("--group=blue")).isEqualTo(1);
    assertThat(count("--stage=WriteOnline")).isEqualTo(1);
    assertThat(count("--until=2021-01-01T00:00:00Z")).isEqualTo(1);
    assertThat(count("--since=1d")).isEqualTo(6);
    assertThat(count("--reason=observed_in_future")).isEqualTo(1);
    assertThat(count("--reason=UNKNOWN_ENVIRONMENT,INVALID_VALUE")).isEqualTo(2);
    assertThat(count("--environment=" + Results.ENVIRONMENT)).isEqualTo(1);
    assertThat(count("--environment=other")).isEqualTo(0);
    assertThat(count("--feature=user.age")).isEqualTo(1);
    assertThat(count("--feature=user.name")).isEqualTo(1);
    assertThat(count("--topic=other")).isEqualTo(1);
    assertThat(count("--maxAttempts=3")).isEqualTo(6);
    assertThat(count("--writer=offline-writer,metrics-writer")).isEqualTo(0);
    // Asked twice, Pub/Sub may tell them in another order.
    var waiting = servers.waiting();
    assertThat(count(waiting.get(2).position(), waiting.get(3).position())).isEqualTo(2);
    assertThat(count("--since=1d", "--stage=DecodeResults", "--maxAttempts=1")).isEqualTo(4);
  }

  @Test
  public void whatIsSettledOrThereTwiceOrNoLetterIsNotCounted() throws Exception {
    OutgoingMessage twice = servers.letter(1).message();
    servers.publish(
        twice,
        servers.letter(2).message(),
        twice,
        // The same message, sent back and refused once more.
        servers.letter(1).with("tailrace.attempts", "2").message(),
        servers.letter(4).without("tailrace.failed-at").message(),
        OutgoingMessage.of(new byte[] {1}));
    String second = servers.waiting().get(1).position();

    assertThat(count()).isEqualTo(3);
    assertThat(servers.run("discard", second, "--yes").code()).isEqualTo(0);
    assertThat(count()).isEqualTo(2);
    assertThat(servers.run("list").out()).contains("2 letters wait; 1 letter settled");
    assertThat(servers.run("list", "--stage=WriteOnline").out())
        .contains("0 letters wait; 1 letter settled\nNot chosen: 2 letters more\n");
  }

  @Test
  public void tenThousandLettersOfMixedReasonsAreListed() throws Exception {
    List<OutgoingMessage> letters = new ArrayList<>();
    String[] reasons = {"UNDECODABLE", "MISSING_FIELD", "TYPE_CHANGED", "OBSERVED_IN_FUTURE"};
    for (int i = 0; i < 10_000; i++) {
      letters.add(servers.letter(i).key(null).with("tailrace.reason", reasons[i % 4]).message());
    }
    servers.publish(servers.letters(), letters);

    JsonNode groups = json(servers.run("list", "--json"));

    assertThat(groups).hasSize(4);
    groups.forEach(group -> assertThat(group.path("count").asInt()).isEqualTo(2_500));
  }

  @Test
  public void prometheusGetsHowManyWaitAndSinceWhen() throws Exception {
    servers.publish(
        servers.letter(1).with("tailrace.failed-at", "2026-01-31T12:00:00Z").message(),
        servers.letter(2).with("tailrace.stage", "a\"b\\c\nd").message());

    String text = servers.run("list", "--format=prometheus").out();

    String topic = "{dead_letter_topic=\"" + servers.letters().topic() + "\"";
    assertThat(text)
        .contains(
            LetterMetrics.OLDEST
                + topic
                + ",writer=\"online-writer\",group=\"online-writer\",stage=\"DecodeResults\""
                + ",topic=\""
                + servers.results().topic()
                + "\",reason=\"UNDECODABLE\"} 1769860800\n");
    assertThat(text).contains("stage=\"a\\\"b\\\\c\\nd\"");
    assertThat(text).contains(LetterMetrics.SETTLED + topic + "} 0\n");
    assertThat(text)
        .contains(
            LetterMetrics.KEPT
                + topic
                + "} "
                + (kind == LetterServers.Kind.KAFKA ? 1_209_600 : 604_800)
                + "\n");
  }

  private static int count(String... choice) throws Exception {
    List<String> arguments = new ArrayList<>(List.of(choice));
    arguments.add(0, "list");
    arguments.add("--json");
    int count = 0;
    for (JsonNode group : json(servers.run(arguments.toArray(String[]::new)))) {
      count += group.path("count").asInt();
    }
    return count;
  }

  private static JsonNode json(LetterServers.Run run) throws Exception {
    assertThat(run.err()).isEmpty();
    return new ObjectMapper().readTree(run.out());
  }
}
