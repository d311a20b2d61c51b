package io.tailrace.parquet;

import static java.util.Objects.requireNonNull;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * A row of the log of queries: its values by column, of which {@link QueryLog} is the list. A null
 * is left out. Immutable.
 *
 * @param texts the texts, by the names of their columns
 * @param times the times, in microseconds since the epoch
 * @param lists the lists of texts
 */
public record QueryRow(
    Map<String, String> texts, Map<String, Long> times, Map<String, List<String>> lists) {
  /** Copies the maps. */
  public QueryRow {
    texts = Map.copyOf(texts);
    times = Map.copyOf(times);
    lists = Map.copyOf(lists);
  }

  /** Returns the unique id of the execution. */
  public String operationId() {
    return requireNonNull(texts.get(QueryLog.KEY));
  }

  /** Returns what kind of query it was, such as {@code ONLINE_QUERY}. */
  public String operationKind() {
    return requireNonNull(texts.get("operation_kind"));
  }

  /** Returns how the query ended, such as {@code SUCCEEDED}. */
  public String status() {
    return requireNonNull(texts.get("query_status"));
  }

  /** Returns when the query was asked. */
  public long queryTimestamp() {
    return requireNonNull(times.get(QueryLog.TIME));
  }

  /** Returns when execution began; absent for a query that failed early. */
  public OptionalLong executionStartedAt() {
    return time("execution_started_at");
  }

  /** Returns when execution ended; absent for a query that failed early. */
  public OptionalLong executionFinishedAt() {
    return time("execution_finished_at");
  }

  private OptionalLong time(String column) {
    Long time = times.get(column);
    return time == null ? OptionalLong.empty() : OptionalLong.of(time);
  }

  /** Returns the tables that hold the query's values. */
  public List<String> valueTables() {
    return requireNonNull(lists.get(QueryLog.TABLES));
  }

  /** Returns the same query, whose values are in other tables. */
  public QueryRow withTables(List<String> tables) {
    Map<String, List<String>> changed = new HashMap<>(lists);
    changed.put(QueryLog.TABLES, List.copyOf(tables));
    return new QueryRow(texts, times, changed);
  }
}
