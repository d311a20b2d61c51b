package io.tailrace.parquet;

import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The one reader of files of queries, whoever wrote them: what it can't read of a row exactly is
 * the row's fault. Not thread-safe.
 */
final class QueryReader {
  private final QueryLog log;
  private final Set<String> absent;
  private final RowFaults faults;
  private final Map<QueryLog.Column, FileColumns.ColumnTaker> takers = new LinkedHashMap<>();

  /**
   * Creates one.
   *
   * @param absent names of columns of the file that count as absent
   * @param faults takes the rows that can't be read
   */
  QueryReader(QueryLog log, Set<String> absent, RowFaults faults) {
    this.log = log;
    this.absent = absent;
    this.faults = faults;
  }

  /**
   * Reads the rows, as they come; the columns of the file have been checked. Rows with a fault are
   * empty.
   */
  List<Optional<QueryRow>> read(FileColumns file, String environment) throws IOException {
    int count = file.rowCount();
    DecodeBudget budget = DecodeBudget.ofFile();
    Map<String, FileColumns.ColumnTaker> byName = new LinkedHashMap<>();
    for (QueryLog.Column column : log.columns()) {
      String name = column.name();
      if (file.has(name) && !absent.contains(name)) {
        FileColumns.ColumnTaker taker =
            switch (column.type()) {
              case TEXT -> new TextColumn(name, budget, column.required(), faults);
              case TIMESTAMP -> new NumberColumn(name, count, column.required(), faults);
              case TEXTS -> new TextListColumn(name, budget, column.required(), faults);
            };
        takers.put(column, taker);
        byName.put(name, taker);
      }
    }
    file.read(byName);
    List<Optional<QueryRow>> rows = new ArrayList<>(count);
    for (int row = 0; row < count; row++) {
      QueryRow query = row(row);
      if (!faults.contains(row)) {
        check(row, query, environment);
      }
      rows.add(faults.contains(row) ? Optional.empty() : Optional.of(query));
    }
    return rows;
  }

  private QueryRow row(int row) {
    Map<String, String> texts = new HashMap<>();
    Map<String, Long> times = new HashMap<>();
    Map<String, List<String>> lists = new HashMap<>();
    for (Map.Entry<QueryLog.Column, FileColumns.ColumnTaker> taker : takers.entrySet()) {
      String name = taker.getKey().name();
      if (taker.getValue() instanceof TextColumn column) {
        // In an optional column, empty is absent.
        if (taker.getKey().required() || !column.orEmpty(row).isEmpty()) {
          texts.put(name, column.orEmpty(row));
        }
      } else if (taker.getValue() instanceof NumberColumn column) {
        column.at(row).ifPresent(time -> times.put(name, time));
      } else if (taker.getValue() instanceof TextListColumn column) {
        column.lists.get(row).ifPresent(list -> lists.put(name, list));
      }
    }
    return new QueryRow(texts, times, lists);
  }

  private void check(int row, QueryRow query, String environment) {
    if (query.operationId().isEmpty()) {
      faults.add(row, Reason.MISSING_FIELD, QueryLog.KEY, "is empty");
    }
    String found = query.texts().getOrDefault(QueryLog.ENVIRONMENT, "");
    if (!found.equals(environment)) {
      faults.add(
          row,
          Reason.INVALID_VALUE,
          QueryLog.ENVIRONMENT,
          "has '" + found + "', and the file's footer '" + environment + "'");
    }
    query
        .times()
        .forEach(
            (column, time) -> {
              if (!RowCheck.isTime(time)) {
                faults.add(
                    row, Reason.INVALID_VALUE, column, "lies outside of the years 1 to 9999");
              }
            });
  }
}
