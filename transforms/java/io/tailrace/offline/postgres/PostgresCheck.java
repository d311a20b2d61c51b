package io.tailrace.offline.postgres;

import io.tailrace.offline.OfflineStoreException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * Looks at a PostgreSQL before a pipeline starts, so that what is wrong is said once, at once and
 * in words.
 */
final class PostgresCheck {
  private static final int MIN_VERSION = 12;

  private static final String FACTS =
      "SELECT current_setting('server_version_num')::int / 10000,"
          + " current_setting('server_version'), current_setting('server_encoding'),"
          + " has_database_privilege(current_database(), 'CREATE'),"
          + " has_database_privilege(current_database(), 'TEMPORARY'), current_user";

  /** Schemas of any environment; a role that owns none and may not create one can do nothing. */
  private static final String SCHEMAS =
      "SELECT count(*),"
          + " count(*) FILTER (WHERE has_schema_privilege(oid, 'USAGE')"
          + " AND has_schema_privilege(oid, 'CREATE'))"
          + " FROM pg_namespace WHERE nspname ~ ?";

  private PostgresCheck() {}

  static void check(PostgresAddress address) throws OfflineStoreException {
    try (Connection connection = PostgresSession.open(address)) {
      check(address, connection);
    } catch (SQLException e) {
      throw new OfflineStoreException(SqlState.sentence(address, e), e);
    }
  }

  private static void check(PostgresAddress address, Connection connection)
      throws SQLException, OfflineStoreException {
    try (PreparedStatement statement = connection.prepareStatement(FACTS);
        ResultSet facts = statement.executeQuery()) {
      facts.next();
      if (facts.getInt(1) < MIN_VERSION) {
        throw new OfflineStoreException(
            address.text()
                + " is PostgreSQL "
                + facts.getString(2)
                + "; "
                + MIN_VERSION
                + " or later is needed");
      }
      if (!facts.getString(3).equals("UTF8")) {
        throw new OfflineStoreException(
            address.text()
                + ": the database has the encoding "
                + facts.getString(3)
                + ", which can't hold every text; create one with ENCODING 'UTF8'");
      }
      if (!facts.getBoolean(5)) {
        throw new OfflineStoreException(
            address.text()
                + ": the user may not create temporary tables, which rows are copied to first; "
                + grant("TEMPORARY", address, facts.getString(6)));
      }
      checkSchemas(address, connection, facts.getBoolean(4), facts.getString(6));
    }
  }

  private static void checkSchemas(
      PostgresAddress address, Connection connection, boolean mayCreate, String user)
      throws SQLException, OfflineStoreException {
    String pattern = "^" + address.schema().replace(PostgresAddress.ENVIRONMENT, ".+") + "$";
    try (PreparedStatement statement = connection.prepareStatement(SCHEMAS)) {
      statement.setString(1, pattern);
      try (ResultSet counts = statement.executeQuery()) {
        counts.next();
        long there = counts.getLong(1);
        long usable = counts.getLong(2);
        if (there == 0 && !mayCreate) {
          throw new OfflineStoreException(
              address.text()
                  + ": there is no schema '"
                  + address.schema()
                  + "', and the user may not create it; "
                  + grant("CREATE", address, user));
        }
        if (there > 0 && usable == 0 && !(mayCreate && address.separatesEnvironments())) {
          throw new OfflineStoreException(
              address.text()
                  + ": the user may not create tables in the schema '"
                  + address.schema()
                  + "'; GRANT USAGE, CREATE ON SCHEMA \""
                  + address.schema()
                  + "\" TO \""
                  + user
                  + "\"");
        }
      }
    }
  }

  private static String grant(String privilege, PostgresAddress address, String user) {
    return "GRANT " + privilege + " ON DATABASE \"" + address.database() + "\" TO \"" + user + "\"";
  }
}
