package io.tailrace.offline.duckdb;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.offline.InsertObservations;
import io.tailrace.sql.duckdb.DuckDbFile;
import io.tailrace.sql.duckdb.DuckDbSettings;
import java.io.Closeable;
import java.io.File;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import org.apache.beam.runners.core.metrics.MetricsContainerImpl;
import org.apache.beam.sdk.metrics.MetricName;
import org.apache.beam.sdk.metrics.MetricsEnvironment;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** That somebody sees that the log of a DuckDB file only grows. */
public class DuckDbCountersTest {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private final MetricsContainerImpl metrics = new MetricsContainerImpl("step");
  private final DuckDbCounters counters = new DuckDbCounters();

  @Test
  public void aLogThatCanNotBeWrittenBackIsCountedAndTriedAgainAfterTheNextChange()
      throws Exception {
    File path = new File(folder.getRoot(), "a.db");
    File log = new File(path + ".wal");
    // A log of a byte is large.
    DuckDbFile file = DuckDbFile.open(path.toPath(), new DuckDbSettings("100MB", 1, true, 1));
    try (Connection connection = file.duplicate();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE t(n BIGINT)");
      assertThat(counted(file)).isEqualTo(0);

      statement.execute("BEGIN");
      // What only inserts keeps no log from being written back.
      statement.execute("CREATE TABLE other(n BIGINT)");
      file.changed();
      long failed = 0;
      Instant until = Instant.now().plus(Duration.ofMinutes(1));
      while (failed == 0) {
        assertWithMessage("in time").that(Instant.now()).isLessThan(until);
        Thread.sleep(20);
        failed = counted(file);
      }
      assertThat(failed).isEqualTo(1);
      assertThat(log.length()).isGreaterThan(0L);

      statement.execute("COMMIT");
      file.changed();
    } finally {
      // Waits for it.
      file.release();
    }
    assertThat(log.length()).isEqualTo(0);
    DuckDbFile again = DuckDbFile.open(path.toPath(), new DuckDbSettings("100MB", 1, true, 1));
    try {
      assertThat(counted(again)).isEqualTo(1);
    } finally {
      again.release();
    }
  }

  /** Returns how many were counted since the start. */
  @SuppressWarnings("try") // It is open for what happens meanwhile.
  private long counted(DuckDbFile file) throws Exception {
    try (Closeable ignored = MetricsEnvironment.scopedMetricsContainer(metrics)) {
      counters.count(file);
    }
    return metrics
        .getCounter(MetricName.named(InsertObservations.STAGE, "write_backs_failed"))
        .getCumulative();
  }
}
