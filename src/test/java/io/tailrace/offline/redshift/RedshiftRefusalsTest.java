package io.tailrace.offline.redshift;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedByHand;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.offline.staging.StagedStore;
import io.tailrace.parquet.ForeignFile;
import io.tailrace.result.ValueType;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column;
import io.tailrace.v1.DeadLetter.Reason;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What a simulated Redshift refuses, and what it never may: each once, and nothing for ever. */
@RunWith(JUnit4.class)
public class RedshiftRefusalsTest {
  @ClassRule public static final RedshiftFixture REDSHIFT = new RedshiftFixture();

  private static final long T = RandomResults.START;

  private StagedByHand staged;

  @Before
  public void clear() throws Exception {
    REDSHIFT.clear("production");
    staged = new StagedByHand(REDSHIFT.store().stage());
  }

  private static Inserted load(List<StagedFile> files) throws UnavailableException {
    return load(REDSHIFT.store(), files);
  }

  private static Inserted load(StagedStore store, List<StagedFile> files)
      throws UnavailableException {
    try (Loader loader = store.openLoader();
        Stage.Connection connection = REDSHIFT.store().stage().open()) {
      return loader.load(connection, files);
    }
  }

  private static long count(String table) throws UnavailableException {
    return Long.parseLong(
        String.valueOf(
            REDSHIFT
                .store()
                .reader()
                .query("SELECT COUNT(*) FROM production." + table, 1)
                .rows()
                .get(0)
                .get(0)));
  }

  private List<StagedFile> age(String key) throws Exception {
    return staged.put(
        Results.named("op-" + key)
            .addFrames(Results.user(key, Results.int64("age", T, 1)))
            .build());
  }

  @Test
  public void aFileOfWhichManyFeaturesAreRefusedIsEnteredAndToldAgain() throws Exception {
    int features = 400;
    Inserted unused = load(age("ann"));
    REDSHIFT.execute(
        IntStream.range(0, features)
            .mapToObj(i -> "CREATE TABLE production.user__of_somebody_else_" + i + " (n INTEGER)")
            .toArray(String[]::new));
    List<StagedFile> files =
        staged.put(
            Results.of(
                Results.user(
                    "ann",
                    IntStream.range(0, features)
                        .mapToObj(i -> Results.int64("of_somebody_else_" + i, T, i))
                        .toArray(Column[]::new))));

    Inserted inserted = load(files);
    Inserted again = load(files);

    for (Inserted each : List.of(inserted, again)) {
      assertThat(each.rejected().stream().mapToInt(rows -> rows.rows().count()).sum())
          .isEqualTo(features);
      each.rejected().forEach(rows -> assertThat(rows.reason()).isEqualTo(Reason.TABLE_REFUSES));
    }
    assertThat(inserted.rejected()).hasSize(features);
    assertThat(again.rows().known() + again.rows().duplicates()).isEqualTo(0);
  }

  @Test
  public void aStageThatCantBeReadRefusesNothingWhateverTheWordsAre() throws Exception {
    List<StagedFile> files = new ArrayList<>(age("ann"));
    files.addAll(age("bob"));
    for (String context :
        List.of(
            "Forbidden: HTTP response error code: 403 Message: AccessDenied Access Denied",
            "words of a later version")) {
      REDSHIFT.server().cantRead(context);
      UnavailableException e = assertThrows(UnavailableException.class, () -> load(files));
      assertThat(e).hasMessageThat().contains(context);
    }
    REDSHIFT.server().forgetFaults();

    Inserted inserted = load(files);

    assertThat(inserted.isWhole()).isTrue();
    assertThat(inserted.rows().inserted()).isEqualTo(2);
    assertThat(count("staged_files")).isEqualTo(files.size());
    assertThat(REDSHIFT.s3().keys(RedshiftFixture.BUCKET)).hasSize(files.size());
  }

  /** Returns the store with another limit of statements. */
  private static StagedStore store(String timeout, String retryFor) {
    return (StagedStore)
        OfflineStores.at(
            REDSHIFT
                .uri()
                .replace("&timeout=20s", "&timeout=" + timeout)
                .replace("&retryFor=1s", "&retryFor=" + retryFor));
  }

