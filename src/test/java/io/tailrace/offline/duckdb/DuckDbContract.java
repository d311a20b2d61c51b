package io.tailrace.offline.duckdb;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.result.ValueType;
import io.tailrace.testing.OfflineStoreContract;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.junit.Rule;
import org.junit.rules.TemporaryFolder;

/** A DuckDB file keeps the contract of offline stores. */
abstract class DuckDbContract extends OfflineStoreContract {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  /** Returns more parameters of the store's URI. */
  abstract String parameters();

  @Override
  protected OfflineStore store() {
    return OfflineStores.at("duckdb://" + file() + "?schema={environment}" + parameters());
  }

  private Path file() {
    return new File(folder.getRoot(), "offline.db").toPath();
  }

  private Path aside() {
    return new File(folder.getRoot(), "aside.db").toPath();
  }

  @Override
  protected void takeDown() throws IOException {
    Files.move(file(), aside());
    Files.writeString(file(), "no file of DuckDB, whatever it is");
  }

  @Override
  protected void bringBack() throws IOException {
    Files.delete(file());
    Files.move(aside(), file());
  }

  @Override
  protected void execute(String... statements) throws SQLException {
    try (Connection other = DriverManager.getConnection("jdbc:duckdb:" + file());
        Statement statement = other.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  @Override
  protected String[] sicken() {
    return new String[] {
      "ALTER TABLE production.user__age RENAME TO aside",
      "CREATE TABLE production.user__age AS FROM production.aside",
      "ALTER TABLE production.user__age ADD COLUMN reviewed_by VARCHAR DEFAULT 'me'",
      "ALTER TABLE production.user__age ALTER COLUMN reviewed_by SET NOT NULL",
      "ALTER TABLE production.user__age ALTER COLUMN reviewed_by DROP DEFAULT"
    };
  }

  @Override
  protected String[] cure() {
    return new String[] {"ALTER TABLE production.user__age DROP COLUMN reviewed_by"};
  }

  @Override
  protected String[] refuseNegativeAges() {
    return new String[] {
      "ALTER TABLE production.user__age RENAME TO aside",
      "CREATE TABLE production.user__age(observation_id UUID, pkey VARCHAR,"
          + " value BIGINT CHECK (value >= 0), observed_at TIMESTAMPTZ, inserted_at TIMESTAMPTZ,"
          + " resolver_fqn VARCHAR, deployment_id VARCHAR, operation_id VARCHAR, deleted BOOLEAN)",
      "INSERT INTO production.user__age FROM production.aside"
    };
  }

  @Override
  protected Map<ValueType, String> textsOfItsOwn() {
    return Map.of(ValueType.BYTES, "\\x00\\xFF\\x07");
  }

  @Override
  protected String typeName(ValueType type) {
    return type == ValueType.INT64 ? "BIGINT" : "VARCHAR";
  }
}
