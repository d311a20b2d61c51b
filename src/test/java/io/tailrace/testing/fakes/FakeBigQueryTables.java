package io.tailrace.testing.fakes;

import com.google.api.client.util.Data;
import com.google.api.services.bigquery.model.Dataset;
import com.google.api.services.bigquery.model.DatasetList;
import com.google.api.services.bigquery.model.DatasetReference;
import com.google.api.services.bigquery.model.JobReference;
import com.google.api.services.bigquery.model.QueryResponse;
import com.google.api.services.bigquery.model.Table;
import com.google.api.services.bigquery.model.TableCell;
import com.google.api.services.bigquery.model.TableFieldSchema;
import com.google.api.services.bigquery.model.TableReference;
import com.google.api.services.bigquery.model.TableRow;
import com.google.api.services.bigquery.model.TableSchema;
import java.sql.Array;
import java.sql.Connection;
import java.sql.Date;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.duckdb.DuckDBDriver;

/**
 * The datasets, tables and views of a simulated BigQuery, in a DuckDB of their own: views and
 * queries of GoogleSQL run there, in the words of DuckDB. Thread-safe.
 */
public final class FakeBigQueryTables implements AutoCloseable {
  /** Hidden behind the columns of a table with a primary key: the sequence of its rows. */
  static final String SEQUENCE = "_change_sequence_number";

  private static final Pattern PLACE = Pattern.compile("`([^`.]+)\\.([^`.]+)\\.([^`.]+)`");

  private final Connection connection;
  private final Map<String, Map<String, Table>> datasets = new HashMap<>();
  private final Map<String, Long> created = new HashMap<>();
  private long changes;
  private long now = System.currentTimeMillis() * 1000;

  /** An answer that is no success. */
  public static final class FaultException extends Exception {
    private static final long serialVersionUID = 1;
    private final int status;
    private final String reason;

    FaultException(int status, String reason, String message) {
      super(message);
      this.status = status;
      this.reason = reason;
    }

    int status() {
      return status;
    }

    String reason() {
      return reason;
    }
  }

