package io.tailrace.sql;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.Map;
import java.util.Set;

/**
 * What a database has under a name. Immutable.
 *
 * @param kind what it is
 * @param columns the type of each column, as the {@link Dialect} calls it
 * @param keys the columns of each key by which it keeps rows apart
 * @param comment its comment; empty: none
 */
public record FoundTable(
    Kind kind, Map<String, String> columns, Set<Set<String>> keys, String comment) {
  /** What has a name. */
  public enum Kind {
    TABLE,
    PARTITIONED,
    VIEW,
    OTHER
  }

  /** Creates one. */
  public FoundTable {
    columns = ImmutableMap.copyOf(columns);
    keys = ImmutableSet.copyOf(keys);
  }

  /** Returns whether it is a table, in partitions or not. */
  public boolean isTable() {
    return kind == Kind.TABLE || kind == Kind.PARTITIONED;
  }

  /** Returns what it says of itself; see {@link Label}. */
  public Map<String, String> said() {
    return Label.in(comment);
  }
}
