package io.tailrace.offline.warehouse;

import com.google.common.collect.Lists;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.offline.staging.LedgerText;
import io.tailrace.sql.Table;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;

/** Keeps the ledger in a table beside those that are loaded. Not thread-safe. */
final class WarehouseLedger implements Ledger {
  /** Names that are asked for at once. */
  private static final int NAMES = 5_000;

  /** Characters of entries in one statement: warehouses take a megabyte at most. */
  private static final int CHARACTERS = 256 << 10;

  private final WarehouseDialect dialect;
  private final WarehouseCatalog catalog;
  private final Table table;

  /** Keeps it in a table, which is one of {@link WarehouseTables}. */
  WarehouseLedger(WarehouseDialect dialect, WarehouseCatalog catalog, Table table) {
    this.table = table;
    this.dialect = dialect;
    this.catalog = catalog;
  }

  private String place(String environment) {
    return dialect.place(dialect.schema(environment), table.name());
  }

  private String literal(String text) {
    return dialect.sql().literal(text);
  }

  @Override
  public Map<String, Entry> find(String environment, Collection<String> names)
      throws UnavailableException {
    return catalog.require(
        statements -> {
          catalog.ensure(statements, environment, List.of(table));
          return find(statements, environment, names);
        });
  }

  Map<String, Entry> find(Statements statements, String environment, Collection<String> names)
      throws SQLException {
    Map<String, Entry> found = new HashMap<>();
    for (List<String> some : Lists.partition(List.copyOf(names), NAMES)) {
      String query =
          "SELECT name, "
              + dialect.micros("loaded_at")
              + ", rejected, refused FROM "
              + place(environment)
              + some.stream()
                  .map(this::literal)
                  .collect(Collectors.joining(", ", " WHERE name IN (", ")"));
      statements
          .query(
              query,
              row ->
                  new Entry(
                      row.getString(1),
                      Micros.instant(row.getLong(2)),
                      LedgerText.rejected(row.getString(3)),
                      Optional.ofNullable(row.getString(4))))
          .forEach(entry -> found.put(entry.name(), entry));
    }
    return found;
  }

  /** Returns whether a load was committed. */
  boolean isCommitted(Statements statements, String environment, String loadId)
      throws SQLException {
    return statements
            .query(
                "SELECT COUNT(*) FROM "
                    + place(environment)
                    + " WHERE load_id = "
                    + literal(loadId),
                row -> row.getLong(1))
            .get(0)
        > 0;
  }

  /** Enters files in the place of what is entered of them, in a transaction of its own. */
  void replace(String environment, List<Entry> entries) throws UnavailableException {
    if (entries.isEmpty()) {
      return;
    }
    String loadId = UUID.randomUUID().toString();
    boolean unused =
        catalog.require(
            statements -> {
              catalog.ensure(statements, environment, List.of(table));
              dialect.transaction(
                  statements,
                  () -> {
                    dialect.lock(
                        statements,
                        dialect.place(dialect.schema(environment), WarehouseTables.LOCK.name()));
                    replace(statements, environment, loadId, entries);
                  });
              return true;
            });
  }

  /** Does so in the transaction of their load, behind the lock. */
  void replace(Statements statements, String environment, String loadId, List<Entry> entries)
      throws SQLException {
    takeOut(statements, environment, entries.stream().map(Entry::name).toList());
    enter(statements, environment, loadId, entries);
  }

  private void takeOut(Statements statements, String environment, Collection<String> names)
      throws SQLException {
    for (List<String> some : Lists.partition(List.copyOf(names), NAMES)) {
      long unused =
          statements.update(
              "DELETE FROM "
                  + place(environment)
                  + some.stream()
                      .map(this::literal)
                      .collect(Collectors.joining(", ", " WHERE name IN (", ")")));
    }
  }

  /** Enters files; what is entered stands. In the transaction of their load, behind the lock. */
  void enter(Statements statements, String environment, String loadId, List<Entry> entries)
      throws SQLException {
    List<String> rows = new ArrayList<>();
    int length = 0;
    for (Entry entry : entries) {
      String row =
          "("
              + literal(entry.name())
              + ", "
              + literal(LedgerText.of(entry.rejected()))
              + ", "
              + literal(entry.refused().orElse(""))
              + ")";
      if (length > 0 && length + row.length() > CHARACTERS) {
        insert(statements, environment, loadId, rows);
        rows.clear();
        length = 0;
      }
      rows.add(row);
      length += row.length();
    }
    if (!rows.isEmpty()) {
      insert(statements, environment, loadId, rows);
    }
  }

  private void insert(Statements statements, String environment, String loadId, List<String> rows)
      throws SQLException {
    String place = place(environment);
    long unused =
        statements.update(
            "INSERT INTO "
                + place
                + " (name, loaded_at, load_id, rejected, refused) SELECT v.name, "
                + dialect.now()
                + ", "
                + literal(loadId)
                + ", v.rejected, NULLIF(v.refused, '') FROM "
                + dialect.given(statements, List.of("name", "rejected", "refused"), rows)
                + " WHERE NOT EXISTS (SELECT 1 FROM "
                + place
                + " AS e WHERE e.name = v.name)");
  }

  @Override
  public void forget(String environment, Instant before) throws UnavailableException {
    long unused =
        catalog.require(
            statements -> {
              catalog.ensure(statements, environment, List.of(table));
              return statements.update(
                  "DELETE FROM "
                      + place(environment)
                      + " WHERE loaded_at < "
                      + dialect.time(Micros.of(before)));
            });
  }
}
