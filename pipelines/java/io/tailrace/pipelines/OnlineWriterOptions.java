package io.tailrace.pipelines;

import java.util.List;
import org.apache.beam.sdk.options.Default;
import org.apache.beam.sdk.options.Description;
import org.apache.beam.sdk.options.PipelineOptions;

/** Options of the {@link OnlineWriter}, beside those of Beam and of the runner. */
public interface OnlineWriterOptions extends PipelineOptions {
  @Description("The bus with query results: kafka://host:9092,host:9092/topic. Required.")
  String getResultBus();

  void setResultBus(String uri);

  @Description(
      "The store to write to: redis://host:6379/0, rediss:// with TLS, redis+cluster://host:6379. A"
          + " password is named, not given: ?user=NAME&password=env:VARIABLE. Required.")
  String getOnlineStore();

  void setOnlineStore(String uri);

  @Description("The bus for messages that can never be written: kafka://host:9092/topic. Required.")
  String getDeadLetterBus();

  void setDeadLetterBus(String uri);

  @Description(
      "A directory for dead letters' messages that are too large for their bus: gs://bucket/prefix,"
          + " s3://bucket/prefix or a local path. Default: none, and the dead-letter bus must take"
          + " messages as large as the result bus.")
  String getDeadLetterOverflow();

  void setDeadLetterOverflow(String directory);

  @Description("Environments to serve, separated by commas. Default: every one that results name.")
  List<String> getEnvironments();

  void setEnvironments(List<String> environments);

  @Description(
      "How far an observation may lie after its publication, or after this writer's clock, before it is"
          + " taken for the error of a clock and becomes a dead letter.")
  @Default.String("5m")
  String getMaxClockSkew();

  void setMaxClockSkew(String duration);

  @Description(
      "For how long a deletion holds back older values that are still on their way; at least as long as"
          + " the bus and the dead-letter bus keep messages.")
  @Default.String("14d")
  String getDeletionRetention();

  void setDeletionRetention(String duration);
}
