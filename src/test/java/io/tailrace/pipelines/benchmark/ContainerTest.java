package io.tailrace.pipelines.benchmark;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.pipelines.OnlineWriter;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/**
 * That a writer stays within a container, divided as the deployed ones, over what is small on a bus
 * and large in memory. The kernel bounds it where this program may make a control group; elsewhere
 * its resident memory is measured. {@code benchmark memory --container=1Gi} does it with every
 * writer.
 */
public class ContainerTest {
  private static final int MANY = 60;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  @Test
  public void theOnlineWriterInTheLeastContainer() throws Exception {
    try (MemoryBenchmark benchmark = new MemoryBenchmark(folder.getRoot().toPath())) {
      benchmark.publishResults(new LargeTraffic(MANY));

      MemoryBenchmark.Contained contained = benchmark.contained(OnlineWriter.WRITER, "896Mi");

      assertThat(contained.peakMegabytes()).isGreaterThan(200.0);
      assertThat(contained.peakMegabytes()).isLessThan(896.0);
      assertThat(contained.restarts()).isEqualTo(0);
      // The zeros, and the one result whose numbers take more than one message may.
      assertThat(benchmark.letters()).isEqualTo(MANY + 1);
    }
  }
}
