package io.tailrace.offline.postgres;

import static io.tailrace.sql.postgres.PostgresDialect.POSTGRES;

import com.google.common.collect.Lists;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.offline.staging.LedgerText;
import io.tailrace.sql.postgres.PostgresSession;
import io.tailrace.sql.postgres.PostgresSession.RefusedException;
import io.tailrace.sql.postgres.PostgresSession.Work;
import io.tailrace.sql.postgres.SqlState;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The ledger of files with results, in the table {@code bulk_files} of each environment's schema.
 * Who may not create tables needs one that is there. Not thread-safe.
 */
final class PostgresBulkLedger implements Ledger.Book {
  private static final String TABLE = "bulk_files";

  /** Names that are asked for at once. */
  private static final int NAMES = 5_000;

  private final PostgresAddress address;
  private final PostgresSession session;

  PostgresBulkLedger(PostgresAddress address, PostgresSession session) {
    this.address = address;
    this.session = session;
  }

  private String place(String environment) {
    return POSTGRES.place(address.schema(environment), TABLE);
  }

  private <T> T read(Work<T> work) throws UnavailableException {
    try {
      return session.read(work);
    } catch (RefusedException e) {
      throw new UnavailableException(SqlState.sentence(address.server(), e.refusal()), e);
    }
  }

  private void write(Work<Long> work) throws UnavailableException {
    try {
      long unused = session.write(work);
    } catch (RefusedException e) {
      throw new UnavailableException(SqlState.sentence(address.server(), e.refusal()), e);
    }
  }

  private boolean isThere(String environment) throws UnavailableException {
    return read(
        connection -> {
          try (PreparedStatement look = connection.prepareStatement("SELECT to_regclass(?)")) {
            look.setString(1, place(environment));
            try (ResultSet found = look.executeQuery()) {
              return found.next() && found.getString(1) != null;
            }
          }
        });
  }

  @Override
  public Map<String, Entry> find(String environment, Collection<String> names)
      throws UnavailableException {
    Map<String, Entry> found = new HashMap<>();
    if (names.isEmpty() || !isThere(environment)) {
      return found;
    }
    for (List<String> some : Lists.partition(List.copyOf(names), NAMES)) {
      found.putAll(read(connection -> find(connection, environment, some)));
    }
    return found;
  }

  private Map<String, Entry> find(Connection connection, String environment, List<String> names)
      throws SQLException {
    Map<String, Entry> found = new HashMap<>();
    Array array = connection.createArrayOf("text", names.toArray());
    try (PreparedStatement look =
        connection.prepareStatement(
            "SELECT name, loaded_at, rejected, refused FROM "
                + place(environment)
                + " WHERE name = ANY (?)")) {
      look.setArray(1, array);
      try (ResultSet rows = look.executeQuery()) {
        while (rows.next()) {
          found.put(
              rows.getString(1),
              new Entry(
                  rows.getString(1),
                  rows.getTimestamp(2).toInstant(),
                  LedgerText.rejected(rows.getString(3)),
                  Optional.ofNullable(rows.getString(4))));
        }
      }
    } finally {
      array.free();
    }
    return found;
  }

  @Override
  public void enter(String environment, List<Entry> entries) throws UnavailableException {
    if (entries.isEmpty()) {
      return;
    }
    create(environment);
    write(connection -> enter(connection, environment, entries));
  }

  /** Enters files in the transaction that is open, into the table that {@link #create} makes. */
  long enter(Connection connection, String environment, List<Entry> entries) throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO "
                + place(environment)
                + " VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET loaded_at ="
                + " excluded.loaded_at, rejected = excluded.rejected, refused ="
                + " excluded.refused")) {
      for (Entry entry : entries) {
        insert.setString(1, entry.name());
        insert.setTimestamp(2, Timestamp.from(entry.loadedAt()));
        insert.setString(3, LedgerText.of(entry.rejected()));
        insert.setString(4, entry.refused().orElse(null));
        insert.addBatch();
      }
      return insert.executeBatch().length;
    }
  }

  /** Creates the table unless it is there. */
  void create(String environment) throws UnavailableException {
    if (isThere(environment)) {
      return;
    }
    try {
      write(
          connection -> {
            try (Statement statement = connection.createStatement()) {
              return (long)
                  statement.executeUpdate(
                      "CREATE TABLE "
                          + place(environment)
                          + " (name text PRIMARY KEY, loaded_at timestamptz NOT NULL, rejected"
                          + " text NOT NULL, refused text)");
            }
          });
    } catch (UnavailableException e) {
      // Another writer has created it at the same moment.
      if (!isThere(environment)) {
        throw e;
      }
    }
  }

  @Override
  public void forget(String environment, Instant before) throws UnavailableException {
    if (isThere(environment)) {
      write(
          connection -> {
            try (PreparedStatement delete =
                connection.prepareStatement(
                    "DELETE FROM " + place(environment) + " WHERE loaded_at < ?")) {
              delete.setTimestamp(1, Timestamp.from(before));
              return (long) delete.executeUpdate();
            }
          });
    }
  }
}