  FakeBigQueryTables() {
    try {
      connection = new DuckDBDriver().connect("jdbc:duckdb:", new Properties());
      execute("SET TimeZone = 'UTC'");
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Runs a statement of DuckDB. */
  public synchronized void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  synchronized Dataset dataset(String name) throws FaultException {
    if (!datasets.containsKey(name)) {
      throw new FaultException(404, "notFound", "Not found: Dataset my-project:" + name);
    }
    return new Dataset().setId(name).setCreationTime(created.get(name));
  }

  synchronized Dataset createDataset(Dataset dataset) throws FaultException, SQLException {
    String name = dataset.getDatasetReference().getDatasetId();
    if (datasets.containsKey(name)) {
      throw new FaultException(409, "duplicate", "Already Exists: Dataset my-project:" + name);
    }
    datasets.put(name, new TreeMap<>());
    created.put(name, ++changes * 1_000L);
    execute("CREATE SCHEMA \"" + name + '"');
    return dataset;
  }

  /** Drops a dataset with all that is in it. */
  public synchronized void dropDataset(String name) throws SQLException {
    datasets.remove(name);
    execute("DROP SCHEMA \"" + name + "\" CASCADE");
  }

  /** Lists all datasets, one on a page. */
  synchronized DatasetList list(int page) {
    List<String> names = datasets.keySet().stream().sorted().toList();
    DatasetList list = new DatasetList();
    if (page < names.size()) {
      list.setDatasets(
          List.of(
              new DatasetList.Datasets()
                  .setDatasetReference(new DatasetReference().setDatasetId(names.get(page)))));
    }
    return page + 1 < names.size() ? list.setNextPageToken(Integer.toString(page + 1)) : list;
  }

  synchronized Table table(TableReference reference) throws FaultException {
    Table found =
        datasets.getOrDefault(reference.getDatasetId(), Map.of()).get(reference.getTableId());
    if (found == null) {
      throw new FaultException(
          404,
          "notFound",
          "Not found: Table my-project:" + reference.getDatasetId() + "." + reference.getTableId());
    }
    return found.clone();
  }

  /** Returns the names of the tables and views of a dataset. */
  public synchronized List<String> names(String dataset) {
    return List.copyOf(datasets.getOrDefault(dataset, Map.of()).keySet());
  }

  /** Returns a table as somebody who looks at it sees it. */
  public Table table(String dataset, String name) {
    try {
      return table(new TableReference().setDatasetId(dataset).setTableId(name));
    } catch (FaultException e) {
      throw new IllegalStateException(e);
    }
  }

  synchronized Table createTable(Table table) throws FaultException, SQLException {
    TableReference reference = table.getTableReference();
    Dataset unused = dataset(reference.getDatasetId());
    Map<String, Table> dataset = datasets.get(reference.getDatasetId());
    if (dataset.containsKey(reference.getTableId())) {
      throw new FaultException(
          409, "duplicate", "Already Exists: Table my-project:" + reference.getTableId());
    }
    Table created = table.clone();
    String place = place(reference);
    if (created.getView() == null) {
      List<String> columns = new ArrayList<>();
      created.getSchema().getFields().forEach(field -> columns.add(definition(field)));
      if (created.getTableConstraints() != null) {
        columns.add(SEQUENCE + " VARCHAR");
        columns.add(
            "PRIMARY KEY ("
                + String.join(", ", created.getTableConstraints().getPrimaryKey().getColumns())
                + ")");
      }
      execute("CREATE TABLE " + place + " (" + String.join(", ", columns) + ")");
      created.setType("TABLE");
    } else {
      createView(created);
    }
    created.setEtag("e" + ++changes);
    dataset.put(reference.getTableId(), created);
    return created.clone();
  }

  private void createView(Table view) throws SQLException {
    String place = place(view.getTableReference());
    execute("CREATE OR REPLACE VIEW " + place + " AS " + duckDb(view.getView().getQuery()));
    view.setType("VIEW").setSchema(new TableSchema().setFields(fields("SELECT * FROM " + place)));
  }

  private List<TableFieldSchema> fields(String sql) throws SQLException {
    List<TableFieldSchema> fields = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("DESCRIBE " + sql)) {
      while (rows.next()) {
        fields.add(field(rows.getString(1), rows.getString(2)));
      }
    }
    return fields;
  }

  synchronized Table change(TableReference reference, Table change, String etag)
      throws FaultException, SQLException {
    Table found = table(reference);
    if (!etag.isEmpty() && !etag.equals(found.getEtag())) {
      throw new FaultException(412, "conditionNotMet", "Precondition Failed");
    }
    if (change.getDescription() != null) {
      found.setDescription(change.getDescription());
    }
    if (change.getView() != null) {
      found.setView(change.getView());
      createView(found);
    } else if (change.getSchema() != null) {
      List<String> before =
          found.getSchema().getFields().stream().map(TableFieldSchema::getName).toList();
      for (TableFieldSchema field : change.getSchema().getFields()) {
        if (!before.contains(field.getName())) {
          execute("ALTER TABLE " + place(reference) + " ADD COLUMN " + definition(field));
        }
      }
      found.setSchema(change.getSchema());
    }
    found.setEtag("e" + ++changes);
    datasets.get(reference.getDatasetId()).put(reference.getTableId(), found);
    return found.clone();
  }

  /** Takes a column from a table of rows and the view in front of it, as if both were older. */
  public synchronized void dropColumn(String dataset, String view, String column)
      throws SQLException {
    Table front = table(dataset, view);
    Table rows = table(dataset, view + "__rows");
    String query = front.getView().getQuery();
    String older =
        query
            .replaceAll(", " + column + "\\b( DESC)?", "")
            .replaceAll("\n *(ANY_VALUE\\()?" + column + "\\b[^\n]*", "");
    datasets.get(dataset).put(view, front.setView(front.getView().clone().setQuery(older)));
    execute("DROP VIEW " + place(front.getTableReference()));
    execute("ALTER TABLE " + place(rows.getTableReference()) + " DROP COLUMN " + column);
    rows.setSchema(
        new TableSchema()
            .setFields(
                rows.getSchema().getFields().stream()
                    .filter(field -> !field.getName().equals(column))
                    .collect(Collectors.toCollection(ArrayList::new))));
    rows.setEtag("e" + ++changes);
    datasets.get(dataset).put(view + "__rows", rows);
    createView(front);
    front.setEtag("e" + ++changes);
  }

  /** Puts a table or view in place, whatever was there. */
  public synchronized void put(Table table) {
    datasets
        .get(table.getTableReference().getDatasetId())
        .put(table.getTableReference().getTableId(), table.setEtag("e" + ++changes));
  }

  /** Upserts a row as a stream would, with its sequence. */
  public void upsert(TableReference reference, Map<String, Object> row, String sequence)
      throws SQLException {
    Map<String, Object> keyed = new HashMap<>(row);
    keyed.put(SEQUENCE, FakeStorageWrite.sequence(sequence));
    try {
      append(reference, List.of(keyed));
    } catch (FaultException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Inserts rows that came by a stream: all or none. Columns that a row lacks get their default.
   */
  synchronized void append(TableReference reference, List<Map<String, Object>> rows)
      throws SQLException, FaultException {
    Table table = table(reference);
    now = Math.max(now + 1, System.currentTimeMillis() * 1000);
    connection.setAutoCommit(false);
    try {
      for (Map<String, Object> row : rows) {
        insert(table, new HashMap<>(row));
      }
      connection.commit();
    } catch (SQLException e) {
      connection.rollback();
      throw e;
    } finally {
      connection.setAutoCommit(true);
    }
  }

  private void insert(Table table, Map<String, Object> row) throws SQLException {
    boolean isKeyed = table.getTableConstraints() != null;
    List<String> columns = new ArrayList<>();
    List<String> expressions = new ArrayList<>();
    List<Object> values = new ArrayList<>();
    for (TableFieldSchema field : table.getSchema().getFields()) {
      Object value = row.get(field.getName());
      columns.add(field.getName());
      boolean isRepeated = "REPEATED".equals(field.getMode());
      if (value == null && field.getDefaultValueExpression() != null) {
        expressions.add("make_timestamptz(" + now + ")");
      } else if (value == null && isRepeated) {
        expressions.add("[]");
      } else {
        expressions.add(
            isRepeated ? "CAST(? AS " + duckDbType(field) + ")" : expression(field.getType()));
        values.add(
            value instanceof List<?> list && isRepeated
                ? connection.createArrayOf(
                    field.getType().equals("STRING") ? "VARCHAR" : "DOUBLE", list.toArray())
                : value);
      }
    }
    String conflict = "";
    if (isKeyed) {
      columns.add(SEQUENCE);
      expressions.add("?");
      values.add(row.get(SEQUENCE));
      List<String> key = table.getTableConstraints().getPrimaryKey().getColumns();
      conflict =
          " ON CONFLICT ("
              + String.join(", ", key)
              + ") DO UPDATE SET "
              + columns.stream()
                  .filter(column -> !key.contains(column))
                  .map(column -> column + " = excluded." + column)
                  .collect(Collectors.joining(", "))
              + " WHERE excluded."
              + SEQUENCE
              + " >= "
              + SEQUENCE;
    }
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO "
                + place(table.getTableReference())
                + " ("
                + String.join(", ", columns)
                + ") VALUES ("
                + String.join(", ", expressions)
                + ")"
                + conflict)) {
      for (int i = 0; i < values.size(); i++) {
        insert.setObject(i + 1, values.get(i));
      }
      insert.execute();
    }
  }

  private static String expression(String type) {
    return switch (type) {
      case "TIMESTAMP" -> "make_timestamptz(CAST(? AS BIGINT))";
      case "DATE" -> "DATE '1970-01-01' + CAST(? AS INTEGER)";
      default -> "?";
    };
  }

  synchronized String statementType(String sql) throws SQLException {
    if (!sql.strip().matches("(?is)(SELECT|WITH)\\b.*")) {
      return sql.strip().split("\\s", 2)[0].toUpperCase(Locale.ROOT);
    }
    try (Statement statement = connection.createStatement()) {
      boolean unused = statement.execute("EXPLAIN " + duckDb(sql));
      return "SELECT";
    }
  }

  synchronized QueryResponse query(String sql, Long limit) throws SQLException {
    List<TableRow> rows = new ArrayList<>();
    String translated = duckDb(sql);
    List<TableFieldSchema> fields = fields(translated);
    try (Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery(translated)) {
      ResultSetMetaData columns = found.getMetaData();
      while (found.next() && (limit == null || rows.size() < limit)) {
        List<TableCell> cells = new ArrayList<>();
        for (int i = 1; i <= columns.getColumnCount(); i++) {
          cells.add(new TableCell().setV(value(found.getObject(i))));
        }
        rows.add(new TableRow().setF(cells));
      }
    }
    return new QueryResponse()
        .setJobComplete(true)
        .setJobReference(new JobReference().setProjectId("my-project").setJobId("query"))
        .setSchema(new TableSchema().setFields(fields))
        .setRows(rows);
  }

  private static Object value(Object value) throws SQLException {
    if (value == null) {
      return Data.nullOf(Object.class);
    }
    if (value instanceof Array array) {
      List<Object> list = new ArrayList<>();
      for (Object each : (Object[]) array.getArray()) {
        list.add(new TableCell().setV(value(each)));
      }
      return list;
    }
    if (value instanceof java.sql.Blob blob) {
      return Base64.getEncoder().encodeToString(blob.getBytes(1, (int) blob.length()));
    }
    if (value instanceof OffsetDateTime time) {
      return Long.toString(
          Math.addExact(
              Math.multiplyExact(time.toEpochSecond(), 1_000_000L), time.getNano() / 1000));
    }
    return value instanceof Date date ? date.toLocalDate().toString() : value.toString();
  }

  /** Says in the words of DuckDB what our views, and tests, say in those of GoogleSQL. */
  static String duckDb(String sql) {
    String translated = PLACE.matcher(sql).replaceAll("\"$2\".\"$3\"");
    return translated
        .replaceAll("ANY_VALUE\\((\\w+) HAVING MIN (\\w+)\\)", "arg_min_null($1, $2)")
        .replaceAll("ARRAY_CONCAT_AGG\\((\\w+)\\)", "flatten(list($1))")
        .replaceAll("UNNEST\\((\\w+)\\) AS (\\w+)", "UNNEST($1) AS _$2($2)")
        .replace("TO_JSON_STRING(", "to_json(")
        .replace("CURRENT_TIMESTAMP()", "now()")
        .replaceAll("\\bARRAY<FLOAT64>", "DOUBLE[]")
        .replaceAll("\\bAS FLOAT64\\b", "AS DOUBLE")
        .replaceAll("\\bAS INT64\\b", "AS BIGINT")
        .replaceAll("\\bAS STRING\\b", "AS VARCHAR")
        .replaceAll("\\bAS BYTES\\b", "AS BLOB")
        .replaceAll("\\bAS TIMESTAMP\\b", "AS TIMESTAMPTZ");
  }

  private static String place(TableReference reference) {
    return '"' + reference.getDatasetId() + "\".\"" + reference.getTableId() + '"';
  }

  private static String definition(TableFieldSchema field) {
    return '"'
        + field.getName()
        + "\" "
        + duckDbType(field)
        + ("REQUIRED".equals(field.getMode()) ? " NOT NULL" : "");
  }

  private static String duckDbType(TableFieldSchema field) {
    String type =
        switch (field.getType()) {
          case "STRING" -> "VARCHAR";
          case "INT64", "INTEGER" -> "BIGINT";
          case "FLOAT64", "FLOAT" -> "DOUBLE";
          case "BOOL", "BOOLEAN" -> "BOOLEAN";
          case "BYTES" -> "BLOB";
          case "TIMESTAMP" -> "TIMESTAMPTZ";
          case "DATE" -> "DATE";
          default -> throw new IllegalArgumentException("no type " + field.getType());
        };
    return "REPEATED".equals(field.getMode()) ? type + "[]" : type;
  }

  private static TableFieldSchema field(String name, String type) {
    boolean isRepeated = type.endsWith("[]");
    String one = isRepeated ? type.substring(0, type.length() - 2) : type;
    return new TableFieldSchema()
        .setName(name)
        .setMode(isRepeated ? "REPEATED" : "NULLABLE")
        .setType(
            switch (one) {
              case "VARCHAR", "JSON" -> "STRING";
              case "BIGINT", "INTEGER" -> "INTEGER";
              case "DOUBLE" -> "FLOAT";
              case "BOOLEAN" -> "BOOLEAN";
              case "BLOB" -> "BYTES";
              case "TIMESTAMP WITH TIME ZONE" -> "TIMESTAMP";
              default -> one;
            });
  }

  @Override
  public void close() {
    try {
      connection.close();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
