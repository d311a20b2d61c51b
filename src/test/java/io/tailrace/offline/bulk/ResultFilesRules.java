package io.tailrace.offline.bulk;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.InsertSession;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.bulk.WideLoads.Batch;
import io.tailrace.offline.bulk.WideLoads.Loaded;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Kind;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Failure;
import io.tailrace.v1.BulkUpload;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.Test;

/** What is done with files of results wherever they are loaded to. */
public abstract class ResultFilesRules extends ResultFilesContract {
  @Test
  public void aNullIsAValueWhereTheMappingSaysSo() throws Exception {
    FeatureColumn computed =
        new FeatureColumn("user", "user.age", "age", new Kind(ValueType.INT64, Nulls.COMPUTED), "");
    BulkUpload upload;
    try (OfflineResults files =
        writing(contents("q4", computed, feature("n", ValueType.INT64)), "r4")) {
      files.add("a", T, Arrays.asList(null, null));
      files.add("b", T, Arrays.asList(1L, 1L));
      upload = files.finish();
    }

    assertThat(load(upload)).isEqualTo(new Outcome(3, Optional.empty()));

    assertThat(values("age", "value")).containsExactly(null, "1").inOrder();
    assertThat(values("n", "value")).containsExactly("1");
  }

  @Test
  public void anotherMappingOfAFileIsAnotherLoad() throws Exception {
    BulkUpload first;
    try (OfflineResults files =
        writing(
            contents("q6", feature("age", ValueType.INT64), feature("size", ValueType.INT64)),
            "r6")) {
      files.add("a", T, List.of(1L, 2L));
      first = files.finish();
    }
    BulkUpload second =
        OfflineResults.description(contents("q6", feature("size", ValueType.INT64))).toBuilder()
            .addAllFiles(first.getFilesList())
            .build();

    assertThat(load(second).rows()).isEqualTo(1);
    assertThat(load(first).rows()).isEqualTo(2);

    assertThat(count("user__age")).isEqualTo(1);
    assertThat(count("user__size")).isEqualTo(1);
  }

  @Test
  public void whatAFileSaysTwiceStandsOnceAndWhatIsWrongIsNamed() throws Exception {
    BulkUpload upload;
    try (OfflineResults files =
        writing(
            contents("q10", feature("age", ValueType.INT64), feature("doc", ValueType.JSON)),
            "r10")) {
      files.add("a", T, Arrays.asList(1L, "{}"));
      files.add("a", T, Arrays.asList(-1L, "{\"b\":1}"));
      files.add("", T, Arrays.asList(2L, "{}"));
      files.add("b", T, Arrays.asList(3L, "{broken"));
      files.add("c", Long.MAX_VALUE / 2, Arrays.asList(4L, null));
      files.add("d", Micros.now() + Micros.of(Duration.ofHours(1)), Arrays.asList(5L, null));
      upload = files.finish();
    }

    Outcome outcome = load(upload);

    assertThat(values("age", "value")).containsExactly("-1", "3").inOrder();
    assertThat(values("doc", "pkey")).containsExactly("a");
    Failure failure = outcome.failure().orElseThrow();
    assertThat(failure.reasons())
        .containsExactly(
            Reason.MISSING_FIELD, 2, Reason.INVALID_VALUE, 2, Reason.OBSERVED_IN_FUTURE, 1);
    assertWithMessage(failure.message())
        .that(
            failure.cells().stream()
                .anyMatch(cell -> cell.message().contains("row 3: column 'doc'")))
        .isTrue();
    assertThat(failure.field()).isEqualTo("files[0]");
  }

