package io.tailrace.pipelines.benchmark;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.pipelines.OnlineWriter;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/**
 * That a writer survives in little memory what is small on a bus and large in memory. {@code
 * benchmark memory} does it with every writer, and with many more messages.
 */
public class SmallHeapTest {
  private static final int MANY = 60;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  @Test
  public void theOnlineWriterWith256Megabytes() throws Exception {
    try (MemoryBenchmark benchmark = new MemoryBenchmark(folder.getRoot().toPath())) {
      benchmark.publishResults(new LargeTraffic(MANY));

      MemoryBenchmark.Survived survived = benchmark.alone(OnlineWriter.WRITER, "256m");

      assertThat(survived.messagesPerSecond()).isGreaterThan(0.0);
      // The zeros, and the one result whose numbers take more than one message may.
      assertThat(benchmark.letters()).isEqualTo(MANY + 1);
    }
  }
}
