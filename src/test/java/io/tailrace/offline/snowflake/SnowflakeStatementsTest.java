package io.tailrace.offline.snowflake;

import io.tailrace.testing.WarehouseFixture;
import io.tailrace.testing.WarehouseStatementsContract;
import java.util.List;
import org.junit.Rule;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What is said to Snowflake: {@code snowflake-statements.txt}. */
@RunWith(JUnit4.class)
public class SnowflakeStatementsTest extends WarehouseStatementsContract {
  /** A new one for each test: also the stage is made. */
  @Rule public final SnowflakeFixture snowflake = new SnowflakeFixture();

  @Override
  protected WarehouseFixture warehouse() {
    return snowflake;
  }

  @Override
  protected String file() {
    return "snowflake-statements.txt";
  }

  @Override
  protected List<String> documented() {
    return List.of(
        "PUT 'file://[^']+/\\*' '@\\S+/' AUTO_COMPRESS = FALSE SOURCE_COMPRESSION = NONE"
            + " OVERWRITE = TRUE",
        "GET '@\\S+' 'file://[^']+/'",
        "LIST '@\\S+'",
        "REMOVE '@\\S+/' PATTERN = '[^']+'",
        "CREATE SCHEMA IF NOT EXISTS \\S+",
        "CREATE STAGE IF NOT EXISTS \\S+",
        "COPY INTO \\S+ FROM '@\\S+/' FILES = \\('[^)]+'\\) FILE_FORMAT = \\(TYPE = PARQUET"
            + " USE_VECTORIZED_SCANNER = TRUE\\) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
            + " INCLUDE_METADATA = \\(STAGED_FILE = METADATA\\$FILENAME, STAGED_ROW ="
            + " METADATA\\$FILE_ROW_NUMBER\\) ON_ERROR = ABORT_STATEMENT",
        "BEGIN",
        "COMMIT");
  }

  @Override
  protected String plain(String statement) {
    return statement
        .replaceFirst(
            " CLUSTER BY \\(FEATURE, FLOOR\\(DATE_PART\\(EPOCH_SECOND, OBSERVED_AT\\) /"
                + " 86400\\)\\)$",
            "")
        .replaceFirst(
            "(?s)^(CREATE (?:OR REPLACE )?VIEW \\S+)(?: COPY GRANTS)? COMMENT ="
                + " '(?:[^'\\\\]|''|\\\\.)*' AS",
            "$1 AS")
        .replace("\\\\", "")
        .replace(" ARRAY", " VARIANT")
        .replace("DATE_PART(EPOCH_MICROSECOND, ", "DATE_PART('EPOCH_MICROSECOND', ");
  }

  @Override
  protected int parsed() {
    return 25;
  }
}
