package io.tailrace.offline.bigquery;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import com.google.api.services.bigquery.model.Table;
import com.google.api.services.bigquery.model.TableFieldSchema;
import com.google.api.services.bigquery.model.TableReference;
import com.google.api.services.bigquery.model.ViewDefinition;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog;
import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.offline.Feature;
import io.tailrace.offline.FeatureTable;
import io.tailrace.result.ValueType;
import io.tailrace.testing.fakes.FakeBigQuery;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** The datasets, tables and views that BigQuery is made to have. */
@RunWith(JUnit4.class)
public class BigQueryTablesTest {
  private static final FeatureTable AGE = feature("user", "age", true, ValueType.INT64);

  private FakeBigQuery bigQuery;
  private String uri;

  @Before
  public void start() throws Exception {
    bigQuery = FakeBigQuery.start();
    uri = bigQuery.uri("{environment}", "&retryFor=1m");
  }

  @After
  public void stop() {
    bigQuery.close();
  }

  private static FeatureTable feature(
      String namespace, String name, boolean stringKeys, ValueType... type) {
    return new FeatureTable(
        Feature.named(namespace, name), stringKeys, List.of(type).stream().findFirst());
  }

  private Catalog catalog() {
    return BigQueryOfflineStore.at(EndpointUri.parse(uri)).openCatalog();
  }

  private List<Conflict> create(FeatureTable... tables) throws Exception {
    return create("production", tables);
  }

  private List<Conflict> create(String environment, FeatureTable... tables) throws Exception {
    return catalog().create(environment, List.of(tables));
  }

  @Test
  public void aFeatureIsAViewOverATableThatIsPartitionedAndClustered() throws Exception {
    assertThat(create(AGE)).isEmpty();

    assertThat(bigQuery.tables().names("production"))
        .containsExactly(
            "deletions__rows__int64",
            "deletions__rows__string",
            "query_log",
            "query_log__rows",
            "user__age",
            "user__age__rows");
    Table rows = bigQuery.tables().table("production", "user__age__rows");
    assertThat(rows.getTimePartitioning().getType()).isEqualTo("DAY");
    assertThat(rows.getTimePartitioning().getField()).isEqualTo("observed_at");
    assertThat(rows.getClustering().getFields()).containsExactly("pkey");
    assertThat(rows.getDescription())
        .isEqualTo(
            "{\"tailrace\":\"rows\",\"namespace\":\"user\",\"name\":\"age\",\"key\":\"string\","
                + "\"value\":\"int64\"}");
    TableFieldSchema stamp =
        rows.getSchema().getFields().stream()
            .filter(field -> field.getName().equals("inserted_at"))
            .findFirst()
            .orElseThrow();
    assertThat(stamp.getDefaultValueExpression()).isEqualTo("CURRENT_TIMESTAMP()");
    Table view = bigQuery.tables().table("production", "user__age");
    assertThat(view.getType()).isEqualTo("VIEW");
    assertThat(view.getDescription())
        .isEqualTo(
            "{\"tailrace\":\"feature\",\"namespace\":\"user\",\"name\":\"age\",\"key\":\"string\","
                + "\"value\":\"int64\"}");
  }

  @Test
  public void whatIsThereIsLookedAtOnce() throws Exception {
    Catalog catalog = catalog();
    assertThat(catalog.create("production", List.of(AGE))).isEmpty();
    int before = bigQuery.calls();

    assertThat(catalog.create("production", List.of(AGE))).isEmpty();

    assertThat(bigQuery.calls() - before).isEqualTo(2);
  }

  @Test
  public void aFeatureOfWhichOnlyDeletionsAreKnownGetsItsValuesLater() throws Exception {
    assertThat(create(feature("user", "age", true))).isEmpty();
    assertThat(bigQuery.tables().names("production")).doesNotContain("user__age__rows");

    assertThat(create(AGE)).isEmpty();
    assertThat(create(feature("user", "age", true))).isEmpty();

    Table view = bigQuery.tables().table("production", "user__age");
    assertThat(view.getDescription()).contains("\"value\":\"int64\"");
    assertThat(view.getSchema().getFields().stream().map(TableFieldSchema::getName))
        .contains("value");
  }

  @Test
  public void anotherTypeOfValuesOrKeysIsAConflictThatNamesBoth() throws Exception {
    assertThat(create(AGE)).isEmpty();

    List<Conflict> conflicts =
        create(
            feature("user", "age", false, ValueType.FLOAT64),
            feature("user", "age", true, ValueType.JSON),
            AGE);

    assertThat(conflicts.stream().map(Conflict::words))
        .containsExactly(
            "has pkey STRING, not INT64 and has value INT64, not FLOAT64",
            "has value INT64, not STRING with JSON");
    assertThat(conflicts.get(0).reason()).isEqualTo(Reason.TYPE_CHANGED);
  }

  @Test
  public void textsAreNotJson() throws Exception {
    assertThat(create(feature("user", "doc", true, ValueType.JSON))).isEmpty();

    List<Conflict> conflicts = create(feature("user", "doc", true, ValueType.STRING));

    assertThat(conflicts.get(0).words()).isEqualTo("has value STRING with JSON, not STRING");
  }

