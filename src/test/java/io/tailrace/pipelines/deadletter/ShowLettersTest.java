package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.testing.Results;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.QueryResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.RuleChain;
import org.junit.rules.TemporaryFolder;

/** That a letter is explained: where, what is there, what was expected, and what helps. */
public class ShowLettersTest {
  private static final TemporaryFolder folder = new TemporaryFolder();
  private static final LetterServers servers = new LetterServers(folder);
  private static final QueryResult RESULT =
      Results.of(Results.users(List.of("a", "b"), Results.int64("age", 1, 35, 36)));

  @ClassRule public static final RuleChain rules = RuleChain.outerRule(folder).around(servers);

  @Before
  public void createTopics() throws Exception {
    servers.createTopics();
  }

  @Test
  public void aFieldIsShownWithItsValueAndWhatIsAllowed() throws Exception {
    QueryResult.Builder wrong = RESULT.toBuilder();
    wrong.getFramesBuilder(0).getColumnsBuilder(0).setTypeValue(42);
    String type =
        show(
            servers
                .letter(1)
                .value(wrong.build().toByteArray())
                .with("tailrace.reason", "UNKNOWN_TYPE")
                .with("tailrace.field", "frames[0].columns[0].type")
                .message());
    String missing =
        show(
            servers
                .letter(2)
                .value(RESULT.toBuilder().clearOperationId().build().toByteArray())
                .with("tailrace.reason", "MISSING_FIELD")
                .with("tailrace.field", "operation_id")
                .message());
    String lengths =
        show(
            servers
                .letter(3)
                .value(RESULT.toByteArray())
                .with("tailrace.reason", "LENGTH_MISMATCH")
                .with("tailrace.field", "frames[0].columns[0].int64_values")
                .message());
    String nowhere =
        show(
            servers
                .letter(4)
                .value(RESULT.toByteArray())
                .with("tailrace.field", "a[9].b[")
                .message());

    assertThat(type).contains("   | frames[0].columns[0].type\n   |   found    42\n");
    assertThat(type).contains("   |   expected one of INT64, FLOAT64, BOOL,");
    assertThat(type)
        .contains("= environment " + Results.ENVIRONMENT + "\n   = features user.age\n");
    assertThat(missing).contains("   | operation_id\n   |   found    \"\"\n");
    assertThat(lengths).contains("found    2 entries: 35, 36\n");
    assertThat(nowhere).contains("   | a[9].b[\n   |   expected bytes");
  }

  @Test
  public void bytesThatAreNoMessageAreShownWhereTheyBreak() throws Exception {
    byte[] whole = RESULT.toByteArray();
    String cut = show(servers.letter(1).value(Arrays.copyOf(whole, whole.length - 3)).message());
    String json =
        show(servers.letter(2).value("{\"a\": 1}".getBytes(StandardCharsets.UTF_8)).message());
    String none = show(servers.letter(3).value(null).message());

    assertThat(cut).contains("   | frames[0]\n   |   found    at byte ");
    assertThat(cut).containsMatch("it says that it has \\d+ bytes, and \\d+ are left\n");
    assertThat(cut).contains("expected a tailrace.v1.QueryResult");
    assertThat(json).contains("   | execution_finished_at\n   |   found    at byte 0: 7b 22 61 22");
    assertThat(none).contains("letter ");
  }

  @Test
  public void aCellIsShownWithItsFeatureItsKeyItsValueAndItsTime() throws Exception {
    String shown =
        show(
            servers
                .letter(1)
                .value(RESULT.toByteArray())
                .with("tailrace.reason", "OBSERVED_IN_FUTURE")
                .with(
                    "tailrace.cells",
                    "[{\"reason\":\"OBSERVED_IN_FUTURE\",\"namespace\":\"user\",\"key\":\"b\","
                        + "\"feature\":\"user.age\",\"message\":\"a year ahead\"}]")
                .with("tailrace.cell-count", "3")
                .message());

    assertThat(shown)
        .contains(
            """
               | feature user.age of the entity 'b' in user: OBSERVED_IN_FUTURE, a year ahead
               |   found    INT64 36, observed at 1970-01-01T00:00:00.000001Z
               | … of 3 cells
            """);
    assertThat(shown).contains("= help: Correct the publisher's clock.");
  }

