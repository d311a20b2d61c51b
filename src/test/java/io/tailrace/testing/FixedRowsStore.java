package io.tailrace.testing;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.FileBatch;
import io.tailrace.offline.OfflineStore;
import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * Stands in for an offline store where a test is about what is asked of it and what becomes of the
 * answer: a statement is answered by a function, which ignores SQL.
 */
public record FixedRowsStore(String uri, Answer answer) implements OfflineStore {
  /** Answers a statement. */
  public interface Answer extends Serializable {
    /** Returns the rows. */
    Table to(String sql, int limit) throws UnavailableException;
  }

  /** Returns a store that answers every statement with the same rows. */
  public static FixedRowsStore of(Table table) {
    return new FixedRowsStore("duckdb:///fixed.db", (sql, limit) -> table);
  }

  @Override
  public Table query(String sql, int limit) throws UnavailableException {
    return answer.to(sql, limit);
  }

  @Override
  public boolean separatesEnvironments() {
    return false;
  }

  @Override
  public void check() {}

  @Override
  public Connection connect() {
    return new Connection() {
      @Override
      public Map<FeatureTable, String> create(String environment, List<FeatureTable> tables) {
        return Map.of();
      }

      @Override
      public Inserted insert(FileBatch batch) {
        throw new UnsupportedOperationException("its rows are fixed");
      }

      @Override
      public void close() {}
    };
  }
}
