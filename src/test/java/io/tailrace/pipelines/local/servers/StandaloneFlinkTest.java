package io.tailrace.pipelines.local.servers;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.pipelines.local.servers.FlinkCluster.Job;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** A cluster of processes of which any may be killed. */
public class StandaloneFlinkTest {
  @Rule public final TemporaryFolder temporary = new TemporaryFolder();

  @Test
  public void aJobGoesOnWhicheverProcessIsKilled() throws Exception {
    Path directory = temporary.getRoot().toPath();
    try (StandaloneFlink flink = StandaloneFlink.in(directory).taskManagers(1).slots(1).start()) {
      FlinkCluster cluster = flink.cluster();
      JobID job = submit(cluster, Optional.empty());
      awaitCheckpoint(cluster, job);
      assertThat(cluster.jobs())
          .containsExactly(
              new Job(job, "endless", JobStatus.RUNNING, cluster.jobs().get(0).started()));
      assertThat(cluster.restarts(job)).isEqualTo(0);
      assertThat(cluster.lastFailure(job)).isEmpty();

      flink.killTaskManager(0);
      flink.addTaskManager();
      RemoteFlink.await(() -> cluster.restarts(job) > 0, "nothing was restarted");
      awaitCheckpoint(cluster, job);
      assertThat(cluster.lastFailure(job)).isPresent();
      assertThat(flink.restores(job)).isAtLeast(1);

      flink.killJobManager();
      flink.startJobManager();
      assertThat(cluster.jobs()).isEmpty();
      JobID next = submit(cluster, flink.lastCheckpoint(job));
      awaitCheckpoint(cluster, next);
      assertThat(flink.restores(next)).isEqualTo(1);

      String savepoint = cluster.stopWithSavepoint(next);
      assertThat(savepoint).contains("/savepoints/");
      JobID last = submit(cluster, Optional.of(savepoint));
      awaitCheckpoint(cluster, last);
      cluster.cancel(last);
      cluster.cancel(last);
      assertThat(cluster.isProcessing(last)).isFalse();
    }
  }

  private JobID submit(FlinkCluster cluster, Optional<String> state) throws Exception {
    String master =
        cluster.pipelineArguments().stream()
            .filter(option -> option.startsWith("--flinkMaster="))
            .map(option -> option.substring("--flinkMaster=".length()))
            .findFirst()
            .orElseThrow();
    return EndlessJob.submit(
        master, "endless", temporary.getRoot().toPath().resolve("fail-now"), state);
  }

  private static void awaitCheckpoint(FlinkCluster cluster, JobID job) {
    RemoteFlink.await(() -> cluster.isProcessing(job), "it does not run");
    long before = cluster.completedCheckpoints(job);
    RemoteFlink.await(() -> cluster.completedCheckpoints(job) > before, "no checkpoint");
  }
}