  @Test
  public void aFilesColumnsAreShownAndTheRefusedOneIsMarked() throws Exception {
    Path file = folder.newFolder().toPath().resolve("f.parquet");
    try (Connection duckdb = DriverManager.getConnection("jdbc:duckdb:");
        Statement sql = duckdb.createStatement()) {
      sql.execute(
          "COPY (SELECT 'a' AS pkey, 1.5::DECIMAL(9,2) AS value) TO '"
              + file
              + "' (FORMAT parquet)");
    }
    LetterServers.Draft letter =
        servers
            .letter(1)
            .value(Files.readAllBytes(file))
            .with("tailrace.writer", "streaming-insert-writer")
            .with("tailrace.reason", "INVALID_VALUE");
    String value = show(letter.with("tailrace.field", "value[0]").message());
    String absent =
        show(letter.with("tailrace.field", "observed_at").with("tailrace.offset", "2").message());
    String damaged =
        show(letter.value(new byte[] {'P', 'A', 'R', '1'}).with("tailrace.offset", "3").message());

    assertThat(value).contains("   |   optional binary pkey (STRING)\n");
    assertThat(value)
        .containsMatch("   \\| > optional \\w+ value \\(DECIMAL.*\\)   <-- value\\[0\\]\n");
    assertThat(absent).contains("> observed_at is neither a column nor in the footer   <--");
    assertThat(damaged).contains("4 bytes, is no Parquet file that can be read");
  }

  @Test
  public void aTableIsShownAsItIsAndWhetherAReplayWouldSucceed() throws Exception {
    String file = folder.newFolder().toPath().resolve("offline.db").toString();
    String store = "--offlineStore=duckdb://" + file + "?schema=t_{environment}";
    servers.publish(
        servers
            .letter(1)
            .value(RESULT.toByteArray())
            .with("tailrace.writer", "offline-writer")
            .with("tailrace.reason", "TYPE_CHANGED")
            .with(
                "tailrace.cells",
                "[{\"reason\":\"TYPE_CHANGED\",\"namespace\":\"user\",\"key\":\"a\",\"feature\":"
                    + "\"user.age\",\"message\":\"its table user__age has value VARCHAR, not"
                    + " BIGINT; publish the new type under another feature name\"}]")
            .message());
    sql(file, "CREATE SCHEMA t_production");
    sql(file, "CREATE TABLE t_production.user__age (pkey VARCHAR, value VARCHAR)");

    String before = servers.run("show", store).out();
    sql(file, "ALTER TABLE t_production.user__age ALTER value TYPE BIGINT");
    String mended = servers.run("show", store).out();
    sql(file, "DROP TABLE t_production.user__age");
    String gone = servers.run("show", store).out();

    assertThat(before)
        .contains(
            "= t_production.user__age now has pkey VARCHAR, value VARCHAR: value is still VARCHAR,"
                + " not BIGINT: a replay is refused again. ALTER TABLE t_production.user__age"
                + " RENAME");
    assertThat(mended).contains("value is BIGINT now: a replay succeeds");
    assertThat(gone).contains("there is no such table now: the writer creates it");
    assertThat(servers.run("show").out()).contains("say where it is with --offlineStore=URI");
  }

  @Test
  public void everyReasonIsExplainedAlsoOneOfALaterVersion() throws Exception {
    List<OutgoingMessage> letters = new ArrayList<>();
    for (Reason reason : Reason.values()) {
      letters.add(servers.letter(letters.size()).with("tailrace.reason", reason.name()).message());
    }
    letters.add(servers.letter(99).with("tailrace.reason", "OF_A_LATER_VERSION").message());
    letters.add(servers.letter(100).without("tailrace.reason").message());
    servers.publish(servers.letters(), letters);

    List<String> lines = servers.run("show", "--json", "--limit=100").out().lines().toList();

    assertThat(lines).hasSize(letters.size());
    for (String line : lines) {
      JsonNode letter = new ObjectMapper().readTree(line);
      assertWithMessage(line).that(letter.path("help").asText()).isNotEmpty();
      assertWithMessage(line).that(letter.path("reason").asText()).isNotEmpty();
    }
  }

  @Test
  public void whatIsNotThereIsSaid() throws Exception {
    LetterServers.Run run = servers.run("show", "0@17");

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).startsWith("There is no letter 0@17: it was settled, ");
  }

  private static void sql(String file, String statement) throws Exception {
    try (Connection duckdb = DriverManager.getConnection("jdbc:duckdb:" + file);
        Statement sql = duckdb.createStatement()) {
      sql.execute(statement);
    }
  }

  private static String show(OutgoingMessage letter) throws Exception {
    servers.publish(letter);
    List<StoredLetter> waiting = servers.waiting();
    LetterServers.Run run = servers.run("show", waiting.get(waiting.size() - 1).position());
    assertThat(run.err()).isEmpty();
    return run.out();
  }
}
