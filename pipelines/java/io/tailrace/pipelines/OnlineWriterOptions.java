package io.tailrace.pipelines;

import org.apache.beam.sdk.options.Default;
import org.apache.beam.sdk.options.Description;

/** Options of the {@link OnlineWriter}, beside those of Beam and of the runner. */
public interface OnlineWriterOptions extends WriterOptions {
  @Description("The bus with query results: kafka://host:9092,host:9092/topic. Required.")
  String getResultBus();

  void setResultBus(String uri);

  @Description(
      "The store to write to: redis://host:6379/0, rediss:// with TLS, redis+cluster://host:6379. A"
          + " password is named, not given: ?user=NAME&password=env:VARIABLE. Required.")
  String getOnlineStore();

  void setOnlineStore(String uri);

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
