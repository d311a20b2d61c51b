package io.tailrace.metrics;

import io.tailrace.endpoint.Endpoint;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.v1.MetricsSummary;
import java.util.List;

/**
 * A kind of metrics store at an address. Immutable and serializable.
 *
 * <p>A store implements it in a folder of its own, with one line in {@code MetricsStores}.
 */
public interface MetricsStore extends Endpoint {
  /** Opens a connection, which is for one thread. */
  default Connection connect() {
    return connect(MetricsTable.ALL);
  }

  /**
   * Opens a connection to other tables, such as those of a later version, which have more columns:
   * where the store's tables lack these, they get them. Connections of both versions may be used at
   * once; what the earlier one writes has null in columns that it does not know, and where it
   * replaces a row, these stay as they are.
   */
  Connection connect(List<MetricsTable> tables);

  /** A connection to the store; not thread-safe. Connects anew by itself when it breaks. */
  interface Connection extends AutoCloseable {
    /**
     * Writes summaries, creating the tables and views that are missing. Of the summaries of one
     * series, minute and epoch, the one stands that counts most, whatever the order, the repetition
     * and the number of writers; see {@code metrics_summary.proto}. When it returns, they are
     * durable and readable.
     *
     * <p>May be repeated with the same summaries, and by others at the same time. When it throws,
     * any of them may have been written.
     *
     * @param summaries valid ones; a series may be among them more than once
     * @return for how many of them the store changed
     * @throws UnavailableException if the store can't be used now
     */
    int write(List<MetricsSummary> summaries) throws UnavailableException;

    @Override
    void close();
  }
}
