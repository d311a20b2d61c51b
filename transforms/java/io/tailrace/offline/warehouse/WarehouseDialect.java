package io.tailrace.offline.warehouse;

import com.google.common.collect.ImmutableList;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.offline.staging.StagedForm;
import io.tailrace.parquet.ObservationRows;
import io.tailrace.parquet.TableNames;
import io.tailrace.result.ValueType;
import io.tailrace.sql.Column;
import io.tailrace.sql.ColumnType;
import io.tailrace.sql.Dialect;
import io.tailrace.sql.FoundTable;
import io.tailrace.sql.Table;
import java.io.Serializable;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What warehouses do differently. What is not overridden is what most of them take. Columns of
 * tables of ours stand unquoted in statements, so that each warehouse folds them in its own way.
 * Implementations are immutable.
 */
public interface WarehouseDialect extends ComparedTexts, Serializable {
  /** Returns the words for types, and how names and texts are quoted. */
  @Override
  Dialect sql();

  /** Stands for the environment in the name of a schema. */
  String ENVIRONMENT = "{environment}";

  /** Returns the name of a schema, perhaps with {@link #ENVIRONMENT} in it. */
  String schemaPattern();

  /** Returns the name of an environment's schema. */
  default String schema(String environment) {
    return schemaPattern().replace(ENVIRONMENT, TableNames.ofEnvironment(environment));
  }

  /**
   * Returns what all schemas are in, such as {@code "FEATURES".}; empty: the session's database.
   */
  default String container() {
    return "";
  }

  /** Returns the name of a table or view with its schema, as it stands in a statement. */
  default String place(String schema, String table) {
    return container() + sql().quoted(schema) + "." + sql().quoted(table);
  }

  /**
   * Returns the name of a table that only its session sees, as it stands in a statement.
   *
   * @param schema where it is, if such a table has a schema
   */
  String temporary(String schema, String table);

  /** Returns the statement that creates a schema, unless it is there. */
  default String createSchema(String schema) {
    return "CREATE SCHEMA IF NOT EXISTS " + container() + sql().quoted(schema);
  }

  /**
   * Returns the statement that creates a table of rows; it fails if there is one. Rows are laid out
   * by feature and time where the warehouse can.
   */
  default String createRows(String place, Table table) {
    return "CREATE TABLE " + place + " (" + sql().definitions(table) + ")";
  }

  /** Returns the statement that creates any other table; it fails if there is one. */
  default String createTable(String place, Table table) {
    return "CREATE TABLE " + place + " (" + sql().definitions(table) + ")";
  }

  /**
   * Returns the statement that creates the table of the lock, with its row; it fails if there is
   * one. A row that comes later would be another one for each of those who come first.
   */
  default String createLock(String place, Table table) {
    return "CREATE TABLE "
        + place
        + " AS SELECT "
        + table.columns().stream()
            .map(
                column ->
                    "CAST("
                        + (column.name().equals("name") ? "'load'" : "NULL")
                        + " AS "
                        + sql().type(column.type())
                        + ") AS "
                        + sql().quoted(column.name()))
            .collect(Collectors.joining(", "));
  }

  /**
   * Returns the statements that create a view which says whose it is; the first fails if there is
   * one.
   */
  default List<String> createView(String place, String query, String comment) {
    return List.of("CREATE VIEW " + place + " AS " + query, commentView(place, comment));
  }

  /** Returns the statements that put a view into the place of one that is there. */
  default List<String> replaceView(String place, String query, String comment) {
    return List.of("CREATE OR REPLACE VIEW " + place + " AS " + query, commentView(place, comment));
  }

  /** Returns the statement that gives a view a comment. */
  default String commentView(String place, String comment) {
    return "COMMENT ON VIEW " + place + " IS " + sql().literal(comment);
  }

  /**
   * Returns the query for what there is of some names of a schema: name, kind and comment.
   *
   * @param names as texts, with commas between them
   */
  String selectTables(String schema, String names);

  /**
   * Returns the query for the columns of some tables of a schema: table, name, and what {@link
   * #found} wants.
   *
   * @param names as texts, with commas between them
   */
  String selectColumns(String schema, String names);

