package io.tailrace.offline.duckdb;

import static io.tailrace.sql.duckdb.DuckDbDialect.DUCKDB;
import static java.util.stream.Collectors.joining;

import com.google.common.collect.Lists;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.offline.staging.LedgerText;
import io.tailrace.sql.duckdb.DuckDbSession;
import io.tailrace.sql.duckdb.DuckDbSession.Open;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A ledger of files in a DuckDB file: a table beside those of the environment. Not thread-safe. */
final class DuckDbLedger implements Ledger.Book {
  /** Names that are looked for in one statement. */
  private static final int NAMES = 1_000;

  /** The ledgers there are. */
  enum Files {
    /** Files of the stage: what was entered first stands. */
    STAGED("staged_files", "DO NOTHING"),
    /** Files with results: the last load of one stands. */
    BULK(
        "bulk_files",
        "DO UPDATE SET loaded_at = excluded.loaded_at, rejected = excluded.rejected,"
            + " refused = excluded.refused");

    private final String table;
    private final String onConflict;

    Files(String table, String onConflict) {
      this.table = table;
      this.onConflict = onConflict;
    }
  }

  private final Files files;
  private final DuckDbOfflineStore store;
  private final DuckDbSession session;

  /** Keeps it in a session, which is closed by whoever inserts in it. */
  DuckDbLedger(Files files, DuckDbOfflineStore store, DuckDbSession session) {
    this.files = files;
    this.store = store;
    this.session = session;
  }

  @Override
  public Map<String, Entry> find(String environment, Collection<String> names)
      throws UnavailableException {
    Set<String> wanted = new HashSet<>(names);
    return session.beside(
        open -> {
          Statement statement = open.statement();
          String table = table(open, environment);
          Map<String, Entry> found = new HashMap<>();
          if (!isThere(statement, environment)) {
            return found;
          }
          for (List<String> some : Lists.partition(List.copyOf(wanted), NAMES)) {
            find(statement, table, some, found);
          }
          return found;
        });
  }

  private static void find(
      Statement statement, String table, List<String> names, Map<String, Entry> found)
      throws SQLException {
    String query =
        "SELECT name, epoch_us(loaded_at), rejected, refused FROM "
            + table
            + names.stream().map(DUCKDB::literal).collect(joining(", ", " WHERE name IN (", ")"));
    try (ResultSet rows = statement.executeQuery(query)) {
      while (rows.next()) {
        found.put(
            rows.getString(1),
            new Entry(
                rows.getString(1),
                Micros.instant(rows.getLong(2)),
                LedgerText.rejected(rows.getString(3)),
                Optional.ofNullable(rows.getString(4))));
      }
    }
  }

  private String table(Open open, String environment) throws SQLException {
    return open.catalog(store.schema(environment)).place(files.table);
  }

  private boolean isThere(Statement statement, String environment) throws SQLException {
    try (PreparedStatement look =
        statement
            .getConnection()
            .prepareStatement(
                "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database()"
                    + " AND schema_name = ? AND table_name = ?")) {
      look.setString(1, store.schema(environment));
      look.setString(2, files.table);
      try (ResultSet found = look.executeQuery()) {
        return found.next();
      }
    }
  }

  @Override
  public void enter(String environment, List<Entry> entries) throws UnavailableException {
    boolean unused =
        session.alone(
            open -> {
              create(open, environment);
              return true;
            });
    unused =
        session.transaction(
            open -> {
              enter(open, environment, entries);
              return true;
            });
  }

  /** Creates the table unless it is there. */
  void create(Open open, String environment) throws SQLException {
    Statement statement = open.statement();
    statement.execute("CREATE SCHEMA IF NOT EXISTS \"" + store.schema(environment) + '"');
    statement.execute(
        "CREATE TABLE IF NOT EXISTS "
            + table(open, environment)
            + "(name VARCHAR PRIMARY KEY, loaded_at TIMESTAMPTZ NOT NULL,"
            + " rejected VARCHAR NOT NULL, refused VARCHAR)");
  }

  /** Enters files in the transaction that is open; a batch would begin one of its own. */
  void enter(Open open, String environment, List<Entry> entries) throws SQLException {
    for (List<Entry> some : Lists.partition(entries, NAMES)) {
      open.statement()
          .execute(
              "INSERT INTO "
                  + table(open, environment)
                  + some.stream().map(DuckDbLedger::row).collect(joining(", ", " VALUES ", ""))
                  + " ON CONFLICT (name) "
                  + files.onConflict);
    }
  }

  private static String row(Entry entry) {
    return "("
        + DUCKDB.literal(entry.name())
        + ", make_timestamptz("
        + Micros.of(entry.loadedAt())
        + "), "
        + DUCKDB.literal(LedgerText.of(entry.rejected()))
        + ", "
        + entry.refused().map(DUCKDB::literal).orElse("NULL")
        + ")";
  }

  @Override
  public void forget(String environment, Instant before) throws UnavailableException {
    boolean unused =
        session.alone(
            open ->
                isThere(open.statement(), environment)
                    && open.statement()
                        .execute(
                            "DELETE FROM "
                                + table(open, environment)
                                + " WHERE loaded_at < make_timestamptz("
                                + Micros.of(before)
                                + ")"));
  }
}