  @Test
  public void aPrefixIsLoadedWhenAllOfItIsThere() throws Exception {
    Contents contents = contents("q12", feature("age", ValueType.INT64));
    List<String> files;
    try (OfflineResults some = writing(contents, "p", 1)) {
      for (int i = 0; i < 3; i++) {
        some.add("k" + i, T, List.of((long) i));
      }
      files = some.finish().getFilesList();
    }
    results.put(bucket.uri() + "/p/_SUCCESS", new byte[0]);
    BulkUpload.Builder folder = OfflineResults.description(contents).toBuilder();
    folder.getPrefixBuilder().setUri(bucket.uri() + "/p/").setCount(4);
    Failure early = load(folder.build()).failure().orElseThrow();
    assertThat(early.reason()).isEqualTo(Reason.MISSING_FILE);
    assertThat(early.message()).contains("has 3 files that end with .parquet");
    assertThat(early.retryable()).isTrue();

    folder.getPrefixBuilder().setCount(3);
    assertThat(load(folder.build())).isEqualTo(new Outcome(3, Optional.empty()));

    String manifest = bucket.uri() + "/p/manifest.json";
    results.put(
        manifest,
        ("{\"files\": [\"part-0.parquet\", \"" + files.get(1) + "\", \"gone.parquet\"]}")
            .getBytes(UTF_8));
    folder.getPrefixBuilder().setCount(0).setManifest(bucket.uri() + "/p/manifest.json");
    Outcome listed = load(folder.build());
    assertThat(listed.failure().orElseThrow().field()).isEqualTo("prefix.manifest.files[2]");
    assertThat(listed.rows()).isEqualTo(0);

    results.put(manifest, "{\"files\": [\"part-0.parquet\", \"part-0.parquet\"]}".getBytes(UTF_8));
    assertThat(load(folder.build()).failure().orElseThrow().message()).contains("named twice");
  }

  @Test
  public void filesSayThemselvesWhatTheyHold() throws Exception {
    BulkUpload upload;
    try (OfflineResults files = writing(contents("q13", feature("age", ValueType.INT64)), "r13")) {
      files.add("a", T, List.of(1L));
      upload = files.finish();
    }

    assertThat(load(BulkUpload.newBuilder().addAllFiles(upload.getFilesList()).build()))
        .isEqualTo(new Outcome(1, Optional.empty()));
    assertThat(load(upload)).isEqualTo(new Outcome(0, Optional.empty()));
  }

  @Test
  public void aCopyOfAFileThatWasTouchedIsHarmless() throws Exception {
    BulkUpload upload;
    try (OfflineResults files = writing(contents("q14", feature("age", ValueType.INT64)), "r14")) {
      files.add("a", T, List.of(1L));
      upload = files.finish();
    }
    assertThat(load(upload).rows()).isEqualTo(1);
    results.touch(upload.getFiles(0));

    assertThat(load(upload)).isEqualTo(new Outcome(1, Optional.empty()));

    assertThat(count("user__age")).isEqualTo(1);
  }

  @Test
  public void goodFilesAreLoadedAndBadOnesNamed() throws Exception {
    Contents contents = contents("q7", feature("age", ValueType.INT64));
    BulkUpload upload;
    try (OfflineResults files = writing(contents, "r7", 1)) {
      for (int i = 0; i < 5; i++) {
        files.add("k" + i, T, List.of((long) i));
      }
      upload = files.finish();
    }
    String truncated = upload.getFiles(1);
    byte[] whole = results.get(truncated);
    results.put(truncated, Arrays.copyOf(whole, whole.length - 9));
    results.remove(upload.getFiles(2));
    try (OfflineResults files =
        writing(contents("q7", feature("other", ValueType.INT64)), "other")) {
      files.add("x", T, List.of(1L));
      results.put(upload.getFiles(3), results.get(files.finish().getFiles(0)));
    }

    Outcome outcome = load(upload);

    assertThat(outcome.rows()).isEqualTo(2);
    Failure failure = outcome.failure().orElseThrow();
    assertThat(failure.reasons())
        .containsExactly(Reason.UNDECODABLE, 1, Reason.MISSING_FILE, 1, Reason.MISSING_FIELD, 1);
    assertThat(failure.field()).isEqualTo("files[2]");
    assertThat(failure.retryable()).isTrue();
    List<String> words = failure.cells().stream().map(cell -> cell.message()).toList();
    assertThat(words.get(0))
        .isEqualTo(upload.getFiles(2) + " is not there: write it and replay this letter");
    assertThat(words.get(1)).contains("part-1.parquet: ");
    assertThat(words.get(1)).contains("cut off");
    assertThat(words.get(2))
        .contains("part-3.parquet: the file has no column 'age' for the feature");

    results.put(truncated, whole);
    assertThat(replay(upload).rows()).isEqualTo(1);
    assertThat(count("user__age")).isEqualTo(3);
  }

