package io.tailrace.metrics.duckdb;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.metrics.MetricsStore;
import io.tailrace.metrics.MetricsStores;
import io.tailrace.offline.BatchConnection;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.OfflineStores;
import io.tailrace.result.ValueType;
import io.tailrace.sql.duckdb.DuckDbFile;
import io.tailrace.sql.duckdb.DuckDbSettings;
import io.tailrace.testing.Features;
import io.tailrace.testing.OfflineConnections;
import io.tailrace.testing.Summaries;
import io.tailrace.v1.MetricsSummary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** Summaries in a DuckDB file, alone and beside features. */
@RunWith(JUnit4.class)
public class DuckDbMetricsTest {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private Path file() {
    return folder.getRoot().toPath().resolve("data.db");
  }

  private MetricsStore store(String parameters) {
    return MetricsStores.at("duckdb://" + file() + parameters);
  }

  private static MetricsSummary computed(String feature, int computed) {
    return Summaries.computed(Summaries.feature(feature), computed, 0);
  }

  private static MetricsSummary daysAgo(int days) {
    Instant minute = Instant.now().truncatedTo(ChronoUnit.MINUTES).minus(Duration.ofDays(days));
    return computed("user.age", 1).toBuilder()
        .setMinute(minute.getEpochSecond() * 1_000_000)
        .build();
  }

  private List<List<String>> query(String sql) throws Exception {
    return OfflineStores.at("duckdb://" + file()).reader().query(sql, 1_000).rows();
  }

  @Test
  public void oneFileServesFeaturesAndMetricsAtOnce() throws Exception {
    try (BatchConnection features = OfflineConnections.to(OfflineStores.at("duckdb://" + file()));
        MetricsStore.Connection metrics = store("").connect();
        MetricsStore.Connection others = store("?schema=other").connect()) {
      features.create(
          "prod",
          List.of(new FeatureTable(Features.of("user.age"), true, Optional.of(ValueType.INT64))));
      assertThat(metrics.write(List.of(computed("user.age", 3)))).isEqualTo(1);
      assertThat(others.write(List.of(computed("user.age", 4)))).isEqualTo(1);
      features.create(
          "prod",
          List.of(new FeatureTable(Features.of("user.name"), true, Optional.of(ValueType.STRING))));

      assertThat(
              query(
                  "SELECT (SELECT count(*) FROM tailrace.user__age),"
                      + " (SELECT computed FROM tailrace_metrics.feature_metrics),"
                      + " (SELECT computed FROM other.feature_metrics)"))
          .containsExactly(List.of("0", "3", "4"));
    }
  }

  @Test
  public void rowsOutliveTheProcessThatWroteThem() throws Exception {
    try (MetricsStore.Connection connection = store("").connect()) {
      connection.write(List.of(computed("user.age", 3)));
    }
    try (MetricsStore.Connection connection = store("").connect()) {
      assertThat(connection.write(List.of(computed("user.age", 2)))).isEqualTo(0);
      assertThat(connection.write(List.of(computed("user.age", 5)))).isEqualTo(1);
    }
    assertThat(query("SELECT computed FROM tailrace_metrics.feature_minutes"))
        .containsExactly(List.of("5"));
  }

  @Test
  public void rowsThatSomebodyReadsAreReplacedAllTheSame() throws Exception {
    try (MetricsStore.Connection connection = store("").connect()) {
      connection.write(List.of(computed("user.age", 1)));
      DuckDbFile file = DuckDbFile.open(file(), new DuckDbSettings("1GB", 2, false, 256 << 20));
      try (Connection reader = file.duplicate();
          Statement statement = reader.createStatement()) {
        statement.execute("BEGIN");
        for (int round = 2; round <= 300; round++) {
          try (ResultSet old =
              statement.executeQuery("SELECT computed FROM tailrace_metrics.feature_metrics")) {
            old.next();
            assertThat(old.getInt(1)).isEqualTo(1);
          }
          assertThat(connection.write(List.of(computed("user.age", round)))).isEqualTo(1);
        }
      } finally {
        file.release();
      }
      assertThat(query("SELECT computed FROM tailrace_metrics.feature_minutes"))
          .containsExactly(List.of("300"));
    }
  }

  @Test
  public void rowsOlderThanTheRetentionAreDeletedOnceAnHour() throws Exception {
    try (MetricsStore.Connection connection = store("").connect()) {
      connection.write(List.of(daysAgo(0), daysAgo(1), daysAgo(3)));
    }
    try (MetricsStore.Connection connection = store("?retention=36h").connect()) {
      connection.write(List.of(daysAgo(0)));
      assertThat(query("SELECT count(*) FROM tailrace_metrics.feature_minutes"))
          .containsExactly(List.of("2"));
      connection.write(List.of(daysAgo(4)));
      assertThat(query("SELECT count(*) FROM tailrace_metrics.feature_minutes"))
          .containsExactly(List.of("3"));
    }
  }

  @Test
  public void viewsWorkInAFileOfAnotherNameAndWhereverItIsAttached() throws Exception {
    // A schema of the file's own name would make longer names ambiguous.
    try (MetricsStore.Connection connection = store("?schema=data").connect()) {
      connection.write(List.of(computed("user.age", 3)));
    }
    Path other = Files.move(file(), folder.getRoot().toPath().resolve("other.db"));

    for (String view : List.of("feature_metrics", "query_metrics", "resolver_metrics")) {
      try (Connection alone = DriverManager.getConnection("jdbc:duckdb:" + other);
          Statement statement = alone.createStatement();
          ResultSet rows = statement.executeQuery("SELECT * FROM data." + view)) {
        assertThat(rows.next()).isEqualTo(!view.equals("query_metrics"));
      }
      try (Connection beside = DriverManager.getConnection("jdbc:duckdb:");
          Statement statement = beside.createStatement()) {
        statement.execute("CREATE TABLE feature_minutes(decoy INTEGER)");
        statement.execute("ATTACH '" + other + "' AS somewhere (READ_ONLY)");
        try (ResultSet rows = statement.executeQuery("SELECT * FROM somewhere.data." + view)) {
          assertThat(rows.next()).isEqualTo(!view.equals("query_metrics"));
        }
      }
    }
  }
}
