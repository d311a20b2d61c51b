package io.tailrace.sql;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The primary key of a table. Immutable.
 *
 * @param columns its columns; none: the database does not keep rows apart
 * @param time a column that the others determine, and by which the table may be divided: databases
 *     want it in the key of a table that is
 */
public record Key(List<String> columns, Optional<String> time) {
  /** No key. */
  public static final Key NONE = new Key(List.of(), Optional.empty());

  /** Creates one. */
  public Key {
    columns = ImmutableList.copyOf(columns);
  }

  /** Returns the key of some columns. */
  public static Key of(String... columns) {
    return new Key(Arrays.asList(columns), Optional.empty());
  }

  /** Returns one whose columns determine another, by which the table may be divided. */
  public Key determining(String column) {
    return new Key(columns, Optional.of(column));
  }

  /** Returns whether there is no key. */
  public boolean isNone() {
    return columns.isEmpty();
  }

  /** Returns whether rows that differ in some columns differ in this key, and no others do. */
  boolean isKeptBy(Set<String> other) {
    Set<String> more = new HashSet<>(other);
    columns.forEach(more::remove);
    time.ifPresent(more::remove);
    return more.isEmpty() && other.containsAll(columns);
  }
}
