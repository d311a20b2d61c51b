package io.tailrace.pipelines.deadletter;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Feature;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.OfflineStore;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tables that a letter is about as they are now, and what that means for a replay. Only reads:
 * it asks the store for columns, and {@code feature_tables} where there is one.
 */
final class TablesNow {
  private static final String LOG = "query_log";
  private static final int MAX_TABLES = 10;
  private static final int MAX_COLUMNS = 200;

  /** What a letter says of a column: {@code has value VARCHAR, not BIGINT}. */
  private static final Pattern DIFFERENCE =
      Pattern.compile("has (\\w+) ([^,;]+), not ([^;]+?)(?= and has |;|$)");

  /** Something that answers questions about the offline store. */
  interface Store {
    /** Runs a query that only reads; see {@link OfflineReader#query}. */
    OfflineReader.Table query(String sql, int limit) throws UnavailableException;

    /** Returns a query for the columns of a table; see {@link OfflineStore#columnsOf}. */
    Optional<String> columnsOf(String environment, String table);
  }

  /**
   * A table as it is now.
   *
   * @param columns name and type of each; empty: there is no such table
   * @param verdict what that means for a replay, in a sentence
   */
  record Now(String name, Map<String, String> columns, String verdict) {}

  private final Store store;

  TablesNow(Store store) {
    this.store = store;
  }

  /** Looks at the tables of a letter's cells. */
  List<Now> of(StoredLetter letter, String environment) throws UnavailableException {
    List<Now> tables = new ArrayList<>();
    Set<String> seen = new LinkedHashSet<>();
    for (LetterCells.Cell cell : LetterCells.of(letter.letter())) {
      Optional<Feature> feature = feature(cell);
      String name = feature.map(Feature::table).orElse(LOG);
      if (seen.size() < MAX_TABLES && seen.add(name)) {
        tables.add(now(cell, feature, name, environment));
      }
    }
    return tables;
  }

  private static Optional<Feature> feature(LetterCells.Cell cell) {
    if (cell.feature().isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(new Feature(cell.namespace(), cell.feature()));
    } catch (IllegalArgumentException e) {
      // A name that was cut.
      return Optional.empty();
    }
  }

  private Now now(
      LetterCells.Cell cell, Optional<Feature> feature, String table, String environment)
      throws UnavailableException {
    Optional<String> query = store.columnsOf(environment, table);
    if (query.isEmpty()) {
      return new Now(table, Map.of(), "a store of this kind does not tell of its tables");
    }
    Map<String, String> columns = new LinkedHashMap<>();
    String place = table;
    for (List<String> row : store.query(query.get(), MAX_COLUMNS).rows()) {
      columns.put(row.get(0).toLowerCase(Locale.ROOT), row.get(1));
      place = row.get(2) + "." + table;
    }
    return new Now(place, columns, verdict(cell, feature, place, columns));
  }

  private String verdict(
      LetterCells.Cell cell, Optional<Feature> feature, String place, Map<String, String> columns)
      throws UnavailableException {
    if (columns.isEmpty()) {
      return "there is no such table now: the writer creates it, and a replay succeeds";
    }
    if (cell.reason().equals("NAME_TAKEN")) {
      return feature.isPresent() ? owner(feature.get(), place) : "";
    }
    Matcher difference = DIFFERENCE.matcher(cell.message());
    List<String> still = new ArrayList<>();
    List<String> mended = new ArrayList<>();
    while (difference.find()) {
      String column = difference.group(1);
      String wanted = difference.group(3).strip();
      String found = columns.getOrDefault(column, "");
      if (found.equalsIgnoreCase(wanted)) {
        mended.add(column + " is " + found + " now");
      } else {
        still.add(
            column + (found.isEmpty() ? " is missing" : " is still " + found) + ", not " + wanted);
      }
    }
    if (!still.isEmpty()) {
      return String.join(" and ", still)
          + ": a replay is refused again. ALTER TABLE "
          + place
          + " RENAME TO … lets the writer create another one";
    }
    return mended.isEmpty()
        ? "the table is there; whether it takes the rows now, only 'replay --wait' tells: rights,"
            + " triggers and constraints are not looked at"
        : String.join(" and ", mended) + ": a replay succeeds";
  }

  private String owner(Feature feature, String place) {
    List<List<String>> rows;
    try {
      rows =
          store
              .query(
                  "SELECT namespace, name FROM "
                      + place.substring(0, place.indexOf('.'))
                      + ".feature_tables WHERE table_name = "
                      + literal(feature.table()),
                  1)
              .rows();
    } catch (UnavailableException e) {
      return "whose it is only 'replay --wait' tells: feature_tables can't be read ("
          + e.getMessage()
          + ")";
    }
    if (rows.isEmpty()) {
      return "feature_tables says nothing of it: only 'replay --wait' tells whose it is";
    }
    String owner = rows.get(0).get(0) + "." + rows.get(0).get(1);
    return owner.equals(feature.text())
        ? "it is this feature's now: a replay succeeds"
        : "it is the table of " + owner + ": a replay is refused again";
  }

  private static String literal(String text) {
    return "'" + text.replace("'", "''") + "'";
  }
}
