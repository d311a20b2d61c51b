package io.tailrace.offline.bigquery;

import static com.google.common.truth.Truth.assertThat;

import com.google.api.services.bigquery.model.Table;
import com.google.api.services.bigquery.model.TableReference;
import com.google.api.services.bigquery.model.TableRow;
import com.google.api.services.bigquery.model.ViewDefinition;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusMessageCoder;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BundleEncoder;
import io.tailrace.offline.DecodeObservationFiles;
import io.tailrace.offline.Feature;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.InsertObservations;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ForeignFile;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Failure;
import io.tailrace.stage.RejectedCell;
import io.tailrace.testing.Balance;
import io.tailrace.testing.fakes.FakeBigQuery;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryServices;
import org.apache.beam.sdk.io.gcp.testing.FakeBigQueryServices;
import org.apache.beam.sdk.io.gcp.testing.FakeDatasetService;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What is special to the sink of BigQuery, beside the contract of offline stores. */
@RunWith(JUnit4.class)
public class BigQueryAppendsTest {
  private static final String TIME = "TIMESTAMPTZ '2026-01-02 03:04:05.678901+00'";
  private static final Map<Integer, Queue<Object>> COLLECTED = new ConcurrentHashMap<>();
  private static final AtomicInteger RUNS = new AtomicInteger();

  private FakeBigQuery bigQuery;
  private BigQueryServices services;
  private String parameters = "&retryFor=1m";
  private int offset;

  @Before
  public void start() throws Exception {
    bigQuery = FakeBigQuery.start();
    services = bigQuery.storageWrite();
  }

  @After
  public void stop() {
    bigQuery.close();
  }

  private BigQueryOfflineStore store() {
    return BigQueryOfflineStore.at(EndpointUri.parse(bigQuery.uri("{environment}", parameters)))
        .writtenBy(services);
  }

  private record Run(List<InsertOutcome> outcomes, List<Failure> failures) {}

  private static final class Collect<T> extends DoFn<T, Void> {
    private static final long serialVersionUID = 1;
    private final int run;

    Collect(int run) {
      this.run = run;
    }

    @ProcessElement
    public void collect(@Element T element) {
      COLLECTED.get(run).add(element);
    }
  }

  private Run insert(BusMessage... messages) {
    int run = RUNS.incrementAndGet();
    COLLECTED.put(run, new ConcurrentLinkedQueue<>());
    Pipeline pipeline =
        Pipeline.create(
            PipelineOptionsFactory.fromArgs("--runner=DirectRunner", "--targetParallelism=1")
                .create());
    WithFailures.Result<PCollection<ObservationFile>, Failure> decoded =
        pipeline
            .apply("Messages", Create.of(List.of(messages)).withCoder(BusMessageCoder.of()))
            .apply("Decode", DecodeObservationFiles.forWriter("test"));
    WithFailures.Result<PCollection<InsertOutcome>, Failure> inserted =
        decoded.output().apply("InsertObservations", InsertObservations.into(store()));
    inserted.failures().apply("NotInserted", ParDo.of(new Collect<>(run)));
    inserted.output().apply("Inserted", ParDo.of(new Collect<>(run)));
    Balance.run(pipeline);
    List<InsertOutcome> outcomes = new ArrayList<>();
    List<Failure> failures = new ArrayList<>();
    for (Object each : COLLECTED.remove(run)) {
      if (each instanceof Failure failure) {
        failures.add(failure);
      } else {
        outcomes.add((InsertOutcome) each);
      }
    }
    return new Run(outcomes, failures);
  }

  private BusMessage message(ForeignFile file) throws Exception {
    return BusMessage.of(
        file.bytes(),
        Place.numbered("inserts", 0, offset++),
        MessageTime.ofBus(BundleEncoder.PUBLISHED_AT + 7 * 86_400_000_000L));
  }

  private BusMessage ages(String feature, int first, int count) throws Exception {
    List<String> rows = new ArrayList<>();
    for (int i = first; i < first + count; i++) {
      rows.add("('" + feature + "', 'u" + i + "', " + i + "::BIGINT, " + TIME + ", 'op-1')");
    }
    return message(ForeignFile.of(ValueType.INT64, rows.toArray(String[]::new)));
  }

