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
        writeBack(connection);
      }
      try (ResultSet row = statement.executeQuery(READ)) {
        row.next();
        return row.getString(1) + "/" + schema;
      }
    } catch (SQLException e) {
      throw file.failure(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(file.path() + ": interrupted", e);
    } finally {
      file.writing().unlock();
      file.release();
    }
  }

  /**
   * Leaves nothing of it to the log. DuckDB lets one write back at a time, and refuses another: one
   * who does it without the lock of writers is soon done.
   */
  private static void writeBack(Connection connection) throws SQLException, InterruptedException {
    while (true) {
      // DuckDB closes a statement that fails.
      try (Statement statement = connection.createStatement()) {
        statement.execute("CHECKPOINT");
        return;
      } catch (SQLException e) {
        if (!WriteBack.isInTheWay(e)) {
          throw e;
        }
      }
      Thread.sleep(WriteBack.ATTEMPT_PAUSE_MILLIS);
    }
  }
}
