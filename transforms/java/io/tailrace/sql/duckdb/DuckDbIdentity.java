package io.tailrace.sql.duckdb;

import io.tailrace.endpoint.UnavailableException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;

/**
 * An id that a DuckDB file holds itself, made by whoever asks first, in the table {@code
 * store_identity}. Stateless and thread-safe.
 */
public final class DuckDbIdentity {
  private static final String READ = "SELECT id FROM main.store_identity";

  private DuckDbIdentity() {}

  /**
   * Asks for it.
   *
   * @param file is released
   * @param schema what of the file is meant
   */
  public static String of(DuckDbFile file, String schema) throws UnavailableException {
    file.writing().lock();
    try (Connection connection = file.duplicate();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE IF NOT EXISTS main.store_identity (id VARCHAR)");
      int made =
          statement.executeUpdate(
              "INSERT INTO main.store_identity SELECT '"
                  + UUID.randomUUID()
                  + "' WHERE NOT EXISTS ("
                  + READ
                  + ")");
      if (made > 0) {
        // Nothing of it is left to the log.
        WriteBack.now(connection);
      }
      try (ResultSet row = statement.executeQuery(READ)) {
        row.next();
        return row.getString(1) + "/" + schema;
      }
    } catch (SQLException e) {
      throw file.failure(e);
    } finally {
      file.writing().unlock();
      file.release();
    }
  }
}
