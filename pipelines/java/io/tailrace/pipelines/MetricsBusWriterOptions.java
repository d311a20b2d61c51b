package io.tailrace.pipelines;

import io.tailrace.metrics.MetricsStore;
import io.tailrace.metrics.MetricsStores;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.beam.sdk.options.Description;
import org.jspecify.annotations.Nullable;

/** Options of the {@link MetricsBusWriter}, beside those of Beam and of the runner. */
public interface MetricsBusWriterOptions extends WriterOptions {
  @Description("The bus with summaries of minutes, of the metrics-writer.")
  @Nullable String getMetricsBus();

  void setMetricsBus(@Nullable String uri);

  @Description("The store to write to.")
  @Nullable String getMetricsStore();

  void setMetricsStore(@Nullable String uri);

  /** What the options mean. */
  record Parsed(MetricsStore metricsStore) {}

  /** Looks at the options; what it returns is to be asked for when all are right. */
  static Supplier<Parsed> parse(MetricsBusWriterOptions options, OptionCheck check) {
    Optional<MetricsStore> store =
        check.endpoint("metricsStore", options.getMetricsStore(), MetricsStores.KINDS);
    store.ifPresent(it -> Workers.checkProcesses("metricsStore", it, options, check));
    return () -> new Parsed(store.orElseThrow());
  }
}