  @Test
  public void eventsOfTheCloudLoadWhatSaysItself() throws Exception {
    BulkUpload upload;
    try (OfflineResults files = writing(contents("q15", feature("age", ValueType.INT64)), "r15")) {
      files.add("a", T, List.of(1L));
      upload = files.finish();
    }
    // Of the bucket's name alone, as that of a test is no bucket's.
    String key = upload.getFiles(0);
    Notification event =
        new Notification(
            List.of(key, bucket.uri() + "/r15/_temporary/x.parquet", "s3://another/x.parquet"),
            Optional.empty(),
            Optional.empty(),
            Notification.Origin.CLOUD,
            message());

    assertThat(load(event)).isEqualTo(new Outcome(1, Optional.empty()));
    assertThat(count("user__age")).isEqualTo(1);

    Notification nothing =
        new Notification(
            List.of(), Optional.empty(), Optional.empty(), Notification.Origin.CLOUD, message());
    assertThat(load(nothing)).isEqualTo(new Outcome(0, Optional.empty()));
  }

  @Test
  public void aFileOfRowsThatComesBackIsInserted() throws Exception {
    Contents contents = contents("q16", feature("age", ValueType.INT64));
    BulkUpload upload;
    try (OfflineResults files = writing(contents, "r16")) {
      files.add("a", T, List.of(1L));
      upload = files.finish();
    }
    byte[] rows = canonical(contents, upload).get(0).bytes();

    Outcome outcome =
        load(
            NotificationFormat.decode(
                BusMessage.of(rows, Place.numbered("bulk-upload", 0, 9), MessageTime.ofBus(1))));

    assertThat(outcome).isEqualTo(new Outcome(1, Optional.empty()));
    assertThat(count("user__age")).isEqualTo(1);
  }

  Notification notification(BulkUpload upload) throws Exception {
    return NotificationFormat.decode(
        message().withPayload(NotificationFormat.json(upload).getBytes(UTF_8)));
  }

  @Test
  public void aFileThatChangesWhileItIsReadIsRefusedAndLoadedLater() throws Exception {
    BulkUpload upload;
    try (OfflineResults files =
        writing(contents("q17", feature("age", ValueType.INT64)), "r17", 1)) {
      files.add("a", T, List.of(1L));
      files.add("b", T, List.of(2L));
      upload = files.finish();
    }
    BulkLoader loader = store().bulkLoads().orElseThrow().open();
    WideLoads touching =
        otherwise(
            loader.wide(),
            batch -> {
              results.touch(upload.getFiles(1));
              return loader.wide().load(batch);
            });

    Failure failure =
        load(notification(upload), new BulkLoader(touching, loader.rows(), loader.ledger()))
            .failure()
            .orElseThrow();

    assertThat(failure.reasons()).containsExactly(Reason.MISSING_FILE, 1);
    assertThat(failure.field()).isEqualTo("files[1]");
    assertThat(failure.message()).contains("changed while it was read");
    assertThat(replay(upload)).isEqualTo(new Outcome(1, Optional.empty()));
    assertThat(count("user__age")).isEqualTo(2);
  }

