package io.tailrace.metrics;

import com.google.protobuf.InvalidProtocolBufferException;
import io.tailrace.bus.BusMessage;
import io.tailrace.endpoint.Micros;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.FeatureSummary;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.Numbers;
import io.tailrace.v1.PublisherSummary;
import io.tailrace.v1.QuerySummary;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;

/**
 * Decodes a message of the metrics bus, and holds it against the rules of {@code
 * metrics_summary.proto} and against what every store can hold. Stateless and thread-safe.
 */
final class SummaryDecoder {
  /** A series can't have counted more in a minute: the counts of thousands of epochs add up. */
  static final long MAX_COUNT = 1L << 48;

  /** Texts of a series' key together, in bytes: PostgreSQL's indexes take some 2,700. */
  static final int MAX_KEY_BYTES = 2_000;

  private static final long MINUTE = 60_000_000L;
  private static final long FIRST_TIME = micros("0001-01-01T00:00:00Z");
  private static final long END_TIME = micros("+10000-01-01T00:00:00Z");

  private SummaryDecoder() {}

  private static long micros(String time) {
    return Micros.of(Instant.parse(time));
  }

  static PublishedSummary decode(BusMessage message) throws InvalidMessageException {
    MetricsSummary summary;
    try {
      summary = MetricsSummary.parseFrom(message.payload());
    } catch (InvalidProtocolBufferException e) {
      throw new InvalidMessageException(
          Reason.UNDECODABLE, "", "the bytes are not a MetricsSummary: " + e.getMessage());
    }
    check(summary);
    return new PublishedSummary(summary, message);
  }

  private static void check(MetricsSummary summary) throws InvalidMessageException {
    checkGiven("environment_id", !summary.getEnvironmentId().isEmpty());
    checkText("environment_id", summary.getEnvironmentId());
    if (summary.getMinute() % MINUTE != 0) {
      throw invalid("minute", summary.getMinute() + " µs is not the start of a minute");
    }
    checkTime("minute", summary.getMinute());
    checkGiven("epoch", summary.getEpoch() != 0);
    checkTime("epoch", summary.getEpoch());
    if (summary.getPane() < 0) {
      throw invalid("pane", Long.toUnsignedString(summary.getPane()) + " is not a pane's number");
    }
    if (summary.getTiming() == MetricsSummary.Timing.UNRECOGNIZED) {
      throw new InvalidMessageException(
          Reason.UNKNOWN_TYPE, "timing", summary.getTimingValue() + " is not a timing");
    }
    checkGiven("timing", summary.getTiming() != MetricsSummary.Timing.TIMING_UNSPECIFIED);
    switch (summary.getSeriesCase()) {
      case FEATURE -> check(summary.getEnvironmentId(), summary.getFeature());
      case QUERY -> check(summary.getEnvironmentId(), summary.getQuery());
      case PUBLISHER -> check(summary.getEnvironmentId(), summary.getPublisher());
      case SERIES_NOT_SET ->
          throw new InvalidMessageException(
              Reason.MISSING_FIELD, "series", "neither feature nor query nor publisher is set");
    }
  }

  private static void check(String environment, FeatureSummary feature)
      throws InvalidMessageException {
    checkText("feature.deployment_id", feature.getDeploymentId());
    checkText("feature.feature", feature.getFeature());
    checkText("feature.resolver_fqn", feature.getResolverFqn());
    checkKey(
        environment, feature.getDeploymentId(), feature.getFeature(), feature.getResolverFqn());
    if (feature.getOverflow()) {
      checkUnnamed("feature.feature", feature.getFeature());
    } else {
      checkGiven("feature.feature", !feature.getFeature().isEmpty());
    }
    checkCount("feature.computed", feature.getComputed());
    checkCount("feature.nulls", feature.getNulls());
    checkCount("feature.served_online", feature.getServedOnline());
    checkCount("feature.served_offline", feature.getServedOffline());
    checkCount("feature.non_finite", feature.getNonFinite());
    checkCount("feature.zeros", feature.getZeros());
    checkCount("feature.defaults_used", feature.getDefaultsUsed());
    checkCount("feature.given", feature.getGiven());
    if (feature.hasValues()) {
      check("feature.values", feature.getValues(), feature.getOverflow());
    }
    if (feature.hasStalenessMillis()) {
      check("feature.staleness_millis", feature.getStalenessMillis(), feature.getOverflow());
      if (feature.getStalenessMillis().getMin() < 0) {
        throw invalid("feature.staleness_millis.min", "values can't be staler than never");
      }
    }
    checkParts(
        "feature.computed",
        feature.getComputed(),
        feature.getNulls() + feature.getNonFinite() + feature.getValues().getCount(),
        "nulls, non_finite and values.count");
    checkParts(
        "feature.computed",
        feature.getComputed(),
        feature.getNulls() + feature.getNonFinite() + feature.getZeros(),
        "nulls, non_finite and zeros");
    checkParts(
        "feature.staleness_millis.count",
        feature.getServedOnline() + feature.getServedOffline(),
        feature.getStalenessMillis().getCount(),
        "staleness_millis.count");
  }

