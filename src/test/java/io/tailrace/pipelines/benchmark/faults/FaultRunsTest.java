package io.tailrace.pipelines.benchmark.faults;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.pipelines.OnlineWriter;
import java.time.Duration;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** A writer on a cluster of several processes of which each is killed once. */
public class FaultRunsTest {
  @Rule public final TemporaryFolder files = new TemporaryFolder();

  @Test
  public void nothingIsLostOrStaleWhicheverProcessOfTheClusterIsKilled() throws Exception {
    try (FaultRuns runs =
        FaultRuns.start(
            files.getRoot().toPath(),
            List.of(OnlineWriter.WRITER),
            new FaultRuns.Traffic(100, Duration.ofMillis(500), Duration.ofSeconds(1)))) {
      int seed = 0;
      for (Fault fault : List.of(Fault.TASK_MANAGER_KILLED, Fault.JOB_MANAGER_KILLED)) {
        FaultResult result = runs.run(fault, seed++);

        assertThat(result.first()).isEmpty();
        assertThat(result.departures()).isEmpty();
        assertThat(result.settled()).isTrue();
        assertThat(result.seen()).containsKey(OnlineWriter.WRITER.name());
        assertThat(result.hasPassed()).isTrue();
        assertThat(result.stored()).isGreaterThan(0);
      }
    }
  }
}
