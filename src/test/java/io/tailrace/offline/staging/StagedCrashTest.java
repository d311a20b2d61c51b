package io.tailrace.offline.staging;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BundleEncoder;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.duckdb.DuckDbOfflineStore;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.testing.WriterJvm;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;

/** What a load loses and doubles whose process is gone in the middle of it: nothing. */
@RunWith(Parameterized.class)
public class StagedCrashTest {
  /** When the process is gone. */
  private enum Moment {
    FILES_ARE_READ,
    ROWS_ARE_DURABLE_AND_NOT_ENTERED,
    FILES_ARE_ENTERED
  }

  @Parameters(name = "{0}")
  public static Moment[] moments() {
    return Moment.values();
  }

  @Parameter public Moment moment;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private static DuckDbOfflineStore store(String directory) {
    return DuckDbOfflineStore.at(
        EndpointUri.parse(
            "duckdb://" + directory + "/offline.db?stage=file://" + directory + "/stage"));
  }

  private static DirectoryStage stage(String directory) {
    return new DirectoryStage("file://" + directory + "/stage");
  }

  private static ObservationFile file(long offset) throws Exception {
    byte[] bytes =
        BundleEncoder.files(
                Results.named("op-" + offset)
                    .addFrames(
                        Results.user(
                            "u" + offset, Results.int64("age", RandomResults.START, offset)))
                    .build())
            .get(0)
            .bytes();
    return FileDecoder.decode(
        BusMessage.of(
            bytes,
            Place.numbered("inserts", 0, offset),
            MessageTime.ofBus(BundleEncoder.PUBLISHED_AT)));
  }

  /** Returns references to all files in the stage. */
  private static List<StagedFile> references(String directory) throws Exception {
    List<StagedFile> references = new ArrayList<>();
    try (Stage.Connection connection = stage(directory).open()) {
      for (Stage.Entry entry : connection.list()) {
        byte[] bytes = connection.read(entry.name()).orElseThrow();
        ObservationFile file =
            FileDecoder.decode(
                StagedNames.message(entry.name(), bytes, BundleEncoder.PUBLISHED_AT));
        references.add(StagedFile.of(file, stage(directory).uri(), entry.name()));
      }
    }
    return references;
  }

  /** Stages files and loads them in a process of its own, which is gone in the middle. */
  public static final class Writer {
    public static void main(String[] arguments) throws Exception {
      String directory = arguments[0];
      Moment moment = Moment.valueOf(arguments[1]);
      try (Stage.Connection connection = stage(directory).open()) {
        for (ObservationFile file : List.of(file(0), file(1))) {
          connection.put(Map.of(StagedNames.of(file), file.bytes()));
        }
        Loader loader = store(directory).openLoader();
        Ledger ledger = loader.ledger();
        Inserted unused =
            ((SessionLoader) loader)
                .with(new Halting((Ledger.Book) ledger, moment))
                .load(
                    moment == Moment.FILES_ARE_READ ? halting(connection) : connection,
                    references(directory));
      }
      throw new IllegalStateException("not halted");
    }

    private static Stage.Connection halting(Stage.Connection connection) {
      return new Stage.Connection() {
        private int reads;

        @Override
        public void put(Map<String, byte[]> files) throws UnavailableException {
          connection.put(files);
        }

        @Override
        public Optional<byte[]> read(String name) throws UnavailableException {
          if (++reads == 2) {
            Runtime.getRuntime().halt(WriterJvm.HALTED);
          }
          return connection.read(name);
        }

        @Override
        public List<Stage.Entry> list() throws UnavailableException {
          return connection.list();
        }

        @Override
        public void delete(Collection<String> names) throws UnavailableException {
          connection.delete(names);
        }

        @Override
        public void close() {
          connection.close();
        }
      };
    }
  }

  private record Halting(Ledger.Book ledger, Moment moment) implements Ledger.Book {
    @Override
    public Map<String, Entry> find(String environment, Collection<String> names)
        throws UnavailableException {
      return ledger.find(environment, names);
    }

    @Override
    public void enter(String environment, List<Entry> entries) throws UnavailableException {
      if (moment == Moment.FILES_ARE_ENTERED) {
        ledger.enter(environment, entries);
      }
      Runtime.getRuntime().halt(WriterJvm.HALTED);
    }

    @Override
    public void forget(String environment, Instant before) {}
  }

  @Test
  public void theNextLoadEndsIt() throws Exception {
    String directory = folder.getRoot().getPath();
    try (WriterJvm writer =
        WriterJvm.start(Writer.class, folder.newFile("output"), directory, moment.name())) {
      writer.awaitHalt();
    }
    DuckDbOfflineStore store = store(directory);
    assertThat(Path.of(directory, "stage", "production").toFile().list()).hasLength(2);

    Inserted inserted;
    try (Loader loader = store.openLoader();
        Stage.Connection connection = stage(directory).open()) {
      inserted = loader.load(connection, references(directory));
    }

    assertThat(inserted.refused()).isEmpty();
    assertThat(inserted.rejected()).isEmpty();
    assertThat(inserted.rows().inserted()).isEqualTo(moment == Moment.FILES_ARE_READ ? 2 : 0);
    assertThat(inserted.rows().inserted() + inserted.rows().duplicates() + inserted.rows().known())
        .isEqualTo(2);
    assertThat(inserted.refused()).isEmpty();
    assertThat(
            store
                .reader()
                .query("SELECT pkey, value FROM tailrace.user__age ORDER BY 1", 9)
                .rows()
                .toString())
        .isEqualTo("[[u0, 0], [u1, 1]]");
    assertThat(
            store.reader().query("SELECT count(*) FROM tailrace.staged_files", 9).rows().toString())
        .isEqualTo("[[2]]");
  }
}
