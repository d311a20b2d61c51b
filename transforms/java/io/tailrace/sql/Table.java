package io.tailrace.sql;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A table as somebody wants it to be, whatever the database. A value: a later version's table is
 * the same list of columns with another entry. Immutable.
 *
 * @param name its name within its schema
 * @param columns in their order
 * @param key what keeps its rows apart
 * @param label whose it is, which its comment says; empty: it says nothing
 * @param layout how it should be laid out when it is created
 */
public record Table(
    String name, List<Column> columns, Key key, Optional<Label> label, Layout layout) {
  /** Creates one. */
  public Table {
    columns = ImmutableList.copyOf(columns);
  }

  /** Creates one without label and layout. */
  public Table(String name, List<Column> columns, Key key) {
    this(name, columns, key, Optional.empty(), Layout.PLAIN);
  }

  /** Returns this table, laid out in another way. */
  public Table laidOut(Layout other) {
    return new Table(name, columns, key, label, other);
  }

  /** Returns the names of the columns, as they stand in a statement. */
  public String names() {
    return columns.stream().map(Column::name).collect(Collectors.joining(", "));
  }
}