  @Test
  public void aCrashBetweenTheRowsAndTheLedgerDoublesNothing() throws Exception {
    BulkUpload upload;
    try (OfflineResults files = writing(contents("q18", feature("age", ValueType.INT64)), "r18")) {
      files.add("a", T, List.of(1L));
      upload = files.finish();
    }
    BulkLoader loader = store().bulkLoads().orElseThrow().open();
    WideLoads enteringNothing =
        otherwise(
            loader.wide(),
            batch ->
                loader
                    .wide()
                    .load(
                        new WideLoads.Batch(
                            batch.contents(),
                            batch.columns(),
                            batch.observedUntil(),
                            batch.files(),
                            List::of)));
    assertThrows(
        UnavailableException.class,
        () ->
            load(
                notification(upload),
                new BulkLoader(
                    enteringNothing, enteringNothing(loader.rows()), broken(loader.ledger()))));
    assertThat(count("user__age")).isEqualTo(1);

    assertThat(load(upload)).isEqualTo(new Outcome(1, Optional.empty()));

    assertThat(count("user__age")).isEqualTo(1);
    assertThat(load(upload).rows()).isEqualTo(0);
  }

  @Test
  public void whatIsLoadedAsAWholeIsEnteredInTheTransactionOfItsRows() throws Exception {
    BulkUpload upload;
    try (OfflineResults files =
        writing(
            contents("q22", feature("age", ValueType.INT64), feature("name", ValueType.STRING)),
            "r22",
            1)) {
      files.add("a", T, List.of(1L, "x"));
      files.add("b", T, List.of(2L, "y"));
      upload = files.finish();
    }
    BulkLoader loader = store().bulkLoads().orElseThrow().open();

    // Nothing is entered behind it.
    assertThat(
            load(
                notification(upload),
                new BulkLoader(loader.wide(), loader.rows(), broken(loader.ledger()))))
        .isEqualTo(new Outcome(4, Optional.empty()));

    assertThat(count("bulk_files")).isEqualTo(2);
    assertThat(load(upload)).isEqualTo(new Outcome(0, Optional.empty()));
  }

  /** Inserts and finishes nothing. */
  private static InsertSession enteringNothing(InsertSession session) {
    return new InsertSession() {
      @Override
      public Inserted insert(List<ObservationFile> files) throws UnavailableException {
        return session.insert(files);
      }

      @Override
      public void close() {
        session.close();
      }
    };
  }

  /** A ledger that nothing can be entered into. */
  private static Ledger.Book broken(Ledger.Book ledger) {
    return new Ledger.Book() {
      @Override
      public Map<String, Entry> find(String environment, Collection<String> names)
          throws UnavailableException {
        return ledger.find(environment, names);
      }

      @Override
      public void enter(String environment, List<Entry> entries) throws UnavailableException {
        throw new UnavailableException("the process is gone");
      }

      @Override
      public void forget(String environment, Instant before) {}
    };
  }

  private interface Loading {
    Loaded load(Batch batch) throws UnavailableException, IOException;
  }

  /** Loads as others do, in another way. */
  private static WideLoads otherwise(WideLoads wide, Loading loading) {
    return new WideLoads() {
      @Override
      public Most most() {
        return wide.most();
      }

      @Override
      public Loaded load(Batch batch) throws UnavailableException {
        try {
          return loading.load(batch);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }

      @Override
      public void close() {
        wide.close();
      }
    };
  }

  @Test
  public void twoWhoLoadTheSameFilesAtOnceDoubleNothing() throws Exception {
    BulkUpload upload;
    try (OfflineResults files =
        writing(
            contents("q19", feature("age", ValueType.INT64), feature("name", ValueType.STRING)),
            "r19",
            100)) {
      for (long i = 0; i < 400; i++) {
        files.add("k" + i, T, List.of(i, "n" + i));
      }
      upload = files.finish();
    }
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      List<Future<Outcome>> both =
          List.of(
              threads.submit(() -> load(notification(upload))),
              threads.submit(() -> load(notification(upload))));
      for (Future<Outcome> each : both) {
        assertThat(each.get().failure()).isEqualTo(Optional.empty());
      }
    } finally {
      threads.shutdownNow();
    }

    assertThat(query("SELECT count(*), count(DISTINCT pkey) FROM prod.user__age"))
        .containsExactly(List.of("400", "400"));
    assertThat(count("user__name")).isEqualTo(400);
  }
}
