package io.tailrace.offline.databricks;

import static io.tailrace.sql.databricks.DatabricksDialect.DATABRICKS;

import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.offline.staging.StagedForm;
import io.tailrace.offline.warehouse.Merge;
import io.tailrace.offline.warehouse.Statements;
import io.tailrace.offline.warehouse.WarehouseDialect;
import io.tailrace.result.ValueType;
import io.tailrace.sql.Dialect;
import io.tailrace.sql.FoundTable;
import io.tailrace.sql.Table;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What is said to Databricks. It has no transaction over tables: what is done is done, and the
 * ledger comes last. A table's isolation is {@code Serializable}, and each merge of rows changes
 * one row of the table: of two that merge at once, one is refused and begins anew.
 *
 * @param catalog the catalog of all schemas
 * @param schemaPattern the name of a schema, perhaps with {@code {environment}} in it
 * @param owner what stands behind the names of tables into which this owner copies
 */
record DatabricksStatements(String catalog, String schemaPattern, String owner)
    implements WarehouseDialect {
  private static final long serialVersionUID = 1;

  /** The namespace, feature and id of the row that each merge changes; it is no feature's. */
  static final String LOCK = "tailrace.lock";

  private static final String SERIALIZABLE =
      " TBLPROPERTIES ('delta.isolationLevel' = 'Serializable')";

  @Override
  public Dialect sql() {
    return DATABRICKS;
  }

  @Override
  public String container() {
    return DATABRICKS.quoted(catalog) + ".";
  }

  /** No session has tables of its own that COPY INTO takes. */
  @Override
  public String temporary(String schema, String table) {
    return place(schema, table + owner);
  }

  private static String create(String words, String place, Table table) {
    return words + place + " (" + DATABRICKS.definitions(table) + ") USING DELTA";
  }

  @Override
  public String createRows(String place, Table table) {
    return create("CREATE TABLE ", place, table)
        + " CLUSTER BY (feature, observed_at)"
        + SERIALIZABLE;
  }

  @Override
  public String createTable(String place, Table table) {
    return create("CREATE TABLE ", place, table) + SERIALIZABLE;
  }

  @Override
  public List<String> createTemporary(String place, Table staged) {
    return List.of(create("CREATE OR REPLACE TABLE ", place, staged));
  }

  @Override
  public List<String> createView(String place, String query, String comment) {
    return List.of(
        "CREATE VIEW " + place + " COMMENT " + DATABRICKS.literal(comment) + " AS " + query);
  }

  /** Who may read it stays so. */
  @Override
  public List<String> replaceView(String place, String query, String comment) {
    return List.of(
        "CREATE OR REPLACE VIEW "
            + place
            + " COMMENT "
            + DATABRICKS.literal(comment)
            + " AS "
            + query);
  }

  private static String in(Collection<String> names) {
    return names.stream().map(DATABRICKS::literal).collect(Collectors.joining(", ", "(", ")"));
  }

  /** Returns the view of the catalog's columns. */
  String columnsView() {
    return container() + "information_schema.columns";
  }

  private String ofSchema(String table, String schema) {
    return container()
        + "information_schema."
        + table
        + " WHERE table_schema = "
        + DATABRICKS.literal(schema);
  }

  @Override
  public String selectTables(String schema, String names) {
    return "SELECT table_name, table_type, comment FROM "
        + ofSchema("tables", schema)
        + " AND table_name IN ("
        + names
        + ")";
  }

  @Override
  public String selectColumns(String schema, String names) {
    return "SELECT table_name, column_name, full_data_type FROM "
        + ofSchema("columns", schema)
        + " AND table_name IN ("
        + names
        + ")";
  }

  @Override
  public String found(ResultSet column) throws SQLException {
    return column.getString(3).toUpperCase(Locale.ROOT);
  }

  @Override
  public FoundTable.Kind kind(String type) {
    return switch (type) {
      case "MANAGED", "EXTERNAL", "BASE TABLE" -> FoundTable.Kind.TABLE;
      case "VIEW" -> FoundTable.Kind.VIEW;
      default -> FoundTable.Kind.OTHER;
    };
  }

  @Override
  public void copy(
      Statements statements, Stage.Connection stage, String place, List<StagedFile> files)
      throws SQLException {
    // All are of one environment, which is a folder.
    String first = files.get(0).name();
    String folder = first.substring(0, first.lastIndexOf('/') + 1);
    statements.execute(
        copyStatement(
            place,
            DATABRICKS.literal(files.get(0).stage() + "/" + folder),
            files.stream().map(file -> file.name().substring(folder.length())).toList()));
  }

  /**
   * Columns are found by their names. The table is a new one: what COPY INTO remembers of the one
   * that it replaces does not count. Times before the Gregorian calendar are as they are.
   *
   * @param from a folder, or a query of one
   * @param files within the folder
   */
  static String copyStatement(String place, String from, List<String> files) {
    return "COPY INTO "
        + place
        + " FROM "
        + from
        + " FILEFORMAT = PARQUET FILES = "
        + in(files)
        + " FORMAT_OPTIONS ('datetimeRebaseMode' = 'CORRECTED')"
        + " COPY_OPTIONS ('force' = 'true')";
  }

  @Override
  public StagedForm form() {
    return StagedForm.PLAIN;
  }

  @Override
  public String micros(String time) {
    return "unix_micros(" + time + ")";
  }

  @Override
  public String time(long micros) {
    return "timestamp_micros(" + micros + ")";
  }

  @Override
  public String now() {
    return "current_timestamp()";
  }

  @Override
  public String ordered(ValueType type, String value) {
    return type == ValueType.VECTOR ? "CAST(" + value + " AS STRING)" : value;
  }

  /** One row more than those of the query is merged: the one that is changed. */
  @Override
  public String merge(String place, String query, Merge merge, Map<String, String> values) {
    String keys = equal(merge.keys());
    String insert =
        " WHEN NOT MATCHED THEN INSERT ("
            + String.join(", ", values.keySet())
            + ") VALUES ("
            + String.join(", ", values.values())
            + ")";
    Optional<String> within = merge.within("t.observed_at", this);
    if (within.isEmpty()) {
      // All of the table is read, so that its isolation alone keeps two merges apart.
      return "MERGE INTO " + place + " t USING (" + query + ") s ON " + keys + insert;
    }
    String lock =
        values.entrySet().stream()
            .filter(value -> value.getValue().equals("s." + value.getKey()))
            .map(Map.Entry::getKey)
            .map(column -> (merge.keys().contains(column) ? "'" + LOCK + "'" : "NULL"))
            .collect(Collectors.joining(", "));
    return "MERGE INTO "
        + place
        + " t USING ("
        + query
        + " UNION ALL SELECT "
        + lock
        + ") s ON "
        + keys
        + " AND ("
        + within.get()
        + " OR t.namespace = '"
        + LOCK
        + "') WHEN MATCHED AND s.namespace = '"
        + LOCK
        + "' THEN UPDATE SET inserted_at = "
        + now()
        + insert;
  }

  @Override
  public long inserted(long changed) {
    return changed - 1;
  }

  @Override
  public Optional<String> unitedTexts(String lists) {
    return Optional.of("array_sort(array_distinct(flatten(collect_list(" + lists + "))))");
  }

  @Override
  public String unitedTexts(String list, String other) {
    return "array_sort(array_union(" + list + ", " + other + "))";
  }

  @Override
  public String countTexts(String list) {
    return "size(" + list + ")";
  }

  /** It knows no UPDATE of one table from another. */
  @Override
  public String update(
      String place, String query, String key, Map.Entry<String, String> value, String where) {
    return "MERGE INTO "
        + place
        + " t USING ("
        + query
        + ") s ON t."
        + key
        + " = s."
        + key
        + " WHEN MATCHED AND "
        + where
        + " THEN UPDATE SET "
        + value.getKey()
        + " = "
        + value.getValue();
  }

  /** Each merge has its own. */
  @Override
  public void lock(Statements statements, String lockPlace) {}

  @Override
  public void transaction(Statements statements, Statements.Work work) throws SQLException {
    work.run();
  }
}
