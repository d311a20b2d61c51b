package io.tailrace.pipelines.local;

import io.tailrace.pipelines.Writer;
import org.apache.flink.api.common.JobID;

/**
 * A writer in a {@link LocalStack}.
 *
 * @param topic what it reads
 * @param job what it is for Flink
 */
public record RunningWriter(Writer<?> writer, String topic, JobID job) {
  /** Returns its name, which is also its consumer group. */
  public String name() {
    return writer.name();
  }
}
