package io.tailrace.pipelines.local.servers;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.CheckpointConfig.ExternalizedCheckpointCleanup;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/** A job that counts until somebody ends it. */
final class EndlessJob {
  private EndlessJob() {}

  /**
   * Submits one, which fails when it finds a file, and deletes that.
   *
   * @param state a checkpoint or savepoint that it goes on from
   */
  static JobID submit(String flinkMaster, String name, Path failure, Optional<String> state)
      throws Exception {
    URI master = URI.create("flink://" + flinkMaster);
    String file = failure.toString();
    Configuration settings = new Configuration();
    state.ifPresent(path -> settings.setString("execution.savepoint.path", path));
    StreamExecutionEnvironment flow =
        StreamExecutionEnvironment.createRemoteEnvironment(
            master.getHost(), master.getPort(), settings);
    flow.setParallelism(1);
    flow.enableCheckpointing(100);
    flow.getCheckpointConfig()
        .setExternalizedCheckpointCleanup(ExternalizedCheckpointCleanup.RETAIN_ON_CANCELLATION);
    flow.fromSequence(0, Long.MAX_VALUE)
        .map(number -> failIfTold(number, Path.of(file)))
        .returns(Types.LONG)
        .sinkTo(new DiscardingSink<>());
    return flow.executeAsync(name).getJobID();
  }

  private static long failIfTold(long number, Path failure) throws Exception {
    if (Files.deleteIfExists(failure)) {
      throw new IOException("told to fail");
    }
    Thread.sleep(1);
    return number;
  }
}
