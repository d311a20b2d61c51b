package io.tailrace.pipelines;

import org.apache.beam.sdk.options.Description;

/** Options of the {@link MetricsBusWriter}. */
public interface MetricsBusWriterOptions extends WriterOptions {
  @Description(
      "The bus with summaries of minutes, of the metrics-writer: kafka://host:9092/topic. Required.")
  String getMetricsBus();

  void setMetricsBus(String uri);

  @Description(
      "The store to write to: duckdb:///data/metrics.db,"
          + " postgresql://host/database?schema=tailrace_metrics&user=NAME&password=env:VAR."
          + " Required.")
  String getMetricsStore();

  void setMetricsStore(String uri);
}
