package io.tailrace.pipelines;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusFacts;
import io.tailrace.endpoint.Durations;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.beam.sdk.options.Default;
import org.apache.beam.sdk.options.Description;
import org.jspecify.annotations.Nullable;

/** Options of the {@link MetricsWriter}, beside those of Beam and of the runner. */
public interface MetricsWriterOptions extends ResultBusOptions {
  @Description("The bus for summaries, which the metrics-bus-writer reads.")
  @Nullable String getMetricsBus();

  void setMetricsBus(@Nullable String uri);

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
  @Nullable String getDeduplicate();

  void setDeduplicate(@Nullable String duration);

  /**
   * What the options mean.
   *
   * @param deduplicate for how long to remember results; empty: not at all
   */
  record Parsed(Bus metricsBus, int maxSeries, Times times, Optional<Duration> deduplicate) {
    /**
     * Lengths of time.
     *
     * @param busRetention for how long the result bus keeps messages
     */
    record Times(Duration allowedLateness, Duration updateInterval, Duration busRetention) {}
  }

  /** Looks at the options; what it returns is to be asked for when all are right. */
  static Supplier<Parsed> parse(MetricsWriterOptions options, OptionCheck check) {
    Optional<Bus> summaries = check.writable("metricsBus", options.getMetricsBus());
    Optional<Integer> maxSeries =
        check.required("maxSeries", options.getMaxSeries(), TextForm.COUNT);
    Optional<Duration> lateness =
        check.required("allowedLateness", options.getAllowedLateness(), TextForm.DURATION_OR_ZERO);
    Optional<Duration> interval = check.duration("updateInterval", options.getUpdateInterval());
    Optional<Duration> deduplicate =
        check.optional("deduplicate", options.getDeduplicate(), TextForm.DURATION_OR_ZERO);
    return () ->
        new Parsed(
            summaries.orElseThrow(),
            maxSeries.orElseThrow(),
            new Parsed.Times(
                lateness.orElseThrow(),
                interval.orElseThrow(),
                check.facts("resultBus").flatMap(BusFacts::retention).orElse(Durations.LONGEST)),
            deduplicate.filter(it -> !it.isZero()));
  }
}
