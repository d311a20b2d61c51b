package io.tailrace.offline.databricks;

import static com.google.common.truth.Truth.assertThat;

import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** Tables into which owners copied that have gone are dropped by whoever starts later. */
@RunWith(JUnit4.class)
public class AbandonedTablesTest {
  @ClassRule public static final DatabricksFixture DATABRICKS = new DatabricksFixture();

  private static String daysAgo(int days) {
    return DateTimeFormatter.BASIC_ISO_DATE.format(LocalDate.now(ZoneOffset.UTC).minusDays(days));
  }

  private static List<String> tables() throws Exception {
    return DATABRICKS
        .store()
        .reader()
        .query(
            "SELECT table_schema || '.' || table_name FROM `features`.information_schema.tables"
                + " WHERE table_schema IN ('production', 'other') ORDER BY 1",
            100)
        .rows()
        .stream()
        .map(row -> row.get(0))
        .toList();
  }

  @Test
  public void aStartDropsThoseOfDaysAgoAndNothingElse() throws Exception {
    List<String> kept =
        List.of(
            "other.staged_by_somebody_of_20200101",
            "production.rows_string_int64_of_20200101_1a2b3c4d",
            "production.staged_files",
            "production.staged_rows_string_int64_of_" + daysAgo(0) + "_1a2b3c4d",
            "production.staged_rows_string_int64_of_" + daysAgo(1) + "_1a2b3c4d");
    List<String> abandoned =
        List.of(
            "other.staged_rows_int64_bool_of_20200101_00000000",
            "production.staged_query_log_of_" + daysAgo(3) + "_1a2b3c4d",
            "production.staged_rows_string_int64_of_" + daysAgo(3) + "_1a2b3c4d");
    DATABRICKS.server().execute("CREATE SCHEMA production", "CREATE SCHEMA other");
    for (String table : kept) {
      DATABRICKS.server().execute("CREATE TABLE " + table + " (n INTEGER)");
    }
    for (String table : abandoned) {
      DATABRICKS.server().execute("CREATE TABLE " + table + " (n INTEGER)");
    }

    DATABRICKS.store().check();

    assertThat(tables()).containsExactlyElementsIn(kept);
  }
}
