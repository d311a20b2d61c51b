package io.tailrace.testing;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedByHand;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.offline.staging.StagedStore;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.Test;

/** What loads into a warehouse lose and double when it fails as the service does: nothing. */
public abstract class WarehouseLoadContract {
  private static final long T = RandomResults.START;

  private int keys;

  /** Returns the warehouse. */
  protected abstract WarehouseFixture warehouse();

  /** Returns a word in each of the statements of a load, in their order. */
  protected abstract List<String> statements();

  /** Refuses the next copy, as if it were the fault of a file. */
  protected abstract void refuseCopy();

  private StagedStore store(String more) {
    return warehouse().store(more);
  }

  private List<StagedFile> age(int value) throws Exception {
    String key = "u" + keys++;
    QueryResult result =
        Results.named("op-" + key)
            .addFrames(Results.user(key, Results.int64("age", T, value)))
            .build();
    return new StagedByHand(store("").stage()).put(result);
  }

  private Inserted load(StagedStore store, List<StagedFile> files) throws UnavailableException {
    try (Loader loader = store.openLoader();
        Stage.Connection connection = store("").stage().open()) {
      return loader.load(connection, files);
    }
  }

  private long count(String table) throws UnavailableException {
    return Long.parseLong(
        String.valueOf(
            store("")
                .reader()
                .query("SELECT COUNT(*) FROM " + table(table), 1)
                .rows()
                .get(0)
                .get(0)));
  }

  /** Returns a table of the environment, as statements name it. */
  protected String table(String name) {
    return "production." + name;
  }

  @Test
  public void whateverIsCutAtAnyStatementOfALoadLosesAndDoublesNothing() throws Exception {
    load(store(""), age(1));
    for (String statement : statements()) {
      for (boolean done : new boolean[] {false, true}) {
        List<StagedFile> files = age(2);
        if (done) {
          warehouse().cutBehind(statement);
        } else {
          warehouse().cutBefore(statement);
        }

        Inserted inserted = load(store("&retryFor=30s"), files);

        assertThat(inserted.rows().inserted() + inserted.rows().duplicates()).isEqualTo(1);
        if (done && statement.equals(last(statements()))) {
          // The load knows its own entry in the ledger, and what it told with it.
          assertThat(inserted.rows().inserted()).isEqualTo(1);
        }
        assertThat(count("user__age")).isEqualTo(keys);
        assertThat(count("query_log")).isEqualTo(keys);
        assertThat(count("staged_files")).isEqualTo(2L * keys);
      }
    }
  }

  @Test
  public void aServiceThatIsAskedTooMuchIsAskedAgainAndSessionsAreReplaced() throws Exception {
    try (Loader loader = store("&retryFor=30s").openLoader();
        Stage.Connection connection = store("").stage().open()) {
      warehouse().throttle();
      assertThat(loader.load(connection, age(1)).rows().inserted()).isEqualTo(1);
      warehouse().endSessions();
      assertThat(loader.load(connection, age(2)).rows().inserted()).isEqualTo(1);
    }
    assertThat(count("user__age")).isEqualTo(2);
  }

  @Test
  public void tablesThatSomebodyDropsAreMadeAnewAndNothingIsRefused() throws Exception {
    try (Loader loader = store("&retryFor=30s").openLoader();
        Stage.Connection connection = store("").stage().open()) {
      Inserted unused = loader.load(connection, age(0));
      for (List<String> tables :
          List.of(
              List.of("rows_string_int64"), List.of("load_lock", "staged_files", "query_log"))) {
        for (String table : tables) {
          warehouse().execute("DROP TABLE " + table(table) + " CASCADE");
        }

        Inserted inserted = loader.load(connection, age(1));

        assertThat(inserted.rejected()).isEmpty();
        assertThat(inserted.rows().inserted() + inserted.rows().duplicates()).isEqualTo(1);
      }
      warehouse().execute("DROP TABLE " + table("staged_files") + " CASCADE");
      assertThat(loader.ledger().find("production", List.of("none"))).isEmpty();
    }
    assertThat(count("user__age")).isEqualTo(2);
    assertThat(count("query_log")).isEqualTo(1);
  }

  @Test
  public void anOwnerThatIsGoneBeforeTheLedgerLeavesAllToTheNext() throws Exception {
    load(store(""), age(1));
    List<StagedFile> files = age(2);
    warehouse().cutBefore("INSERT INTO");

    assertThrows(UnavailableException.class, () -> load(store("&retryFor=0s"), files));
    assertThat(count("staged_files")).isEqualTo(2);

    Inserted inserted = load(store(""), files);
    assertThat(inserted.rows().inserted() + inserted.rows().duplicates()).isEqualTo(1);
    assertThat(load(store(""), files).rows().duplicates()).isEqualTo(1);
    assertThat(count("user__age")).isEqualTo(2);
  }

  @Test
  public void aFileOfTheLedgerIsNotReadAgain() throws Exception {
    List<StagedFile> files = age(1);
    assertThat(load(store(""), files).rows().inserted()).isEqualTo(1);
    try (Stage.Connection connection = store("").stage().open()) {
      connection.delete(files.stream().map(StagedFile::name).toList());
    }

    Inserted again = load(store(""), files);

    assertThat(again.refused()).isEmpty();
    assertThat(again.rows().duplicates()).isEqualTo(1);
    assertThat(again.queries().duplicates()).isEqualTo(1);
  }

  @Test
  public void aFileThatCantBeCopiedIsRefusedWhileASoundOneCanBe() throws Exception {
    List<StagedFile> files = age(1);
    refuseCopy();

    Inserted inserted = load(store(""), files);

    assertThat(inserted.refused().keySet()).containsExactly(0);
    assertThat(inserted.refused().get(0)).contains(" can't be copied: ");
    assertThat(load(store(""), files).refused()).isEqualTo(inserted.refused());
  }

  @Test
  public void aCopyThatLostRowsIsNotTakenForALoad() throws Exception {
    List<StagedFile> claimed =
        age(1).stream()
            .map(
                file ->
                    new StagedFile(
                        file.stage(),
                        file.name(),
                        file.type(),
                        new StagedFile.Size(
                            file.size().bytes(),
                            file.size().rows() + 1,
                            file.size().publishedFrom()),
                        file.origin()))
            .toList();

    UnavailableException e =
        assertThrows(UnavailableException.class, () -> load(store("&retryFor=0s"), claimed));

    assertThat(e).hasMessageThat().contains("1 rows were copied of files that have 2");
    assertThat(count("staged_files")).isEqualTo(0);
  }

  private static String last(List<String> some) {
    return some.get(some.size() - 1);
  }

  @Test
  public void ownersAtOnceLoadEachFileOnce() throws Exception {
    List<StagedFile> files = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      files.addAll(age(i));
    }
    ExecutorService threads = Executors.newFixedThreadPool(3);
    List<Future<Inserted>> owners = new ArrayList<>();
    try {
      for (int i = 0; i < 3; i++) {
        owners.add(threads.submit(() -> load(store("&retryFor=30s"), files)));
      }
      for (Future<Inserted> owner : owners) {
        assertThat(owner.get().refused()).isEmpty();
        assertThat(owner.get().rejected()).isEmpty();
      }
      assertThat(count("user__age")).isEqualTo(5);
      assertThat(count("query_log")).isEqualTo(5);
      assertThat(count("staged_files")).isEqualTo(10);
    } finally {
      threads.shutdownNow();
    }
  }
}
