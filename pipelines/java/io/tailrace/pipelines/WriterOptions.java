package io.tailrace.pipelines;

import java.util.List;
import org.apache.beam.sdk.options.Description;
import org.apache.beam.sdk.options.PipelineOptions;

/** Options that every writer has, beside those of Beam and of the runner. */
public interface WriterOptions extends PipelineOptions {
  @Description("The bus for messages that can never be written: kafka://host:9092/topic. Required.")
  String getDeadLetterBus();

  void setDeadLetterBus(String uri);

  @Description(
      "A directory for dead letters' messages that are too large for their bus: gs://bucket/prefix,"
          + " s3://bucket/prefix or a local path. Default: none, and the dead-letter bus must take"
          + " messages as large as the bus that is read.")
  String getDeadLetterOverflow();

  void setDeadLetterOverflow(String directory);

  @Description("Environments to serve, separated by commas. Default: every one that is named.")
  List<String> getEnvironments();

  void setEnvironments(List<String> environments);
}
