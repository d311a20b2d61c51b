package io.tailrace.pipelines.local.proof;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.ListedTable;
import io.tailrace.offline.OfflineReader;
import io.tailrace.pipelines.local.proof.ExpectedTable.Field;
import io.tailrace.pipelines.local.proof.ExpectedTable.Row;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Reads a store and notes what is not as it must be. */
final class StoreReading {
  /** Rows that are read back in one call: some 15 MB as text. */
  private static final int PAGE = 20_000;

  private static final int DIFFERENCES_LISTED = 10;

  /**
   * A table that is there.
   *
   * @param catalog the database; a name without it can mean something else to DuckDB
   * @param columns their types by their names
   */
  private record Found(String catalog, Map<String, String> columns) {}

  private final OfflineReader store;
  private final StoreSql dialect;
  private int tablesExpected;
  private int tablesFound;
  private long rows;
  private final Map<Departure, Long> departures = new EnumMap<>(Departure.class);
  private final List<OfflineModel.Difference> first = new ArrayList<>();

  StoreReading(OfflineReader store) {
    this.store = store;
    this.dialect = StoreSql.of(store);
  }

  OfflineModel.Comparison comparison() {
    return new OfflineModel.Comparison(
        tablesExpected, tablesFound, rows, Map.copyOf(departures), List.copyOf(first));
  }

  void compare(String schema, Map<String, ExpectedTable> expected) throws UnavailableException {
    Map<String, Found> found = tables(schema);
    tablesExpected += expected.size();
    tablesFound += found.size();
    Set<String> names = new TreeSet<>(expected.keySet());
    names.addAll(found.keySet());
    for (String name : names) {
      String table = schema + "." + name;
      ExpectedTable must = expected.get(name);
      Found is = found.get(name);
      if (must == null) {
        note(Departure.OTHER, () -> new OfflineModel.Difference(table, "", "no such table", "one"));
      } else if (is == null) {
        rows += must.rows().size();
        note(
            Departure.LOST,
            () ->
                new OfflineModel.Difference(
                    table, "", "a table of " + must.rows().size() + " rows", "none"));
      } else if (hasItsColumns(table, must, is)) {
        compareRows(table, quoted(is.catalog(), schema, name), must, is);
      } else {
        rows += must.rows().size();
      }
    }
  }

  private Map<String, Found> tables(String schema) throws UnavailableException {
    Map<String, Found> tables = new TreeMap<>();
    String sql =
        "SELECT table_name, column_name, table_catalog, "
            + dialect.typeColumn
            + " FROM information_schema.columns"
            + " WHERE table_catalog = current_database() AND table_schema = '"
            + schema.replace("'", "''")
            + "' AND table_name NOT IN ('"
            // For people: a copy of what the tables say of themselves.
            + ListedTable.LIST.name()
            // The ledger of loaded files.
            + "', 'bulk_files')"
            + dialect.wholeTables;
    read(
        sql,
        row ->
            tables
                .computeIfAbsent(row.get(0), name -> new Found(row.get(2), new HashMap<>()))
                .columns()
                .put(row.get(1), row.get(3)));
    return tables;
  }

  private boolean hasItsColumns(String table, ExpectedTable expected, Found found) {
    boolean all = true;
    for (Field field : expected.fields()) {
      String must = field.type().nameIn(dialect);
      String is = found.columns().getOrDefault(field.name(), "none");
      if (field.type() != StoredType.NOTHING && !is.equals(must)) {
        all = false;
        note(
            Departure.OTHER,
            () -> new OfflineModel.Difference(table, "column " + field.name(), must, is));
      }
    }
    return all;
  }

  private void compareRows(String table, String quoted, ExpectedTable expected, Found found)
      throws UnavailableException {
    List<String> columns = new ArrayList<>();
    for (Field field : expected.fields()) {
      boolean isThere = found.columns().containsKey(field.name());
      columns.add(field.type().asText(dialect, isThere ? quoted(field.name()) : "NULL"));
    }
    Set<@Nullable Object> seen = new HashSet<>();
    read(
        "SELECT " + String.join(", ", columns) + " FROM " + quoted,
        row -> {
          rows++;
          compareRow(table, expected, row, seen);
        });
    expected
        .rows()
        .forEach(
            (id, row) -> {
              if (!seen.contains(id)) {
                rows++;
                note(
                    Departure.LOST,
                    () ->
                        new OfflineModel.Difference(
                            table, id.toString(), inWords(expected, row.cells()), "nothing"));
              }
            });
  }

  private void compareRow(
      String table, ExpectedTable expected, List<String> row, Set<@Nullable Object> seen) {
    List<@Nullable Object> is = new ArrayList<>();
    for (int i = 0; i < row.size(); i++) {
      is.add(expected.fields().get(i).type().parse(row.get(i)));
    }
    Object id = is.remove(0);
    Row must = expected.rows().get(id);
    if (must == null) {
      note(
          Departure.OTHER,
          () -> new OfflineModel.Difference(table, "" + id, "nothing", inWords(expected, is)));
    } else if (!seen.add(id)) {
      note(
          Departure.DUPLICATED,
          () ->
              new OfflineModel.Difference(
                  table, "" + id, "one row", "another: " + inWords(expected, is)));
    } else {
      List<@Nullable Object> cells = must.cells();
      List<Integer> wrong = new ArrayList<>();
      for (int i = 0; i < is.size(); i++) {
        if (!Objects.deepEquals(cells.get(i), is.get(i))) {
          wrong.add(i);
        }
      }
      if (!wrong.isEmpty()) {
        // Of what has the same id the greatest stands, which is not there.
        note(
            Departure.STALE,
            () ->
                new OfflineModel.Difference(
                    table, "" + id, inWords(expected, cells, wrong), inWords(expected, is, wrong)));
      }
    }
  }

  private void note(Departure departure, Supplier<OfflineModel.Difference> difference) {
    departures.merge(departure, 1L, Long::sum);
    if (first.size() < DIFFERENCES_LISTED) {
      first.add(difference.get());
    }
  }

  private interface RowReader {
    void read(List<String> row);
  }

  /** Reads the rows of a statement whose first two columns order them. */
  private void read(String sql, RowReader reader) throws UnavailableException {
    List<List<String>> page;
    long offset = 0;
    do {
      page = store.query(sql + " ORDER BY 1, 2 LIMIT " + PAGE + " OFFSET " + offset, PAGE).rows();
      page.forEach(reader::read);
      offset += page.size();
    } while (page.size() == PAGE);
  }

  private static String quoted(String... names) {
    List<String> quoted = new ArrayList<>();
    for (String name : names) {
      quoted.add('"' + name.replace("\"", "\"\"") + '"');
    }
    return String.join(".", quoted);
  }

  private static String inWords(ExpectedTable expected, List<@Nullable Object> cells) {
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < cells.size(); i++) {
      all.add(i);
    }
    return inWords(expected, cells, all);
  }

  private static String inWords(
      ExpectedTable expected, List<@Nullable Object> cells, List<Integer> which) {
    List<String> words = new ArrayList<>();
    for (int i : which) {
      // Arrays.deepToString shows arrays of numbers as well, in one more pair of brackets.
      String text = Arrays.deepToString(new Object[] {cells.get(i)});
      words.add(expected.fields().get(i + 1).name() + " " + text.substring(1, text.length() - 1));
    }
    return String.join(", ", words);
  }
}
