package io.tailrace.offline;

import com.google.common.collect.ImmutableList;
import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.offline.Catalog.Difference;
import io.tailrace.parquet.TableNames;
import io.tailrace.sql.Dialect;
import io.tailrace.sql.FoundTable;
import io.tailrace.sql.Table;
import io.tailrace.sql.Tables;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What is to be done so that an environment has the tables that are wanted. Immutable.
 *
 * @param tables what is to be created and added
 * @param rows what {@link ListedTable#LIST} is to say where it does not
 * @param conflicts tables that are there and can't hold what is wanted
 */
public record TablePlan(Tables tables, List<ListedTable> rows, List<Conflict> conflicts) {
  /** Columns whose type is that of a feature. */
  private static final Set<String> TYPED = Set.of("pkey", "value");

  /** Creates one. */
  public TablePlan {
    rows = ImmutableList.copyOf(rows);
    conflicts = ImmutableList.copyOf(conflicts);
  }

  /**
   * Compares what is wanted with what is there. A table that does not say whose it is, as the first
   * version made it, is that of the feature that the list names, or else of whoever asks first.
   *
   * @param wanted the table of each feature
   * @param others the other tables of an environment
   * @param found what is there, by name
   * @param listed what the list says, by the name of the table
   */
  public static TablePlan of(
      Dialect dialect,
      Map<FeatureTable, Table> wanted,
      List<Table> others,
      Map<String, FoundTable> found,
      Map<String, ListedTable> listed) {
    List<Conflict> conflicts = new ArrayList<>();
    Map<FeatureTable, Table> free = new LinkedHashMap<>();
    wanted.forEach(
        (feature, table) -> {
          ListedTable row = listed.get(table.name());
          FoundTable there = found.get(table.name());
          if (row != null && there != null && there.said().isEmpty() && !row.isOf(feature)) {
            conflicts.add(taken(feature, row));
          } else {
            free.put(feature, table);
          }
        });
    List<Table> compared = new ArrayList<>(others);
    compared.addAll(free.values());
    Tables tables = Tables.compare(dialect, compared, found);
    Map<String, ListedTable> rows = new LinkedHashMap<>();
    free.forEach(
        (feature, table) -> {
          FoundTable there = found.get(table.name());
          Map<String, String> said = there == null ? Map.of() : there.said();
          List<io.tailrace.sql.Conflict> differences =
              tables.conflicts().getOrDefault(table, List.of());
          if (differences.isEmpty()) {
            said = table.label().orElseThrow().over(said);
          } else {
            conflicts.add(conflict(feature, differences, ListedTable.of(table.name(), said)));
          }
          ListedTable row = ListedTable.of(table.name(), said);
          if (!said.isEmpty() && !row.equals(listed.get(table.name()))) {
            rows.putIfAbsent(table.name(), row);
          }
        });
    for (Table other : others) {
      if (other.name().equals(TableNames.QUERY_LOG) && tables.conflicts().containsKey(other)) {
        conflicts.add(
            Conflict.ofTable(FeatureTable.LOG, Tables.sentence(tables.conflicts().get(other))));
      }
    }
    // A list of somebody else's is left alone: it is only a copy.
    boolean isOurs = !tables.conflicts().containsKey(ListedTable.LIST);
    return new TablePlan(tables, isOurs ? List.copyOf(rows.values()) : List.of(), conflicts);
  }

  private static Conflict taken(FeatureTable feature, ListedTable other) {
    return Conflict.ofOwner(feature, other.namespace(), other.name());
  }

  private static Conflict conflict(
      FeatureTable feature, List<io.tailrace.sql.Conflict> differences, ListedTable said) {
    if (differences.get(0).kind() == io.tailrace.sql.Conflict.Kind.OWNER) {
      return taken(feature, said);
    }
    List<Difference> named =
        differences.stream()
            .map(
                each ->
                    each.kind() == io.tailrace.sql.Conflict.Kind.COLUMN
                        ? new Difference(each.column(), each.found(), each.wanted())
                        : Difference.ofTable(each.toString()))
            .toList();
    boolean isOfTypes =
        named.stream().allMatch(each -> TYPED.contains(each.column()) && !each.found().isEmpty());
    return new Conflict(feature, isOfTypes ? Reason.TYPE_CHANGED : Reason.TABLE_REFUSES, named);
  }
}
