package io.tailrace.pipelines.benchmark;

import static com.google.common.truth.Truth.assertThat;

import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What {@code benchmark offline} says of loads is counted, and not made up. */
@RunWith(JUnit4.class)
public class StagingBenchmarkTest {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  @Test
  public void aLoadIsToldWithItsRowsStatementsBytesAndTime() throws Exception {
    try (StagingBenchmark benchmark = new StagingBenchmark(folder.getRoot().toPath(), 2)) {
      StagingBenchmark.Load first = benchmark.load(30);
      StagingBenchmark.Load second = benchmark.load(50);

      assertThat(second.rows()).isEqualTo(500);
      // One is PUT; the load: 6, and 4 for each of two types, and 5 for the log of queries.
      assertThat(second.statements()).isEqualTo(1 + 6 + 2 * 4 + 5);
      assertThat(first.statements()).isGreaterThan(second.statements() + 20);
      assertThat(second.bytes()).isGreaterThan(first.bytes());
      assertThat(second.ours()).isLessThan(second.time());
      assertThat(second.ours().isNegative()).isFalse();
    }
  }
}