  /** Returns what the catalog's word for a kind of tables means. */
  FoundTable.Kind kind(String word);

  /** Returns the type of a column that {@link #selectColumns} found, as {@link #sql} has it. */
  String found(ResultSet column) throws SQLException;

  /** Returns a name as the catalog has it. */
  default String inCatalog(String name) {
    return name;
  }

  /** Returns what there is of some tables of a schema, with their columns, by their names. */
  default Map<String, FoundTable> tables(
      Statements statements, String schema, Collection<String> names) throws SQLException {
    return FoundTables.withColumns(this, statements, schema, names);
  }

  /** Returns what there is of some names of a schema, with its comment but without its columns. */
  default Map<String, FoundTable> views(
      Statements statements, String schema, Collection<String> names) throws SQLException {
    return FoundTables.named(this, statements, schema, names);
  }

  /** Returns a column of a table into which files are copied; JSON is still a text there. */
  default Column staged(Column column) {
    return column.type() == ColumnType.JSON
        ? new Column(column.name(), ColumnType.TEXT, Column.Rule.OPTIONAL)
        : new Column(column.name(), column.type(), Column.Rule.OPTIONAL);
  }

  /** Returns the statements that make an empty table of the session into which files are copied. */
  default List<String> createTemporary(String place, Table staged) {
    return List.of(
        "CREATE OR REPLACE TEMPORARY TABLE " + place + " (" + sql().definitions(staged) + ")");
  }

  /** Returns in which form files are staged for it. */
  default StagedForm form() {
    return StagedForm.CANONICAL;
  }

  /**
   * Copies files into a table of the session, all or none of them.
   *
   * @param stage where they are, for what a statement needs beside them
   * @param files at least one, all in one stage
   * @throws UnavailableException if the stage can't be used now
   */
  void copy(Statements statements, Stage.Connection stage, String place, List<StagedFile> files)
      throws SQLException, UnavailableException;

  /**
   * Returns why the warehouse can't hold a value, as a part of a sentence such as {@code is after
   * the year 9999}; empty: it can. Asked of files that it refused to copy.
   */
  default Optional<String> whyNotStored(ValueType type, ObservationRows rows, int row) {
    return Optional.empty();
  }

  /** Returns an expression for the microseconds since the epoch of a time. */
  String micros(String time);

  /** Returns a time that is given in microseconds since the epoch, as it stands in a statement. */
  String time(long micros);

  /** Returns an expression for the MD5 of a text, of which {@link #id} makes an id. */
  default String hash(String text) {
    return "MD5(" + text + ")";
  }

  /** Returns what a hash is as an {@code observation_id}; of 32 digits, the text of a UUID. */
  default String id(String hash) {
    return IntStream.range(0, UUID_PARTS.size() - 1)
        .mapToObj(
            i ->
                "SUBSTRING("
                    + hash
                    + ", "
                    + (UUID_PARTS.get(i) + 1)
                    + ", "
                    + (UUID_PARTS.get(i + 1) - UUID_PARTS.get(i))
                    + ")")
        .collect(Collectors.joining(" || '-' || "));
  }

  /** Where the parts of a UUID begin, in digits, and where the last one ends. */
  ImmutableList<Integer> UUID_PARTS = ImmutableList.of(0, 8, 12, 16, 20, 32);

  /** Returns an expression for the present time. */
  String now();

  /** Returns what a staged column is as it is stored. */
  default String stored(Column column) {
    return column.name();
  }

  /**
   * Returns expressions which, compared one after the other, are greater for the value whose cell
   * is the greater, as bytes compare: a negative number is greater than a positive one.
   *
   * @param value the column with the value; JSON is a text in it
   */
  default List<String> greatness(ValueType type, String value) {
    return switch (type) {
      case INT64 -> List.of(isLess(value, "0"), value);
      case FLOAT64 -> List.of(isLess(value, "0"), "ABS(" + value + ")");
      case TIMESTAMP -> List.of(isLess(value, time(0)), value);
      case DATE -> List.of(isLess(value, "DATE '1970-01-01'"), value);
      case BOOL, BYTES, STRING, JSON, VECTOR -> List.of(ordered(type, value));
    };
  }

