package io.tailrace.testing;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedByHand;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.offline.staging.StagedStore;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import net.sf.jsqlparser.JSQLParserException;
import net.sf.jsqlparser.parser.CCJSqlParserUtil;
import org.junit.Test;

/**
 * What is said to a warehouse, word by word: a file has every statement of a first load, and an
 * independent grammar parses those that it knows. The others are the documentation's examples with
 * our names in them.
 */
public abstract class WarehouseStatementsContract {
  private static final long T = RandomResults.START;

  /** Returns the warehouse, to which nothing was said yet. */
  protected abstract WarehouseFixture warehouse();

  /** Returns the name of the file. */
  protected abstract String file();

  /** Returns patterns of what only this warehouse has, as its documentation writes it. */
  protected abstract List<String> documented();

  /** Returns a statement without clauses that are the warehouse's own, for the grammar. */
  protected abstract String plain(String statement);

  /** Returns how many statements the grammar knows, at least. */
  protected abstract int parsed();

  private List<String> statements() throws Exception {
    StagedStore store = warehouse().store("&latest=true");
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
    return warehouse().statementsSent().stream().map(WarehouseStatementsContract::same).toList();
  }

  /** Leaves out what is another in each run. */
  private static String same(String statement) {
    return statement
        .replaceAll("file://\\S+/tailrace-stage\\d+", "file:///tmp/tailrace-stage")
        .replaceAll("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "LOAD-ID")
        .replaceAll("_of_\\d{8}_[0-9a-f]{8}", "_of_DAY_OWNER")
        .replaceAll("(inserts-0-\\d+-)[0-9a-f]{32}", "$1HASH");
  }

  @Test
  public void statementsAreThoseOfTheFile() throws Exception {
    String statements = String.join("\n", statements()) + "\n";
    // To be looked at, and put in the file's place.
    Files.writeString(Path.of("target", file()), statements);

    String golden;
    try (InputStream in = getClass().getResourceAsStream("/" + file())) {
      assertWithMessage(file()).that(in).isNotNull();
      golden = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    assertThat(statements).isEqualTo(golden);
  }

  @Test
  public void aReaderSendsNothingThatWrites() throws Exception {
    OfflineReader reader = warehouse().store("").reader();

    for (String sql : List.of("CREATE TABLE t (n INT)", "SELECT 1; CREATE TABLE t (n INT)")) {
      assertThat(assertThrows(UnavailableException.class, () -> reader.query(sql, 1)))
          .hasMessageThat()
          .contains(sql);
    }

    assertThat(warehouse().statementsSent().toString()).doesNotContain("CREATE");
  }

  @Test
  public void anIndependentGrammarParsesThemOrTheDocumentationHasThem() throws Exception {
    List<String> unknown = new ArrayList<>();
    int parsed = 0;
    for (String statement : statements()) {
      if (documented().stream().anyMatch(statement::matches)) {
        continue;
      }
      try {
        CCJSqlParserUtil.parseStatements(plain(statement));
        parsed++;
      } catch (JSQLParserException e) {
        unknown.add(
            statement + ": " + String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
      }
    }
    assertWithMessage("not parsed").that(unknown).isEmpty();
    assertThat(parsed).isAtLeast(parsed());
  }
}
