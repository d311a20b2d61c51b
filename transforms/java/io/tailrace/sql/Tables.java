package io.tailrace.sql;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What is to be done so that a schema has the tables that are wanted, and what is in the way.
 * Nothing is ever changed but by adding to it. Immutable.
 *
 * @param missing tables to be created; of several with one name, the first: when it is there, the
 *     others are compared with it
 * @param additions columns to be added
 * @param comments tables whose comment does not say all that is known of them
 * @param conflicts tables that are there and are not those that are wanted, with every reason
 */
public record Tables(
    List<Table> missing,
    List<Addition> additions,
    List<Comment> comments,
    Map<Table, List<Conflict>> conflicts) {
  /** Columns that a table lacks; absent ones are null. */
  public record Addition(Table table, List<Column> columns) {}

  /** A comment to be given to a table. */
  public record Comment(Table table, String text) {}

  /** Creates one. */
  public Tables {
    missing = ImmutableList.copyOf(missing);
    additions = ImmutableList.copyOf(additions);
    comments = ImmutableList.copyOf(comments);
    conflicts = ImmutableMap.copyOf(conflicts);
  }

  /**
   * Compares what is wanted with what is there.
   *
   * @param found what is there, by name
   */
  public static Tables compare(
      Dialect dialect, Collection<Table> wanted, Map<String, FoundTable> found) {
    Map<String, Table> missing = new LinkedHashMap<>();
    Map<String, Addition> additions = new LinkedHashMap<>();
    Map<String, Comment> comments = new LinkedHashMap<>();
    Map<Table, List<Conflict>> conflicts = new LinkedHashMap<>();
    for (Table table : wanted) {
      FoundTable there = found.get(table.name());
      if (there == null) {
        missing.putIfAbsent(table.name(), table);
        continue;
      }
      List<Conflict> differences = conflicts(dialect, table, there);
      if (!differences.isEmpty()) {
        conflicts.put(table, differences);
        continue;
      }
      List<Column> lacking =
          table.columns().stream()
              .filter(column -> !there.columns().containsKey(column.name()))
              .toList();
      if (!lacking.isEmpty()) {
        additions.putIfAbsent(table.name(), new Addition(table, lacking));
      }
      table
          .label()
          .map(label -> label.in(there.comment(), there.said()))
          .filter(comment -> !Label.in(comment).equals(there.said()))
          .ifPresent(comment -> comments.putIfAbsent(table.name(), new Comment(table, comment)));
    }
    return new Tables(
        List.copyOf(missing.values()),
        List.copyOf(additions.values()),
        List.copyOf(comments.values()),
        conflicts);
  }

  /** Returns whether nothing is to be done, or can be. */
  public boolean areDone() {
    return missing.isEmpty() && additions.isEmpty() && comments.isEmpty();
  }

  private static List<Conflict> conflicts(Dialect dialect, Table wanted, FoundTable there) {
    if (!there.isTable()) {
      return List.of(new Conflict(Conflict.Kind.NO_TABLE, "", "", "a table"));
    }
    if (wanted.label().isPresent() && !wanted.label().get().fits(there.said())) {
      return List.of(
          new Conflict(
              Conflict.Kind.OWNER,
              "",
              there.said().toString(),
              wanted.label().get().owner().toString()));
    }
    List<Conflict> conflicts = new ArrayList<>();
    for (Column column : wanted.columns()) {
      String type = there.columns().get(column.name());
      String wantedType = dialect.type(column.type());
      if (type == null ? !column.isOptional() : !type.equals(wantedType)) {
        conflicts.add(
            new Conflict(
                Conflict.Kind.COLUMN, column.name(), type == null ? "" : type, wantedType));
      }
    }
    Key key = wanted.key();
    if (!key.isNone() && there.keys().stream().noneMatch(key::isKeptBy)) {
      conflicts.add(new Conflict(Conflict.Kind.KEY, "", "", String.join(", ", key.columns())));
    }
    return conflicts;
  }

  /** Returns the conflicts of a table as a part of a sentence. */
  public static String sentence(List<Conflict> conflicts) {
    return conflicts.stream().map(Conflict::toString).collect(Collectors.joining(" and "));
  }
}
