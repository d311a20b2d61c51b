package io.tailrace.offline.staging;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BundleEncoder;
import io.tailrace.offline.InsertObservations;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.duckdb.DuckDbOfflineStore;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFileCoder;
import io.tailrace.stage.Failure;
import io.tailrace.stage.Outputs;
import io.tailrace.testing.Balance;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.QueryResult;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.coders.IterableCoder;
import org.apache.beam.sdk.coders.KvCoder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.coders.VarLongCoder;
import org.apache.beam.sdk.metrics.MetricNameFilter;
import org.apache.beam.sdk.metrics.MetricResult;
import org.apache.beam.sdk.metrics.MetricsFilter;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.testing.CoderProperties;
import org.apache.beam.sdk.testing.TestStream;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.util.CoderUtils;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.PCollection;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What becomes of files that are staged in a directory and loaded into a DuckDB file. */
@RunWith(JUnit4.class)
public class StageThenLoadTest {
  private static final long T = RandomResults.START;
  private static final Search EVERYTHING =
      new Search(Duration.ofHours(1), Duration.ZERO, Duration.ofHours(1));

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private DuckDbOfflineStore store;
  private DirectoryStage stage;

  @Before
  public void nameStore() {
    stage = new DirectoryStage("file://" + folder.getRoot() + "/stage");
    store =
        DuckDbOfflineStore.at(
            EndpointUri.parse("duckdb://" + folder.getRoot() + "/offline.db?stage=" + stage.uri()));
  }

  private StageThenLoad sink() {
    return StageThenLoad.from(stage, store::openLoader);
  }

  @Test
  public void filesWaitForOthersAndAreLoadedTogether() throws Exception {
    TestStream<ObservationFile> stream =
        TestStream.create(ObservationFileCoder.of())
            .addElements(age("ann", 1, 0))
            .advanceProcessingTime(org.joda.time.Duration.standardSeconds(30))
            .addElements(age("bob", 2, 1))
            .advanceProcessingTime(org.joda.time.Duration.standardSeconds(31))
            .addElements(age("eve", 3, 2))
            .advanceProcessingTime(org.joda.time.Duration.standardSeconds(61))
            .advanceWatermarkToInfinity();

    Outcome outcome = run(pipeline -> pipeline.apply(stream), sink().ticking(Create.of(0L)));

    assertThat(outcome.count("loads")).isEqualTo(2);
    assertThat(outcome.count("files_staged")).isEqualTo(3);
    assertThat(outcome.inserted).hasSize(3);
    assertThat(ages()).containsExactly("[ann, 1]", "[bob, 2]", "[eve, 3]");
  }

  @Test
  public void asManyFilesAsALimitSaysAreLoadedAtOnce() throws Exception {
    Limits two = new Limits(Duration.ofMinutes(1), 1 << 20, 2, 1);

    Outcome outcome =
        run(
            sink().within(two),
            age("a", 1, 0),
            age("b", 2, 1),
            age("c", 3, 2),
            age("d", 4, 3),
            age("e", 5, 4));

    assertThat(outcome.count("loads")).isEqualTo(3);
    assertThat(outcome.count("rows_inserted")).isEqualTo(5);
    assertThat(ages()).hasSize(5);
  }

  @Test
  public void replaysChangeNothingThatAReaderSees() throws Exception {
    ObservationFile[] files = {age("ann", 1, 0), queries(1), age("bob", 2, 2)};
    run(sink(), files);
    String before = everything();

    Outcome again = run(sink(), files);
    Outcome twice = run(sink(), files[0], files[1], files[2], files[0], files[1], files[2]);

    assertThat(everything()).isEqualTo(before);
    assertThat(again.count("rows_inserted")).isEqualTo(0);
    assertThat(again.count("rows_known")).isEqualTo(3);
    assertThat(again.count("rows_duplicate")).isEqualTo(0);
    assertThat(again.inserted).hasSize(3);
    assertThat(twice.count("rows_inserted")).isEqualTo(0);
    assertThat(rows("SELECT count(*) FROM tailrace.staged_files")).containsExactly("[3]");
  }

