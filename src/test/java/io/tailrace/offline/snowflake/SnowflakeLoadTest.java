package io.tailrace.offline.snowflake;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedByHand;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.offline.warehouse.WarehouseSession;
import io.tailrace.pipelines.local.servers.snowflake.FakeSnowflake;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column;
import io.tailrace.v1.QueryResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/**
 * What loads into a simulated Snowflake lose, double and cost when it fails as the service does.
 */
@RunWith(JUnit4.class)
public class SnowflakeLoadTest {
  private static final long T = RandomResults.START;

  @ClassRule public static final SnowflakeFixture SNOWFLAKE = new SnowflakeFixture();

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private FakeSnowflake snowflake;
  private Path password;
  private SnowflakeOfflineStore store;
  private StagedByHand staged;

  @Before
  public void start() throws Exception {
    SNOWFLAKE.clear("production");
    snowflake = SNOWFLAKE.server();
    password = SNOWFLAKE.password();
    store = store("");
    staged = new StagedByHand(store.stage());
  }

  private SnowflakeOfflineStore store(String more) {
    return (SnowflakeOfflineStore) OfflineStores.at(SNOWFLAKE.uri() + more);
  }

  /** For owners that meet more than once, at times slowly. */
  private static SnowflakeOfflineStore patient() {
    return (SnowflakeOfflineStore)
        OfflineStores.at(SNOWFLAKE.uri().replace("retryFor=1s", "retryFor=30s"));
  }

  private static QueryResult age(String key, long value) {
    return Results.named("op-" + key)
        .addFrames(Results.user(key, Results.int64("age", T, value)))
        .build();
  }

  private Inserted load(List<StagedFile> files) throws UnavailableException {
    return load(store, files);
  }

  private static Inserted load(SnowflakeOfflineStore store, List<StagedFile> files)
      throws UnavailableException {
    try (Loader loader = store.openLoader();
        Stage.Connection connection = store.stage().open()) {
      return loader.load(connection, files);
    }
  }

  private List<String> rows(String sql) throws UnavailableException {
    return store.reader().query(sql, 1_000).rows().stream().map(Object::toString).toList();
  }

  private List<String> ages() throws UnavailableException {
    return rows("SELECT pkey, value FROM production.user__age ORDER BY 1");
  }

  private long entered() throws UnavailableException {
    return Long.parseLong(
        rows("SELECT COUNT(*) FROM production.staged_files").get(0).replaceAll("\\D", ""));
  }

  @Test
  public void throttledRequestsAreSentAgain() throws Exception {
    List<StagedFile> files = staged.put(age("ann", 1));
    snowflake.faults().throttle(2, 429);

    Inserted inserted = load(files);

    assertThat(inserted.rows().inserted()).isEqualTo(1);
    assertThat(ages()).containsExactly("[ann, 1]");
  }

  @Test
  public void aTokenThatExpiresIsRenewedAndASessionThatIsOverIsReplaced() throws Exception {
    try (Loader loader = store.openLoader();
        Stage.Connection connection = store.stage().open()) {
      Inserted first = loader.load(connection, staged.put(age("ann", 1)));
      snowflake.expireTokens();
      Inserted second = loader.load(connection, staged.put(age("bob", 2)));
      snowflake.endSessions();
      Inserted third = loader.load(connection, staged.put(age("eve", 3)));

      assertThat(first.rows().inserted()).isEqualTo(1);
      assertThat(second.rows().inserted()).isEqualTo(1);
      assertThat(third.rows().inserted()).isEqualTo(1);
    }
    assertThat(ages()).containsExactly("[ann, 1]", "[bob, 2]", "[eve, 3]");
  }

  @Test
  public void aSessionThatIsOverAtAnyStatementOfALoadLosesAndDoublesNothing() throws Exception {
    List<StagedFile> before = staged.put(age("ann", 1));
    assertThat(load(before).rows().inserted()).isEqualTo(1);
    int round = 0;
    for (String statement :
        List.of("SELECT name", "TEMPORARY", "COPY INTO", "BEGIN", "UPDATE", "MERGE", "COMMIT")) {
      for (boolean done : new boolean[] {false, true}) {
        List<StagedFile> files = staged.put(age("u" + round++, round));
        if (done) {
          snowflake.faults().cutBehind(statement);
        } else {
          snowflake.faults().cutBefore(statement);
        }

        Inserted inserted = load(files);

        assertThat(inserted.rows().inserted()).isEqualTo(1);
        assertThat(inserted.rows().duplicates()).isEqualTo(0);
        assertThat(inserted.queries().inserted()).isEqualTo(1);
        assertThat(ages()).hasSize(1 + round);
      }
    }
    assertThat(entered()).isEqualTo(2 * (1 + round));
    assertThat(rows("SELECT pkey FROM production.rows_string_int64")).hasSize(1 + round);
  }