  private List<List<String>> rows(String sql) throws UnavailableException {
    return store().reader().query(sql, 1_000).rows();
  }

  private String count(String table) throws UnavailableException {
    return rows("SELECT count(*) FROM production." + table).get(0).get(0);
  }

  @Test
  public void rowsWaitUntilStreamsSeeTheirNewTable() throws Exception {
    parameters = "&retryFor=1m&latest=true";
    bigQuery.storageWrite().seeLate(3);

    Run run = insert(ages("user.age", 0, 10), ages("user.size", 0, 10));

    assertThat(run.failures).isEmpty();
    assertThat(run.outcomes.stream().mapToLong(InsertOutcome::rows).sum()).isEqualTo(20);
    assertThat(count("user__age")).isEqualTo("10");
    assertThat(count("user__size")).isEqualTo("10");
    assertThat(count("latest_user")).isEqualTo("20");
  }

  @Test
  public void aTableThatStreamsNeverSeeIsOneLetterAndOthersGetTheirRows() throws Exception {
    parameters = "&retryFor=100ms";
    bigQuery.storageWrite().hide("user__age__rows");

    Run run = insert(ages("user.age", 0, 10), ages("user.size", 0, 10));

    assertThat(count("user__size")).isEqualTo("10");
    assertThat(run.failures.stream().map(Failure::reason).distinct())
        .containsExactly(Reason.TABLE_REFUSES);
    assertThat(run.failures.stream().mapToInt(Failure::cellCount).sum()).isEqualTo(10);
    assertThat(run.failures.get(0).message())
        .contains(
            "its table user__age refuses it: streams do not see user__age__rows yet; mend the"
                + " table and replay this letter");
  }

  @Test
  public void anAnswerThatIsLostMakesTwoRowsThatReadersSeeOnce() throws Exception {
    bigQuery.storageWrite().loseAnswers(1);

    Run run = insert(ages("user.age", 0, 10));

    assertThat(run.failures).isEmpty();
    assertThat(count("user__age__rows")).isEqualTo("20");
    assertThat(count("user__age")).isEqualTo("10");
  }

  @Test
  public void withExactlyOnceRowsAreReadableWhenTheirStreamIsCommitted() throws Exception {
    parameters = "&retryFor=1m&exactlyOnce=true&latest=true";

    Run run = insert(ages("user.age", 0, 10), ages("user.size", 0, 10));

    assertThat(run.failures).isEmpty();
    assertThat(count("user__age__rows")).isEqualTo("10");
    assertThat(count("user__size")).isEqualTo("10");
    assertThat(count("latest_user")).isEqualTo("20");
  }

  @Test
  public void aLetterOfRefusedRowsHoldsThemAsTheyWere() throws Exception {
    bigQuery
        .storageWrite()
        .refuse(
            "user__age__rows",
            row -> (Long) row.get("value") < 2 ? Optional.of("too young") : Optional.empty());

    Run run = insert(ages("user.age", 0, 5));

    assertThat(run.failures).hasSize(1);
    Failure failure = run.failures.get(0);
    assertThat(failure.message())
        .containsMatch(
            "user.age of 'u[01]': its table user__age refuses it: too young; mend the table and"
                + " replay this letter; and 1 more");
    assertThat(failure.cells().stream().map(RejectedCell::key)).containsExactly("u0", "u1");
    assertThat(failure.retryable()).isTrue();
    assertThat(failure.original().offset()).isEqualTo(0);
    ObservationFile alone =
        FileDecoder.decode(failure.original().withPayload(failure.rows().orElseThrow()));
    assertThat(alone.rowCount()).isEqualTo(2);
    assertThat(List.of(alone.rows().number(0), alone.rows().number(1))).containsExactly(0L, 1L);
    assertThat(alone.rows().feature(0)).isEqualTo("user.age");
    assertThat(count("user__age")).isEqualTo("3");
  }

