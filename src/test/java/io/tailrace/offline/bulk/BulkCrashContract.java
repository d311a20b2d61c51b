package io.tailrace.offline.bulk;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Finishing;
import io.tailrace.offline.InsertSession;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.result.ValueType;
import io.tailrace.testing.WriterJvm;
import io.tailrace.v1.BulkUpload;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** What a load of files with results loses and doubles whose process is gone in it: nothing. */
public abstract class BulkCrashContract {
  private static final long T = ResultFilesContract.T;

  /** When the process is gone. */
  protected enum Moment {
    /** The store has read the files, and nothing is committed. */
    FILES_ARE_COPIED,
    /** The store has answered the commit. */
    ROWS_ARE_COMMITTED,
    /** By itself never. */
    NEVER
  }

  @Rule public final TemporaryFolder folder = new TemporaryFolder();
  @Rule public final ResultsPlace results = place();

  /** Where the files are. */
  protected ResultsPlace place() {
    return ResultsPlace.local();
  }

  /** Returns the address of the simulated S3; empty: files are local. */
  protected String s3() {
    return "";
  }

  /** The store, one schema for each environment. */
  protected abstract String uri() throws Exception;

  /** Loads files in a process of its own. */
  public static final class Writer {
    public static void main(String[] arguments) throws Exception {
      Moment moment = Moment.valueOf(arguments[2]);
      if (!arguments[4].isEmpty()) {
        S3Results.reach(arguments[4]);
      }
      OfflineStore store = OfflineStores.at(arguments[0]);
      try (BulkLoader loader = store.bulkLoads().orElseThrow().open()) {
        LoadCounts unused =
            load(
                new ResultBucket(arguments[1]),
                arguments[3],
                new BulkLoader(
                    halting(loader.wide(), moment),
                    halting(loader.rows(), moment),
                    loader.ledger()));
      }
      throw new IllegalStateException("not halted");
    }
  }

  private static void halt() {
    Runtime.getRuntime().halt(WriterJvm.HALTED);
  }

  private static WideLoads halting(WideLoads wide, Moment moment) {
    return new WideLoads() {
      @Override
      public Most most() {
        return wide.most();
      }

      @Override
      public Loaded load(Batch batch) throws UnavailableException {
        Loaded loaded =
            wide.load(
                new Batch(
                    batch.contents(),
                    batch.columns(),
                    batch.observedUntil(),
                    batch.files(),
                    () -> {
                      if (moment == Moment.FILES_ARE_COPIED) {
                        halt();
                      }
                      return batch.closing().entries();
                    }));
        if (moment == Moment.ROWS_ARE_COMMITTED && loaded.left().isEmpty()) {
          halt();
        }
        return loaded;
      }

      @Override
      public void close() {
        wide.close();
      }
    };
  }

  private static InsertSession halting(InsertSession session, Moment moment) {
    return new InsertSession() {
      @Override
      public Inserted insert(List<ObservationFile> files) throws UnavailableException {
        return session.insert(files);
      }

      @Override
      public Inserted insert(List<ObservationFile> files, Finishing finishing)
          throws UnavailableException {
        Inserted inserted = session.insert(files, finishing);
        if (moment == Moment.ROWS_ARE_COMMITTED) {
          halt();
        }
        return inserted;
      }

      @Override
      public void close() {
        session.close();
      }
    };
  }

  private static LoadCounts load(ResultBucket bucket, String json, BulkLoader loader)
      throws Exception {
    LoadCounts counts = new LoadCounts();
    NotificationLoad load =
        new NotificationLoad(
            new LoadResultFiles.Rules(bucket, Set.of(), Duration.ofMinutes(5)),
            loader,
            counts,
            NotificationFormat.decode(
                BusMessage.of(
                    json.getBytes(UTF_8),
                    Place.numbered("bulk-upload", 0, 1),
                    MessageTime.ofBus(Micros.now()))));
    long unused = load.run();
    assertThat(load.failure()).isEqualTo(Optional.empty());
    return counts;
  }

  private String write() throws Exception {
    BulkUpload upload;
    try (OfflineResults files =
        OfflineResults.of(
                ResultFilesContract.contents(
                    "q1",
                    ResultFilesContract.feature("age", ValueType.INT64),
                    ResultFilesContract.feature("name", ValueType.STRING)))
            .withFileRows(2)
            .into(results.uri() + "/r1")) {
      for (long i = 0; i < 3; i++) {
        files.add("k" + i, T + i, List.of(i, "n" + i));
      }
      upload = files.finish();
    }
    return NotificationFormat.json(upload);
  }

  /** Starts a process that loads files, which the caller ends. */
  protected final WriterJvm start(Moment moment, String json) throws Exception {
    return WriterJvm.start(
        Writer.class, folder.newFile(), uri(), results.uri(), moment.name(), json, s3());
  }

  /** Loads in a process that is gone between copy and commit. */
  protected void breakOff(String json) throws Exception {
    try (WriterJvm writer = start(Moment.FILES_ARE_COPIED, json)) {
      writer.awaitHalt();
    }
  }

  /** Returns how many of six rows are not there when a load breaks off. */
  protected long rolledBack() {
    return 6;
  }

  private LoadCounts loadAgain(String json) throws Exception {
    try (BulkLoader loader = OfflineStores.at(uri()).bulkLoads().orElseThrow().open()) {
      return load(new ResultBucket(results.uri()), json, loader);
    }
  }

  private void assertEachIsThereOnce() throws Exception {
    for (String table : List.of("user__age", "user__name", "bulk_files")) {
      assertThat(
              OfflineStores.at(uri())
                  .reader()
                  .query("SELECT count(*) FROM prod." + table, 1)
                  .rows()
                  .toString())
          .isEqualTo(table.equals("bulk_files") ? "[[2]]" : "[[3]]");
    }
  }

  @Test
  public void whatIsNotCommittedIsLoadedByTheNext() throws Exception {
    String json = write();
    breakOff(json);

    LoadCounts counts = loadAgain(json);

    assertThat(counts.filesKnown.unflushed()).isEqualTo(0);
    assertThat(counts.rowsInserted.unflushed()).isEqualTo(rolledBack());
    assertThat(counts.rowsRead.unflushed()).isEqualTo(6);
    assertEachIsThereOnce();
  }

  @Test
  public void whatIsCommittedIsKnownToTheNext() throws Exception {
    String json = write();
    try (WriterJvm writer = start(Moment.ROWS_ARE_COMMITTED, json)) {
      writer.awaitHalt();
    }

    LoadCounts counts = loadAgain(json);

    assertThat(counts.filesKnown.unflushed()).isEqualTo(2);
    assertThat(counts.rowsRead.unflushed()).isEqualTo(0);
    assertEachIsThereOnce();
  }
}
