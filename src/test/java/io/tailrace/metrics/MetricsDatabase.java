package io.tailrace.metrics;

import io.tailrace.offline.OfflineStores;
import io.tailrace.pipelines.local.servers.LocalPostgres;
import io.tailrace.sql.Column;
import io.tailrace.sql.duckdb.DuckDbFile;
import io.tailrace.sql.duckdb.DuckDbSettings;
import io.tailrace.testing.TestDatabase;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.rules.ExternalResource;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.TestRule;
import org.junit.runner.Description;
import org.junit.runners.model.Statement;

/** A real metrics store of a kind, for one test. */
public final class MetricsDatabase implements TestRule {
  /** The metrics stores there are. */
  public enum Kind {
    POSTGRESQL,
    DUCKDB
  }

  private final Kind kind;
  private final TestDatabase postgres = new TestDatabase();
  private final TemporaryFolder folder = new TemporaryFolder();

  public MetricsDatabase(Kind kind) {
    this.kind = kind;
  }

  @Override
  public Statement apply(Statement test, Description description) {
    ExternalResource none = new ExternalResource() {};
    TestRule server = kind == Kind.POSTGRESQL ? postgres : none;
    return server.apply(folder.apply(test, description), description);
  }

  /** Returns the server of a PostgreSQL. */
  public LocalPostgres server() {
    return postgres.server();
  }

  /** Returns the file of a DuckDB. */
  public Path file() {
    return folder.getRoot().toPath().resolve("metrics.db");
  }

  /** Returns the store, with more parameters such as {@code retention=90d}. */
  public MetricsStore store(String parameters) {
    return MetricsStores.at(
        kind == Kind.POSTGRESQL
            ? postgres.uri(parameters)
            : "duckdb://" + file() + (parameters.isEmpty() ? "" : "?" + parameters));
  }

  /**
   * Returns the rows of a query, each as its values joined with a bar, which look the same whatever
   * the store.
   */
  public List<String> rows(String sql) throws Exception {
    List<List<@Nullable String>> rows = new ArrayList<>();
    if (kind == Kind.POSTGRESQL) {
      for (String row : postgres.rows(sql)) {
        rows.add(List.of(row.split("\\|", -1)));
      }
    } else {
      rows.addAll(OfflineStores.at("duckdb://" + file()).reader().query(sql, 1_000_000).rows());
    }
    return rows.stream()
        .map(row -> row.stream().map(MetricsDatabase::normal).collect(Collectors.joining("|")))
        .toList();
  }

  /** Runs statements as somebody else. */
  public void execute(String... statements) throws Exception {
    if (kind == Kind.POSTGRESQL) {
      postgres.execute(statements);
      return;
    }
    // A writer in this process may have it open.
    DuckDbFile open = DuckDbFile.open(file(), new DuckDbSettings("1GB", 1, false, 1 << 28));
    try (Connection connection = open.duplicate();
        java.sql.Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    } finally {
      open.release();
    }
  }

  private static String normal(@Nullable String value) {
    String text = String.valueOf(value);
    try {
      return new BigDecimal(text).stripTrailingZeros().toPlainString();
    } catch (NumberFormatException e) {
      // DuckDB's driver has its own way to write a time.
      return text.replaceFirst("^([0-9-]{10})T([0-9:]{5})Z$", "$1 $2:00+00");
    }
  }

  /** Returns every row of both tables, in order. */
  public List<String> contents() throws Exception {
    List<String> all = new ArrayList<>();
    for (MetricsTable table : MetricsTable.ALL) {
      List<String> columns = new ArrayList<>();
      for (Column column : table.columns()) {
        columns.add(
            switch (column.type()) {
              case TIMESTAMP ->
                  "CAST(extract(epoch FROM " + column.name() + ") * 1000000 AS bigint)";
              case BOOLEAN -> "CAST(" + column.name() + " AS text)";
              case BYTES -> "md5(CAST(" + column.name() + " AS text))";
              default -> column.name();
            });
      }
      List<String> rows =
          new ArrayList<>(
              rows(
                  "SELECT "
                      + String.join(", ", columns)
                      + ", CAST(updated_at AS text) FROM tailrace_metrics."
                      + table.name()));
      Collections.sort(rows);
      all.addAll(rows);
    }
    return all;
  }
}
