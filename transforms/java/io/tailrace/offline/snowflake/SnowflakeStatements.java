package io.tailrace.offline.snowflake;

import static io.tailrace.sql.snowflake.SnowflakeDialect.SNOWFLAKE;

import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.offline.warehouse.Statements;
import io.tailrace.offline.warehouse.WarehouseDialect;
import io.tailrace.parquet.ObservationRows;
import io.tailrace.result.ValueType;
import io.tailrace.sql.Column;
import io.tailrace.sql.ColumnType;
import io.tailrace.sql.Dialect;
import io.tailrace.sql.FoundTable;
import io.tailrace.sql.Table;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is said to Snowflake.
 *
 * @param database the database of all schemas
 * @param schemaPattern the name of a schema, perhaps with {@code {environment}} in it
 * @param clustering whether tables of rows are clustered, which Snowflake does for money
 * @param integration the storage integration that lets Snowflake read buckets; null: none
 * @param statementLimit how long a statement, and a wait for a lock, may take
 */
record SnowflakeStatements(
    String database,
    String schemaPattern,
    Clustering clustering,
    @Nullable String integration,
    Duration statementLimit)
    implements WarehouseDialect {
  private static final long serialVersionUID = 1;

  /** How tables of rows are laid out. */
  enum Clustering {
    /** By feature and day, kept so by Snowflake in the background. */
    FEATURE,
    /** As rows come. */
    NONE
  }

  private static final Logger LOG = LoggerFactory.getLogger(SnowflakeStatements.class);

  /** A load is several statements, each of which may take its time. */
  private static final int LONGEST_LOAD_IN_STATEMENTS = 6;

  private static final long MICROS_PER_DAY = 86_400_000_000L;
  private static final long FIRST_DAY = LocalDate.of(1, 1, 1).toEpochDay();
  private static final long LAST_DAY = LocalDate.of(9999, 12, 31).toEpochDay();

  @Override
  public Dialect sql() {
    return SNOWFLAKE;
  }

  @Override
  public String container() {
    return SNOWFLAKE.quoted(database) + ".";
  }

  /** In its session it stands before one of the same name that others see. */
  @Override
  public String temporary(String schema, String table) {
    return place(schema, table);
  }

  @Override
  public String createRows(String place, Table table) {
    return createTable(place, table)
        + (clustering == Clustering.FEATURE
            ? " CLUSTER BY (FEATURE, FLOOR(DATE_PART(EPOCH_SECOND, OBSERVED_AT) / 86400))"
            : "");
  }

  @Override
  public List<String> createView(String place, String query, String comment) {
    return List.of(
        "CREATE VIEW " + place + " COMMENT = " + SNOWFLAKE.literal(comment) + " AS " + query);
  }

  /** Who may read it stays so. */
  @Override
  public List<String> replaceView(String place, String query, String comment) {
    return List.of(
        "CREATE OR REPLACE VIEW "
            + place
            + " COPY GRANTS COMMENT = "
            + SNOWFLAKE.literal(comment)
            + " AS "
            + query);
  }

  /** Returns the view of the database's columns. */
  String columnsView() {
    return container() + "INFORMATION_SCHEMA.COLUMNS";
  }

  private String schemaTable(String table, String schema) {
    return container()
        + "INFORMATION_SCHEMA."
        + table
        + " WHERE TABLE_SCHEMA = "
        + SNOWFLAKE.literal(schema);
  }

  @Override
  public String selectTables(String schema, String names) {
    return "SELECT TABLE_NAME, TABLE_TYPE, COMMENT FROM "
        + schemaTable("TABLES", schema)
        + " AND TABLE_NAME IN ("
        + names
        + ")";
  }

  @Override
  public String selectColumns(String schema, String names) {
    return "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, NUMERIC_SCALE FROM "
        + schemaTable("COLUMNS", schema)
        + " AND TABLE_NAME IN ("
        + names
        + ")";
  }

  @Override
  public String found(ResultSet column) throws SQLException {
    return SNOWFLAKE.found(column.getString(3), column.getInt(4));
  }

  @Override
  public String inCatalog(String name) {
    return name.toUpperCase(Locale.ROOT);
  }

  @Override
  public FoundTable.Kind kind(String type) {
    return switch (type) {
      case "BASE TABLE" -> FoundTable.Kind.TABLE;
      case "VIEW" -> FoundTable.Kind.VIEW;
      default -> FoundTable.Kind.OTHER;
    };
  }

  /**
   * The columns are found by their names, whatever their order; each row gets the name of its file
   * and its number.
   */
  String copyStatement(String place, String stage, List<String> names) {
    return "COPY INTO "
        + place
        + " FROM "
        + (SnowflakeStage.isInternal(stage)
            ? SNOWFLAKE.literal(stage + "/")
            : SnowflakeStage.bucketSource(stage, String.valueOf(integration)))
        + names.stream()
            .map(SNOWFLAKE::literal)
            .collect(Collectors.joining(", ", " FILES = (", ")"))
        + " FILE_FORMAT = (TYPE = PARQUET USE_VECTORIZED_SCANNER = TRUE)"
        + " MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
        + " INCLUDE_METADATA = (STAGED_FILE = METADATA$FILENAME,"
        + " STAGED_ROW = METADATA$FILE_ROW_NUMBER) ON_ERROR = ABORT_STATEMENT";
  }

  @Override
  public void copy(
      Statements statements, Stage.Connection stage, String place, List<StagedFile> files)
      throws SQLException, UnavailableException {
    String from = files.get(0).stage();
    if (integration == null && !SnowflakeStage.isInternal(from)) {
      throw new UnavailableException(
          "files wait in "
              + from
              + ", which no storage integration lets Snowflake read now: give stage="
              + from
              + "&storageIntegration=NAME until they are loaded");
    }
    statements.execute(copyStatement(place, from, files.stream().map(StagedFile::name).toList()));
  }

  /** Its calendar has the years that people write with four digits. */
  @Override
  public Optional<String> whyNotStored(ValueType type, ObservationRows rows, int row) {
    long day =
        switch (type) {
          case DATE -> rows.number(row);
          case TIMESTAMP -> Math.floorDiv(rows.number(row), MICROS_PER_DAY);
          default -> 0;
        };
    if (day >= FIRST_DAY && day <= LAST_DAY) {
      return Optional.empty();
    }
    return Optional.of(
        (day < FIRST_DAY ? "is before the year 1" : "is after the year 9999")
            + ", which Snowflake can't hold");
  }

  @Override
  public String micros(String time) {
    return "DATE_PART(EPOCH_MICROSECOND, " + time + ")";
  }

  @Override
  public String time(long micros) {
    return "TO_TIMESTAMP_LTZ(" + micros + ", 6)";
  }

  @Override
  public String hash(String text) {
    return "MD5_BINARY(" + text + ")";
  }

  @Override
  public String id(String hash) {
    return hash;
  }

  @Override
  public String now() {
    return "CURRENT_TIMESTAMP()";
  }

  /** A text that is JSON to us and not to Snowflake is kept as the text that it is. */
  @Override
  public String stored(Column column) {
    return column.type() == ColumnType.JSON
        ? "COALESCE(TRY_PARSE_JSON(" + column.name() + ", 'd'), TO_VARIANT(" + column.name() + "))"
        : column.name();
  }

  @Override
  public String ordered(ValueType type, String value) {
    return type == ValueType.VECTOR ? "TO_VARCHAR(" + value + ")" : value;
  }

  @Override
  public Optional<String> unitedTexts(String lists) {
    return Optional.of("ARRAY_SORT(ARRAY_UNION_AGG(" + lists + "))");
  }

  @Override
  public String unitedTexts(String list, String other) {
    return "ARRAY_SORT(ARRAY_DISTINCT(ARRAY_CAT(" + list + ", " + other + ")))";
  }

  @Override
  public String countTexts(String list) {
    return "ARRAY_SIZE(" + list + ")";
  }

  /**
   * Whoever updates the one row has the table until the transaction ends. One that has it for
   * longer than a load can take is ended: it begins anew. Others have waited several times then.
   */
  @Override
  public void lock(Statements statements, String lockPlace) throws SQLException {
    try {
      long locked =
          statements.update(
              "UPDATE "
                  + lockPlace
                  + " SET session = CURRENT_SESSION(), taken_at = CURRENT_TIMESTAMP()"
                  + " WHERE name = 'load'");
      if (locked == 0) {
        throw new SQLException(
            "the row of " + lockPlace + " is gone: drop the table, and it is made anew");
      }
    } catch (SQLException e) {
      if (e.getErrorCode() == SnowflakeCodes.LOCKED) {
        endHolder(statements, lockPlace);
      }
      throw e;
    }
  }

  private void endHolder(Statements statements, String lockPlace) throws SQLException {
    record Lock(String resource, String transaction, String status, Instant since) {}
    Instant stalledSince =
        statements
            .query("SELECT " + micros("CURRENT_TIMESTAMP()"), row -> Micros.instant(row.getLong(1)))
            .get(0)
            .minus(statementLimit.multipliedBy(LONGEST_LOAD_IN_STATEMENTS));
    String table = lockPlace.replace("\"", "");
    for (Lock lock :
        statements.query(
            "SHOW LOCKS",
            row ->
                new Lock(
                    row.getString("resource"),
                    row.getString("transaction"),
                    row.getString("status"),
                    Optional.ofNullable(row.getTimestamp("acquired_on"))
                        .map(Timestamp::toInstant)
                        .orElse(Instant.MAX)))) {
      if (lock.resource.equals(table)
          && lock.status.equals("HOLDING")
          && lock.since.isBefore(stalledSince)) {
        LOG.warn(
            "The transaction {} has had {} for too long: it is ended", lock.transaction, table);
        List<String> unused =
            statements.query(
                "SELECT SYSTEM$ABORT_TRANSACTION(" + lock.transaction + ")",
                row -> row.getString(1));
      }
    }
  }
}
