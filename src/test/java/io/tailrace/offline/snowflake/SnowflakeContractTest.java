package io.tailrace.offline.snowflake;

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

/** The simulated Snowflake, through the vendor's driver, keeps the contract of offline stores. */
@RunWith(JUnit4.class)
public class SnowflakeContractTest extends OfflineStoreContract {
  @ClassRule public static final SnowflakeFixture SNOWFLAKE = new SnowflakeFixture();

  @Before
  public void clear() throws Exception {
    SNOWFLAKE.clear(SCHEMA);
  }

  @Override
  protected OfflineStore store() {
    return OfflineStores.at(SNOWFLAKE.uri());
  }

  @Override
  protected void takeDown() {
    SNOWFLAKE.server().faults().throttle(Integer.MAX_VALUE, 503);
  }

  @Override
  protected void bringBack() {
    SNOWFLAKE.server().faults().clear();
  }

  @Override
  protected Unusable unusable() {
    return new Unusable(
        OfflineStores.at(SNOWFLAKE.uri().replace("user=writer", "user=nobody")),
        "give ?user=NAME&privateKey=");
  }

  /** The columns of a feature's view are those of the table of its type. */
  @Override
  protected void execute(String... statements) throws SQLException {
    SNOWFLAKE
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
    return Map.of(ValueType.VECTOR, "[1.5,-0.25]", ValueType.JSON, "{\"a\":[1,null]}");
  }

  @Override
  protected String typeName(ValueType type) {
    return switch (type) {
      case INT64 -> "NUMBER(19,0)";
      case STRING -> "VARCHAR";
      default -> throw new IllegalArgumentException(type.name());
    };
  }
}