  private static void check(String environment, QuerySummary query) throws InvalidMessageException {
    checkText("query.query_name", query.getQueryName());
    checkKey(environment, query.getQueryName());
    if (query.getOverflow()) {
      checkUnnamed("query.query_name", query.getQueryName());
    }
    checkCount("query.executions", query.getExecutions());
    checkCount("query.failures", query.getFailures());
    checkCount("query.partial", query.getPartial());
    checkParts(
        "query.executions",
        query.getExecutions(),
        query.getFailures() + query.getPartial(),
        "failures and partial");
    if (query.hasLatencyMillis()) {
      check("query.latency_millis", query.getLatencyMillis(), query.getOverflow());
      checkParts(
          "query.latency_millis.count",
          query.getExecutions(),
          query.getLatencyMillis().getCount(),
          "latency_millis.count");
    }
  }

  private static void check(String environment, PublisherSummary publisher)
      throws InvalidMessageException {
    checkText("publisher.publisher_id", publisher.getPublisherId());
    checkKey(environment, publisher.getPublisherId());
    if (publisher.getOverflow()) {
      checkUnnamed("publisher.publisher_id", publisher.getPublisherId());
    } else {
      checkGiven("publisher.publisher_id", !publisher.getPublisherId().isEmpty());
    }
    checkCount("publisher.results", publisher.getResults());
    checkGiven("publisher.results", publisher.getResults() > 0);
    if (publisher.getLeast() < 0 || publisher.getGreatest() < publisher.getLeast()) {
      throw invalid(
          "publisher.least",
          "least "
              + Long.toUnsignedString(publisher.getLeast())
              + " and greatest "
              + Long.toUnsignedString(publisher.getGreatest())
              + " are no range of numbers up to "
              + Long.MAX_VALUE);
    }
  }

  private static void check(String field, Numbers numbers, boolean overflow)
      throws InvalidMessageException {
    checkCount(field + ".count", numbers.getCount());
    checkGiven(field + ".count", numbers.getCount() > 0);
    if (Double.isNaN(numbers.getSum())) {
      throw invalid(field + ".sum", "it is not a number");
    }
    if (!Double.isFinite(numbers.getMin())
        || !Double.isFinite(numbers.getMax())
        || numbers.getMin() > numbers.getMax()) {
      throw invalid(
          field + ".min",
          "min " + numbers.getMin() + " and max " + numbers.getMax() + " are no range of numbers");
    }
    if (overflow && numbers.getKllSketch().isEmpty()) {
      return;
    }
    checkGiven(field + ".kll_sketch", !numbers.getKllSketch().isEmpty());
    Optional<String> problem =
        QuantileSketch.problem(
            numbers.getKllSketch(), numbers.getCount(), numbers.getMin(), numbers.getMax());
    if (problem.isPresent()) {
      throw invalid(field + ".kll_sketch", problem.get());
    }
  }

  private static void checkGiven(String field, boolean given) throws InvalidMessageException {
    if (!given) {
      throw new InvalidMessageException(Reason.MISSING_FIELD, field, field + " is missing");
    }
  }

  private static void checkUnnamed(String field, String name) throws InvalidMessageException {
    if (!name.isEmpty()) {
      throw invalid(field, "an overflow series is of no single one, and must not name one");
    }
  }

  private static void checkText(String field, String text) throws InvalidMessageException {
    if (text.indexOf(0) >= 0) {
      throw invalid(field, "it has a character with the code 0, which stores can't hold");
    }
  }

  private static void checkKey(String... texts) throws InvalidMessageException {
    int bytes = 0;
    for (String text : texts) {
      bytes += text.getBytes(StandardCharsets.UTF_8).length;
    }
    if (bytes > MAX_KEY_BYTES) {
      throw invalid(
          "series", "its names have " + bytes + " bytes together, more than " + MAX_KEY_BYTES);
    }
  }

  private static void checkTime(String field, long micros) throws InvalidMessageException {
    if (micros < FIRST_TIME || micros >= END_TIME) {
      throw invalid(field, micros + " µs is not in the years 1 to 9999");
    }
  }

  private static void checkCount(String field, long count) throws InvalidMessageException {
    if (count < 0 || count > MAX_COUNT) {
      throw invalid(
          field, Long.toUnsignedString(count) + " is more than a minute can have: " + MAX_COUNT);
    }
  }

  private static void checkParts(String field, long whole, long parts, String names)
      throws InvalidMessageException {
    if (parts > whole) {
      throw invalid(field, names + " are " + parts + " of " + whole);
    }
  }

  private static InvalidMessageException invalid(String field, String message) {
    return new InvalidMessageException(Reason.INVALID_VALUE, field, field + ": " + message);
  }
}
