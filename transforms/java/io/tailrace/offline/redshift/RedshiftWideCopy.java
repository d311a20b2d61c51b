package io.tailrace.offline.redshift;

import static io.tailrace.sql.redshift.RedshiftDialect.REDSHIFT;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.bulk.WideLoads.Batch;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.warehouse.Statements;
import io.tailrace.offline.warehouse.WideCopy;
import io.tailrace.parquet.WideLayout;
import io.tailrace.parquet.WideLayout.Form;
import io.tailrace.sql.ColumnType;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Copies wide files from a bucket that the role may read, by a manifest in the stage. Redshift
 * finds columns by their places: so the table has all columns of the files, each of the type that
 * the file has. Immutable.
 *
 * @param statements where the stage is, and by which role files are read
 */
record RedshiftWideCopy(String folder, RedshiftStatements statements) implements WideCopy {
  private static final long serialVersionUID = 1;

  /** A table has at most so many columns. */
  private static final int MOST_COLUMNS = 1_600;

  private static final Set<String> CODECS = Set.of("UNCOMPRESSED", "SNAPPY", "GZIP");

  @Override
  public boolean takes(WideLayout layout) {
    return layout.columns().size() <= MOST_COLUMNS
        && CODECS.containsAll(layout.codecs())
        && layout.columns().stream().noneMatch(column -> column.form() == Form.OTHER);
  }

  @Override
  public Map<String, String> copy(
      Statements open, String place, WideLayout layout, List<String> columns, Batch batch)
      throws SQLException, UnavailableException {
    Map<String, String> names = new LinkedHashMap<>();
    List<String> definitions = new ArrayList<>();
    for (WideLayout.Found column : layout.columns()) {
      String name = "c" + names.size();
      names.put(column.name(), name);
      definitions.add(name + " " + type(column.form()));
    }
    open.execute("DROP TABLE IF EXISTS " + place);
    open.execute("CREATE TEMP TABLE " + place + " (" + String.join(", ", definitions) + ")");
    try (Stage.Connection stage = statements.stage().open();
        RedshiftManifest manifest =
            RedshiftManifest.of(
                stage,
                statements.stage().uri(),
                batch.files().stream()
                    .map(file -> new RedshiftManifest.Listed(file.uri(), file.size()))
                    .toList())) {
      open.execute(statements.copyStatement(place, manifest.uri()));
    }
    return names;
  }

  private static String type(Form form) {
    return switch (form) {
      case INT32 -> "INTEGER";
      case FLOAT -> "REAL";
      case BOOLEAN -> REDSHIFT.type(ColumnType.BOOLEAN);
      case INT64 -> REDSHIFT.type(ColumnType.BIGINT);
      case DOUBLE -> REDSHIFT.type(ColumnType.DOUBLE);
      case BYTES -> REDSHIFT.type(ColumnType.BYTES);
      case TIMESTAMP -> REDSHIFT.type(ColumnType.TIMESTAMP);
      case DATE -> REDSHIFT.type(ColumnType.DATE);
      case FLOATS -> REDSHIFT.type(ColumnType.FLOATS);
      case TEXT, JSON, OTHER -> REDSHIFT.type(ColumnType.TEXT);
    };
  }
}
