package io.tailrace.pipelines.local.proof;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStores;
import io.tailrace.online.OnlineReader;
import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.traffic.SampleMessage;
import io.tailrace.v1.QueryResult;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What all stores of a {@link LocalStack} must hold. Not thread-safe, but for {@link #taken}. */
public final class StoreModels {
  private static final Pattern SCHEMA = Pattern.compile("[?&]schema=([^&]*)");

  private final OnlineModel online = new OnlineModel();
  private final OfflineModel offline = new OfflineModel();
  private final MetricsModel metrics = new MetricsModel();

  /**
   * Adds a message that is published.
   *
   * @param publishedAt microseconds since the epoch
   */
  public void add(SampleMessage message, long publishedAt) {
    if (message.decodable()) {
      online.add(message.result(), publishedAt);
      offline.add(message.result(), publishedAt);
    } else {
      online.addRefused(message.result());
      offline.addRefused(message.result());
    }
  }

  /**
   * Adds a result that is written as files and loaded from there.
   *
   * @param publishedAt when its message is published, in microseconds since the epoch
   */
  public void addLoaded(QueryResult result, long publishedAt) {
    var unused = offline.addLoaded(result, publishedAt);
  }

  /**
   * Adds a message that the bus has taken, in any thread.
   *
   * @param takenAt the message's time on the bus, in microseconds since the epoch
   */
  public void taken(SampleMessage message, long takenAt) {
    if (message.decodable()) {
      synchronized (metrics) {
        metrics.add(message.result(), takenAt);
      }
    }
  }

  /**
   * Returns whether the metrics store holds every observation, as it does some seconds after the
   * last result.
   *
   * @throws UnavailableException also before the first summary is stored, as there are no tables
   */
  public boolean metricsAreThere(String metricsStore) throws UnavailableException {
    synchronized (metrics) {
      return MetricsModel.observations(OfflineStores.at(metricsStore).reader())
          >= metrics.observations();
    }
  }

  /** Reads every store of a stack back and compares it. */
  public List<ComparedStore> compare(LocalStack stack) throws UnavailableException {
    return List.of(
        compareOnline(stack.onlineStore()),
        compareOffline(stack.offlineStore()),
        compareMetrics(stack.metricsStore()));
  }

  /** Reads an online store back and compares it. */
  public ComparedStore compareOnline(String uri) throws UnavailableException {
    try (OnlineReader reader = OnlineReader.open(uri)) {
      OnlineModel.Comparison cells = online.compare(reader, Instant.now());
      return compared(
          text(
              "%,d entities and %,d features read back from the store",
              cells.entities(), cells.features()),
          cells.features(),
          cells.departures(),
          cells.first());
    }
  }

  /** Reads an offline store back and compares it. */
  public ComparedStore compareOffline(String uri) throws UnavailableException {
    OfflineModel.Comparison tables =
        offline.compare(OfflineStores.at(uri).reader(), environment -> schema(uri, environment));
    return compared(
        text(
            "%,d tables and %,d rows read back from the offline store",
            tables.tablesFound(), tables.rows()),
        tables.rows(),
        tables.departures(),
        tables.first());
  }

  /** Reads a metrics store back and compares it. */
  public ComparedStore compareMetrics(String uri) throws UnavailableException {
    synchronized (metrics) {
      MetricsModel.Comparison series = metrics.compare(OfflineStores.at(uri).reader());
      return compared(
          text("%,d series and minutes read back from the metrics store", series.series()),
          series.series(),
          series.departures(),
          series.first());
    }
  }

  private static ComparedStore compared(
      String read, long stored, Map<Departure, Long> departures, List<?> first) {
    return new ComparedStore(
        read, stored, departures, first.stream().map(Object::toString).toList());
  }

  /** Returns the schema of an environment, as the URI names it; sample environments are plain. */
  public static String schema(String store, String environment) {
    Matcher schema = SCHEMA.matcher(store);
    return schema.find() ? schema.group(1).replace("{environment}", environment) : "tailrace";
  }

  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
