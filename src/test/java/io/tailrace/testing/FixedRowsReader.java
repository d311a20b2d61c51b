package io.tailrace.testing;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;

/**
 * Stands in for the reader of an offline store where a test is about what is asked of it and what
 * becomes of the answer: a statement is answered by a function, which ignores SQL.
 */
public record FixedRowsReader(String uri, Answer answer) implements OfflineReader {
  /** Answers a statement. */
  public interface Answer {
    /** Returns the rows. */
    Table to(String sql, int limit) throws UnavailableException;
  }

  /** Returns a reader that answers every statement with the same rows. */
  public static FixedRowsReader of(Table table) {
    return new FixedRowsReader("duckdb:///fixed.db", (sql, limit) -> table);
  }

  @Override
  public Table query(String sql, int limit) throws UnavailableException {
    return answer.to(sql, limit);
  }
}
