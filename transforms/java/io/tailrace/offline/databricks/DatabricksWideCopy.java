package io.tailrace.offline.databricks;

import static io.tailrace.sql.databricks.DatabricksDialect.DATABRICKS;

import io.tailrace.offline.bulk.WideLoads.Batch;
import io.tailrace.offline.warehouse.Statements;
import io.tailrace.offline.warehouse.WideCopy;
import io.tailrace.parquet.WideLayout;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Copies wide files from a bucket that is an external location of Unity Catalog. Columns get names
 * of ours, as a table takes fewer letters than a file. Immutable.
 */
record DatabricksWideCopy(String folder) implements WideCopy {
  private static final long serialVersionUID = 1;

  @Override
  public boolean takes(WideLayout layout) {
    return true;
  }

  @Override
  public Map<String, String> copy(
      Statements statements, String place, WideLayout layout, List<String> columns, Batch batch)
      throws SQLException {
    Map<String, String> names = new LinkedHashMap<>();
    List<String> definitions = new ArrayList<>();
    List<String> selected = new ArrayList<>();
    for (String column : columns) {
      String name = "c" + names.size();
      String type = DATABRICKS.type(WideCopy.columnType(layout.form(column)));
      names.put(column, name);
      definitions.add(name + " " + type);
      selected.add("CAST(" + DATABRICKS.quoted(column) + " AS " + type + ") AS " + name);
    }
    statements.execute(
        "CREATE OR REPLACE TABLE "
            + place
            + " ("
            + String.join(", ", definitions)
            + ") USING DELTA");
    statements.execute(
        DatabricksStatements.copyStatement(
            place,
            "(SELECT "
                + String.join(", ", selected)
                + " FROM "
                + DATABRICKS.literal(folder + "/")
                + ")",
            batch.files().stream().map(this::name).toList()));
    return names;
  }
}
