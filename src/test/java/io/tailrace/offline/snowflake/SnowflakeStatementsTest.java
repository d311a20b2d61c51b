package io.tailrace.offline.snowflake;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedByHand;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.pipelines.local.servers.snowflake.FakeSnowflake;
import io.tailrace.pipelines.local.servers.snowflake.Logins;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import net.sf.jsqlparser.JSQLParserException;
import net.sf.jsqlparser.parser.CCJSqlParserUtil;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/**
 * What is said to Snowflake, word by word: {@code snowflake-statements.txt} has every statement of
 * a first load, and an independent grammar parses those that it knows. The others are the
 * documentation's examples with our names in them.
 */
@RunWith(JUnit4.class)
public class SnowflakeStatementsTest {
  private static final long T = RandomResults.START;

  /** What only Snowflake has, as its documentation writes it. */
  private static final List<String> DOCUMENTED =
      List.of(
          "PUT 'file://[^']+/\\*' '@\\S+/' AUTO_COMPRESS = FALSE SOURCE_COMPRESSION = NONE"
              + " OVERWRITE = TRUE",
          "GET '@\\S+' 'file://[^']+/'",
          "LIST '@\\S+'",
          "REMOVE '@\\S+/' PATTERN = '[^']+'",
          "CREATE SCHEMA IF NOT EXISTS \\S+",
          "CREATE STAGE IF NOT EXISTS \\S+",
          "COPY INTO \\S+ FROM '@\\S+/' FILES = \\('[^)]+'\\) FILE_FORMAT = \\(TYPE = PARQUET"
              + " USE_VECTORIZED_SCANNER = TRUE\\) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
              + " INCLUDE_METADATA = \\(STAGED_FILE = METADATA\\$FILENAME, STAGED_ROW ="
              + " METADATA\\$FILE_ROW_NUMBER\\) ON_ERROR = ABORT_STATEMENT",
          "BEGIN",
          "COMMIT");

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private List<String> statements() throws Exception {
    Path password = folder.newFile("password").toPath();
    Files.writeString(password, Logins.PASSWORD);
    try (FakeSnowflake snowflake = FakeSnowflake.start(folder.newFolder("stages").toPath())) {
      SnowflakeOfflineStore store =
          (SnowflakeOfflineStore)
              OfflineStores.at(SnowflakeContractTest.uri(snowflake, password, "&latest=true"));
      List<StagedFile> files =
          new StagedByHand(store.stage())
              .put(
                  Results.named("op-1")
                      .addFrames(
                          Results.user(
                              "ann",
                              Results.int64("age", T, 1),
                              Results.string("it's \\ \"odd\"", T, "x")))
                      .addDeletions(Results.deletion("bob", T, "age"))
                      .build());
      try (Loader loader = store.openLoader();
          Stage.Connection connection = store.stage().open()) {
        loader.load(connection, files);
        connection.read(files.get(0).name());
        connection.list();
        connection.delete(List.of(files.get(0).name()));
      }
      return snowflake.statements().stream().map(SnowflakeStatementsTest::same).toList();
    }
  }

  /** Leaves out what is another in each run. */
  private static String same(String statement) {
    return statement
        .replaceAll("file://\\S+/tailrace-stage\\d+", "file:///tmp/tailrace-stage")
        .replaceAll("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "LOAD-ID")
        .replaceAll("(inserts-0-\\d+-)[0-9a-f]{32}", "$1HASH");
  }

  @Test
  public void statementsAreThoseOfTheFile() throws Exception {
    String statements = String.join("\n", statements()) + "\n";
    // To be looked at, and put in the file's place.
    Files.writeString(Path.of("target", "snowflake-statements.txt"), statements);

    String golden;
    try (var in = getClass().getResourceAsStream("/snowflake-statements.txt")) {
      golden = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    assertThat(statements).isEqualTo(golden);
  }

  @Test
  public void anIndependentGrammarParsesThemOrTheDocumentationHasThem() throws Exception {
    List<String> unknown = new ArrayList<>();
    int parsed = 0;
    for (String statement : statements()) {
      if (DOCUMENTED.stream().anyMatch(statement::matches)) {
        continue;
      }
      try {
        CCJSqlParserUtil.parse(
            statement
                // Clauses that are Snowflake's own, behind or before what the grammar knows.
                .replaceFirst(
                    " CLUSTER BY \\(FEATURE, FLOOR\\(DATE_PART\\(EPOCH_SECOND, OBSERVED_AT\\) /"
                        + " 86400\\)\\)$",
                    "")
                .replaceFirst(
                    "(?s)^(CREATE (?:OR REPLACE )?VIEW \\S+)(?: COPY GRANTS)? COMMENT ="
                        + " '(?:[^'\\\\]|''|\\\\.)*' AS",
                    "$1 AS")
                .replace("\\\\", "")
                .replace(" ARRAY", " VARIANT")
                .replace("DATE_PART(EPOCH_MICROSECOND, ", "DATE_PART('EPOCH_MICROSECOND', "));
        parsed++;
      } catch (JSQLParserException e) {
        unknown.add(
            statement + ": " + String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
      }
    }
    assertWithMessage("not parsed").that(unknown).isEmpty();
    assertThat(parsed).isAtLeast(25);
  }
}
