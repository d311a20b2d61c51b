package io.tailrace.pipelines;

import org.apache.beam.sdk.options.Description;

/** Options of the {@link StreamingInsertWriter}. */
public interface StreamingInsertWriterOptions extends WriterOptions {
  @Description(
      "The bus with Parquet files, of the offline-writer and others: kafka://host:9092/topic."
          + " Required.")
  String getStreamingInsertBus();

  void setStreamingInsertBus(String uri);

  @Description(
      "The store to write to: duckdb:///data/offline.db,"
          + " postgresql://host/database?schema=tailrace_{environment}&user=NAME&password=env:VAR."
          + " Required.")
  String getOfflineStore();

  void setOfflineStore(String uri);
}