  @Test
  public void anOwnerThatHasTheLockAndDoesNothingIsEnded() throws Exception {
    Inserted unused = load(age("ann"));
    try (Connection owner = REDSHIFT.server().postgres().connect();
        Statement statement = owner.createStatement()) {
      statement.execute("BEGIN");
      statement.execute("LOCK production.load_lock");

      Inserted inserted = load(store("1s", "2m"), age("bob"));

      assertThat(inserted.rows().inserted()).isEqualTo(1);
      SQLException e = assertThrows(SQLException.class, () -> statement.execute("SELECT 1"));
      assertThat(e.getSQLState()).isEqualTo("57P01");
    }
  }

  @Test
  public void anOwnerThatHasTheLockAndWorksIsLetToGoOn() throws Exception {
    Inserted unused = load(age("ann"));
    try (Connection owner = REDSHIFT.server().postgres().connect();
        Statement statement = owner.createStatement()) {
      statement.execute("BEGIN");
      statement.execute("LOCK production.load_lock");
      ExecutorService thread = Executors.newSingleThreadExecutor();
      try {
        Future<Boolean> working = thread.submit(() -> statement.execute("SELECT pg_sleep(600)"));
        while (!isWorking()) {
          Thread.sleep(10);
        }
        List<StagedFile> files = age("bob");

        assertThrows(UnavailableException.class, () -> load(store("1s", "0s"), files));

        assertThat(isWorking()).isTrue();
        statement.cancel();
        assertThrows(ExecutionException.class, working::get);
        statement.execute("ROLLBACK");
      } finally {
        thread.shutdownNow();
      }
    }
  }

  private static boolean isWorking() throws SQLException {
    try (Connection connection = REDSHIFT.server().postgres().connect();
        Statement statement = connection.createStatement();
        ResultSet found =
            statement.executeQuery(
                "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT"
                    + " pg_sleep%'")) {
      return found.next();
    }
  }

  @Test
  public void valuesThatAreLongerThanATextAreMerged() throws Exception {
    String rest = ", TIMESTAMPTZ '2026-01-02 03:04:05+00', 'op-1')";
    List<StagedFile> files =
        staged.put(
            List.of(
                staged.numbered(
                    ForeignFile.of(
                            ValueType.BYTES, "('user.b', 'ann', repeat('x', 100000)::BLOB" + rest)
                        .bytes()),
                staged.numbered(
                    ForeignFile.of(
                            ValueType.VECTOR,
                            "('user.v', 'ann', list_transform(range(20000), x -> x / 7)::FLOAT[]"
                                + rest)
                        .bytes())));

    Inserted inserted = load(REDSHIFT.store("&latest=true"), files);

    assertThat(inserted.isWhole()).isTrue();
    assertThat(inserted.rows().inserted()).isEqualTo(2);
    assertThat(count("latest_user")).isEqualTo(2);
  }

  @Test
  public void textsThatDifferInBlanksAtTheirEndsAreNotTheSame() throws Exception {
    REDSHIFT.server().ignoreBlanks();
    StagedStore store = REDSHIFT.store("&latest=true");
    List<StagedFile> files =
        staged.put(
            Results.named("q")
                .addFrames(Results.user("u1", Results.int64("a", T, 1), Results.int64("a ", T, 2)))
                .build(),
            Results.named("q ").addFrames(Results.user("u1 ", Results.int64("a", T, 3))).build());

    Inserted inserted = load(store, files);

    assertThat(inserted.isWhole()).isTrue();
    assertThat(inserted.rows().inserted()).isEqualTo(3);
    assertThat(inserted.queries().inserted()).isEqualTo(2);
    assertThat(load(store, files).rows().inserted()).isEqualTo(0);
    assertThat(count("query_log")).isEqualTo(2);
    assertThat(count("user__a")).isEqualTo(2);
    assertThat(count("latest_user")).isEqualTo(3);

    inserted = load(store, staged.put(Results.of(Results.deletion("u1 ", T + 1))));

    assertThat(inserted.isWhole()).isTrue();
    assertThat(count("latest_user")).isEqualTo(2);
  }

  @Test
  public void filesOfKeysThatHaveNoRoomAreRefusedEvenWhereAllAre() throws Exception {
    List<StagedFile> files = staged.put(Results.of(Results.deletion("k".repeat(70_000), T, "age")));

    Inserted inserted = load(files);

    assertThat(inserted.refused().get(0)).contains("can't be copied: ");
    assertThat(load(files).refused()).isEqualTo(inserted.refused());
  }
}