  @Test
  public void aCrashBetweenTheRowsAndTheLedgerLosesAndDoublesNothing() throws Exception {
    DuckDbOfflineStore named = store;
    StageThenLoad crashing = StageThenLoad.from(stage, () -> new Crashing(named.openLoader()));

    assertThrows(Pipeline.PipelineExecutionException.class, () -> run(crashing, age("ann", 1, 0)));
    assertThat(ages()).containsExactly("[ann, 1]");
    String before = rows("SELECT * FROM tailrace.user__age").toString();
    assertThat(rows("SELECT table_name FROM duckdb_tables() WHERE table_name = 'staged_files'"))
        .isEmpty();

    // The file's message was acknowledged: it never comes again.
    Outcome next = run(sink().searching(EVERYTHING));

    assertThat(next.count("files_found")).isEqualTo(1);
    assertThat(next.count("rows_duplicate")).isEqualTo(1);
    assertThat(rows("SELECT * FROM tailrace.user__age").toString()).isEqualTo(before);
    assertThat(rows("SELECT count(*) FROM tailrace.staged_files")).containsExactly("[1]");
  }

  @Test
  public void filesThatWereStagedAndNeverLoadedAreLoadedAtTheNextStart() throws Exception {
    stageOnly(age("ann", 1, 0), age("bob", 2, 1), queries(2));

    Outcome next = run(sink().searching(EVERYTHING));

    assertThat(next.count("files_found")).isEqualTo(3);
    assertThat(next.count("loads")).isEqualTo(1);
    assertThat(ages()).containsExactly("[ann, 1]", "[bob, 2]");
    assertThat(rows("SELECT operation_id FROM tailrace.query_log")).hasSize(1);
  }

  @Test
  public void theStageIsListedAgainAfterAWhile() throws Exception {
    stageOnly(age("ann", 1, 0));
    Search always = new Search(Duration.ZERO, Duration.ofMinutes(10), Duration.ofHours(1));
    Search seldom = new Search(Duration.ofHours(1), Duration.ofMinutes(10), Duration.ofHours(1));
    TestStream<Long> ticks =
        TestStream.create(VarLongCoder.of())
            .addElements(0L)
            .addElements(1L)
            .addElements(2L)
            .addElements(3L)
            .addElements(4L)
            .advanceWatermarkToInfinity();
    makeOld(Duration.ofMinutes(11));

    Outcome once = run(sink().searching(seldom).ticking(ticks));
    // Once for each of the runner's two threads.
    assertThat(once.count("files_found")).isAtLeast(1);
    assertThat(once.count("files_found")).isAtMost(2);

    stageOnly(age("bob", 2, 1));
    makeOld(Duration.ofMinutes(11));
    Outcome often = run(sink().searching(always).ticking(ticks));

    // None of the ticks waits for the load of what the one before has found.
    assertThat(often.count("files_found")).isEqualTo(5);
    assertThat(ages()).containsExactly("[ann, 1]", "[bob, 2]");
  }

  @Test
  public void aFileThatIsYoungerThanTheSearchLooksForIsLeftToItsOwner() throws Exception {
    stageOnly(age("ann", 1, 0));

    Outcome young = run(sink());
    makeOld(Duration.ofMinutes(11));
    Outcome old = run(sink());

    assertThat(young.count("files_found")).isEqualTo(0);
    assertThat(old.count("files_found")).isEqualTo(1);
    assertThat(ages()).containsExactly("[ann, 1]");
  }

  @Test
  public void filesOfEnvironmentsThatAreNotServedAreLeftToOthers() throws Exception {
    stageOnly(age("ann", 1, 0));

    Outcome others = run(sink().searching(EVERYTHING.ofEnvironments(Set.of("dev"))));
    Outcome own = run(sink().searching(EVERYTHING.ofEnvironments(Set.of("dev", "production"))));

    assertThat(others.count("files_found")).isEqualTo(0);
    assertThat(own.count("files_found")).isEqualTo(1);
  }

