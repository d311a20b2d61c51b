package io.tailrace.offline;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.offline.duckdb.DuckDbOfflineStore;
import io.tailrace.offline.postgres.PostgresOfflineStore;
import io.tailrace.parquet.QueryLog;
import io.tailrace.testing.TestDatabase;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.rules.ExternalResource;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.TestRule;
import org.junit.runner.Description;
import org.junit.runners.model.Statement;

/** A real offline store of a kind, for one test. */
public final class OfflineDatabase implements TestRule {
  /** The databases that features are kept in. */
  public enum Kind {
    POSTGRESQL,
    POSTGRESQL_MONTHLY,
    DUCKDB
  }

  private final Kind kind;
  private final TestDatabase postgres = new TestDatabase();
  private final TemporaryFolder folder = new TemporaryFolder();

  public OfflineDatabase(Kind kind) {
    this.kind = kind;
  }

  @Override
  public Statement apply(Statement test, Description description) {
    ExternalResource none = new ExternalResource() {};
    TestRule server = kind == Kind.DUCKDB ? none : postgres;
    return server.apply(folder.apply(test, description), description);
  }

  /** Returns whether PostgreSQL is asked; otherwise it is DuckDB. */
  boolean isPostgres() {
    return kind != Kind.DUCKDB;
  }

  private Path file() {
    return folder.getRoot().toPath().resolve("offline.db");
  }

  private String uri() {
    return switch (kind) {
      case POSTGRESQL -> postgres.uri("");
      case POSTGRESQL_MONTHLY -> postgres.uri("partitions=monthly");
      case DUCKDB -> "duckdb://" + file();
    };
  }

  /** Opens a connection of a version that has a log of queries. */
  BatchConnection connect(QueryLog log) {
    EndpointUri uri = EndpointUri.parse(uri());
    return isPostgres()
        ? PostgresOfflineStore.at(uri).connect(log)
        : DuckDbOfflineStore.at(uri).connect(log);
  }

  BatchConnection connect() {
    return connect(QueryLog.CURRENT);
  }

  /** Returns the rows of a query, each as its values joined with a bar. */
  List<String> rows(String sql) throws Exception {
    if (isPostgres()) {
      return postgres.rows(sql);
    }
    return OfflineStores.at(uri()).reader().query(sql, 1_000_000).rows().stream()
        .map(row -> row.stream().map(String::valueOf).collect(Collectors.joining("|")))
        .toList();
  }

  /** Returns what a table says of itself. */
  String comment(String table) throws Exception {
    return rows(isPostgres()
            ? "SELECT obj_description('tailrace." + table + "'::regclass)"
            : "SELECT comment FROM duckdb_tables() WHERE schema_name = 'tailrace' AND table_name ="
                + " '"
                + table
                + "'")
        .get(0);
  }

  /** Runs statements as somebody else. */
  void execute(String... statements) throws Exception {
    if (isPostgres()) {
      postgres.execute(statements);
      return;
    }
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:" + file());
        java.sql.Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }
}