  @Test
  public void anOwnerThatIsGoneBetweenCopyAndCommitLeavesNothingHalf() throws Exception {
    List<StagedFile> files = staged.put(age("ann", 1), age("bob", 2));
    SnowflakeOfflineStore impatient = impatient();
    snowflake.faults().cutBefore("COMMIT");

    assertThrows(UnavailableException.class, () -> load(impatient, files));
    assertThat(rows("SELECT pkey FROM production.rows_string_int64")).isEmpty();
    assertThat(entered()).isEqualTo(0);

    assertThat(load(files).rows().inserted()).isEqualTo(2);
    assertThat(load(files).rows().duplicates()).isEqualTo(2);
    assertThat(ages()).containsExactly("[ann, 1]", "[bob, 2]");
  }

  private SnowflakeOfflineStore impatient() {
    return (SnowflakeOfflineStore)
        OfflineStores.at(SNOWFLAKE.uri().replace("retryFor=1s", "retryFor=0s"));
  }

  @Test
  public void twoOwnersAtOnceLoadEachFileOnce() throws Exception {
    List<StagedFile> files = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      files.addAll(staged.put(age("u" + i, i)));
    }
    CountDownLatch start = new CountDownLatch(1);
    ExecutorService threads = Executors.newFixedThreadPool(3);
    List<Future<Inserted>> owners = new ArrayList<>();
    try {
      for (int i = 0; i < 3; i++) {
        owners.add(
            threads.submit(
                () -> {
                  start.await();
                  return load(patient(), files);
                }));
      }
      start.countDown();
      long inserted = 0;
      long queries = 0;
      for (Future<Inserted> owner : owners) {
        inserted += owner.get().rows().inserted();
        queries += owner.get().queries().inserted();
        assertThat(owner.get().refused()).isEmpty();
        assertThat(owner.get().rejected()).isEmpty();
      }
      assertThat(inserted).isEqualTo(20);
      assertThat(queries).isEqualTo(20);
      assertThat(ages()).hasSize(20);
      assertThat(rows("SELECT pkey FROM production.rows_string_int64")).hasSize(20);
      assertThat(entered()).isEqualTo(40);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  public void oneThatIsStillLoadingIsNot() throws Exception {
    load(staged.put(age("ann", 1)));
    SnowflakeOfflineStore hasty =
        (SnowflakeOfflineStore)
            OfflineStores.at(
                SNOWFLAKE
                    .uri()
                    .replace("timeout=10s", "timeout=3s")
                    .replace("retryFor=1s", "retryFor=0s"));
    try (WarehouseSession loading = new WarehouseSession(store.server())) {
      boolean unused =
          loading.require(
              statements -> {
                statements.execute("BEGIN");
                store.dialect().lock(statements, "\"FEATURES\".\"PRODUCTION\".\"LOAD_LOCK\"");
                // Longer than any one statement may take.
                SNOWFLAKE.server().ageLocks(Duration.ofSeconds(5));
                assertThrows(
                    UnavailableException.class, () -> load(hasty, staged.put(age("bob", 2))));
                statements.execute("COMMIT");
                return true;
              });
    }
    assertThat(load(staged.put(age("eve", 3))).rows().inserted()).isEqualTo(1);
  }

  @Test
  public void aTransactionThatHasTheLockForTooLongIsEnded() throws Exception {
    load(staged.put(age("ann", 1)));
    SnowflakeOfflineStore hasty =
        (SnowflakeOfflineStore)
            OfflineStores.at(
                SNOWFLAKE
                    .uri()
                    .replace("timeout=10s", "timeout=1s")
                    .replace("retryFor=1s", "retryFor=10s"));
    try (WarehouseSession stalled = new WarehouseSession(store.server())) {
      boolean unused =
          stalled.require(
              statements -> {
                statements.execute("BEGIN");
                store.dialect().lock(statements, "\"FEATURES\".\"PRODUCTION\".\"LOAD_LOCK\"");
                return true;
              });
      SNOWFLAKE.server().ageLocks(Duration.ofSeconds(7));

      assertThat(load(hasty, staged.put(age("bob", 2))).rows().inserted()).isEqualTo(1);
    }
    assertThat(ages()).containsExactly("[ann, 1]", "[bob, 2]");
  }

  @Test
  public void ofTwoWhoGiveTheViewOfADeletionItsValuesAtOnceOneIsTold() throws Exception {
    for (int round = 0; round < 4; round++) {
      String feature = "f" + round;
      load(
          staged.put(
              Results.named("op-gone" + round)
                  .addDeletions(Results.deletion("ann", T, feature))
                  .build()));
      List<List<StagedFile>> both =
          List.of(
              staged.put(
                  Results.named("op-a" + round)
                      .addFrames(Results.user("bob", Results.int64(feature, T, 1)))
                      .build()),
              staged.put(
                  Results.named("op-b" + round)
                      .addFrames(Results.user("eve", Results.string(feature, T, "x")))
                      .build()));
      ExecutorService threads = Executors.newFixedThreadPool(2);
      List<Future<Inserted>> owners = new ArrayList<>();
      try {
        both.forEach(files -> owners.add(threads.submit(() -> load(patient(), files))));
        int inserted = 0;
        int rejected = 0;
        for (Future<Inserted> owner : owners) {
          inserted += (int) owner.get().rows().inserted();
          rejected += owner.get().rejected().size();
        }
        assertThat(inserted).isEqualTo(1);
        assertThat(rejected).isEqualTo(1);
      } finally {
        threads.shutdownNow();
      }
      assertThat(rows("SELECT pkey FROM production.user__" + feature)).hasSize(2);
    }
  }

  @Test
  public void aFileThatIsGoneIsRefusedAloneAndLoadedWhenItIsThereAgain() throws Exception {
    List<StagedFile> files = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      files.addAll(staged.put(age("u" + i, i)));
    }
    StagedFile gone = files.get(4);
    byte[] bytes;
    try (Stage.Connection connection = store.stage().open()) {
      bytes = connection.read(gone.name()).orElseThrow();
      connection.delete(List.of(gone.name()));
      assertThat(connection.read(gone.name())).isEmpty();

      Inserted inserted = load(files);
      assertThat(inserted.refused().keySet()).containsExactly(4);
      assertThat(inserted.refused().get(4)).contains("is neither in the stage");
      assertThat(inserted.rows().inserted()).isEqualTo(4);

      connection.put(Map.of(gone.name(), bytes));
    }
    assertThat(load(files).rows().inserted()).isEqualTo(1);
    assertThat(ages()).hasSize(5);
  }