  @Test
  public void aStageIsThatOfTheStoreThatCameFirst() throws Exception {
    DuckDbOfflineStore other =
        DuckDbOfflineStore.at(
            EndpointUri.parse("duckdb://" + folder.getRoot() + "/other.db?stage=" + stage.uri()));
    store.check();
    store.check();

    String refusal = assertThrows(UnavailableException.class, other::check).getMessage();

    assertThat(refusal).contains("the stage " + stage.uri() + " is another store's (");
    assertThat(refusal).contains("give each store a stage of its own with stage=");
    // Nobody loads or deletes what says so.
    makeOld(Duration.ofDays(8));
    Outcome searched = run(sink().searching(EVERYTHING));
    assertThat(searched.count("files_found") + searched.count("files_deleted")).isEqualTo(0);
    assertThat(staged()).hasSize(1);
    Files.delete(stageDirectory().resolve(staged().get(0)));
    other.check();
  }

  @Test
  public void aListThatRacesWithAFileOnItsWayDoesNoHarm() throws Exception {
    ObservationFile file = age("ann", 1, 0);
    stageOnly(file);

    // Found, and referred to by its bundle.
    Outcome both = run(sink().searching(EVERYTHING), file);

    assertThat(both.count("files_found")).isEqualTo(1);
    assertThat(both.count("rows_inserted")).isEqualTo(1);
    assertThat(both.failures).isEmpty();
    assertThat(ages()).containsExactly("[ann, 1]");
  }

