package io.tailrace.offline.redshift;

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

/** The simulated Redshift, through the vendor's driver, keeps the contract of offline stores. */
@RunWith(JUnit4.class)
public class RedshiftContractTest extends OfflineStoreContract {
  @ClassRule public static final RedshiftFixture REDSHIFT = new RedshiftFixture();

  @Before
  public void clear() throws SQLException {
    REDSHIFT.clear(SCHEMA);
  }

  @Override
  protected OfflineStore store() {
    return REDSHIFT.store();
  }

  @Override
  protected void takeDown() {
    REDSHIFT.server().postgres().stop();
  }

  @Override
  protected void bringBack() {
    REDSHIFT.server().postgres().restart();
  }

  @Override
  protected Unusable unusable() {
    return new Unusable(
        OfflineStores.at(REDSHIFT.uri().replace("user=tailrace", "user=nobody")),
        "Redshift refuses user or password");
  }

  /** The columns of a feature's view are those of the table of its type. */
  @Override
  protected void execute(String... statements) throws SQLException {
    REDSHIFT.execute(
        Arrays.stream(statements)
            .map(
                sql ->
                    sql.replace(
                            "ALTER TABLE production.user__age",
                            "ALTER TABLE production.rows_string_int64")
                        .replace("resolver_fqn", "resolver_fqn CASCADE"))
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
    return Map.of();
  }

  @Override
  protected String typeName(ValueType type) {
    return switch (type) {
      case INT64 -> "BIGINT";
      case STRING -> "VARCHAR(65535)";
      default -> throw new IllegalArgumentException(type.name());
    };
  }
}
