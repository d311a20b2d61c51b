package io.tailrace.offline.postgres;

import static java.util.Objects.requireNonNull;

import io.tailrace.sql.postgres.PostgresCatalog;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What has to be known of a table to insert into it. Immutable.
 *
 * @param id which table it is: another one may have its name later
 * @param isPartitioned whether its rows need partitions
 * @param conflictTarget the columns of the key by which a row is known to be there: what breaks any
 *     other rule is refused, not skipped
 */
record TableFacts(long id, boolean isPartitioned, String conflictTarget) {
  private static final String BY_ID = "observation_id";
  private static final String BY_ID_AND_TIME = "observation_id, observed_at";

  private static final String FIND =
      "SELECT c.relname, c.oid, c.relkind = 'p', EXISTS (SELECT FROM pg_index i"
          + " JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = i.indkey[0]"
          + " WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indnkeyatts = 1"
          + " AND i.indpred IS NULL AND i.indexprs IS NULL AND k.attname = 'observation_id')"
          + " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
          + " WHERE n.nspname = ? AND c.relname = ANY (?)";

  private static final String CHANGED =
      "SELECT t.place FROM unnest(?::text[], ?::bigint[]) AS t(place, id)"
          + " WHERE to_regclass(t.place)::oid::bigint IS DISTINCT FROM t.id"
          + " OR (SELECT count(*) FROM pg_attribute a"
          + " JOIN unnest(?::text[], ?::text[]) AS w(name, type)"
          + " ON a.attname = w.name AND a.atttypid = w.type::regtype"
          + " WHERE a.attrelid = t.id::oid AND a.atttypmod = -1 AND NOT a.attisdropped) < ?";

  /** Looks tables up, by their names. */
  static Map<String, TableFacts> find(
      Connection connection, String schema, Collection<String> names) throws SQLException {
    Map<String, TableFacts> found = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(FIND)) {
      statement.setString(1, schema);
      statement.setArray(2, connection.createArrayOf("text", names.toArray()));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          found.put(
              rows.getString(1),
              new TableFacts(
                  rows.getLong(2),
                  rows.getBoolean(3),
                  rows.getBoolean(4) ? BY_ID : BY_ID_AND_TIME));
        }
      }
    }
    return found;
  }

  /**
   * Fails if tables are others than those that were looked up, or their columns of other types:
   * PostgreSQL would have converted values. In the transaction that has inserted into them, so that
   * nobody can change them any more.
   *
   * @param tables by their names as they stand in a statement
   * @param columns the types of the columns, by their names
   * @throws SQLException that a table is not as it was
   */
  static void check(
      Connection connection, Map<String, TableFacts> tables, Map<String, String> columns)
      throws SQLException {
    List<String> places = new ArrayList<>(tables.keySet());
    Object[] ids = places.stream().map(place -> requireNonNull(tables.get(place)).id).toArray();
    try (PreparedStatement statement = connection.prepareStatement(CHANGED)) {
      statement.setArray(1, connection.createArrayOf("text", places.toArray()));
      statement.setArray(2, connection.createArrayOf("bigint", ids));
      statement.setArray(3, connection.createArrayOf("text", columns.keySet().toArray()));
      statement.setArray(4, connection.createArrayOf("text", columns.values().toArray()));
      statement.setInt(5, columns.size());
      try (ResultSet changed = statement.executeQuery()) {
        if (changed.next()) {
          throw new SQLException(
              "the table " + changed.getString(1) + " is not as it was", PostgresCatalog.CHANGED);
        }
      }
    }
  }
}
