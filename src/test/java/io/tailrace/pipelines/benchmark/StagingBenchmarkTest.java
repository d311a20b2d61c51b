package io.tailrace.pipelines.benchmark;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.databricks.DatabricksFixture;
import io.tailrace.offline.redshift.RedshiftFixture;
import io.tailrace.offline.staging.StagedStore;
import io.tailrace.testing.WarehouseFixture;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What {@code benchmark offline} says of loads is counted, and not made up. */
@RunWith(JUnit4.class)
public class StagingBenchmarkTest {
  @ClassRule public static final RedshiftFixture REDSHIFT = new RedshiftFixture();
  @ClassRule public static final DatabricksFixture DATABRICKS = new DatabricksFixture();
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  /** Two types of values, and the log of queries, one of whose statements unites parts. */
  private static final int TYPES = 3;

  private static final int UNION_OF_PARTS = 1;

  /** Measures two loads of two types and the log of queries, and returns the later one. */
  private static StagingBenchmark.Load measure(SimulatedWarehouse warehouse) throws Exception {
    try (StagingBenchmark benchmark = new StagingBenchmark(warehouse, 2)) {
      StagingBenchmark.Load first = benchmark.load(30);
      StagingBenchmark.Load second = benchmark.load(50);

      assertThat(first.rows()).isEqualTo(300);
      assertThat(second.rows()).isEqualTo(500);
      assertThat(first.statements()).isGreaterThan(second.statements() + 20);
      assertThat(second.bytes()).isGreaterThan(first.bytes());
      assertThat(second.ours()).isAtMost(second.time());
      assertThat(second.ours().isNegative()).isFalse();
      return second;
    }
  }

  private static SimulatedWarehouse counted(WarehouseFixture fixture, LongSupplier statements) {
    return new SimulatedWarehouse() {
      @Override
      public StagedStore store() {
        return (StagedStore) OfflineStores.at(fixture.uri());
      }

      @Override
      public long takeStatements() {
        return statements.getAsLong();
      }

      @Override
      public Duration busy() {
        return Duration.ZERO;
      }

      @Override
      public void close() {}
    };
  }

  @Test
  public void aLoadIntoSnowflakeIsAsManyStatementsAsItsPageSays() throws Exception {
    StagingBenchmark.Load load = measure(SimulatedWarehouse.snowflake(folder.getRoot().toPath()));

    // One of them is PUT.
    assertThat(load.statements()).isEqualTo(1 + 6 + 4 * TYPES + UNION_OF_PARTS);
    assertThat(load.ours()).isLessThan(load.time());
  }

  @Test
  public void aLoadIntoRedshiftIsAsManyStatementsAsItsPageSays() throws Exception {
    StagingBenchmark.Load load = measure(counted(REDSHIFT, () -> REDSHIFT.statementsSent().size()));

    assertThat(load.statements()).isEqualTo(9 + 6 * TYPES);
  }

  @Test
  public void aLoadIntoDatabricksIsAsManyStatementsAsItsPageSays() throws Exception {
    StagingBenchmark.Load load =
        measure(counted(DATABRICKS, () -> DATABRICKS.statementsSent().size()));

    assertThat(load.statements()).isEqualTo(3 + 4 * TYPES + UNION_OF_PARTS);
  }
}
