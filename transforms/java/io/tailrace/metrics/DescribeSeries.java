package io.tailrace.metrics;

import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.MetricsSummary.Timing;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.windowing.IntervalWindow;
import org.apache.beam.sdk.transforms.windowing.PaneInfo;
import org.apache.beam.sdk.values.KV;

/** Makes the message of a series, a minute and a pane. */
final class DescribeSeries extends DoFn<KV<SeriesKey, Tally>, MetricsSummary> {
  private static final long serialVersionUID = 1;

  private final Counter published = Metrics.counter(SummarizeResults.STAGE, "summaries_published");
  private transient long inBundle;

  @StartBundle
  public void startBundle() {
    inBundle = 0;
  }

  /** Puts the message out. */
  @ProcessElement
  public void describe(
      @Element KV<SeriesKey, Tally> series,
      IntervalWindow window,
      PaneInfo pane,
      OutputReceiver<MetricsSummary> out) {
    inBundle++;
    out.output(
        series
            .getValue()
            .summary(series.getKey())
            .setMinute(window.start().getMillis() * 1_000)
            .setPane(pane.getIndex())
            .setTiming(
                switch (pane.getTiming()) {
                  case EARLY -> Timing.EARLY;
                  case ON_TIME, UNKNOWN -> Timing.ON_TIME;
                  case LATE -> Timing.LATE;
                })
            .build());
  }

  @FinishBundle
  public void finishBundle() {
    published.inc(inBundle);
  }
}
