package io.tailrace.offline.databricks;

import static com.google.common.truth.Truth.assertThat;

import com.google.common.collect.ImmutableList;
import io.tailrace.endpoint.EndpointUri;
import java.util.List;
import org.junit.After;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** Tables into which owners copied that have gone are dropped by whoever starts later. */
@RunWith(JUnit4.class)
public class AbandonedTablesTest {
  @ClassRule public static final DatabricksFixture DATABRICKS = new DatabricksFixture();

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
            "production.staged_files");
    // Of one owner who goes on loading.
    String used = "production.staged_rows_string_int64_of_20260101_1a2b3c4d";
    List<String> abandoned =
        List.of(
            "other.staged_rows_int64_bool_of_20200101_00000000",
            "production.staged_query_log_of_20260101_2a2b3c4d",
            "production.staged_rows_string_int64_of_20260101_2a2b3c4d");
    DATABRICKS.server().execute("CREATE SCHEMA production", "CREATE SCHEMA other");
    make(used, 1);
    for (String table : kept) {
      make(table, 3);
    }
    for (String table : abandoned) {
      make(table, 3);
    }

    DATABRICKS.store().check();

    assertThat(tables())
        .containsExactlyElementsIn(ImmutableList.builder().addAll(kept).add(used).build());
  }

  private static void make(String table, int daysAgo) throws Exception {
    DATABRICKS.server().execute("CREATE TABLE " + table + " (n INTEGER)");
    DATABRICKS.server().age(table, daysAgo);
  }

  @Test
  public void oneThatIsSomebodyElsesStaysAndStopsNoStart() throws Exception {
    String others = "production.staged_rows_string_int64_of_20260101_1a2b3c4d";
    String elsewhere = "other.staged_rows_string_int64_of_20260101_1a2b3c4d";
    String own = "production.staged_query_log_of_20260101_2a2b3c4d";
    DATABRICKS.server().execute("CREATE SCHEMA production", "CREATE SCHEMA other");
    for (String table : List.of(others, elsewhere, own)) {
      make(table, 3);
    }
    DATABRICKS.server().refuse("staged_rows_string_int64_of", 400, "PERMISSION_DENIED");

    DatabricksOfflineStore.at(
            EndpointUri.parse(
                DATABRICKS.uri().replace("schema={environment}", "schema=prod{environment}")))
        .check();

    assertThat(DATABRICKS.server().isHarmless()).isTrue();
    assertThat(tables()).containsExactly(others, elsewhere);
  }

  @After
  public void clear() throws Exception {
    DATABRICKS.clear("production", "other");
  }
}
