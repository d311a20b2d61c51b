package io.tailrace.offline.databricks;

import io.tailrace.testing.WarehouseFixture;
import io.tailrace.testing.WarehouseStatementsContract;
import java.util.List;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What is said to Databricks: {@code databricks-statements.txt}. */
@RunWith(JUnit4.class)
public class DatabricksStatementsTest extends WarehouseStatementsContract {
  @ClassRule public static final DatabricksFixture DATABRICKS = new DatabricksFixture();

  @Before
  public void clear() throws Exception {
    DATABRICKS.clear("production");
  }

  @Override
  protected WarehouseFixture warehouse() {
    return DATABRICKS;
  }

  @Override
  protected String file() {
    return "databricks-statements.txt";
  }

  @Override
  protected List<String> documented() {
    return List.of(
        "COPY INTO \\S+ FROM '/Volumes/[^']+' FILEFORMAT = PARQUET FILES = \\('[^)]+'\\)"
            + " FORMAT_OPTIONS \\('datetimeRebaseMode' = 'CORRECTED'\\) COPY_OPTIONS \\('force' ="
            + " 'true'\\)",
        "CREATE SCHEMA IF NOT EXISTS \\S+",
        "SET STATEMENT_TIMEOUT = \\d+",
        "SET TIME ZONE 'UTC'");
  }

  @Override
  protected String plain(String statement) {
    return statement
        .replaceFirst(" TBLPROPERTIES \\('delta.isolationLevel' = 'Serializable'\\)$", "")
        .replaceFirst(" CLUSTER BY \\(feature, observed_at\\)$", "")
        .replaceFirst(" USING DELTA$", "")
        .replaceFirst(
            "(?s)^(CREATE (?:OR REPLACE )?VIEW \\S+) COMMENT '(?:[^'\\\\]|\\\\.)*' AS", "$1 AS")
        // A backslash escapes what is behind it.
        .replaceAll("\\\\.", "")
        .replace("ARRAY<STRING>", "VARIANT")
        .replace("ARRAY<FLOAT>", "VARIANT");
  }

  @Override
  protected int parsed() {
    return 25;
  }
}
