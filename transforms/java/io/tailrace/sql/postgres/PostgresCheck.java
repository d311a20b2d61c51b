package io.tailrace.sql.postgres;

import io.tailrace.endpoint.UnavailableException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * Looks at a PostgreSQL before a pipeline starts, so that what is wrong is said once, at once and
 * in words.
 */
public final class PostgresCheck {
  private static final int MIN_VERSION = 12;

  private static final String FACTS =
      "SELECT current_setting('server_version_num')::int / 10000,"
          + " current_setting('server_version'), current_setting('server_encoding'),"
          + " has_database_privilege(current_database(), 'CREATE'),"
          + " has_database_privilege(current_database(), 'TEMPORARY'), current_user";

  /** A role that has no schema it can use and may not create one can do nothing. */
  private static final String SCHEMAS =
      "SELECT count(*),"
          + " count(*) FILTER (WHERE has_schema_privilege(oid, 'USAGE')"
          + " AND has_schema_privilege(oid, 'CREATE'))"
          + " FROM pg_namespace WHERE nspname ~ ?";

  private static final String USABLE_SCHEMAS =
      "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname ~ ?"
          + " AND has_schema_privilege(oid, 'USAGE'))";

  private final PostgresServer server;
  private final Connection connection;
  private final boolean mayCreateSchemas;
  private final boolean mayCreateTemporary;
  private final String user;

  private PostgresCheck(PostgresServer server, Connection connection, ResultSet facts)
      throws SQLException {
    this.server = server;
    this.connection = connection;
    mayCreateSchemas = facts.getBoolean(4);
    mayCreateTemporary = facts.getBoolean(5);
    user = facts.getString(6);
  }

  /** What a store needs. */
  public interface Needs {
    /** Asks for it, one after the other. */
    void of(PostgresCheck check) throws SQLException, UnavailableException;
  }

  /**
   * Looks whether a server can be reached, is recent enough and can hold every text, and has what
   * else a store needs.
   *
   * @throws UnavailableException with one sentence that names the server and the correction
   */
  public static void check(PostgresServer server, Needs needs) throws UnavailableException {
    try (Connection connection = PostgresSession.open(server)) {
      check(server, connection, needs);
    } catch (SQLException e) {
      throw new UnavailableException(SqlState.sentence(server, e), e);
    }
  }

  private static void check(PostgresServer server, Connection connection, Needs needs)
      throws SQLException, UnavailableException {
    try (PreparedStatement statement = connection.prepareStatement(FACTS);
        ResultSet facts = statement.executeQuery()) {
      facts.next();
      if (facts.getInt(1) < MIN_VERSION) {
        throw new UnavailableException(
            server.text()
                + " is PostgreSQL "
                + facts.getString(2)
                + "; "
                + MIN_VERSION
                + " or later is needed");
      }
      if (!facts.getString(3).equals("UTF8")) {
        throw new UnavailableException(
            server.text()
                + ": the database has the encoding "
                + facts.getString(3)
                + ", which can't hold every text; create one with ENCODING 'UTF8'");
      }
      needs.of(new PostgresCheck(server, connection, facts));
    }
  }

  /** The user may create temporary tables. */
  public void temporaryTables() throws UnavailableException {
    if (!mayCreateTemporary) {
      throw new UnavailableException(
          server.text()
              + ": the user may not create temporary tables, which rows are copied to first; "
              + grant("TEMPORARY"));
    }
  }

  /** There is a schema that the user may create tables in, or the user may create it. */
  public void schema(String name) throws SQLException, UnavailableException {
    Schemas found = find("^" + name + "$");
    found.orMayBeCreated(name);
    found.areUsable(name);
  }

  /**
   * There are schemas that the user may create tables in, or the user may create some.
   *
   * @param name the schemas' name, as people write it
   * @param pattern the regular expression of it
   */
  public void schemas(String name, String pattern) throws SQLException, UnavailableException {
    Schemas found = find("^" + pattern + "$");
    found.orMayBeCreated(name);
    if (!mayCreateSchemas) {
      found.areUsable(name);
    }
  }

  /**
   * There is a schema whose tables the user may use, or the user may create some.
   *
   * @param name the schemas' name, as people write it
   * @param pattern the regular expression of it
   */
  public void usableSchemas(String name, String pattern) throws SQLException, UnavailableException {
    if (mayCreateSchemas) {
      return;
    }
    try (PreparedStatement statement = connection.prepareStatement(USABLE_SCHEMAS)) {
      statement.setString(1, "^" + pattern + "$");
      try (ResultSet found = statement.executeQuery()) {
        found.next();
        if (!found.getBoolean(1)) {
          throw new UnavailableException(
              server.text()
                  + ": there is no schema '"
                  + name
                  + "' that the user may use; let who creates tables start first, and GRANT USAGE"
                  + " ON SCHEMA \""
                  + name
                  + "\" TO \""
                  + user
                  + "\"");
        }
      }
    }
  }

  /** How many schemas there are, and how many of them can be used. */
  private final class Schemas {
    private final long there;
    private final long usable;

    Schemas(long there, long usable) {
      this.there = there;
      this.usable = usable;
    }

    void orMayBeCreated(String name) throws UnavailableException {
      if (there == 0 && !mayCreateSchemas) {
        throw new UnavailableException(
            server.text()
                + ": there is no schema '"
                + name
                + "', and the user may not create it; "
                + grant("CREATE"));
      }
    }

    void areUsable(String name) throws UnavailableException {
      if (there > 0 && usable == 0) {
        throw new UnavailableException(
            server.text()
                + ": the user may not create tables in the schema '"
                + name
                + "'; GRANT USAGE, CREATE ON SCHEMA \""
                + name
                + "\" TO \""
                + user
                + "\"");
      }
    }
  }

  private Schemas find(String pattern) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(SCHEMAS)) {
      statement.setString(1, pattern);
      try (ResultSet counts = statement.executeQuery()) {
        counts.next();
        return new Schemas(counts.getLong(1), counts.getLong(2));
      }
    }
  }

  private String grant(String privilege) {
    return "GRANT " + privilege + " ON DATABASE \"" + server.database() + "\" TO \"" + user + "\"";
  }
}
