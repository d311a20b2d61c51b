package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.parquet.FileRows;
import io.tailrace.parquet.ForeignFile;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.QueryLog;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Failure;
import io.tailrace.testing.Balance;
import io.tailrace.testing.Features;
import io.tailrace.testing.OfflineConnections;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.QueryResult;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.testing.TestPipeline;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** What becomes of messages on their way into a DuckDB file, good ones between bad ones. */
public class InsertObservationsTest {
  private static final long T = RandomResults.START;

  @Rule public final transient TestPipeline pipeline = TestPipeline.create();
  @Rule public final transient TemporaryFolder folder = new TemporaryFolder();

  private final List<BusMessage> messages = new ArrayList<>();
  private OfflineStore store;

  @Before
  public void nameStore() {
    store = OfflineStores.at("duckdb://" + folder.getRoot() + "/offline.db");
  }

  @Test
  public void goodFilesBetweenBadOnesAreInsertedAndEachBadOneIsAFailure() throws Exception {
    byte[] good = BundleEncoder.files(age("ann", 1)).get(0).bytes();
    byte[] flipped = good.clone();
    flipped[good.length / 2] ^= 1;
    add(good);
    BusMessage cut = add(Arrays.copyOf(good, good.length - 1));
    BusMessage text = add("{}".getBytes(StandardCharsets.UTF_8));
    add(BundleEncoder.files(age("bob", 2)).get(0).bytes());
    BusMessage damaged = add(flipped);
    BusMessage wrongId = add(foreign().with("observation_id", "uuid()").bytes());
    add(foreign().bytes());
    BusMessage elsewhere = add(foreign().withText("tailrace.environment_id", "x").bytes());

    assertFailures(
        Map.of(
            cut, "UNDECODABLE",
            text, "UNDECODABLE",
            damaged, "UNDECODABLE",
            wrongId,
                "INVALID_VALUE 1 user.age of 'eve': row 0: column 'observation_id' is not the MD5"
                    + " of its operation_id, feature, pkey and observed_at,"
                    + " bd082abb9181507178697ed3dd1cc406",
            elsewhere, "UNKNOWN_ENVIRONMENT"));

    assertThat(rows("SELECT pkey, value FROM tailrace.user__age ORDER BY 1"))
        .containsExactly("[ann, 1]", "[bob, 2]", "[eve, 3]")
        .inOrder();
  }

  @Test
  public void rowsWhoseTableHasAnotherTypeAreAFailureAndOthersOfTheFileAreInserted()
      throws Exception {
    try (BatchConnection connection = OfflineConnections.to(store)) {
      Batches.insert(connection, BundleEncoder.files(age("ann", 1)));
    }
    BusMessage changed =
        add(
            BundleEncoder.files(
                    Results.of(
                        Results.user("bob", Results.string("age", T, "x")),
                        Results.user("bob", Results.string("name", T, "Bob"))))
                .get(0)
                .bytes());

    assertFailures(
        Map.of(
            changed,
            "TYPE_CHANGED 1 user.age of 'bob': its table user__age has value BIGINT, not VARCHAR;"
                + " publish the new type under another feature name, or rename the old table"));

    assertThat(rows("SELECT pkey, value FROM tailrace.user__age")).containsExactly("[ann, 1]");
    assertThat(rows("SELECT pkey, value FROM tailrace.user__name")).containsExactly("[bob, Bob]");
  }

  @Test
  public void rowsWhoseTableIsAnotherFeaturesAreAFailureAndOthersOfTheFileAreInserted()
      throws Exception {
    try (BatchConnection connection = OfflineConnections.to(store)) {
      connection.create(
          "production",
          List.of(
              new FeatureTable(
                  Features.of("other.age"), true, Optional.of(ValueType.INT64), "user__age")));
    }
    BusMessage mixed =
        add(
            BundleEncoder.files(
                    Results.of(
                        Results.user("bob", Results.int64("age", T, 1)),
                        Results.user("bob", Results.int64("zip", T, 2))))
                .get(0)
                .bytes());

    assertFailures(
        Map.of(
            mixed,
            "NAME_TAKEN 1 user.age of 'bob': its table user__age belongs to the feature other.age;"
                + " publish this one under another name, or rename the table"));

    assertThat(rows("SELECT count(*) FROM tailrace.user__age")).containsExactly("[0]");
    assertThat(rows("SELECT pkey, value FROM tailrace.user__zip")).containsExactly("[bob, 2]");
  }

  @Test
  public void rowsOfAnotherTypeAreCountedOnceWhateverElseIsWrongWithTheBatch() throws Exception {
    try (BatchConnection connection = OfflineConnections.to(store)) {
      Batches.insert(connection, BundleEncoder.files(age("ann", 1)));
    }
    Map<BusMessage, String> expected = new HashMap<>();
    for (int i = 0; i < 5; i++) {
      expected.put(
          add(
              BundleEncoder.files(Results.of(Results.user("u" + i, Results.string("age", T, "x"))))
                  .get(0)
                  .bytes()),
          "TYPE_CHANGED 1 user.age of 'u"
              + i
              + "': its table user__age has value BIGINT, not VARCHAR; publish"
              + " the new type under another feature name, or rename the old table");
    }
    store = new OneByOne(store);

    assertFailures(expected);
  }

  /** A store that takes only one file at a time. */
  private record OneByOne(OfflineStore store) implements OfflineStore {
    private static final long serialVersionUID = 1;

    @Override
    public String uri() {
      return store.uri();
    }