  @Test
  public void aViewOfAnotherFeatureOrOfSomebodyElseIsLeftAlone() throws Exception {
    assertThat(create(AGE)).isEmpty();
    Table theirs = bigQuery.tables().table("production", "user__age");
    theirs.setDescription(theirs.getDescription().replace("\"age\"", "\"Age\""));
    bigQuery.tables().put(theirs);

    List<Conflict> ofAnother = create(AGE);
    bigQuery.tables().put(theirs.clone().setDescription("my own"));
    List<Conflict> ofSomebody = create(AGE);
    bigQuery.tables().put(theirs.clone().setType("TABLE"));
    List<Conflict> noView = create(AGE);

    assertThat(ofAnother.get(0).reason()).isEqualTo(Reason.NAME_TAKEN);
    assertThat(ofAnother.get(0).words()).isEqualTo("belongs to the feature user.Age");
    assertThat(ofSomebody.get(0).reason()).isEqualTo(Reason.TABLE_REFUSES);
    assertThat(ofSomebody.get(0).words()).isEqualTo("is somebody else's view");
    assertThat(noView.get(0).words()).isEqualTo("is no view");
  }

  @Test
  public void rowsOfAnotherFeatureAreLeftAlone() throws Exception {
    assertThat(create(AGE)).isEmpty();
    Table rows = bigQuery.tables().table("production", "user__age__rows");
    rows.setDescription(rows.getDescription().replace("\"age\"", "\"Age\""));
    bigQuery.tables().put(rows);

    List<Conflict> conflicts = create(AGE);

    assertThat(conflicts.get(0).reason()).isEqualTo(Reason.NAME_TAKEN);
    assertThat(conflicts.get(0).words())
        .isEqualTo("has rows in user__age__rows, which belongs to another feature");
  }

  @Test
  public void manyWhoCreateTheSameAtOnceAllFindIt() throws Exception {
    List<FeatureTable> tables = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      tables.add(feature("user", "f" + i, true, ValueType.INT64));
    }
    Callable<List<Conflict>> create = () -> catalog().create("production", tables);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      for (Future<List<Conflict>> each :
          threads.invokeAll(List.of(create, create, create, create))) {
        assertThat(each.get()).isEmpty();
      }
    } finally {
      threads.shutdown();
    }

    assertThat(bigQuery.tables().names("production")).hasSize(4 + 20);
  }

  @Test
  public void callsThatAreThrottledAreTriedAgain() throws Exception {
    bigQuery.throttle(4);

    assertThat(create(AGE)).isEmpty();
  }

  @Test
  public void callsThatAreThrottledForTooLongFailTheBundle() {
    uri = bigQuery.uri("{environment}", "&retryFor=50ms");
    bigQuery.throttle(1_000);

    UnavailableException e = assertThrows(UnavailableException.class, () -> create(AGE));

    assertThat(e).hasMessageThat().contains("can't be used for 50 ms: Exceeded rate limits");
  }

  @Test
  public void aRightThatIsMissingIsNamed() {
    bigQuery.forbid("Access Denied: Permission bigquery.datasets.create denied");

    UnavailableException e = assertThrows(UnavailableException.class, () -> create(AGE));

    assertThat(e)
        .hasMessageThat()
        .contains(
            "the dataset production can't be used: Access Denied: Permission"
                + " bigquery.datasets.create denied: grant the writer roles/bigquery.dataEditor");
  }

  @Test
  public void theLatestTableOfANamespaceLeavesAFeatureOfItsNameAlone() throws Exception {
    assertThat(create(feature("user", "latest", true, ValueType.INT64))).isEmpty();
    BigQueryAddress address = BigQueryAddress.of(EndpointUri.parse(uri));
    BigQueryTables tables = new BigQueryTables(address, new BigQueryClient(address));

    assertThat(tables.createLatest("production", "user")).isEmpty();

    assertThat(bigQuery.tables().names("production"))
        .containsAtLeast("user__latest", "user__latest__rows", "latest_user", "latest__rows__user");
    assertThat(
            bigQuery
                .tables()
                .table("production", "latest__rows__user")
                .getTableConstraints()
                .getPrimaryKey()
                .getColumns())
        .containsExactly("pkey", "feature");
  }

  /** The dataset of one environment, without saying so. */
  private BigQueryOfflineStore only() {
    return BigQueryOfflineStore.at(EndpointUri.parse(bigQuery.uri("production", "")));
  }

  @Test
  public void aDatasetThatWasDroppedAndMadeAnewIsAnotherStore() throws Exception {
    BigQueryOfflineStore all = BigQueryOfflineStore.at(EndpointUri.parse(uri));
    assertThat(all.identity()).isEmpty();
    assertThat(create(AGE)).isEmpty();
    String before = all.identity();
    String alone = only().identity();
    assertThat(before).isNotEmpty();
    assertThat(alone).isNotEmpty();

    // Another environment changes nothing.
    assertThat(create("staging", AGE)).isEmpty();
    assertThat(all.identity()).isEqualTo(before);

    bigQuery.tables().dropDataset("production");
    assertThat(create(AGE)).isEmpty();
    assertThat(all.identity()).isNotEqualTo(before);
    assertThat(only().identity()).isNotEqualTo(alone);
  }

  @Test
  public void aLogThatSomebodyElseHasIsAConflict() throws Exception {
    assertThat(create(AGE)).isEmpty();
    bigQuery
        .tables()
        .put(
            new Table()
                .setTableReference(
                    new TableReference().setDatasetId("production").setTableId("query_log"))
                .setType("VIEW")
                .setView(new ViewDefinition().setQuery("SELECT 1")));

    List<Conflict> conflicts = create(AGE);

    assertThat(conflicts.get(0).table()).isEqualTo(FeatureTable.LOG);
    assertThat(conflicts.get(0).words()).contains("is there and is somebody else's");
  }
}
