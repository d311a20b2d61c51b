package io.tailrace.offline.bulk;

import io.tailrace.testing.TestDatabase;
import io.tailrace.testing.WriterJvm;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import org.junit.Rule;

public class PostgresBulkCrashTest extends BulkCrashContract {
  @Rule public final TestDatabase database = new TestDatabase();

  @Override
  protected String uri() {
    return database.uri("schema={environment}");
  }

  /** The ledger is the last that a transaction writes: it is held there, and the process killed. */
  @Override
  protected void breakOff(String json) throws Exception {
    database.execute(
        "CREATE SCHEMA prod",
        "CREATE TABLE prod.bulk_files (name text PRIMARY KEY, loaded_at timestamptz NOT NULL,"
            + " rejected text NOT NULL, refused text)",
        "CREATE FUNCTION prod.wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM"
            + " pg_sleep(600); RETURN NEW; END'",
        "CREATE TRIGGER waits BEFORE INSERT ON prod.bulk_files FOR EACH ROW EXECUTE FUNCTION"
            + " prod.wait()");
    try (WriterJvm writer = start(Moment.NEVER, json)) {
      while (!isWaiting()) {
        writer.checkAlive();
        Thread.sleep(10);
      }
      writer.kill();
    }
    database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
        "DROP TRIGGER waits ON prod.bulk_files");
  }

  /** Rows of each type are a transaction: the ledger is in the last of them. */
  @Override
  protected long rolledBack() {
    return 3;
  }

  private boolean isWaiting() throws Exception {
    try (Connection connection = database.connect();
        Statement statement = connection.createStatement();
        ResultSet found =
            statement.executeQuery(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event"
                    + " = 'PgSleep'")) {
      return found.next();
    }
  }
}