  @Test
  public void whatBigQueryCantHoldIsALetterOfItsRowsAlone() throws Exception {
    ForeignFile times =
        ForeignFile.of(
            ValueType.TIMESTAMP,
            "('user.seen', 'ann', TIMESTAMPTZ '2026-01-01 00:00:00+00', " + TIME + ", 'op-1')",
            "('user.seen', 'bob', TIMESTAMPTZ '10000-01-01 00:00:00+00', " + TIME + ", 'op-1')");
    ForeignFile dates =
        ForeignFile.of(
            ValueType.DATE,
            "('user.born', 'ann', DATE '0001-01-01', " + TIME + ", 'op-1')",
            "('user.born', 'bob', DATE '10000-01-01', " + TIME + ", 'op-1')");

    Run run = insert(message(times), message(dates));

    assertThat(run.failures).hasSize(2);
    for (Failure failure : run.failures) {
      assertThat(failure.reason()).isEqualTo(Reason.REJECTED_BY_STORE);
      assertThat(failure.cells().get(0).key()).isEqualTo("bob");
      assertThat(failure.message())
          .contains("value is outside of BigQuery's calendar, the years 1 to 9999");
    }
    assertThat(count("user__seen")).isEqualTo("1");
    assertThat(rows("SELECT value FROM production.user__born").toString())
        .isEqualTo("[[0001-01-01]]");
  }

  @Test
  public void theNewestObservationIsKeptBesideHistoryOnRequest() throws Exception {
    parameters = "&retryFor=1m&latest=true";
    String later = TIME.replace("03:04", "04:04");
    Run run =
        insert(
            message(
                ForeignFile.of(
                    ValueType.INT64,
                    "('user.age', 'ann', 1::BIGINT, " + later + ", 'op-1')",
                    "('user.age', 'ann', 2::BIGINT, " + TIME + ", 'op-2')",
                    "('user.age', 'bob', 3::BIGINT, " + TIME + ", 'op-2')",
                    "('user.age', 'eve', 4::BIGINT, " + TIME + ", 'op-2')")),
            message(
                ForeignFile.ofDeletions("('user.age', 'bob', 0::BIGINT, " + later + ", 'op-3')")),
            message(
                ForeignFile.ofDeletions("('user.', 'eve', 0::BIGINT, " + later + ", 'op-3')")
                    .with("namespace", "'user'")));

    assertThat(run.failures).isEmpty();
    assertThat(count("user__age")).isEqualTo("5");
    assertThat(
            rows("SELECT pkey, feature, value_type, int64_value FROM production.latest_user")
                .toString())
        .isEqualTo("[[ann, user.age, int64, 1]]");
  }

  @Test
  public void aFeatureThatIsCalledLatestIsOneLikeAnyOther() throws Exception {
    parameters = "&retryFor=1m&latest=true";

    Run before = insert(ages("user.latest", 0, 2), ages("latest_user.rows", 0, 1));
    Run behind = insert(ages("user.age", 0, 3), ages("latest.rows__user", 0, 1));

    assertThat(before.failures).isEmpty();
    assertThat(behind.failures).isEmpty();
    assertThat(count("user__latest")).isEqualTo("2");
    assertThat(count("latest_user")).isEqualTo("5");
    assertThat(count("latest_user__rows")).isEqualTo("1");
    assertThat(count("latest_latest_user")).isEqualTo("1");
  }

  @Test
  public void aNamespaceWhoseLatestTableIsTakenKeepsItsHistory() throws Exception {
    parameters = "&retryFor=1m&latest=true";
    assertThat(store().openCatalog().create("production", List.of(table("age")))).isEmpty();
    bigQuery
        .tables()
        .put(
            new Table()
                .setTableReference(
                    new TableReference().setDatasetId("production").setTableId("latest_user"))
                .setType("VIEW")
                .setView(new ViewDefinition().setQuery("SELECT 1")));

    Run run = insert(ages("user.age", 0, 3));

    assertThat(run.failures).hasSize(1);
    assertThat(run.failures.get(0).reason()).isEqualTo(Reason.NAME_TAKEN);
    assertThat(run.failures.get(0).message()).contains("it is stored, but not in the latest table");
    assertThat(count("user__age")).isEqualTo("3");
  }

