package io.tailrace.offline.snowflake;

import static io.tailrace.sql.snowflake.SnowflakeDialect.SNOWFLAKE;

import io.tailrace.offline.bulk.WideLoads.Batch;
import io.tailrace.offline.warehouse.Statements;
import io.tailrace.offline.warehouse.WideCopy;
import io.tailrace.parquet.WideLayout;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Copies wide files from a bucket that a storage integration lets Snowflake read, into columns that
 * are called as those of the files. Immutable.
 *
 * @param integration the storage integration's name
 */
record SnowflakeWideCopy(String folder, String integration) implements WideCopy {
  private static final long serialVersionUID = 1;

  /** A name has at most so many letters. */
  private static final int LONGEST = 255;

  @Override
  public boolean takes(WideLayout layout) {
    return layout.columns().stream().allMatch(column -> column.name().length() <= LONGEST);
  }

  @Override
  public Map<String, String> copy(
      Statements statements, String place, WideLayout layout, List<String> columns, Batch batch)
      throws SQLException {
    Map<String, String> names = new LinkedHashMap<>();
    columns.forEach(column -> names.put(column, quoted(column)));
    statements.execute(
        "CREATE OR REPLACE TEMPORARY TABLE "
            + place
            + " ("
            + columns.stream()
                .map(
                    column ->
                        quoted(column)
                            + " "
                            + SNOWFLAKE.type(WideCopy.columnType(layout.form(column))))
                .collect(Collectors.joining(", "))
            + ")");
    statements.execute(copyStatement(place, batch.files().stream().map(this::name).toList()));
    return names;
  }

  String copyStatement(String place, List<String> files) {
    return "COPY INTO "
        + place
        + " FROM "
        + SnowflakeStage.bucketSource(folder, integration)
        + files.stream()
            .map(SNOWFLAKE::literal)
            .collect(Collectors.joining(", ", " FILES = (", ")"))
        + " FILE_FORMAT = (TYPE = PARQUET USE_VECTORIZED_SCANNER = TRUE)"
        + " MATCH_BY_COLUMN_NAME = CASE_SENSITIVE ON_ERROR = ABORT_STATEMENT";
  }

  /** As it is called in the file, not in capitals. */
  private static String quoted(String column) {
    return '"' + column.replace("\"", "\"\"") + '"';
  }
}