    @Override
    public boolean separatesEnvironments() {
      return store.separatesEnvironments();
    }

    @Override
    public void check(Set<Role> roles) throws UnavailableException {
      store.check(roles);
    }

    @Override
    public Catalog openCatalog() {
      return store.openCatalog();
    }

    @Override
    public OfflineReader reader() {
      return store.reader();
    }

    @Override
    public PTransform<
            PCollection<ObservationFile>, WithFailures.Result<PCollection<InsertOutcome>, Failure>>
        inserts() {
      return InsertInBundle.by(() -> GroupedInserts.over(connect()));
    }

    private BatchConnection connect() {
      BatchConnection connection = OfflineConnections.to(store);
      return new BatchConnection() {
        @Override
        public List<Conflict> create(String environment, List<FeatureTable> tables)
            throws ContentRejectedException, UnavailableException {
          return connection.create(environment, tables);
        }

        @Override
        public BatchInserted insert(FileBatch batch)
            throws ContentRejectedException, UnavailableException {
          if (batch.files().size() > 1) {
            throw new ContentRejectedException("one of the files is wrong");
          }
          return connection.insert(batch);
        }

        @Override
        public boolean takesRows(String environment) throws UnavailableException {
          return connection.takesRows(environment);
        }

        @Override
        public Duration patience() {
          return connection.patience();
        }

        @Override
        public void close() {
          connection.close();
        }
      };
    }
  }

  @Test
  public void aQueryThatLacksWhatTheLogNeedsIsAFailureAndOthersAreInserted() throws Exception {
    add(queries("op-1").bytes());
    BusMessage withoutTables = add(queries("op-2").with("value_tables", "NULL::VARCHAR[]").bytes());
    BusMessage withoutEnvironment =
        add(queries("op-3").with("environment_id", "NULL::VARCHAR").bytes());
    BusMessage withoutId = add(queries("").bytes());

    assertFailures(
        Map.of(
            withoutTables,
            "MISSING_FIELD 1 query_log: row 0: column 'value_tables' has a null, which it may not",
            withoutEnvironment,
            "MISSING_FIELD 1 query_log: row 0: column 'environment_id' has a null, which it may"
                + " not",
            withoutId,
            "MISSING_FIELD 1 query_log: row 0: column 'operation_id' is empty"));

    assertThat(rows("SELECT operation_id FROM tailrace.query_log")).containsExactly("[op-1]");
  }

  private static QueryResult age(String key, long value) {
    return Results.of(Results.user(key, Results.int64("age", T, value)));
  }

  private static ForeignFile foreign() {
    return ForeignFile.of(
        ValueType.INT64,
        "('user.age', 'eve', 3::BIGINT, TIMESTAMPTZ '2026-01-01 00:00:00+00', 'op')");
  }

  private static ForeignFile queries(String operationId) {
    Map<String, String> columns = new LinkedHashMap<>();
    columns.put("operation_id", "'" + operationId + "'");
    columns.put("environment_id", "'production'");
    columns.put("operation_kind", "'ONLINE_QUERY'");
    columns.put("query_status", "'SUCCEEDED'");
    columns.put("query_timestamp", "observed_at");
    columns.put("execution_started_at", "NULL::TIMESTAMPTZ");
    columns.put("execution_finished_at", "NULL::TIMESTAMPTZ");
    columns.put("value_tables", "['user__age']");
    for (QueryLog.Column column : QueryLog.CURRENT.columns()) {
      if (column.type() == QueryLog.Type.TEXT) {
        columns.putIfAbsent(column.name(), "NULL::VARCHAR");
      }
    }
    return new ForeignFile(columns, foreign().rows(), foreign().footer())
        .withText("tailrace.kind", "query_log")
        .withoutText("tailrace.value_type");
  }

  private BusMessage add(byte[] file) {
    BusMessage message =
        BusMessage.of(
            file,
            Place.numbered("inserts", 0, messages.size()),
            MessageTime.ofBus(BundleEncoder.PUBLISHED_AT));
    messages.add(message);
    return message;
  }

  /** Runs all messages: these become failures with their bytes, the others none. */
  private void assertFailures(Map<BusMessage, String> expected) {
    WithFailures.Result<PCollection<ObservationFile>, Failure> decoded =
        pipeline
            .apply(Create.of(messages))
            .apply(
                DecodeObservationFiles.forWriter("inserter").ofEnvironments(Set.of("production")));
    WithFailures.Result<PCollection<InsertOutcome>, Failure> inserted =
        decoded.output().apply(InsertObservations.into(store));
    Map<String, String> byBytes = new LinkedHashMap<>();
    expected.forEach((message, why) -> byBytes.put(FileRows.hex(message.payload()), why));
    PAssert.that(
            PCollectionList.of(decoded.failures())
                .and(inserted.failures())
                .apply(Flatten.pCollections()))
        .satisfies(
            failures -> {
              Map<String, String> found = new LinkedHashMap<>();
              for (Failure failure : failures) {
                found.put(
                    FileRows.hex(failure.original().payload()),
                    failure.cells().isEmpty()
                        ? failure.reason().name()
                        : failure.reason() + " " + failure.cellCount() + " " + failure.message());
              }
              assertThat(found).isEqualTo(byBytes);
              return null;
            });
    Balance.run(pipeline);
  }

  private List<String> rows(String sql) throws UnavailableException {
    return store.reader().query(sql, 1_000).rows().stream().map(Object::toString).toList();
  }
}
