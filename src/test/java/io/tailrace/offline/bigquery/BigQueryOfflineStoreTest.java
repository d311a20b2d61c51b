package io.tailrace.offline.bigquery;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.offline.OfflineStore;
import io.tailrace.result.ValueType;
import io.tailrace.testing.OfflineStoreContract;
import io.tailrace.testing.fakes.FakeBigQuery;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import org.junit.After;
import org.junit.Before;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** BigQuery keeps the contract of offline stores, as far as a simulated one can show it. */
@RunWith(JUnit4.class)
public class BigQueryOfflineStoreTest extends OfflineStoreContract {
  private FakeBigQuery bigQuery;

  @Before
  public void start() throws IOException {
    bigQuery = FakeBigQuery.start();
  }

  @After
  public void stop() {
    bigQuery.close();
  }

  @Override
  protected OfflineStore store() {
    return BigQueryOfflineStore.at(
            EndpointUri.parse(bigQuery.uri("{environment}", "&retryFor=200ms")))
        .writtenBy(bigQuery.storageWrite());
  }

  @Override
  protected void takeDown() {
    bigQuery.setDown(true);
  }

  @Override
  protected void bringBack() {
    bigQuery.setDown(false);
  }

  @Override
  protected Unusable unusable() {
    return new Unusable(
        BigQueryOfflineStore.at(
            EndpointUri.parse(
                "bigquery://my-project/data?endpoint=http://127.0.0.1:1&retryFor=1ms")),
        "can't be used for 1 ms: Connection refused");
  }

  @Override
  protected void execute(String... statements) throws Exception {
    for (String statement : statements) {
      String[] words = statement.replace("production.", "").split(" ", -1);
      if (words[0].equals("ALTER")) {
        bigQuery.tables().dropColumn("production", words[2], words[5]);
      } else {
        bigQuery
            .storageWrite()
            .refuse(
                "user__age__rows",
                row ->
                    words[0].equals("refuse")
                            || (words[0].equals("below") && (Long) row.get("value") < 0)
                        ? Optional.of("the field reviewed_by is required")
                        : Optional.empty());
      }
    }
  }

  @Override
  protected boolean tellsFiles() {
    return false;
  }

  @Override
  protected String[] sicken() {
    return new String[] {"refuse"};
  }

  @Override
  protected String[] cure() {
    return new String[] {"accept"};
  }

  @Override
  protected String[] refuseNegativeAges() {
    return new String[] {"below zero"};
  }

  @Override
  protected Map<ValueType, String> textsOfItsOwn() {
    return Map.of(ValueType.BYTES, "AP8H");
  }

  @Override
  protected String typeName(ValueType type) {
    return BigQueryTables.typeName(type);
  }

  /** The fake has no INFORMATION_SCHEMA. */
  @Override
  protected boolean tellsColumns() {
    return false;
  }
}
