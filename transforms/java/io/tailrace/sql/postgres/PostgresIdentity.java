package io.tailrace.sql.postgres;

import io.tailrace.endpoint.UnavailableException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * The id that PostgreSQL gave a cluster of databases when it was made, which its replicas have,
 * too, with the number of the database: it tells one from another that has had its address. No
 * right and no table is needed for it. Stateless and thread-safe.
 */
public final class PostgresIdentity {
  private static final String ID =
      "SELECT system_identifier || '/' || (SELECT oid FROM pg_database WHERE datname ="
          + " current_database()) FROM pg_control_system()";

  /** The user may not call the function: somebody has revoked that. */
  private static final String NOT_ALLOWED = "42501";

  private PostgresIdentity() {}

  /**
   * Asks for it; empty where the user may not know it.
   *
   * @param schema what of the database is meant
   */
  public static String of(PostgresServer server, String schema) throws UnavailableException {
    try (Connection connection = PostgresSession.open(server);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(ID)) {
      row.next();
      return row.getString(1) + "/" + schema;
    } catch (SQLException e) {
      if (NOT_ALLOWED.equals(e.getSQLState())) {
        return "";
      }
      throw new UnavailableException(SqlState.sentence(server, e), e);
    }
  }
}