  @Test
  public void aFileThatCantBeCopiedIsRefusedAloneAndToldAgain() throws Exception {
    List<StagedFile> files = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      files.addAll(staged.put(age("u" + i, i)));
    }
    StagedFile damaged = files.get(2);
    try (Stage.Connection connection = store.stage().open()) {
      connection.put(Map.of(damaged.name(), new byte[] {'P', 'A', 'R', '1', 0}));
    }

    Inserted inserted = load(files);
    Inserted again = load(files);

    assertThat(inserted.refused().keySet()).containsExactly(2);
    assertThat(inserted.refused().get(2)).contains("is damaged: ");
    assertThat(inserted.rows().inserted()).isEqualTo(2);
    assertThat(again.refused()).isEqualTo(inserted.refused());
    assertThat(again.rows().inserted()).isEqualTo(0);
  }

  @Test
  public void rowsWithTimesBeyondTheCalendarAreRefusedAlone() throws Exception {
    Column.Builder times =
        Results.int64("seen", T, 0, 1, 2, 3).toBuilder()
            .clearInt64Values()
            .setType(Column.Type.TIMESTAMP)
            .addTimestampValues(T)
            .addTimestampValues(Long.MAX_VALUE)
            .addTimestampValues(0)
            .addTimestampValues(Long.MIN_VALUE);
    List<StagedFile> files =
        staged.put(
            Results.named("op-1")
                .addFrames(Results.users(List.of("ann", "bob", "eve", "zoe"), times.build()))
                .build(),
            age("ann", 1));
    List<StagedFile> good =
        staged.put(
            Results.named("op-2")
                .addFrames(
                    Results.user(
                        "sue", times.clone().clearTimestampValues().addTimestampValues(T).build()))
                .build());
    List<StagedFile> all = new ArrayList<>(files);
    all.addAll(good);

    Inserted inserted = load(all);

    assertThat(inserted.refused()).isEmpty();
    assertThat(inserted.rejected().stream().map(it -> it.reason() + " " + it.message()).toList())
        .containsExactly(
            "INVALID_VALUE value is before the year 1, which Snowflake can't hold",
            "INVALID_VALUE value is after the year 9999, which Snowflake can't hold");
    assertThat(rows("SELECT pkey FROM production.user__seen ORDER BY 1"))
        .containsExactly("[ann]", "[eve]", "[sue]");
    assertThat(inserted.rows()).isEqualTo(new Inserted.Count(4, 0));
    assertThat(load(all).rejected()).containsExactlyElementsIn(inserted.rejected());
    try (Stage.Connection connection = store.stage().open()) {
      assertThat(connection.list()).hasSize(all.size());
    }
  }

  @Test
  public void aTableOfRowsThatRefusesThemKeepsNoOtherTypeFromTakingItsOwn() throws Exception {
    load(staged.put(age("ann", 1)));
    snowflake.execute(
        "ALTER TABLE production.rows_string_int64 ADD COLUMN reviewed VARCHAR DEFAULT 'me'",
        "ALTER TABLE production.rows_string_int64 ALTER COLUMN reviewed SET NOT NULL",
        "ALTER TABLE production.rows_string_int64 ALTER COLUMN reviewed DROP DEFAULT");
    QueryResult both =
        Results.named("op-bob")
            .addFrames(
                Results.user("bob", Results.int64("age", T, 2), Results.string("name", T, "Bob")))
            .build();
    List<StagedFile> files = staged.put(both);

    Inserted inserted = load(files);

    assertThat(inserted.rows().inserted()).isEqualTo(1);
    assertThat(inserted.queries().inserted()).isEqualTo(1);
    assertThat(inserted.rejected()).hasSize(1);
    assertThat(inserted.rejected().get(0).message()).startsWith("its table user__age refuses it: ");
    assertThat(rows("SELECT value FROM production.user__name")).containsExactly("[Bob]");
    assertThat(load(files).rejected()).isEqualTo(inserted.rejected());
  }

  @Test
  public void statementsGrowWithTypesAndNotWithFeatures() throws Exception {
    List<Column> columns = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      columns.add(Results.int64("f" + i, T, i));
    }
    QueryResult one = Results.named("op-1").addFrames(Results.user("ann", columns.get(0))).build();
    QueryResult all =
        Results.named("op-2")
            .addFrames(Results.user("bob", columns.toArray(Column[]::new)))
            .build();
    QueryResult more = all.toBuilder().setOperationId("op-3").build();
    try (Loader loader = store.openLoader();
        Stage.Connection connection = store.stage().open()) {
      assertThat(loader.load(connection, staged.put(one)).rows().inserted()).isEqualTo(1);
      assertThat(loader.load(connection, staged.put(all)).rows().inserted()).isEqualTo(100);
      List<StagedFile> files = staged.put(more);
      snowflake.clearStatements();

      assertThat(loader.load(connection, files).rows().inserted()).isEqualTo(100);
    }
    // As the documentation says: 6 for the load, 4 for the type, 5 for the log of queries.
    assertThat(snowflake.statements()).hasSize(15);
  }

  @Test
  public void theServerEndsStatementsBeforeTheOwnerLosesPatience() throws Exception {
    try (Loader loader = store.openLoader();
        Stage.Connection connection = store.stage().open()) {
      loader.load(connection, staged.put(age("ann", 1)));

      assertThat(snowflake.sessionParameters().get(0))
          .containsAtLeast(
              "STATEMENT_TIMEOUT_IN_SECONDS",
              "10",
              "LOCK_TIMEOUT",
              "10",
              "TIMEZONE",
              "UTC",
              "ABORT_DETACHED_QUERY",
              "true");
    }
    assertThat(rows("SELECT session FROM production.load_lock").get(0)).matches("\\[\\d+\\]");
  }

  @Test
  public void whoHasAKeyNeedsNoPassword() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2_048);
    KeyPair pair = generator.generateKeyPair();
    Path key = folder.newFile("key.p8").toPath();
    Files.writeString(
        key,
        "-----BEGIN PRIVATE KEY-----\n"
            + Base64.getMimeEncoder().encodeToString(pair.getPrivate().getEncoded())
            + "\n-----END PRIVATE KEY-----\n");
    SnowflakeOfflineStore byKey =
        (SnowflakeOfflineStore)
            OfflineStores.at(
                SNOWFLAKE.uri().replace("password=file:" + password, "privateKey=file:" + key));

    UnavailableException e = assertThrows(UnavailableException.class, byKey::check);
    assertThat(e).hasMessageThat().contains("ALTER USER");
    snowflake.faults().logins().give(pair.getPublic());

    byKey.check();
    assertThat(load(byKey, staged.put(age("ann", 1))).rows().inserted()).isEqualTo(1);
  }
}
