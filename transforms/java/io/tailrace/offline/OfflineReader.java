package io.tailrace.offline;

import io.tailrace.endpoint.UnavailableException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads an offline store by SQL, for people and their tools: it never changes anything. Immutable
 * and thread-safe.
 */
public interface OfflineReader {
  /** Returns the address of the store, without secrets. */
  String uri();

  /**
   * Runs a query that only reads.
   *
   * @param sql one statement
   * @param limit how many rows to return at most
   * @throws UnavailableException if the store can't be reached, or refuses the statement; then the
   *     message says what is wrong with it
   */
  Table query(String sql, int limit) throws UnavailableException;

  /**
   * Returns the query of {@link OfflineStore#columnsOf} for a store that has the views of the SQL
   * standard, whatever it does to the case of names.
   *
   * @param view {@code information_schema.columns} or what stands for it
   * @param type the column of the view that has all of a type
   */
  static String columns(String view, String type, String schema, String table) {
    return "SELECT column_name, "
        + type
        + ", table_schema FROM "
        + view
        + " WHERE lower(table_schema) = lower('"
        + schema.replace("'", "''")
        + "') AND lower(table_name) = '"
        + table.replace("'", "''")
        + "' ORDER BY ordinal_position";
  }

  /**
   * What a query returns.
   *
   * @param columns their names
   * @param rows values as text, in the columns' order; null where they are null
   * @param complete whether there are no more rows than these
   */
  record Table(List<String> columns, List<List<@Nullable String>> rows, boolean complete) {}
}
