package io.tailrace.metrics;

import io.tailrace.v1.FeatureSummary;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.PublisherSummary;
import io.tailrace.v1.QuerySummary;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The rule which of the summaries of one series, minute and epoch stands: the one that counts more,
 * and if they count the same the one with the greater pane. Stateless and thread-safe.
 *
 * <p>As a maximum it does not depend on the order, the repetition or the grouping of summaries.
 * Tables say the same in SQL; see {@link MetricsTable#upsert}.
 */
public final class SummaryOrder {
  /** Which of two summaries with one key stands: the greater. */
  private static final Comparator<MetricsSummary> STANDS =
      Comparator.comparingLong(SummaryOrder::counted).thenComparingLong(MetricsSummary::getPane);

  /** Groups by key, and is the order in which all writers lock rows. */
  private static final Comparator<MetricsSummary> BY_KEY =
      Comparator.comparingInt((MetricsSummary summary) -> summary.getSeriesCase().getNumber())
          .thenComparingLong(MetricsSummary::getMinute)
          .thenComparing(MetricsSummary::getEnvironmentId)
          .thenComparing(MetricsSummary::getFeature, byFeature())
          .thenComparing(MetricsSummary::getQuery, byQuery())
          .thenComparing(MetricsSummary::getPublisher, byPublisher())
          .thenComparingLong(MetricsSummary::getEpoch);

  private SummaryOrder() {}

  private static Comparator<FeatureSummary> byFeature() {
    return Comparator.comparing(FeatureSummary::getFeature)
        .thenComparing(FeatureSummary::getResolverFqn)
        .thenComparing(FeatureSummary::getDeploymentId)
        .thenComparing(FeatureSummary::getOverflow);
  }

  private static Comparator<QuerySummary> byQuery() {
    return Comparator.comparing(QuerySummary::getQueryName)
        .thenComparing(QuerySummary::getOverflow);
  }

  private static Comparator<PublisherSummary> byPublisher() {
    return Comparator.comparing(PublisherSummary::getPublisherId)
        .thenComparing(PublisherSummary::getOverflow);
  }

  /** Returns how much a summary counts. */
  static long counted(MetricsSummary summary) {
    if (summary.hasQuery()) {
      return summary.getQuery().getExecutions();
    }
    if (summary.hasPublisher()) {
      return summary.getPublisher().getResults();
    }
    FeatureSummary feature = summary.getFeature();
    return feature.getComputed()
        + feature.getServedOnline()
        + feature.getServedOffline()
        + feature.getDefaultsUsed()
        + feature.getGiven();
  }

  /**
   * Returns of each series, minute and epoch the one summary that stands, sorted by key: those of
   * features before those of queries and of publishers, each by minute.
   */
  public static List<MetricsSummary> fold(Iterable<MetricsSummary> summaries) {
    SortedMap<MetricsSummary, MetricsSummary> standing = new TreeMap<>(BY_KEY);
    for (MetricsSummary summary : summaries) {
      standing.merge(
          summary, summary, (one, other) -> STANDS.compare(one, other) < 0 ? other : one);
    }
    return List.copyOf(standing.values());
  }
}
