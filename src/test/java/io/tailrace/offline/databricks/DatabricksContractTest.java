package io.tailrace.offline.databricks;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.result.ValueType;
import io.tailrace.testing.OfflineStoreContract;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Map;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** The simulated Databricks, through the vendor's driver, keeps the contract of offline stores. */
@RunWith(JUnit4.class)
public class DatabricksContractTest extends OfflineStoreContract {
  @ClassRule public static final DatabricksFixture DATABRICKS = new DatabricksFixture();

  @Before
  public void clear() throws SQLException {
    DATABRICKS.clear(SCHEMA);
  }

  @Override
  protected OfflineStore store() {
    return DATABRICKS.store();
  }

  @Override
  protected void takeDown() {
    DATABRICKS.server().beDown(true);
  }

  @Override
  protected void bringBack() {
    DATABRICKS.server().beDown(false);
  }

  @Override
  protected Unusable unusable() {
    return new Unusable(
        OfflineStores.at(DATABRICKS.uri().replaceFirst("token=[^&]*", "token=file:/etc/hostname")),
        "Databricks refuses the token");
  }

  /** The columns of a feature's view are those of the table of its type. */
  @Override
  protected void execute(String... statements) throws SQLException {
    DATABRICKS
        .server()
        .execute(
            Arrays.stream(statements)
                .map(
                    sql ->
                        sql.replace(
                            "ALTER TABLE production.user__age",
                            "ALTER TABLE production.rows_string_int64"))
                .toArray(String[]::new));
  }

  @Override
  protected boolean divides() {
    return false;
  }

  @Override
  protected String[] sicken() {
    return new String[] {
      "ALTER VIEW production.user__age RENAME TO aside",
      "CREATE TABLE production.user__age(somebodys INTEGER)"
    };
  }

  @Override
  protected String[] cure() {
    return new String[] {
      "DROP TABLE production.user__age", "ALTER VIEW production.aside RENAME TO user__age"
    };
  }

  @Override
  protected String[] refuseNegativeAges() {
    return sicken();
  }

  @Override
  protected Map<ValueType, String> textsOfItsOwn() {
    return Map.of(ValueType.VECTOR, "[1.5,-0.25]");
  }

  @Override
  protected String typeName(ValueType type) {
    return switch (type) {
      case INT64 -> "BIGINT";
      case STRING -> "STRING";
      default -> throw new IllegalArgumentException(type.name());
    };
  }
}
