package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.offline.duckdb.DuckDbOfflineStore;
import io.tailrace.parquet.ForeignFile;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.result.ValueType;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.testing.WriterJvm;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;

/** A file opens, and has everything, whatever a writer did last when its process was killed. */
@RunWith(Parameterized.class)
public class DuckDbKilledTest {
  private static final long T = RandomResults.START;

  /** What a writer does last; each has done what stands before it. */
  private enum Last {
    /** A table without values, and the log. */
    A_DELETION,
    /** The table gets its values. */
    A_VALUE,
    /** A row of the log gets more tables. */
    A_PART,
    /** What is there is not inserted again. */
    A_REPLAY,
    /** A table is created beside those that have rows. */
    ANOTHER_FEATURE
  }

  @Parameters(name = "{0}")
  public static Last[] lasts() {
    return Last.values();
  }

  @Parameter public Last last;

  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();

  private static DuckDbOfflineStore store(String directory) {
    return DuckDbOfflineStore.at(EndpointUri.parse("duckdb://" + directory + "/offline.db"));
  }

  private static List<ObservationFile> files(Last step) throws Exception {
    return switch (step) {
      case A_DELETION -> BundleEncoder.files(Results.of(Results.deletion("bob", T, "age")));
      case A_VALUE ->
          BundleEncoder.files(Results.of(Results.user("ann", Results.int64("age", T, 42))));
      case A_PART ->
          BundleEncoder.files(Results.of(Results.user("ann", Results.int64("zip", T, 1))));
      case A_REPLAY -> {
        List<ObservationFile> all = new ArrayList<>(files(Last.A_VALUE));
        all.addAll(files(Last.A_PART));
        yield all;
      }
      case ANOTHER_FEATURE ->
          List.of(
              ForeignFile.of(
                      ValueType.INT64,
                      "('user.other', 'x', 1::BIGINT, TIMESTAMPTZ '2026-01-01 00:00:00+00', 'op')",
                      "('user.other', 'y', -1::BIGINT, TIMESTAMPTZ '2026-01-01 00:00:00+00', 'op')")
                  .file());
    };
  }

  /** Inserts in a process of its own, which is halted while it has all of its files open. */
  public static final class Writer {
    public static void main(String[] arguments) throws Exception {
      List<InsertSession> open = new ArrayList<>();
      for (Last last : Last.values()) {
        InsertSession session = GroupedInserts.over(store(directory(arguments[0], last)).connect());
        open.add(session);
        for (Last step : Last.values()) {
          if (step.compareTo(last) <= 0) {
            Inserted unused = session.insert(files(step));
          }
        }
      }
      Runtime.getRuntime().halt(open.isEmpty() ? 1 : WriterJvm.HALTED);
    }
  }

  private static String directory(String root, Last last) {
    return root + "/" + last.name();
  }

  @BeforeClass
  public static void insertAndHalt() throws Exception {
    for (Last last : Last.values()) {
      File unused = folder.newFolder(last.name());
    }
    try (WriterJvm writer =
        WriterJvm.start(Writer.class, folder.newFile("output"), folder.getRoot().getPath())) {
      writer.awaitHalt();
    }
  }

  @Test
  public void theFileOpensAndHasEverything() throws Exception {
    String directory = directory(folder.getRoot().getPath(), last);
    assertThat(Files.size(Path.of(directory, "offline.db.wal"))).isGreaterThan(0);

    DuckDbOfflineStore store = store(directory);
    try (InsertSession session = GroupedInserts.over(store.connect())) {
      for (Last step : Last.values()) {
        if (step.compareTo(last) <= 0) {
          Inserted again = session.insert(files(step));
          assertThat(again.rows().inserted() + again.queries().inserted()).isEqualTo(0);
        }
      }
    }
    assertThat(rows(store, "SELECT pkey FROM tailrace.user__age ORDER BY 1"))
        .isEqualTo(last == Last.A_DELETION ? "[[bob]]" : "[[ann], [bob]]");
    assertThat(rows(store, "SELECT operation_id, len(value_tables) FROM tailrace.query_log"))
        .isEqualTo(last.compareTo(Last.A_PART) < 0 ? "[[op, 1]]" : "[[op, 2]]");
  }

  private static String rows(DuckDbOfflineStore store, String sql) throws Exception {
    return store.reader().query(sql, 100).rows().toString();
  }
}
