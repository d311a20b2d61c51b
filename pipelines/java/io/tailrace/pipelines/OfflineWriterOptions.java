package io.tailrace.pipelines;

import org.apache.beam.sdk.options.Default;
import org.apache.beam.sdk.options.Description;

/** Options of the {@link OfflineWriter}. */
public interface OfflineWriterOptions extends WriterOptions {
  @Description("The bus with query results: kafka://host:9092,host:9092/topic. Required.")
  String getResultBus();

  void setResultBus(String uri);

  @Description(
      "The bus for Parquet files, which the streaming-insert-writer reads: kafka://host:9092/topic."
          + " Files become as large as its messages may be. Required.")
  String getStreamingInsertBus();

  void setStreamingInsertBus(String uri);

  @Description(
      "The store in which to create tables: duckdb:///data/offline.db,"
          + " postgresql://host/database?schema=tailrace_{environment}&user=NAME&password=env:VAR."
          + " Required.")
  String getOfflineStore();

  void setOfflineStore(String uri);

  @Description(
      "How far an observation may lie after its publication, or after this writer's clock, before it is"
          + " taken for the error of a clock and becomes a dead letter.")
  @Default.String("5m")
  String getMaxClockSkew();

  void setMaxClockSkew(String duration);

  @Description(
      "For how long to gather results before they are encoded, for runners whose bundles are small"
          + " (Dataflow): 2s. Default: not at all.")
  String getGathering();

  void setGathering(String duration);
}