  @Test
  public void aLatestTableThatTakesNoRowsIsTheAffairOfItsNamespace() throws Exception {
    parameters = "&retryFor=100ms&latest=true";
    bigQuery.storageWrite().hide("latest__rows__user");

    Run run = insert(ages("user.age", 0, 3), ages("item.size", 0, 2));

    assertThat(run.failures.stream().map(Failure::reason).distinct())
        .containsExactly(Reason.TABLE_REFUSES);
    assertThat(run.failures.stream().mapToInt(Failure::cellCount).sum()).isEqualTo(3);
    assertThat(run.failures.get(0).message())
        .contains(
            "it is stored, but not in the latest table: streams do not see latest__rows__user yet");
    assertThat(run.failures.get(0).retryable()).isTrue();
    assertThat(count("user__age")).isEqualTo("3");
    assertThat(count("latest_item")).isEqualTo("2");
  }

  @Test
  public void ofOwnersWhoStreamAtOnceReadersSeeEveryRowOnce() throws Exception {
    parameters = "&retryFor=1m&latest=true";
    BusMessage[] messages = {
      ages("user.age", 0, 10), ages("user.size", 0, 10), ages("user.age", 5, 10)
    };
    ExecutorService threads = Executors.newFixedThreadPool(3);
    try {
      List<Future<Run>> owners = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        owners.add(threads.submit(() -> insert(messages)));
      }
      for (Future<Run> owner : owners) {
        assertThat(owner.get().failures).isEmpty();
      }
    } finally {
      threads.shutdownNow();
    }

    assertThat(Integer.parseInt(count("user__age__rows"))).isAtLeast(45);
    assertThat(rows("SELECT pkey, value, observed_at FROM production.user__age")).hasSize(15);
    assertThat(rows("SELECT DISTINCT observation_id FROM production.user__age")).hasSize(15);
    assertThat(count("user__size")).isEqualTo("10");
    assertThat(count("latest_user")).isEqualTo("25");
  }

  /** Fails rows as Beam's own simulation does, which shows that ours is not needed for it. */
  private static final class NegativeFails implements Function<TableRow, Boolean>, Serializable {
    private static final long serialVersionUID = 1;

    @Override
    public Boolean apply(TableRow row) {
      return String.valueOf(row.get("value")).equals("1");
    }
  }

  @Test
  public void beamsOwnSimulationTakesTheRowsOfTwoTables() throws Exception {
    assertThat(store().openCatalog().create("production", List.of(table("age"), table("size"))))
        .isEmpty();
    FakeDatasetService.setUp();
    FakeDatasetService datasets = new FakeDatasetService();
    datasets.createDataset(bigQuery.project(), "production", "", "", null);
    for (String name : bigQuery.tables().names("production")) {
      Table table = bigQuery.tables().table("production", name);
      if (table.getType().equals("TABLE")) {
        table.getTableReference().setProjectId(bigQuery.project());
        datasets.createTable(table);
      }
    }
    datasets.setShouldFailRow(new NegativeFails());
    services = new FakeBigQueryServices().withDatasetService(datasets);

    Run run = insert(ages("user.age", 0, 5), ages("user.size", 2, 5));

    assertThat(datasets.getAllRows(bigQuery.project(), "production", "user__age__rows")).hasSize(4);
    assertThat(datasets.getAllRows(bigQuery.project(), "production", "user__size__rows"))
        .hasSize(5);
    assertThat(run.failures).hasSize(1);
    assertThat(run.failures.get(0).cells().get(0).key()).isEqualTo("u1");
    assertThat(run.outcomes.stream().mapToLong(InsertOutcome::rows).sum()).isEqualTo(9);
  }

  private static FeatureTable table(String name) {
    return new FeatureTable(Feature.named("user", name), true, Optional.of(ValueType.INT64));
  }
}
