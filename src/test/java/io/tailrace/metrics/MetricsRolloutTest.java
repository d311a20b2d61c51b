package io.tailrace.metrics;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.metrics.MetricsTable.Entry;
import io.tailrace.sql.Column;
import io.tailrace.sql.ColumnType;
import io.tailrace.testing.Summaries;
import io.tailrace.v1.FeatureSummary;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.QuerySummary;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameters;

/** How a column that a later version adds comes into the tables of every metrics store. */
@RunWith(Parameterized.class)
public class MetricsRolloutTest {
  /** The tables of a later version: the same lists with another entry. */
  private static final List<MetricsTable> LATER =
      List.of(
          MetricsTable.FEATURE_MINUTES.with(
              Entry.of(
                  Column.optional("defaults", ColumnType.BIGINT),
                  summary -> summary.getFeature().getComputed() * 10)),
          MetricsTable.QUERY_MINUTES.with(
              Entry.of(
                  Column.optional("engine", ColumnType.TEXT),
                  summary -> "of " + summary.getQuery().getQueryName())),
          MetricsTable.PUBLISHER_MINUTES);

  @Rule public final MetricsDatabase database;

  public MetricsRolloutTest(MetricsDatabase.Kind kind) {
    database = new MetricsDatabase(kind);
  }

  @Parameters(name = "{0}")
  public static MetricsDatabase.Kind[] kinds() {
    return MetricsDatabase.Kind.values();
  }

  private static MetricsSummary computed(String feature, int computed) {
    return Summaries.computed(Summaries.feature(feature), computed, 0);
  }

  private static MetricsSummary query(String name) {
    return Summaries.of(QuerySummary.newBuilder().setQueryName(name).setExecutions(1));
  }

  private List<String> features() throws Exception {
    return database.rows(
        "SELECT feature, computed, defaults FROM tailrace_metrics.feature_minutes ORDER BY 1");
  }

  @Test
  public void aTableWithoutTheColumnGetsItAndOlderRowsHaveNull() throws Exception {
    try (MetricsStore.Connection older = database.store("").connect()) {
      older.write(List.of(computed("a", 1), query("old")));
    }
    try (MetricsStore.Connection newer = database.store("").connect(LATER)) {
      newer.write(List.of(computed("b", 2), query("new")));
    }

    assertThat(features()).containsExactly("a|1|null", "b|2|20").inOrder();
    assertThat(
            database.rows(
                "SELECT query_name, engine FROM tailrace_metrics.query_minutes ORDER BY 1"))
        .containsExactly("new|of new", "old|null")
        .inOrder();
  }

  @Test
  public void aViewOfAnEarlierVersionIsReplacedWhenItsTableGetsTheColumnsOfItsNewOnes()
      throws Exception {
    makeEarlier("");
    try (MetricsStore.Connection newer = database.store("").connect()) {
      newer.write(List.of(Summaries.of(feature("b").setComputed(1).setZeros(1).setGiven(2))));
    }

    assertThat(
            database.rows(
                "SELECT feature, computed, zeros, defaults_used, given"
                    + " FROM tailrace_metrics.feature_metrics ORDER BY 1"))
        .containsExactly("a|1|null|null|null", "b|1|1|0|2")
        .inOrder();
    // What somebody has made of it is there still.
    assertThat(database.rows("SELECT feature FROM tailrace_metrics.of_mine ORDER BY 1"))
        .containsExactly("a", "b")
        .inOrder();
  }

  @Test
  public void aViewOfSomebodysOwnIsKeptWhateverItsTableGets() throws Exception {
    makeEarlier(", 'mine' AS whose");
    try (MetricsStore.Connection newer = database.store("").connect()) {
      newer.write(List.of(computed("b", 1)));
    }

    assertThat(
            database.rows("SELECT feature, whose FROM tailrace_metrics.feature_metrics ORDER BY 1"))
        .containsExactly("a|mine", "b|mine")
        .inOrder();
    assertThat(database.rows("SELECT zeros FROM tailrace_metrics.feature_minutes ORDER BY feature"))
        .containsExactly("null", "0")
        .inOrder();
  }

  private static FeatureSummary.Builder feature(String name) {
    return FeatureSummary.newBuilder().setFeature(name);
  }