  /** Returns an expression that is ordered as the bytes of a value are. */
  String ordered(ValueType type, String value);

  private static String isLess(String value, String than) {
    return "CASE WHEN " + value + " < " + than + " THEN 1 ELSE 0 END";
  }

  /** Returns the order of staged values in which the first is the greatest cell. */
  default List<String> greatestFirst(ValueType type) {
    return greatness(type, "value").stream().map(each -> each + " DESC").toList();
  }

  /**
   * Returns the statement that merges rows in which no key is twice into a table: those that are
   * not there are inserted.
   *
   * @param query selects the rows, with the columns of the table
   * @param values what becomes of each column, in terms of {@code s}
   */
  default String merge(String place, String query, Merge merge, Map<String, String> values) {
    return "MERGE INTO "
        + place
        + " t USING ("
        + query
        + ") s ON "
        + equal(merge.keys())
        + merge
            .within("t.observed_at", this)
            .map(condition -> " AND (" + condition + ")")
            .orElse("")
        + " WHEN NOT MATCHED THEN INSERT ("
        + String.join(", ", values.keySet())
        + ") VALUES ("
        + String.join(", ", values.values())
        + ")";
  }

  /** Returns how many rows were inserted, of what a merge says that it has changed. */
  default long inserted(long changed) {
    return changed;
  }

  /**
   * Returns the statements that merge rows in which no key is twice into a table: those that are
   * newer than what is there take its place.
   *
   * @param query selects the rows, with the columns of the table
   * @param isNewer whether {@code s} is newer than {@code t}
   * @param values what becomes of each column, in terms of {@code s}
   */
  default List<String> mergeNewest(
      String place, String query, List<String> keys, String isNewer, Map<String, String> values) {
    return List.of(
        "MERGE INTO "
            + place
            + " t USING ("
            + query
            + ") s ON "
            + equal(keys)
            + " WHEN MATCHED AND ("
            + isNewer
            + ") THEN UPDATE SET "
            + replaced(keys, values)
            + " WHEN NOT MATCHED THEN INSERT ("
            + String.join(", ", values.keySet())
            + ") VALUES ("
            + String.join(", ", values.values())
            + ")");
  }

  /** Returns what stands behind SET for a row that another one with its keys replaces. */
  static String replaced(List<String> keys, Map<String, String> values) {
    return values.entrySet().stream()
        .filter(value -> !keys.contains(value.getKey()))
        .map(value -> value.getKey() + " = " + value.getValue())
        .collect(Collectors.joining(", "));
  }

  /**
   * Returns an aggregate of lists of texts: each text that is in one of them once, sorted. Empty:
   * there is none, and the parts of a query are merged one behind the other.
   */
  Optional<String> unitedTexts(String lists);

  /** Returns an expression for the texts that are in one of two lists, each once, sorted. */
  String unitedTexts(String list, String other);

  /** Returns an expression for how many texts a list has. */
  String countTexts(String list);

  /**
   * Returns the statement that changes a column of the rows of a table that are also in a query.
   *
   * @param key by which rows are the same
   * @param value what becomes of the column, in terms of {@code t} and {@code s}
   * @param where which rows are changed, in the same terms
   */
  default String update(
      String place, String query, String key, Map.Entry<String, String> value, String where) {
    return "UPDATE "
        + place
        + " t SET "
        + value.getKey()
        + " = "
        + value.getValue()
        + " FROM ("
        + query
        + ") s WHERE "
        + equal(List.of(key))
        + " AND "
        + where;
  }

  /**
   * Returns what stands behind FROM for rows that are given, under the name {@code v}.
   *
   * @param columns their names; all are texts
   * @param rows each in parentheses
   */
  default String given(Statements statements, List<String> columns, List<String> rows)
      throws SQLException {
    return "(VALUES " + String.join(", ", rows) + ") AS v (" + String.join(", ", columns) + ")";
  }

  /** Takes the lock of those who load, in the transaction that is open, and names the session. */
  void lock(Statements statements, String lockPlace) throws SQLException;

  /** Does something in one transaction. */
  default void transaction(Statements statements, Statements.Work work) throws SQLException {
    statements.transaction(work);
  }
}
