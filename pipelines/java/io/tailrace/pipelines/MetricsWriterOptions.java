package io.tailrace.pipelines;

import org.apache.beam.sdk.options.Default;
import org.apache.beam.sdk.options.Description;

/** Options of the {@link MetricsWriter}. */
public interface MetricsWriterOptions extends WriterOptions {
  @Description("The bus with query results: kafka://host:9092,host:9092/topic. Required.")
  String getResultBus();

  void setResultBus(String uri);

  @Description(
      "The bus for summaries, which the metrics-bus-writer reads: kafka://host:9092/topic. Required.")
  String getMetricsBus();

  void setMetricsBus(String uri);

  @Description(
      "How many series of features, and how many of queries, to keep apart in an environment and a"
          + " minute; those that come after are counted together, in a series that says so.")
  @Default.String("10000")
  String getMaxSeries();

  void setMaxSeries(String number);

  @Description(
      "How late results may come, by their publish time, and still be counted. State is kept for so"
          + " long.")
  @Default.String("10m")
  String getAllowedLateness();

  void setAllowedLateness(String duration);

  @Description("How often the summary of a minute is published while it changes.")
  @Default.String("5s")
  String getUpdateInterval();

  void setUpdateInterval(String duration);

  @Description(
      "Count a result that is published again within this time once: 10m. It costs a shuffle of"
          + " results, and state for each of them. Default: not at all.")
  String getDeduplicate();

  void setDeduplicate(String duration);
}