  @Test
  public void twoOwnersAtOnceAreHarmless() throws Exception {
    List<StagedFile> files = new ArrayList<>();
    ObservationFile[] all = new ObservationFile[40];
    for (int i = 0; i < all.length; i++) {
      all[i] = age("u" + i, i, i);
      files.add(StagedFile.of(all[i], stage.uri(), StagedNames.of(all[i])));
    }
    stageOnly(all);
    CountDownLatch start = new CountDownLatch(1);
    ExecutorService threads = Executors.newFixedThreadPool(2);
    List<Future<Inserted>> owners = new ArrayList<>();
    try {
      for (int i = 0; i < 2; i++) {
        owners.add(
            threads.submit(
                () -> {
                  try (Loader loader = store.openLoader();
                      Stage.Connection connection = stage.open()) {
                    start.await();
                    return loader.load(connection, files);
                  }
                }));
      }
      start.countDown();
      long inserted = 0;
      for (Future<Inserted> owner : owners) {
        inserted += owner.get().rows().inserted();
        assertThat(owner.get().refused()).isEmpty();
      }

      assertThat(inserted).isEqualTo(40);
      assertThat(ages()).hasSize(40);
      assertThat(rows("SELECT count(*) FROM tailrace.staged_files")).containsExactly("[40]");
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  public void aFileThatIsTwiceInALoadIsLoadedAndToldOnce() throws Exception {
    ObservationFile file = age("ann", 1, 0);
    StagedFile reference = StagedFile.of(file, stage.uri(), stagedAs(file));

    Outcome outcome = runLoad(reference, reference);

    assertThat(outcome.inserted).hasSize(1);
    assertThat(outcome.count("files_inserted")).isEqualTo(1);
    assertThat(outcome.count("rows_duplicate")).isEqualTo(0);
  }

  @Test
  public void whoeverReadsAFileThatIsBeingStagedSeesTheWholeOfItOrNothing() throws Exception {
    byte[] bytes = new byte[4 << 20];
    ExecutorService threads = Executors.newSingleThreadExecutor();
    try (Stage.Connection writer = stage.open();
        Stage.Connection reader = stage.open()) {
      Future<Boolean> staged =
          threads.submit(
              () -> {
                for (int i = 0; i < 20; i++) {
                  writer.put(Map.of("production/a" + i + ".parquet", bytes));
                }
                return true;
              });
      while (!staged.isDone()) {
        for (Stage.Entry entry : reader.list()) {
          assertThat(reader.read(entry.name()).orElse(bytes)).hasLength(bytes.length);
        }
      }
      assertThat(staged.get()).isTrue();
      assertThat(reader.list()).hasSize(20);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  public void aFileOfATopicThatWasMadeAnewIsNotMistakenForTheOldOne() throws Exception {
    run(sink(), age("ann", 1, 7));

    // The same topic, partition and offset.
    run(sink(), age("bob", 2, 7));

    assertThat(ages()).containsExactly("[ann, 1]", "[bob, 2]");
  }

  @Test
  public void aStageThatIsDownFailsTheBundleAndLosesNothing() throws Exception {
    Path inTheWay = Path.of(folder.getRoot().getPath(), "stage");
    Files.writeString(inTheWay, "not a directory");
    ObservationFile file = age("ann", 1, 0);

    Exception e = assertThrows(Pipeline.PipelineExecutionException.class, () -> run(sink(), file));
    assertThat(e).hasCauseThat().isInstanceOf(UnavailableException.class);
    assertThat(e).hasCauseThat().hasMessageThat().contains("the stage " + stage.uri());
    assertThat(assertThrows(UnavailableException.class, store::check))
        .hasMessageThat()
        .contains("the stage " + stage.uri() + " can't be used");

    Files.delete(inTheWay);
    store.check();
    run(sink(), file);
    assertThat(ages()).containsExactly("[ann, 1]");
  }

  @Test
  public void rowsOfAnotherTypeAreALetterThatEveryRepetitionTells() throws Exception {
    run(sink(), age("ann", 1, 0));
    ObservationFile changed =
        file(
            BundleEncoder.files(
                    Results.of(
                        Results.user("bob", Results.string("age", T, "x")),
                        Results.user("bob", Results.string("name", T, "Bob"))))
                .get(0)
                .bytes(),
            1);

    Outcome first = run(sink(), changed);
    Outcome again = run(sink(), changed);

    assertThat(first.count("rows_inserted")).isEqualTo(1);
    assertThat(first.count("rows_duplicate")).isEqualTo(0);
    // What the ledger knows is not looked at again: each row is one thing.
    assertThat(again.count("rows_received")).isEqualTo(2);
    assertThat(again.count("rows_known")).isEqualTo(1);
    assertThat(again.count("rows_rejected")).isEqualTo(1);
    for (Outcome outcome : List.of(first, again)) {
      assertThat(outcome.failures).hasSize(1);
      Failure failure = outcome.failures.get(0);
      assertThat(failure.reason()).isEqualTo(Reason.TYPE_CHANGED);
      assertThat(failure.cellCount()).isEqualTo(1);
      assertThat(failure.message()).contains("its table user__age has value BIGINT, not VARCHAR");
      assertThat(failure.original()).isEqualTo(changed.message());
      assertThat(outcome.count("rows_rejected")).isEqualTo(1);
      assertThat(outcome.inserted).hasSize(1);
    }
    assertThat(rows("SELECT pkey, value FROM tailrace.user__name")).containsExactly("[bob, Bob]");
  }

  @Test
  public void whatWasRefusedOfAFileThatIsGoneIsStillALetter() throws Exception {
    run(sink(), age("ann", 1, 0));
    ObservationFile changed =
        file(
            BundleEncoder.files(
                    Results.of(
                        Results.user("bob", Results.string("age", T, "x")),
                        Results.user("bob", Results.string("name", T, "Bob"))))
                .get(0)
                .bytes(),
            1);
    run(sink(), changed);
    Path there = stageDirectory().resolve(StagedNames.of(changed));
    StagedFile reference = StagedFile.of(changed, stage.uri(), StagedNames.of(changed));

    Files.delete(there);
    Outcome gone = runLoad(reference);
    Files.write(there, new byte[] {1, 2, 3});
    Outcome damaged = runLoad(reference);

    for (Outcome outcome : List.of(gone, damaged)) {
      assertThat(outcome.failures).hasSize(1);
      Failure failure = outcome.failures.get(0);
      assertThat(failure.reasons()).containsExactly(Reason.TYPE_CHANGED, 1);
      assertThat(failure.message()).contains("its table user__age has value BIGINT, not VARCHAR");
      assertThat(failure.message()).contains("read the topic again from this message on");
      assertThat(failure.original().offset()).isEqualTo(1);
      assertThat(outcome.count("rows_known")).isEqualTo(1);
      assertThat(outcome.count("rows_rejected")).isEqualTo(1);
    }
  }

  @Test
  public void aFileThatIsStagedAgainStaysForItsReference() throws Exception {
    DuckDbOfflineStore named = store;
    StageThenLoad tenDaysLater =
        StageThenLoad.from(stage, () -> new Aged(named.openLoader(), Duration.ofDays(10)));
    run(sink(), age("ann", 1, 0));
    run(
        sink(),
        file(
            BundleEncoder.files(Results.of(Results.user("bob", Results.string("age", T, "x"))))
                .get(0)
                .bytes(),
            1));

    Outcome again = run(tenDaysLater);
    assertThat(again.count("files_deleted")).isEqualTo(0);
    assertThat(staged()).hasSize(2);

    makeOld(Duration.ofMinutes(61));
    assertThat(run(tenDaysLater).count("files_deleted")).isEqualTo(2);
  }

  @Test
  public void whatASessionStagedIsItsOwnToLoadAndGoesAWeekAfterItDied() throws Exception {
    ObservationFile file = age("ann", 1, 0);
    List<Outcome> meanwhile = new ArrayList<>();
    Loader loader = store.openLoader();
    Loader slow =
        new Loader() {
          @Override
          public Inserted load(Stage.Connection from, List<StagedFile> files)
              throws UnavailableException {
            meanwhile.add(run(sink().searching(EVERYTHING)));
            return loader.load(from, files);
          }

          @Override
          public Ledger ledger() {
            return loader.ledger();
          }

          @Override
          public void close() {
            loader.close();
          }
        };

    try (StagedSession session = new StagedSession(stage, slow)) {
      assertThat(session.insert(List.of(file)).rows().inserted()).isEqualTo(1);
    }

    assertThat(meanwhile.get(0).count("files_found")).isEqualTo(0);
    assertThat(staged()).isEmpty();
    try (Stage.Connection connection = stage.open()) {
      connection.put(Map.of(StagedNames.ofSession(file), file.bytes()));
    }
    makeOld(Duration.ofDays(6));
    assertThat(run(sink()).count("files_deleted")).isEqualTo(0);
    makeOld(Duration.ofDays(8));
    assertThat(run(sink()).count("files_deleted")).isEqualTo(1);
    assertThat(staged()).isEmpty();
  }

  @Test
  public void aFileThatIsRefusedDoesNotStopTheOthers() throws Exception {
    ObservationFile file = age("ann", 1, 0);
    ObservationFile damaged = age("bob", 2, 1);
    stageOnly(damaged);
    Path there = stageDirectory().resolve(StagedNames.of(damaged));
    byte[] bytes = Files.readAllBytes(there);
    bytes[bytes.length / 2] ^= 1;
    Files.write(there, bytes);

    Outcome outcome =
        runLoad(
            StagedFile.of(file, stage.uri(), stagedAs(file)),
            StagedFile.of(damaged, stage.uri(), StagedNames.of(damaged)));

    assertThat(ages()).containsExactly("[ann, 1]");
    assertThat(outcome.failures).hasSize(1);
    assertThat(outcome.failures.get(0).message()).contains("is damaged");
    assertThat(outcome.failures.get(0).original().payload()).isEqualTo(bytes);
    assertThat(outcome.inserted).hasSize(1);
  }

  @Test
  public void whatWasLoadedIsDeletedLaterAndTheLedgerRemembersIt() throws Exception {
    ObservationFile file = age("ann", 1, 0);
    run(sink(), file);
    assertThat(staged()).hasSize(1);

    run(sink());
    assertThat(staged()).hasSize(1);
    Outcome later =
        run(sink().searching(new Search(Duration.ofHours(1), Duration.ZERO, Duration.ZERO)));

    assertThat(later.count("files_deleted")).isEqualTo(1);
    assertThat(later.count("files_found")).isEqualTo(0);
    assertThat(staged()).isEmpty();
    assertThat(rows("SELECT count(*) FROM tailrace.staged_files")).containsExactly("[1]");
    // A reference that is restored long after finds its file in the ledger.
    Outcome restored = runLoad(StagedFile.of(file, stage.uri(), StagedNames.of(file)));
    assertThat(restored.failures).isEmpty();
    assertThat(restored.count("rows_known")).isEqualTo(1);
  }

  @Test
  public void aFileOfWhichSomethingWasRefusedStaysForItsLetters() throws Exception {
    run(sink(), age("ann", 1, 0));
    run(
        sink(),
        file(
            BundleEncoder.files(Results.of(Results.user("bob", Results.string("age", T, "x"))))
                .get(0)
                .bytes(),
            1));

    run(sink().searching(new Search(Duration.ofHours(1), Duration.ZERO, Duration.ZERO)));

    assertThat(staged()).hasSize(1);
  }

  @Test
  public void aFileThatNobodyKnowsIsALetterThatSaysSo() throws Exception {
    ObservationFile file = age("ann", 1, 4);

    Outcome outcome = runLoad(StagedFile.of(file, stage.uri(), StagedNames.of(file)));

    assertThat(outcome.failures).hasSize(1);
    assertThat(outcome.failures.get(0).message())
        .contains("is neither in the stage " + stage.uri() + " nor in the ledger");
    assertThat(outcome.failures.get(0).original().offset()).isEqualTo(4);
    assertThat(outcome.inserted).isEmpty();
  }

  @Test
  public void aRestoredReferenceIsLoadedFromTheStageThatItPointsInto() throws Exception {
    ObservationFile file = age("ann", 1, 0);
    DirectoryStage before = new DirectoryStage("file://" + folder.getRoot() + "/before");
    try (Stage.Connection connection = before.open()) {
      connection.put(Map.of(StagedNames.of(file), file.bytes()));
    }

    runLoad(StagedFile.of(file, before.uri(), StagedNames.of(file)));

    assertThat(ages()).containsExactly("[ann, 1]");
  }

  @Test
  public void referencesAreEncodedBehindTheirVersion() throws Exception {
    for (ObservationFile file : List.of(age("ann", 1, 0), queries(1))) {
      StagedFile reference = StagedFile.of(file, stage.uri(), StagedNames.of(file));
      CoderProperties.coderDecodeEncodeEqual(StagedFileCoder.of(), reference);
      byte[] encoded = CoderUtils.encodeToByteArray(StagedFileCoder.of(), reference);
      assertThat(encoded.length).isLessThan(400);
      encoded[0]++;
      assertThat(
              assertThrows(
                  IOException.class,
                  () -> StagedFileCoder.of().decode(new ByteArrayInputStream(encoded))))
          .hasMessageThat()
          .contains("version 2; this program knows 1");
    }
  }

  @Test
  public void namesSayWhereAMessageComesFromWhateverItsTopicIsCalled() throws Exception {
    byte[] bytes = age("ann", 1, 0).bytes();
    BusMessage numbered =
        BusMessage.of(bytes, Place.numbered("a-b/c_d.é", 3, 17), MessageTime.ofBus(T));
    BusMessage identified =
        BusMessage.of(bytes, Place.identified("t", "x-1/2"), MessageTime.ofBus(T));

    for (BusMessage message : List.of(numbered, identified)) {
      String name = StagedNames.of(FileDecoder.decode(message));
      assertThat(name)
          .matches("production/[A-Za-z0-9_]+-[A-Za-z0-9_]+(-[0-9]+)?-[0-9a-f]{32}.parquet");
      assertThat(StagedNames.environment(name)).isEqualTo("production");
      assertThat(StagedNames.message(name, bytes, T)).isEqualTo(message);
    }
  }

  /** Fails when the rows are durable and before they are entered. */
  private record Crashing(Loader loader) implements Loader {
    @Override
    public Inserted load(Stage.Connection connection, List<StagedFile> files)
        throws UnavailableException {
      Ledger ledger = loader.ledger();
      Ledger.Book failing =
          new Ledger.Book() {
            @Override
            public Map<String, Entry> find(String environment, Collection<String> names)
                throws UnavailableException {
              return ledger.find(environment, names);
            }

            @Override
            public void enter(String environment, List<Entry> entries) throws UnavailableException {
              throw new UnavailableException("the store went down");
            }

            @Override
            public void forget(String environment, Instant before) {}
          };
      return ((SessionLoader) loader).with(failing).load(connection, files);
    }

    @Override
    public Ledger ledger() {
      return loader.ledger();
    }

    @Override
    public void close() {
      loader.close();
    }
  }

  /** Says that all was loaded before that. */
  private record Aged(Loader loader, Duration before) implements Loader {
    @Override
    public Inserted load(Stage.Connection connection, List<StagedFile> files)
        throws UnavailableException {
      return loader.load(connection, files);
    }

    @Override
    public Ledger ledger() {
      Ledger ledger = loader.ledger();
      return new Ledger() {
        @Override
        public Map<String, Entry> find(String environment, Collection<String> names)
            throws UnavailableException {
          Map<String, Entry> found = new HashMap<>();
          ledger
              .find(environment, names)
              .forEach(
                  (name, entry) ->
                      found.put(
                          name,
                          new Entry(
                              name,
                              entry.loadedAt().minus(before),
                              entry.rejected(),
                              entry.refused())));
          return found;
        }

        @Override
        public void forget(String environment, Instant unused) {}
      };
    }

    @Override
    public void close() {
      loader.close();
    }
  }

  private static ObservationFile age(String key, long value, long offset) throws Exception {
    QueryResult result =
        Results.of(Results.user(key, Results.int64("age", T, value))).toBuilder()
            .setOperationId("op-" + key)
            .build();
    return file(BundleEncoder.files(result).get(0).bytes(), offset);
  }

  private static ObservationFile queries(long offset) throws Exception {
    List<ObservationFile> files =
        BundleEncoder.files(Results.of(Results.user("zoe", Results.int64("age", T, 9))));
    return file(files.get(files.size() - 1).bytes(), offset);
  }

  private static ObservationFile file(byte[] bytes, long offset) throws Exception {
    return FileDecoder.decode(
        BusMessage.of(
            bytes,
            Place.numbered("inserts", 0, offset),
            MessageTime.ofBus(BundleEncoder.PUBLISHED_AT)));
  }

  /** What a run put out and counted. */
  private record Outcome(
      List<InsertOutcome> inserted, List<Failure> failures, Map<String, Long> counters) {
    long count(String counter) {
      return counters.getOrDefault(counter, 0L);
    }
  }

  private static final Map<Integer, ConcurrentLinkedQueue<InsertOutcome>> INSERTED =
      new ConcurrentHashMap<>();
  private static final Map<Integer, ConcurrentLinkedQueue<Failure>> FAILED =
      new ConcurrentHashMap<>();
  private static final AtomicInteger RUNS = new AtomicInteger();

  private static final class Collect<T> extends DoFn<T, Void> {
    private static final long serialVersionUID = 1;
    private final int run;

    Collect(int run) {
      this.run = run;
    }

    @ProcessElement
    public void collect(@Element T element) {
      if (element instanceof Failure failure) {
        FAILED.get(run).add(failure);
      } else {
        INSERTED.get(run).add((InsertOutcome) element);
      }
    }
  }

  private interface Source<T> {
    PCollection<T> in(Pipeline pipeline);
  }

  private Outcome run(StageThenLoad sink, ObservationFile... files) {
    return run(
        pipeline -> pipeline.apply(Create.of(List.of(files)).withCoder(ObservationFileCoder.of())),
        sink);
  }

  private Outcome run(Source<ObservationFile> source, StageThenLoad sink) {
    return run(pipeline -> source.in(pipeline).apply("InsertObservations", sink));
  }

  private Outcome runLoad(StagedFile... files) {
    return run(
        pipeline ->
            Outputs.of(
                pipeline.apply(
                    Create.of(KV.of("0/production", (Iterable<StagedFile>) List.of(files)))
                        .withCoder(
                            KvCoder.of(
                                StringUtf8Coder.of(), IterableCoder.of(StagedFileCoder.of())))),
                "Load",
                new LoadFn(stage, store::openLoader)));
  }

  private interface Graph {
    WithFailures.Result<PCollection<InsertOutcome>, Failure> in(Pipeline pipeline);
  }

  private static Outcome run(Graph graph) {
    int run = RUNS.incrementAndGet();
    INSERTED.put(run, new ConcurrentLinkedQueue<>());
    FAILED.put(run, new ConcurrentLinkedQueue<>());
    Pipeline pipeline =
        Pipeline.create(
            PipelineOptionsFactory.fromArgs("--runner=DirectRunner", "--targetParallelism=2")
                .create());
    WithFailures.Result<PCollection<InsertOutcome>, Failure> result = graph.in(pipeline);
    result.output().apply("CollectOutcomes", ParDo.of(new Collect<>(run)));
    result.failures().apply("CollectFailures", ParDo.of(new Collect<>(run)));
    PipelineResult done = pipeline.run();
    done.waitUntilFinish();
    Balance.assertEven(done);
    Map<String, Long> counters = new HashMap<>();
    for (MetricResult<Long> counter :
        done.metrics()
            .queryMetrics(
                MetricsFilter.builder()
                    .addNameFilter(MetricNameFilter.inNamespace(InsertObservations.STAGE))
                    .build())
            .getCounters()) {
      counters.merge(counter.getName().getName(), counter.getCommitted(), Long::sum);
    }
    return new Outcome(
        List.copyOf(INSERTED.remove(run)), List.copyOf(FAILED.remove(run)), counters);
  }

  private void stageOnly(ObservationFile... files) throws UnavailableException {
    try (Stage.Connection connection = stage.open()) {
      for (ObservationFile file : files) {
        connection.put(Map.of(StagedNames.of(file), file.bytes()));
      }
    }
  }

  private String stagedAs(ObservationFile file) throws UnavailableException {
    stageOnly(file);
    return StagedNames.of(file);
  }

  private Path stageDirectory() {
    return new File(folder.getRoot(), "stage").toPath();
  }

  private List<String> staged() throws UnavailableException {
    try (Stage.Connection connection = stage.open()) {
      return connection.list().stream().map(Stage.Entry::name).toList();
    }
  }

  private void makeOld(Duration age) throws IOException {
    try (Stream<Path> paths = Files.walk(stageDirectory())) {
      for (Path path : paths.filter(Files::isRegularFile).collect(Collectors.toList())) {
        Files.setLastModifiedTime(path, FileTime.from(Instant.now().minus(age)));
      }
    }
  }

  private List<String> ages() throws UnavailableException {
    return rows("SELECT pkey, value FROM tailrace.user__age ORDER BY 1");
  }

  private String everything() throws UnavailableException {
    return rows("SELECT * FROM tailrace.user__age ORDER BY 1").toString()
        + rows("SELECT * FROM tailrace.query_log ORDER BY 1");
  }

  private List<String> rows(String sql) throws UnavailableException {
    return store.reader().query(sql, 1_000).rows().stream().map(Object::toString).toList();
  }
}
