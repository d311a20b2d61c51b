package io.tailrace.metrics;

import io.tailrace.endpoint.Micros;
import io.tailrace.stage.StageCounters;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.MetricsSummary.Timing;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.windowing.IntervalWindow;
import org.apache.beam.sdk.transforms.windowing.PaneInfo;
import org.apache.beam.sdk.values.KV;

/** Makes the message of a series, a minute and a pane. */
final class DescribeSeries extends DoFn<KV<SeriesKey, Tally>, MetricsSummary> {
  private static final long serialVersionUID = 1;

  /** What this part of the stage counts. */
  static final class Counts extends StageCounters {
    private static final long serialVersionUID = 1;

    final Count published =
        count("summaries_published", "messages", "summaries handed to the metrics bus");

    Counts() {
      super(SummarizeResults.STAGE);
    }
  }

  private final Counts counts = new Counts();

  @StartBundle
  public void startBundle() {
    counts.clear();
  }

  /** Puts the message out. */
  @ProcessElement
  public void describe(
      @Element KV<SeriesKey, Tally> series,
      IntervalWindow window,
      PaneInfo pane,
      OutputReceiver<MetricsSummary> out) {
    counts.published.add(1);
    out.output(
        series
            .getValue()
            .summary(series.getKey())
            .setMinute(Micros.ofMillis(window.start().getMillis()))
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
    counts.flush();
  }
}
