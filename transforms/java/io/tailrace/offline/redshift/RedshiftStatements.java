package io.tailrace.offline.redshift;

import static io.tailrace.sql.redshift.RedshiftDialect.REDSHIFT;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.staging.BucketStage;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.offline.staging.StagedForm;
import io.tailrace.offline.warehouse.Merge;
import io.tailrace.offline.warehouse.Statements;
import io.tailrace.offline.warehouse.WarehouseDialect;
import io.tailrace.parquet.ObservationRows;
import io.tailrace.result.ValueType;
import io.tailrace.sql.Column;
import io.tailrace.sql.Dialect;
import io.tailrace.sql.FoundTable;
import io.tailrace.sql.Table;
import io.tailrace.sql.redshift.RedshiftDialect;
import java.nio.ByteBuffer;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What is said to Redshift.
 *
 * @param schemaPattern the name of a schema, perhaps with {@code {environment}} in it
 * @param iamRole with which Redshift reads the stage
 * @param stage where files wait
 */
record RedshiftStatements(String schemaPattern, String iamRole, BucketStage stage)
    implements WarehouseDialect {
  private static final long serialVersionUID = 1;

  /** Texts that never end with blanks. */
  private static final Set<String> MADE_BY_US = Set.of("observation_id", "key_type");

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss.SSSSSS", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  @Override
  public Dialect sql() {
    return REDSHIFT;
  }

  @Override
  public String temporary(String schema, String table) {
    return REDSHIFT.quoted(table);
  }

  /** A feature's rows are read by time, and stand beside each other. */
  @Override
  public String createRows(String place, Table table) {
    return createTable(place, table) + " DISTSTYLE AUTO COMPOUND SORTKEY (feature, observed_at)";
  }

  /** A temporary table can't be created in the place of one. */
  @Override
  public List<String> createTemporary(String place, Table staged) {
    return List.of(
        "DROP TABLE IF EXISTS " + place,
        "CREATE TEMP TABLE " + place + " (" + REDSHIFT.definitions(staged) + ")");
  }

  /** In one request, which is one transaction: nobody sees a view that does not say whose it is. */
  @Override
  public List<String> createView(String place, String query, String comment) {
    return List.of("CREATE VIEW " + place + " AS " + query + "; " + commentView(place, comment));
  }

  /** A view can only be replaced by one with the same columns. */
  @Override
  public List<String> replaceView(String place, String query, String comment) {
    return List.of("DROP VIEW " + place + "; " + createView(place, query, comment).get(0));
  }

  @Override
  public String selectTables(String schema, String names) {
    return "SELECT c.relname, c.relkind, obj_description(c.oid, 'pg_class') FROM pg_class c JOIN"
        + " pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'm')"
        + " AND n.nspname = "
        + REDSHIFT.literal(schema)
        + " AND c.relname IN ("
        + names
        + ")";
  }

  @Override
  public String selectColumns(String schema, String names) {
    return "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_class c"
        + " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON"
        + " a.attrelid = c.oid WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname = "
        + REDSHIFT.literal(schema)
        + " AND c.relname IN ("
        + names
        + ")";
  }

  @Override
  public String found(ResultSet column) throws SQLException {
    return REDSHIFT.found(column.getString(3));
  }

  @Override
  public FoundTable.Kind kind(String kind) {
    return switch (kind) {
      case "r" -> FoundTable.Kind.TABLE;
      case "v" -> FoundTable.Kind.VIEW;
      default -> FoundTable.Kind.OTHER;
    };
  }

  @Override
  public void copy(
      Statements statements, Stage.Connection connection, String place, List<StagedFile> files)
      throws SQLException, UnavailableException {
    try (RedshiftManifest manifest = RedshiftManifest.of(connection, files)) {
      statements.execute(copyStatement(place, manifest.uri()));
    }
  }

  /** Columns are found by their places: plain files have them as the table has. */
  String copyStatement(String place, String manifest) {
    return copyAllStatement(place, manifest) + " SERIALIZETOJSON MANIFEST STATUPDATE OFF";
  }

  /** Of all files whose names begin so. */
  String copyAllStatement(String place, String prefix) {
    return "COPY "
        + place
        + " FROM "
        + REDSHIFT.literal(prefix)
        + " IAM_ROLE "
        + (iamRole.equals("default") ? iamRole : REDSHIFT.literal(iamRole))
        + " FORMAT AS PARQUET";
  }

  @Override
  public Optional<String> whyNotStored(ValueType type, ObservationRows rows, int row) {
    switch (type) {
      case STRING, JSON -> {
        byte[] text = rows.bytes(row);
        for (byte each : text) {
          if (each == 0) {
            return Optional.of("has a NUL character, which Redshift's VARCHAR can't hold");
          }
        }
        return isLonger(text, RedshiftDialect.TEXT_BYTES, "VARCHAR");
      }
      case BYTES -> {
        return isLonger(rows.bytes(row), RedshiftDialect.MAX_BYTES, "VARBYTE");
      }
      case VECTOR -> {
        ByteBuffer numbers = ByteBuffer.wrap(rows.bytes(row));
        while (numbers.hasRemaining()) {
          if (!Float.isFinite(numbers.getFloat())) {
            return Optional.of("has a number that is none or infinite, which no SUPER holds");
          }
        }
        return Optional.empty();
      }
      default -> {
        return Optional.empty();
      }
    }
  }

  private static Optional<String> isLonger(byte[] value, int most, String type) {
    return value.length > most
        ? Optional.of(
            "has " + value.length + " bytes; a " + type + " of Redshift has at most " + most)
        : Optional.empty();
  }

  @Override
  public Column staged(Column column) {
    return new Column(column.name(), column.type(), Column.Rule.OPTIONAL);
  }

  @Override
  public StagedForm form() {
    return StagedForm.PLAIN;
  }

  @Override
  public String micros(String time) {
    return "DATEDIFF(us, TIMESTAMP '1970-01-01 00:00:00', " + time + ")";
  }

  @Override
  public String time(long micros) {
    return "TIMESTAMP '" + TIME.format(Instant.EPOCH.plus(micros, ChronoUnit.MICROS)) + "'";
  }

  /** Of the transaction, with its microseconds, in the session's time zone, which is UTC. */
  @Override
  public String now() {
    return "SYSDATE";
  }

  /**
   * As bytes: texts are compared without the blanks at their ends, and what {@code TO_HEX} or
   * {@code JSON_SERIALIZE} makes of a long value has no room in a text.
   */
  @Override
  public String ordered(ValueType type, String value) {
    return switch (type) {
      case BOOL -> "CASE WHEN " + value + " THEN 1 ELSE 0 END";
      case STRING, JSON -> "TO_VARBYTE(" + value + ", 'utf8')";
      case VECTOR -> "JSON_SERIALIZE_TO_VARBYTE(" + value + ")";
      default -> value;
    };
  }

  /** Blanks at the end of a text do not count when it is compared, but have a length. */
  @Override
  public Optional<String> difference(String text) {
    return MADE_BY_US.contains(text.substring(text.indexOf('.') + 1))
        ? Optional.empty()
        : Optional.of("OCTET_LENGTH(" + text + ")");
  }

  /**
   * Redshift's own MERGE takes tables alone, conditions of equality alone, and works through a
   * table of its own: this reads no more of the table than the times say.
   */
  @Override
  public String merge(String place, String query, Merge merge, Map<String, String> values) {
    String keys = String.join(", ", merge.keys());
    return "INSERT INTO "
        + place
        + " ("
        + String.join(", ", values.keySet())
        + ") SELECT "
        + String.join(", ", values.values())
        + " FROM ("
        + query
        + ") s LEFT JOIN (SELECT "
        + keys
        + " FROM "
        + place
        + merge.within("observed_at", this).map(times -> " WHERE " + times).orElse("")
        + ") t ON "
        + equal(merge.keys())
        + " WHERE t."
        + merge.keys().get(0)
        + " IS NULL";
  }

  /** What is newer takes a row's place, then come those that are not there. */
  @Override
  public List<String> mergeNewest(
      String place, String query, List<String> keys, String isNewer, Map<String, String> values) {
    return List.of(
        "UPDATE "
            + place
            + " t SET "
            + WarehouseDialect.replaced(keys, values)
            + " FROM ("
            + query
            + ") s WHERE "
            + equal(keys)
            + " AND ("
            + isNewer
            + ")",
        merge(place, query, new Merge(keys, Optional.empty()), values));
  }

  /** It has none: LISTAGG makes no more than a text, which all tables of a query may exceed. */
  @Override
  public Optional<String> unitedTexts(String lists) {
    return Optional.empty();
  }

  @Override
  public String unitedTexts(String list, String other) {
    return "ARRAY_SORT(ARRAY_UNION(" + list + ", " + other + "))";
  }

  @Override
  public String countTexts(String list) {
    return "GET_ARRAY_LENGTH(" + list + ")";
  }

  /** It knows no rows that stand behind FROM: they are put into a table first. */
  @Override
  public String given(Statements statements, List<String> columns, List<String> rows)
      throws SQLException {
    statements.execute("DROP TABLE IF EXISTS given_rows");
    statements.execute(
        columns.stream()
            .map(column -> column + " VARCHAR(65535)")
            .collect(Collectors.joining(", ", "CREATE TEMP TABLE given_rows (", ")")));
    statements.execute("INSERT INTO given_rows VALUES " + String.join(", ", rows));
    return "given_rows v";
  }

  /**
   * The whole table is locked first: only then does the transaction get its view of the others,
   * whose rows it would otherwise not see. The row says who had it last. An owner that has it for
   * longer than others wait, and does nothing meanwhile, is ended: its load begins anew.
   */
  @Override
  public void lock(Statements statements, String lockPlace) throws SQLException {
    try {
      statements.execute("LOCK " + lockPlace);
    } catch (SQLException e) {
      if (RedshiftStates.isOverTime(e)) {
        new RedshiftLock(lockPlace).endIdleHolders(statements);
      }
      throw e;
    }
    String update =
        "UPDATE "
            + lockPlace
            + " SET session = CAST(pg_backend_pid() AS VARCHAR(20)), taken_at = SYSDATE WHERE"
            + " name = 'load'";
    if (statements.update(update) == 0) {
      long unused =
          statements.update(
              "INSERT INTO "
                  + lockPlace
                  + " (name, session, taken_at) SELECT 'load', CAST(pg_backend_pid() AS"
                  + " VARCHAR(20)), SYSDATE");
    }
  }
}
