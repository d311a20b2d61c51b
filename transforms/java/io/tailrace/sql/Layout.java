package io.tailrace.sql;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.Optional;

/**
 * How a database should lay a new table out: wishes, which it may leave out. A table that is there
 * stays as it is. Immutable.
 *
 * @param partitions by what it is divided
 * @param indexes the columns of each index beside that of the key
 */
public record Layout(Optional<Partitions> partitions, List<List<String>> indexes) {
  /** No wish. */
  public static final Layout PLAIN = new Layout(Optional.empty(), List.of());

  /** How long a partition is. */
  public enum Span {
    DAY,
    MONTH
  }

  /**
   * By what a table is divided.
   *
   * @param column a {@link ColumnType#TIMESTAMP}, which belongs to the table's key
   * @param span what is in one partition, in UTC
   */
  public record Partitions(String column, Span span) {}

  /** Creates one. */
  public Layout {
    indexes = indexes.stream().<List<String>>map(ImmutableList::copyOf).toList();
  }

  /** Returns one that divides a table. */
  public Layout by(String column, Span span) {
    return new Layout(Optional.of(new Partitions(column, span)), indexes);
  }

  /** Returns one with another index. */
  public Layout index(String... columns) {
    return new Layout(
        partitions,
        ImmutableList.<List<String>>builder()
            .addAll(indexes)
            .add(ImmutableList.copyOf(columns))
            .build());
  }
}