  /** Leaves the table and the view as an earlier version made them, and a view of somebody's. */
  private void makeEarlier(String more) throws Exception {
    try (MetricsStore.Connection connection = database.store("").connect()) {
      connection.write(List.of(computed("a", 1)));
    }
    String view =
        MetricsView.FEATURE_METRICS
            .create("tailrace_metrics.feature_metrics", "tailrace_metrics.feature_minutes")
            .replace(", zeros, defaults_used, given FROM", more + " FROM");
    for (String later : List.of("zeros", "defaults_used", "given")) {
      view = view.replace(", sum(" + later + ")::bigint AS " + later, "");
    }
    assertThat(view).doesNotContain("zeros");
    assertThat(view).doesNotContain("given");
    database.execute(
        "DROP VIEW tailrace_metrics.feature_metrics",
        "ALTER TABLE tailrace_metrics.feature_minutes DROP COLUMN zeros",
        "ALTER TABLE tailrace_metrics.feature_minutes DROP COLUMN defaults_used",
        "ALTER TABLE tailrace_metrics.feature_minutes DROP COLUMN given",
        view,
        "CREATE VIEW tailrace_metrics.of_mine AS SELECT * FROM tailrace_metrics.feature_metrics");
  }

  @Test
  public void writersOfBothVersionsWorkAtOnce() throws Exception {
    try (MetricsStore.Connection older = database.store("").connect();
        MetricsStore.Connection newer = database.store("").connect(LATER)) {
      older.write(List.of(computed("a", 1)));
      newer.write(List.of(computed("a", 2), computed("b", 1)));
      older.write(List.of(computed("a", 3), computed("b", 1), computed("c", 1)));
      assertThat(older.write(List.of(computed("a", 1)))).isEqualTo(0);
      newer.write(List.of(computed("c", 2)));
    }
    // One that starts when the column is there.
    try (MetricsStore.Connection older = database.store("").connect()) {
      assertThat(older.write(List.of(computed("d", 1)))).isEqualTo(1);
    }

    assertThat(features()).containsExactly("a|3|20", "b|1|10", "c|2|20", "d|1|null").inOrder();
    assertThat(
            database.rows(
                "SELECT feature, computed FROM tailrace_metrics.feature_metrics ORDER BY 1"))
        .containsExactly("a|3", "b|1", "c|2", "d|1")
        .inOrder();
  }

  @Test
  public void manyWritersOfBothVersionsMayStartAtOnce() throws Exception {
    try (MetricsStore.Connection first = database.store("").connect()) {
      first.write(List.of(computed("a", 1)));
    }
    int writers = 6;
    CountDownLatch together = new CountDownLatch(writers);
    ExecutorService threads = Executors.newFixedThreadPool(writers);
    List<Future<Integer>> writing = new ArrayList<>();
    for (int writer = 0; writer < writers; writer++) {
      List<MetricsTable> tables = writer % 2 == 0 ? LATER : MetricsTable.ALL;
      MetricsSummary summary = computed("w" + writer, 1);
      writing.add(
          threads.submit(
              () -> {
                together.countDown();
                together.await();
                try (MetricsStore.Connection connection = database.store("").connect(tables)) {
                  return connection.write(List.of(summary));
                }
              }));
    }
    for (Future<Integer> each : writing) {
      assertThat(each.get()).isEqualTo(1);
    }
    threads.shutdown();

    assertThat(features())
        .containsExactly(
            "a|1|null", "w0|1|10", "w1|1|null", "w2|1|10", "w3|1|null", "w4|1|10", "w5|1|null")
        .inOrder();
  }

  @Test
  public void aColumnOfAnotherTypeIsNamed() throws Exception {
    try (MetricsStore.Connection newer = database.store("").connect(LATER)) {
      newer.write(List.of(computed("a", 1)));
    }
    List<MetricsTable> other =
        List.of(
            MetricsTable.FEATURE_MINUTES.with(
                Entry.of(Column.optional("defaults", ColumnType.TEXT), summary -> "none")));
    UnavailableException refused =
        assertThrows(
            UnavailableException.class,
            () -> {
              try (MetricsStore.Connection connection = database.store("").connect(other)) {
                connection.write(List.of(computed("a", 2)));
              }
            });

    assertThat(refused).hasMessageThat().contains("feature_minutes");
    assertThat(refused).hasMessageThat().contains(" has defaults ");
    assertThat(refused).hasMessageThat().endsWith("; rename it, and another one is created");
  }

  @Test
  public void aTableThatIsRenamedMakesWayForAnother() throws Exception {
    try (MetricsStore.Connection connection = database.store("").connect()) {
      connection.write(List.of(computed("a", 1)));
    }
    database.execute(
        "DROP VIEW tailrace_metrics.feature_metrics",
        "DROP VIEW tailrace_metrics.resolver_metrics",
        "ALTER TABLE tailrace_metrics.feature_minutes RENAME TO old_minutes");
    try (MetricsStore.Connection connection = database.store("").connect()) {
      connection.write(List.of(computed("b", 1)));
    }

    assertThat(database.rows("SELECT feature FROM tailrace_metrics.feature_metrics"))
        .containsExactly("b");
    assertThat(database.rows("SELECT feature FROM tailrace_metrics.old_minutes"))
        .containsExactly("a");
  }
}
