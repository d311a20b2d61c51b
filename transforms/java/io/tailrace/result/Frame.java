package io.tailrace.result;

import java.util.List;

/**
 * The values of one namespace: rows are entities, columns are features. Immutable.
 *
 * @param namespace the namespace; never empty
 * @param keys the primary key of each row
 * @param columns one for each feature
 */
public record Frame(String namespace, PrimaryKeys keys, List<Column> columns) {
  /** Returns the number of rows. */
  public int rows() {
    return keys.count();
  }
}
