package io.tailrace.pipelines.local.servers;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

@RunWith(JUnit4.class)
public class LocalFlinkTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  @Rule public final TemporaryFolder temporary = new TemporaryFolder();

  @Test
  public void runsAJobUntilItIsCancelled() throws Exception {
    try (LocalFlink flink = start()) {
      JobID job = submit(flink, "endless");
      awaitStatus(flink, job, JobStatus.RUNNING);
      assertThat(flink.jobs().stream().map(FlinkCluster.Job::name)).containsExactly("endless");

      flink.cancel(job);
      assertThat(status(flink, job)).isEqualTo(JobStatus.CANCELED);
      flink.cancel(job);
      assertThat(flink.restarts(job)).isEqualTo(0);
      assertThat(flink.lastFailure(job)).isEmpty();
    }
  }

  @Test
  public void runsSeveralJobsAtOnce() throws Exception {
    try (LocalFlink flink = LocalFlink.in(directory()).slots(3).start()) {
      for (String name : List.of("first", "second", "third")) {
        awaitStatus(flink, submit(flink, name), JobStatus.RUNNING);
      }
      assertThat(flink.jobs().stream().map(FlinkCluster.Job::name))
          .containsExactly("first", "second", "third")
          .inOrder();
    }
  }

  @Test
  public void aJobWithoutASlotWaitsForOne() throws Exception {
    try (LocalFlink flink = LocalFlink.in(directory()).slots(1).start()) {
      JobID first = submit(flink, "first");
      await(() -> flink.isProcessing(first));
      JobID second = submit(flink, "second");
      awaitStatus(flink, second, JobStatus.RUNNING);
      assertThat(flink.isProcessing(second)).isFalse();

      flink.cancel(first);
      await(() -> flink.isProcessing(second));
    }
  }

  @Test
  public void countsCheckpointsAndKeepsThemInTheDirectory() throws Exception {
    try (LocalFlink flink = start()) {
      JobID job = submit(flink, "endless");
      await(() -> flink.completedCheckpoints(job) >= 2);
      flink.cancel(job);
      try (Stream<Path> kept = Files.list(flink.checkpoints().resolve(job.toString()))) {
        assertThat(kept.map(path -> path.getFileName().toString().replaceAll("\\d", "")))
            .contains("chk-");
      }
    }
  }

  @Test
  public void restartsAFailedJobAndSaysWhyItFailed() throws Exception {
    try (LocalFlink flink = start()) {
      JobID job = submit(flink, "endless");
      for (int restarts = 1; restarts <= 3; restarts++) {
        int expected = restarts;
        await(() -> flink.isProcessing(job));
        Files.createFile(failure());
        await(() -> flink.restarts(job) == expected);
      }
      assertThat(flink.lastFailure(job).orElseThrow()).contains("told to fail");
      await(() -> flink.metric(job, "numRestarts").orElse(0) == 3);
    }
  }

  @Test
  public void aMetricThatDoesNotExistIsEmpty() throws Exception {
    try (LocalFlink flink = start()) {
      JobID job = submit(flink, "endless");
      assertThat(flink.metric(job, "noSuchMetric")).isEmpty();
      assertThat(flink.metric(new JobID(), "numRestarts")).isEmpty();
    }
  }

  @Test
  public void stopsAJobWithASavepoint() throws Exception {
    try (LocalFlink flink = start()) {
      JobID job = submit(flink, "endless");
      awaitStatus(flink, job, JobStatus.RUNNING);
      await(() -> flink.completedCheckpoints(job) >= 1);
      Path savepoint = Path.of(URI.create(flink.stopWithSavepoint(job)));
      assertThat(Files.exists(savepoint.resolve("_metadata"))).isTrue();
      assertThat(savepoint.startsWith(directory())).isTrue();
      awaitStatus(flink, job, JobStatus.FINISHED);
    }
  }

  @Test
  public void startsAgainAfterCloseAndLeavesNothingElseBehind() throws Exception {
    List<String> before = temporaryFiles();
    int port = FreePorts.next();
    for (int i = 0; i < 2; i++) {
      try (LocalFlink flink = LocalFlink.in(directory()).port(port).start()) {
        assertThat(flink.flinkMaster()).isEqualTo("127.0.0.1:" + port);
        awaitStatus(flink, submit(flink, "endless"), JobStatus.RUNNING);
      }
      assertThat(Files.exists(directory().resolve("work"))).isFalse();
    }
    List<String> after = temporaryFiles();
    after.removeAll(before);
    assertThat(after).isEmpty();
  }

  @Test
  public void aTakenPortIsAnError() throws Exception {
    try (ServerSocket taken = new ServerSocket()) {
      taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      IllegalStateException e =
          assertThrows(
              IllegalStateException.class,
              () -> LocalFlink.in(directory()).port(taken.getLocalPort()).start());
      assertThat(e).hasMessageThat().contains(Integer.toString(taken.getLocalPort()));
    }
  }

  private LocalFlink start() {
    return LocalFlink.in(directory()).start();
  }

  private JobID submit(LocalFlink flink, String name) throws Exception {
    return EndlessJob.submit(flink.flinkMaster(), name, failure(), Optional.empty());
  }

  private static void awaitStatus(LocalFlink flink, JobID job, JobStatus wanted) throws Exception {
    await(() -> status(flink, job) == wanted);
  }

  private static JobStatus status(LocalFlink flink, JobID job) {
    return flink.jobs().stream().filter(j -> j.id().equals(job)).findFirst().orElseThrow().status();
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  /** What Flink would leave in the JVM's temporary directory. */
  private static List<String> temporaryFiles() throws IOException {
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return new ArrayList<>(
          files
              .map(path -> path.getFileName().toString())
              .filter(name -> name.matches("(?i)(flink|minicluster|blobstore|tm_|jm_).*"))
              .toList());
    }
  }

  private Path directory() {
    return temporary.getRoot().toPath().resolve("flink");
  }

  private Path failure() {
    return temporary.getRoot().toPath().resolve("fail-now");
  }
}
