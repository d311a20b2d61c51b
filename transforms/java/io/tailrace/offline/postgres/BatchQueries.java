package io.tailrace.offline.postgres;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.tailrace.offline.ContentRejectedException;
import io.tailrace.offline.FileBatch;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.offline.RowNumbers;
import io.tailrace.parquet.QueryLog;
import io.tailrace.parquet.QueryRow;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a batch of queries, decoded, without those that PostgreSQL can't hold, and folded: a
 * query whose result was published in parts has the tables of all of them. Not thread-safe.
 */
final class BatchQueries {
  private final Map<String, QueryRow> queries = new TreeMap<>();

  /** Where the rows of each query are. */
  private final Map<String, List<Position>> positions = new HashMap<>();

  private final List<Rejected> rejected = new ArrayList<>();
  private long accepted;

  BatchQueries(FileBatch batch, QueryLog log) throws ContentRejectedException {
    for (int file = 0; file < batch.files().size(); file++) {
      try {
        List<QueryRow> rows = batch.files().get(file).queries(log);
        for (int row = 0; row < rows.size(); row++) {
          QueryRow query = rows.get(row);
          String whyNot = whyNot(query);
          if (whyNot == null) {
            accepted++;
            positions
                .computeIfAbsent(query.operationId(), unused -> new ArrayList<>(1))
                .add(new Position(file, row));
            queries.merge(query.operationId(), withTables(query, query), BatchQueries::withTables);
          } else {
            rejected.add(new Rejected(file, Reason.REJECTED_BY_STORE, RowNumbers.of(row), whyNot));
          }
        }
      } catch (IOException e) {
        throw new ContentRejectedException("a file can't be read: " + e.getMessage(), e);
      }
    }
  }

  /** Returns the queries, sorted by operation id, no id twice, their tables sorted. */
  List<QueryRow> queries() {
    return List.copyOf(queries.values());
  }

  /** Returns the number of rows that are to be inserted, those with the same id counted each. */
  long accepted() {
    return accepted;
  }

  /** Returns the rows that PostgreSQL can't hold. */
  List<Rejected> rejected() {
    return rejected;
  }

  /** Where a row is. */
  private record Position(int file, int row) {}

  /** Returns queries as they are named when they are refused: by all of their rows. */
  List<Rejected> refused(List<QueryRow> rows, Reason reason, String why) {
    Map<Integer, List<Integer>> byFile = new TreeMap<>();
    for (QueryRow query : rows) {
      for (Position position : requireNonNull(positions.get(query.operationId()))) {
        byFile.computeIfAbsent(position.file, unused -> new ArrayList<>()).add(position.row);
      }
    }
    List<Rejected> refused = new ArrayList<>();
    byFile.forEach(
        (file, numbers) -> refused.add(new Rejected(file, reason, RowNumbers.of(numbers), why)));
    return refused;
  }

  private static QueryRow withTables(QueryRow query, QueryRow other) {
    TreeSet<String> tables = new TreeSet<>(query.valueTables());
    tables.addAll(other.valueTables());
    return query.withTables(List.copyOf(tables));
  }

  private static @Nullable String whyNot(QueryRow query) {
    byte[] id = query.operationId().getBytes(UTF_8);
    String whyNot = Storable.whyNotText(id);
    if (whyNot == null) {
      whyNot = Storable.whyNotIndexed(id);
    }
    if (whyNot != null) {
      return "operation_id " + whyNot;
    }
    Map<String, String> texts = new TreeMap<>(query.texts());
    query.lists().forEach((column, list) -> texts.put(column, String.join("", list)));
    for (Map.Entry<String, String> text : texts.entrySet()) {
      whyNot = Storable.whyNotText(text.getValue().getBytes(UTF_8));
      if (whyNot != null) {
        return text.getKey() + " " + whyNot;
      }
    }
    for (Map.Entry<String, Long> time : new TreeMap<>(query.times()).entrySet()) {
      whyNot = Storable.whyNotTime(time.getValue());
      if (whyNot != null) {
        return time.getKey() + " " + whyNot;
      }
    }
    return null;
  }
}
