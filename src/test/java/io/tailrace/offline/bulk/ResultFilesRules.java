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
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Kind;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Failure;
import io.tailrace.v1.BulkUpload;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
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
    try (OfflineResults some =
        OfflineResults.of(contents).withFileRows(1).into(bucket.uri() + "/p")) {
      for (int i = 0; i < 3; i++) {
        some.add("k" + i, T, List.of((long) i));
      }
      files = some.finish().getFilesList();
    }
    Files.writeString(path(bucket.uri() + "/p/_SUCCESS"), "");
    BulkUpload.Builder folder = OfflineResults.description(contents).toBuilder();
    folder.getPrefixBuilder().setUri(bucket.uri() + "/p/").setCount(4);
    Failure early = load(folder.build()).failure().orElseThrow();
    assertThat(early.reason()).isEqualTo(Reason.MISSING_FILE);
    assertThat(early.message()).contains("has 3 files that end with .parquet");
    assertThat(early.retryable()).isTrue();

    folder.getPrefixBuilder().setCount(3);
    assertThat(load(folder.build())).isEqualTo(new Outcome(3, Optional.empty()));

    Path manifest = path(bucket.uri() + "/p/manifest.json");
    Files.writeString(
        manifest, "{\"files\": [\"part-0.parquet\", \"" + files.get(1) + "\", \"gone.parquet\"]}");
    folder.getPrefixBuilder().setCount(0).setManifest(bucket.uri() + "/p/manifest.json");
    Outcome listed = load(folder.build());
    assertThat(listed.failure().orElseThrow().field()).isEqualTo("prefix.manifest.files[2]");
    assertThat(listed.rows()).isEqualTo(0);

    Files.writeString(manifest, "{\"files\": [\"part-0.parquet\", \"part-0.parquet\"]}");
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
    Path unused =
        Files.setLastModifiedTime(path(upload.getFiles(0)), FileTime.fromMillis(1_000_000));

    assertThat(load(upload)).isEqualTo(new Outcome(1, Optional.empty()));

    assertThat(count("user__age")).isEqualTo(1);
  }

  @Test
  public void goodFilesAreLoadedAndBadOnesNamed() throws Exception {
    Contents contents = contents("q7", feature("age", ValueType.INT64));
    BulkUpload upload;
    try (OfflineResults files = OfflineResults.of(contents).withFileRows(1).into(bucket.uri())) {
      for (int i = 0; i < 5; i++) {
        files.add("k" + i, T, List.of((long) i));
      }
      upload = files.finish();
    }
    Path truncated = path(upload.getFiles(1));
    byte[] whole = Files.readAllBytes(truncated);
    Files.write(truncated, Arrays.copyOf(whole, whole.length - 9));
    Files.delete(path(upload.getFiles(2)));
    try (OfflineResults files =
        OfflineResults.of(contents("q7", feature("other", ValueType.INT64)))
            .into(bucket.uri() + "/other")) {
      files.add("x", T, List.of(1L));
      Path other = path(files.finish().getFiles(0));
      Path unused =
          Files.move(
              other, path(upload.getFiles(3)), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
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

    Files.write(truncated, whole);
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

  private Notification notification(BulkUpload upload) throws Exception {
    return NotificationFormat.decode(
        message().withPayload(NotificationFormat.json(upload).getBytes(UTF_8)));
  }

  @Test
  public void aFileThatChangesWhileItIsReadIsRefusedAndLoadedLater() throws Exception {
    BulkUpload upload;
    try (OfflineResults files =
        OfflineResults.of(contents("q17", feature("age", ValueType.INT64)))
            .withFileRows(1)
            .into(bucket.uri() + "/r17")) {
      files.add("a", T, List.of(1L));
      files.add("b", T, List.of(2L));
      upload = files.finish();
    }
    BulkLoader loader = store().bulkLoads().orElseThrow().open();
    WideLoads touching =
        new WideLoads() {
          @Override
          public Most most() {
            return loader.wide().most();
          }

          @Override
          public Loaded load(Batch batch) throws UnavailableException {
            Loaded loaded = loader.wide().load(batch);
            try {
              Path unused =
                  Files.setLastModifiedTime(path(upload.getFiles(1)), FileTime.fromMillis(5_000));
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
            return loaded;
          }

          @Override
          public void close() {
            loader.wide().close();
          }
        };

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
    Ledger.Book broken =
        new Ledger.Book() {
          @Override
          public Map<String, Entry> find(String environment, Collection<String> names)
              throws UnavailableException {
            return loader.ledger().find(environment, names);
          }

          @Override
          public void enter(String environment, List<Entry> entries) throws UnavailableException {
            throw new UnavailableException("the process is gone");
          }

          @Override
          public void forget(String environment, Instant before) {}
        };
    assertThrows(
        UnavailableException.class,
        () -> load(notification(upload), new BulkLoader(loader.wide(), loader.rows(), broken)));
    assertThat(count("user__age")).isEqualTo(1);

    assertThat(load(upload)).isEqualTo(new Outcome(1, Optional.empty()));

    assertThat(count("user__age")).isEqualTo(1);
    assertThat(load(upload).rows()).isEqualTo(0);
  }

  @Test
  public void twoWhoLoadTheSameFilesAtOnceDoubleNothing() throws Exception {
    BulkUpload upload;
    try (OfflineResults files =
        OfflineResults.of(
                contents("q19", feature("age", ValueType.INT64), feature("name", ValueType.STRING)))
            .withFileRows(100)
            .into(bucket.uri() + "/r19")) {
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
