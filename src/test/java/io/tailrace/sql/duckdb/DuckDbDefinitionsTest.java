package io.tailrace.sql.duckdb;

import static com.google.common.truth.Truth.assertThat;

import com.google.common.collect.ImmutableMap;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.metrics.MetricsTable;
import io.tailrace.sql.Column;
import io.tailrace.sql.ColumnType;
import io.tailrace.sql.Key;
import io.tailrace.sql.Label;
import io.tailrace.sql.Layout;
import io.tailrace.sql.Table;
import io.tailrace.sql.Tables;
import io.tailrace.testing.WriterJvm;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;

/** A file opens whatever its tables were made or made to be when the process was killed. */
@RunWith(Parameterized.class)
public class DuckDbDefinitionsTest {
  /** A table as the first version made it. */
  private static final String FIRST =
      "CREATE TABLE s.t(id UUID NOT NULL, inserted_at TIMESTAMPTZ NOT NULL"
          + " DEFAULT current_timestamp)";

  private static final List<Column> COLUMNS =
      List.of(Column.required("id", ColumnType.UUID), Column.stamped("inserted_at"));

  private static final Label LABEL =
      new Label(ImmutableMap.of(Label.KIND, "feature", "name", "t"), Map.of());

  private static Table table(Column... more) {
    List<Column> columns = new ArrayList<>(COLUMNS);
    columns.addAll(List.of(more));
    return new Table("t", columns, Key.NONE, Optional.of(LABEL), Layout.PLAIN);
  }

  private static Table wide() {
    return table(
        Column.optional("value", ColumnType.FLOATS), Column.optional("note", ColumnType.JSON));
  }

  private static Table minutes() {
    return MetricsTable.QUERY_MINUTES
        .with(MetricsTable.Entry.of(Column.optional("more", ColumnType.TEXT), unused -> ""))
        .table();
  }

  /** What is done to a file, each in a transaction, before the process is killed. */
  private enum Definitions {
    CREATED_WIDENED_IN_THE_LOG(steps(create(table()), insert(), create(wide()), insert())),
    CREATED_AND_KILLED(steps(create(wide()))),
    CREATED_AND_WIDENED(steps(create(table()), insert(), writeBack(), create(wide()), insert())),
    OF_THE_FIRST_VERSION(steps(sql("CREATE SCHEMA s", FIRST), insert(), create(table()))),
    OF_THE_FIRST_VERSION_WIDENED(
        steps(sql("CREATE SCHEMA s", FIRST), insert(), writeBack(), create(wide()), insert())),
    OF_THE_FIRST_VERSION_IN_THE_LOG(
        steps(sql("CREATE SCHEMA s", FIRST), insert(), create(wide()), insert())),
    WIDENED_BY_THE_FIRST_VERSION(
        steps(
            sql("CREATE SCHEMA s", FIRST),
            insert(),
            writeBack(),
            sql("ALTER TABLE s.t ADD COLUMN value FLOAT[]"))),
    WITH_A_KEY(
        steps(
            create(table(), MetricsTable.QUERY_MINUTES.table()),
            sql("CREATE VIEW s.v AS SELECT query_name FROM query_minutes"),
            create(minutes()),
            sql("COMMENT ON VIEW s.v IS 'ours'")));

    @SuppressWarnings("ImmutableEnumChecker") // An unmodifiable list of steps that hold nothing.
    private final List<Step> steps;

    Definitions(List<Step> steps) {
      this.steps = steps;
    }
  }

  private interface Step {
    void run(DuckDbSession session) throws UnavailableException;
  }

  private static List<Step> steps(Step... steps) {
    return List.of(steps);
  }

  private static Step create(Table... tables) {
    return session -> {
      Tables found =
          session.transaction(
              open -> open.catalog("s").bringAbout(open.statement(), List.of(tables)));
      if (!found.conflicts().isEmpty()) {
        throw new IllegalStateException(found.conflicts().toString());
      }
    };
  }

  private static Step sql(String... statements) {
    return session -> {
      boolean unused =
          session.transaction(
              open -> {
                for (String sql : statements) {
                  open.statement().execute(sql);
                }
                return true;
              });
    };
  }

  private static Step insert() {
    return sql("INSERT INTO s.t (id, inserted_at) SELECT uuid(), now() FROM range(10)");
  }

  private static Step writeBack() {
    return session -> {
      boolean unused = session.alone(open -> open.statement().execute("CHECKPOINT"));
    };
  }

  private static DuckDbFile open(Path path) throws UnavailableException {
    return DuckDbFile.open(path, DuckDbSettings.of(EndpointUri.parse("duckdb://" + path)));
  }

  /** Does it in a process of its own, which is halted while it has all of its files open. */
  public static final class Writer {
    public static void main(String[] arguments) throws Exception {
      List<DuckDbSession> open = new ArrayList<>();
      for (Definitions each : Definitions.values()) {
        Path path = path(Path.of(arguments[0]), each);
        DuckDbSession session = new DuckDbSession(() -> open(path));
        open.add(session);
        for (Step step : each.steps) {
          step.run(session);
        }
      }
      Runtime.getRuntime().halt(open.isEmpty() ? 1 : WriterJvm.HALTED);
    }
  }

  private static Path path(Path root, Definitions definitions) {
    return root.resolve(definitions.name()).resolve("a.db");
  }

  @BeforeClass
  public static void defineAndHalt() throws Exception {
    for (Definitions each : Definitions.values()) {
      File unused = folder.newFolder(each.name());
    }
    try (WriterJvm writer =
        WriterJvm.start(Writer.class, folder.newFile("output"), folder.getRoot().getPath())) {
      writer.awaitHalt();
    }
  }

  @Parameters(name = "{0}")
  public static Definitions[] definitions() {
    return Definitions.values();
  }

  @Parameter public Definitions definitions;

  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();

  @Test
  public void theFileOpensAndHasEverything() throws Exception {
    Path path = path(folder.getRoot().toPath(), definitions);
    assertThat(Files.size(Path.of(path + ".wal"))).isGreaterThan(0);

    // Whoever has only DuckDB, too.
    assertThat(opensAnywhere(path))
        .isEqualTo(definitions != Definitions.WIDENED_BY_THE_FIRST_VERSION);
    DuckDbFile file = open(path);
    try (Connection connection = file.duplicate();
        Statement statement = connection.createStatement()) {
      DuckDbCatalog catalog = new DuckDbCatalog("a", "s");
      assertThat(catalog.find(statement, List.of(wide())).get("t").columns())
          .containsAtLeast("id", "UUID", "inserted_at", "TIMESTAMPTZ");
      // And it can be worked with.
      assertThat(catalog.bringAbout(statement, List.of(wide(), minutes())).conflicts()).isEmpty();
      long before = count(statement);
      statement.execute("INSERT INTO s.t (id, inserted_at, note) VALUES (uuid(), now(), '{}')");
      assertThat(count(statement)).isEqualTo(before + 1);
      assertThat(before % 10).isEqualTo(0);
    } finally {
      file.release();
    }
  }

  private static boolean opensAnywhere(Path path) throws IOException {
    Path copy = path.resolveSibling("copy.db");
    Files.copy(path, copy);
    Files.copy(Path.of(path + ".wal"), Path.of(copy + ".wal"));
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:" + copy)) {
      return connection.isValid(1);
    } catch (SQLException e) {
      return false;
    }
  }

  private static long count(Statement statement) throws SQLException {
    try (ResultSet rows = statement.executeQuery("SELECT count(*) FROM s.t")) {
      rows.next();
      return rows.getLong(1);
    }
  }
}
