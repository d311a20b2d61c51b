package io.tailrace.offline.redshift;

import io.tailrace.testing.WarehouseFixture;
import io.tailrace.testing.WarehouseStatementsContract;
import java.util.List;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What is said to Redshift: {@code redshift-statements.txt}. */
@RunWith(JUnit4.class)
public class RedshiftStatementsTest extends WarehouseStatementsContract {
  @ClassRule public static final RedshiftFixture REDSHIFT = new RedshiftFixture();

  @Before
  public void clear() throws Exception {
    REDSHIFT.clear("production");
  }

  @Override
  protected WarehouseFixture warehouse() {
    return REDSHIFT;
  }

  @Override
  protected String file() {
    return "redshift-statements.txt";
  }

  @Override
  protected List<String> documented() {
    return List.of(
        "COPY \\S+ FROM 's3://[^']+' IAM_ROLE 'arn:[^']+' FORMAT AS PARQUET SERIALIZETOJSON"
            + " MANIFEST STATUPDATE OFF",
        "LOCK \\S+",
        "SET statement_timeout TO \\d+",
        "SET timezone TO 'UTC'",
        "BEGIN",
        "COMMIT");
  }

  @Override
  protected String plain(String statement) {
    return statement.replaceFirst(
        " DISTSTYLE AUTO COMPOUND SORTKEY \\(feature, observed_at\\)$", "");
  }

  @Override
  protected int parsed() {
    return 25;
  }
}
