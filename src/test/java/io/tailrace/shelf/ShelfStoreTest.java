package io.tailrace.shelf;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.result.ValueType;
import io.tailrace.testing.AddedKinds;
import io.tailrace.testing.OfflineStoreContract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.junit.Before;
import org.junit.Rule;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** A store that somebody adds by a folder and a line keeps the contract. */
@RunWith(JUnit4.class)
public class ShelfStoreTest extends OfflineStoreContract {
  @Rule public final AddedKinds kinds = AddedKinds.of(ShelfStore.Added.class);
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private Path shelf;

  @Before
  public void makeRoom() throws IOException {
    shelf = folder.newFolder("shelf").toPath();
  }

  @Override
  protected OfflineStore store() {
    return OfflineStores.at("shelf://" + shelf);
  }

  @Override
  protected void takeDown() throws IOException {
    Files.move(shelf.resolve("shelf.db"), shelf.resolve("aside.db"));
    Files.writeString(shelf.resolve("shelf.db"), "no file of DuckDB, whatever it is");
  }

  @Override
  protected void bringBack() throws IOException {
    Files.delete(shelf.resolve("shelf.db"));
    Files.move(shelf.resolve("aside.db"), shelf.resolve("shelf.db"));
  }

  @Override
  protected Unusable unusable() throws IOException {
    Path inTheWay = folder.newFile("in-the-way").toPath();
    return new Unusable(
        OfflineStores.at("shelf://" + inTheWay),
        "the stage file://" + inTheWay + "/stage can't be used");
  }

  @Override
  protected void execute(String... statements) throws SQLException {
    try (Connection other =
            DriverManager.getConnection("jdbc:duckdb:" + shelf.resolve("shelf.db"));
        Statement statement = other.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  @Override
  protected boolean divides() {
    return false;
  }

  @Override
  protected String[] sicken() {
    return new String[] {
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
          + " value BIGINT CHECK (value >= 0), observed_at TIMESTAMPTZ,"
          + " inserted_at TIMESTAMPTZ DEFAULT current_timestamp,"
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
    return ShelfDatabase.type(type);
  }

  /** It has files, and no schema that tells of them. */
  @Override
  protected boolean tellsColumns() {
    return false;
  }
}
