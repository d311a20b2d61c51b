package io.tailrace.offline.postgres;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.result.ValueType;
import io.tailrace.testing.OfflineStoreContract;
import io.tailrace.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.junit.Rule;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** PostgreSQL keeps the contract of offline stores. */
@RunWith(JUnit4.class)
public class PostgresContractTest extends OfflineStoreContract {
  @Rule public final TestDatabase database = new TestDatabase();

  @Override
  protected OfflineStore store() {
    return database.store("schema={environment}&retryFor=200ms");
  }

  @Override
  protected void takeDown() throws SQLException {
    administer("ALTER DATABASE " + database.name() + " RENAME TO " + database.name() + "_away");
  }

  @Override
  protected void bringBack() throws SQLException {
    administer("ALTER DATABASE " + database.name() + "_away RENAME TO " + database.name());
  }

  private void administer(String statement) throws SQLException {
    try (Connection other = database.server().connect();
        Statement administering = other.createStatement()) {
      administering.execute(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE '"
              + database.name()
              + "%'");
      administering.execute(statement);
    }
  }

  @Override
  protected Unusable unusable() throws Exception {
    database.execute(
        "DROP ROLE IF EXISTS onlooker", "CREATE ROLE onlooker LOGIN PASSWORD 'onlooker'");
    return new Unusable(
        OfflineStores.at(database.uriOf("onlooker", "onlooker") + "&schema={environment}"),
        "the user may not create tables in the schema '{environment}'; GRANT USAGE, CREATE");
  }

  @Override
  protected void execute(String... statements) throws SQLException {
    database.execute(statements);
  }

  @Override
  protected String[] sicken() {
    return new String[] {
      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
          + " $$ BEGIN RAISE EXCEPTION 'not today'; END $$",
      "CREATE TRIGGER refuse BEFORE INSERT ON production.user__age FOR EACH ROW"
          + " EXECUTE FUNCTION refuse()"
    };
  }

  @Override
  protected String[] cure() {
    return new String[] {"DROP TRIGGER refuse ON production.user__age"};
  }

  @Override
  protected String[] refuseNegativeAges() {
    return new String[] {"ALTER TABLE production.user__age ADD CHECK (value >= 0)"};
  }

  @Override
  protected Map<ValueType, String> textsOfItsOwn() {
    return Map.of(
        ValueType.FLOAT64,
        "-1.5e-300",
        ValueType.BOOL,
        "t",
        ValueType.BYTES,
        "\\x00ff07",
        ValueType.TIMESTAMP,
        "1969-12-31 23:59:59.999999+00",
        ValueType.VECTOR,
        "{1.5,-0.25}");
  }

  @Override
  protected String typeName(ValueType type) {
    return type == ValueType.INT64 ? "bigint" : "text";
  }
}
