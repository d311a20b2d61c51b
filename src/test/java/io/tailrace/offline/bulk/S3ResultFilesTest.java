package io.tailrace.offline.bulk;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import com.google.common.collect.Iterables;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Failure;
import io.tailrace.testing.fakes.FakeS3;
import io.tailrace.v1.BulkUpload;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Files with results from a simulated S3, over Beam's own file system and Amazon's client. */
public class S3ResultFilesTest {
  private static final long T = ResultFilesContract.T;
  private static final String BUCKET = "results";

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  /** Started before the address of Beam's file system is told. */
  private final FakeS3 s3 = started();

  @Rule public final S3Results results = new S3Results(() -> s3, BUCKET);

  private final LoadCounts counts = new LoadCounts();
  private final ResultBucket bucket = new ResultBucket("s3://" + BUCKET + "/team");
  private OfflineStore store;

  private static FakeS3 started() {
    try {
      return FakeS3.start(BUCKET);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Before
  public void start() throws Exception {
    store = OfflineStores.at("duckdb://" + folder.getRoot() + "/offline.db?schema={environment}");
  }

  @After
  public void stop() {
    s3.close();
  }

  private Optional<Failure> load(BulkUpload upload) throws Exception {
    return load(upload, false);
  }

  /** Loads files by the store's own statements, or decoded. */
  private Optional<Failure> load(BulkUpload upload, boolean decoded) throws Exception {
    BusMessage message =
        BusMessage.of(
            NotificationFormat.json(upload).getBytes(UTF_8),
            null,
            Place.numbered("bulk-upload", 0, 1),
            MessageTime.ofBus(Micros.now()),
            Headers.NONE);
    try (BulkLoader loader = store.bulkLoads().orElseThrow().open()) {
      NotificationLoad load =
          new NotificationLoad(
              new LoadResultFiles.Rules(bucket, Set.of(), Duration.ofMinutes(5)),
              decoded ? new BulkLoader(WideLoads.NONE, loader.rows(), loader.ledger()) : loader,
              counts,
              NotificationFormat.decode(message));
      long unused = load.run();
      return load.failure();
    }
  }

  private BulkUpload write(Contents contents, String folderName, int files) throws Exception {
    try (OfflineResults results =
        OfflineResults.of(contents).withFileRows(2).into(bucket.uri() + "/" + folderName)) {
      for (long i = 0; i < 2L * files; i++) {
        results.add("k" + i, T + i, List.of(i));
      }
      return results.finish();
    }
  }

  private String count() throws Exception {
    return String.valueOf(
        store.reader().query("SELECT count(*) FROM prod.user__age", 1).rows().get(0).get(0));
  }

  @Test
  public void filesOfABucketAreLoadedAndBadOnesNamed() throws Exception {
    Contents contents =
        ResultFilesContract.contents("q1", ResultFilesContract.feature("age", ValueType.INT64));
    BulkUpload upload = write(contents, "r1", 12);
    String third = "team/r1/part-3.parquet";
    byte[] whole = s3.object(BUCKET, third).orElseThrow();
    s3.put(BUCKET, third, Arrays.copyOf(whole, whole.length / 2));
    BulkUpload more = upload.toBuilder().addFiles(bucket.uri() + "/r1/gone.parquet").build();

    Failure failure = load(more).orElseThrow();

    assertThat(failure.reasons()).containsExactly(Reason.MISSING_FILE, 1, Reason.UNDECODABLE, 1);
    assertThat(failure.cells().get(1).message()).contains("part-3.parquet");
    assertThat(count()).isEqualTo("22");
    counts.clear();

    s3.put(BUCKET, third, whole);
    int before = s3.requests();
    assertThat(load(upload)).isEqualTo(Optional.empty());
    assertThat(counts.filesKnown.unflushed()).isEqualTo(11);
    assertThat(count()).isEqualTo("24");
    // Each is asked for; only the one that is new is read.
    assertThat(s3.requests() - before).isLessThan(30);
  }

  @Test
  public void oneFileAndFifty() throws Exception {
    Contents contents =
        ResultFilesContract.contents("q5", ResultFilesContract.feature("age", ValueType.INT64));
    for (int files : List.of(1, 50)) {
      BulkUpload upload = write(contents, "r5-" + files, files);
      counts.clear();

      assertThat(load(upload)).isEqualTo(Optional.empty());

      assertThat(counts.filesLoaded.unflushed()).isEqualTo(files);
      assertThat(counts.loads.unflushed()).isEqualTo(1);
      assertThat(counts.rowsDecoded.unflushed()).isEqualTo(0);
      assertThat(count()).isEqualTo(Integer.toString(2 * files));
    }
  }

  @Test
  public void aPrefixIsListedPageByPage() throws Exception {
    Contents contents =
        ResultFilesContract.contents("q2", ResultFilesContract.feature("age", ValueType.INT64));
    BulkUpload upload = write(contents, "r2", 12);
    s3.pagesOf(5);
    s3.put(BUCKET, "team/r2/_SUCCESS", new byte[0]);
    s3.put(BUCKET, "team/r2/_temporary/x.parquet", new byte[0]);
    s3.put(BUCKET, "team/r2-other/x.parquet", new byte[0]);
    BulkUpload.Builder folderOfAll = upload.toBuilder().clearFiles();
    folderOfAll.getPrefixBuilder().setUri(bucket.uri() + "/r2/").setCount(12);

    assertThat(load(folderOfAll.build())).isEqualTo(Optional.empty());

    assertThat(count()).isEqualTo("24");
  }

  @Test
  public void aPrefixOfTenThousandFilesIsCounted() throws Exception {
    Contents contents =
        ResultFilesContract.contents("q3", ResultFilesContract.feature("age", ValueType.INT64));
    for (int i = 0; i < 9_999; i++) {
      s3.put(BUCKET, "team/r3/part-" + i + ".parquet", new byte[1]);
    }
    BulkUpload.Builder upload = OfflineResults.description(contents).toBuilder();
    upload.getPrefixBuilder().setUri(bucket.uri() + "/r3/").setCount(10_000);

    Failure failure = load(upload.build()).orElseThrow();

    assertThat(failure.reason()).isEqualTo(Reason.MISSING_FILE);
    assertThat(failure.message()).contains("has 9999 files");
  }

  private static BulkUpload ofFolder(BulkUpload upload, String folder, int count) {
    BulkUpload.Builder ofFolder = upload.toBuilder().clearFiles();
    ofFolder.getPrefixBuilder().setUri(folder).setCount(count);
    return ofFolder.build();
  }

  @Test
  public void oneFileThatIsRefusedOrDeletedDoesNotSpoilItsFolder() throws Exception {
    Contents contents =
        ResultFilesContract.contents("q9", ResultFilesContract.feature("age", ValueType.INT64));
    BulkUpload upload = ofFolder(write(contents, "r9", 4), bucket.uri() + "/r9/", 4);
    s3.refuse("team/r9/part-1.parquet", List.of("GET", "HEAD"), 400);
    // Listed, and gone before it is asked for.
    s3.refuse("team/r9/part-2.parquet", List.of("GET", "HEAD"), 404);

    Failure failure = load(upload).orElseThrow();

    assertThat(failure.reasons()).containsExactly(Reason.MISSING_FILE, 2);
    assertThat(failure.cells().get(0).message()).contains("part-1.parquet can't be read: ");
    assertThat(failure.cells().get(1).message()).contains("part-2.parquet");
    assertThat(count()).isEqualTo("4");
    bucket.check();
  }

  @Test
  public void aNameThatStandsForOthersIsRefused() throws Exception {
    Contents contents =
        ResultFilesContract.contents("q10", ResultFilesContract.feature("age", ValueType.INT64));
    BulkUpload upload = write(contents, "r10", 2);
    s3.put(BUCKET, "team/r10/part-[01].parquet", new byte[12]);

    Failure failure = load(ofFolder(upload, bucket.uri() + "/r10/", 3)).orElseThrow();

    assertThat(failure.reason()).isEqualTo(Reason.INVALID_VALUE);
    assertThat(failure.message()).contains("part-[01].parquet' has a wildcard");
  }

  @Test
  public void aStartListsNoMoreOfABucketThanItNeeds() throws Exception {
    s3.pagesOf(100);
    for (int i = 0; i < 1_000; i++) {
      s3.put(BUCKET, "team/part-" + i + ".parquet", new byte[12]);
    }
    int before = s3.requests();

    bucket.check();

    assertThat(s3.requests() - before).isLessThan(5);
  }

  @Test
  public void aStartLooksBehindTheFirstPageWhereAllOfThatIsArchived() throws Exception {
    s3.pagesOf(20);
    for (int i = 10; i < 30; i++) {
      String key = "team/a" + i + ".parquet";
      s3.put(BUCKET, key, new byte[12]);
      s3.refuse(key, List.of("GET"), 403);
    }
    assertThrows(UnavailableException.class, bucket::check);
    s3.put(BUCKET, "team/b.parquet", new byte[12]);

    bucket.check();
  }

  @Test
  public void ofManyNamesSomeAreKeptFromFirstToLast() {
    SomeNames some = new SomeNames(100);
    for (int page = 0; page < 10; page++) {
      int first = 10_000 + page * 1_000;
      assertThat(
              some.take(IntStream.range(first, first + 1_000).mapToObj(Integer::toString).toList()))
          .isTrue();
    }

    assertThat(some.count()).isEqualTo(10_000);
    assertThat(some.names().size()).isAtMost(100);
    assertThat(some.names().size()).isAtLeast(50);
    assertThat(some.names()).isInOrder();
    assertThat(some.names().get(0)).isEqualTo("10000");
    assertThat(Iterables.getLast(some.names())).isGreaterThan("19700");
  }

  @Test
  public void aBucketIsCheckedWithTheRightsThatItNeeds() throws Exception {
    bucket.check();
    s3.put(BUCKET, "team/x.parquet", new byte[12]);
    bucket.check();

    UnavailableException none =
        assertThrows(
            UnavailableException.class, () -> new ResultBucket("s3://nobodys-bucket").check());
    assertThat(none).hasMessageThat().contains("s3://nobodys-bucket/ can't be reached");
    assertThat(none).hasMessageThat().contains("s3:ListBucket");

    s3.refuseNext(50, 403);
    UnavailableException denied = assertThrows(UnavailableException.class, () -> bucket.check());
    assertThat(denied).hasMessageThat().contains("s3:GetObject");
  }

  @Test
  public void aFileThatTheBucketDoesNotGiveIsRefusedByName() throws Exception {
    Contents contents =
        ResultFilesContract.contents("q6", ResultFilesContract.feature("age", ValueType.INT64));
    BulkUpload upload = write(contents, "r6", 3);
    s3.refuse("team/r6/part-0.parquet", List.of("GET"), 403);
    s3.refuse("team/r6/part-1.parquet", List.of("GET", "HEAD"), 400);

    for (BulkUpload each : List.of(upload, onlyFiles(upload))) {
      Failure failure = load(each).orElseThrow();

      assertThat(failure.reasons()).containsExactly(Reason.MISSING_FILE, 2);
      assertThat(failure.retryable()).isTrue();
      for (int i = 0; i < 2; i++) {
        assertThat(failure.cells().stream().map(cell -> cell.message()).toList().toString())
            .contains("part-" + i + ".parquet can't be read: ");
      }
      assertThat(failure.cells().get(0).message())
          .contains("and other files of the bucket can: let the writer read it");
      assertThat(count()).isEqualTo("2");
    }
    s3.refuseNone();
    assertThat(load(upload)).isEqualTo(Optional.empty());
    assertThat(count()).isEqualTo("6");
  }

  private static BulkUpload onlyFiles(BulkUpload upload) {
    return BulkUpload.newBuilder().addAllFiles(upload.getFilesList()).build();
  }

  @Test
  public void aManifestThatTheBucketDoesNotGiveIsRefusedToo() throws Exception {
    Contents contents =
        ResultFilesContract.contents("q7", ResultFilesContract.feature("age", ValueType.INT64));
    BulkUpload upload = write(contents, "r7", 1);
    s3.put(BUCKET, "team/r7/manifest.json", "{}".getBytes(UTF_8));
    BulkUpload.Builder folderOfAll = upload.toBuilder().clearFiles();
    folderOfAll
        .getPrefixBuilder()
        .setUri(bucket.uri() + "/r7/")
        .setManifest(bucket.uri() + "/r7/manifest.json");

    s3.refuse("team/r7/manifest.json", List.of("GET"), 403);

    Failure failure = load(folderOfAll.build()).orElseThrow();

    assertThat(failure.reason()).isEqualTo(Reason.MISSING_FILE);
    assertThat(failure.field()).isEqualTo("prefix.manifest");
    assertThat(failure.message()).contains("manifest.json can't be read: ");
  }

  @Test
  public void aStartReadsAnotherFileWhereTheFirstIsArchived() throws Exception {
    s3.put(BUCKET, "team/a.parquet", new byte[12]);
    s3.put(BUCKET, "team/b.parquet", new byte[12]);
    s3.refuse("team/a.parquet", List.of("GET"), 403);

    bucket.check();
  }

  @Test
  public void aBucketThatGivesNoFileIsNobodysFault() throws Exception {
    Contents contents =
        ResultFilesContract.contents("q8", ResultFilesContract.feature("age", ValueType.INT64));
    BulkUpload upload = write(contents, "r8", 2);
    s3.refuse("team/r8/part-0.parquet", List.of("GET"), 403);
    s3.refuse("team/r8/part-1.parquet", List.of("GET"), 403);

    assertThrows(UnavailableException.class, () -> load(upload));
    assertThat(assertThrows(UnavailableException.class, bucket::check))
        .hasMessageThat()
        .contains("part-0.parquet can't be read: ");

    // One that the service fails to give is no refusal of it.
    s3.refuseNone();
    s3.refuse("team/r8/part-0.parquet", List.of("GET"), 500);
    assertThrows(UnavailableException.class, () -> load(upload));
  }

  @Test
  public void moreFilesThatAreCutOffThanThereAreConnectionsAreRefusedByName() throws Exception {
    Contents contents =
        ResultFilesContract.contents("q9", ResultFilesContract.feature("age", ValueType.INT64));
    BulkUpload upload = write(contents, "r9", 1);
    byte[] whole = s3.object(BUCKET, "team/r9/part-0.parquet").orElseThrow();
    BulkUpload.Builder more = upload.toBuilder();
    // Amazon's client has 50 connections unless it is told otherwise.
    for (int i = 1; i <= 60; i++) {
      s3.put(BUCKET, "team/r9/part-" + i + ".parquet", Arrays.copyOf(whole, whole.length / 2));
      more.addFiles(bucket.uri() + "/r9/part-" + i + ".parquet");
    }

    for (BulkUpload each : List.of(more.build(), onlyFiles(more.build()))) {
      assertThat(load(each).orElseThrow().reasons()).containsExactly(Reason.UNDECODABLE, 60);
    }

    assertThat(count()).isEqualTo("2");
  }

  @Test
  public void aFileThatGetsShorterWhileItIsReadIsRefusedAndLoadedLater() throws Exception {
    Contents contents =
        ResultFilesContract.contents(
            "q10",
            ResultFilesContract.feature("age", ValueType.INT64),
            ResultFilesContract.feature("size", ValueType.INT64));
    for (boolean decoded : List.of(true, false)) {
      String key = "team/r10-" + decoded + "/part-0.parquet";
      BulkUpload upload;
      try (OfflineResults results =
          OfflineResults.of(contents).withFileRows(60).into(bucket.uri() + "/r10-" + decoded)) {
        for (long i = 0; i < 100; i++) {
          results.add("k" + i, T + i, List.of(i, i));
        }
        upload = results.finish();
      }
      byte[] whole = s3.object(BUCKET, key).orElseThrow();
      // Below any of the reads by which it is looked at, and decoded or copied.
      boolean replaced = true;
      for (int reads = 0; replaced; reads++) {
        s3.put(BUCKET, key, whole);
        s3.replaceAfter(reads, key, Arrays.copyOf(whole, whole.length / 2));

        Optional<Failure> failure = load(upload, decoded);

        replaced = s3.object(BUCKET, key).orElseThrow().length < whole.length;
        assertThat(failure.isPresent()).isEqualTo(replaced);
        if (replaced) {
          // The other file of the message is loaded.
          assertThat(failure.orElseThrow().cells()).hasSize(1);
          assertThat(failure.orElseThrow().cells().get(0).reason())
              .isAnyOf(Reason.MISSING_FILE, Reason.UNDECODABLE);
          assertThat(failure.orElseThrow().message()).contains(key);
        }
      }
    }
    assertThat(count()).isEqualTo("100");
  }

  @Test
  public void whatAnObjectHasNoMoreIsNotReadForEver() throws Exception {
    s3.put(BUCKET, "team/a.parquet", new byte[100]);
    try (SeekableByteChannel channel =
        bucket.open(bucket.find(bucket.uri() + "/a.parquet").orElseThrow())) {
      s3.put(BUCKET, "team/a.parquet", new byte[50]);
      ByteBuffer most = ByteBuffer.allocate(100);
      assertThat(channel.position(10).read(most)).isEqualTo(40);

      assertThat(assertThrows(EOFException.class, () -> channel.read(most)))
          .hasMessageThat()
          .contains("shorter");
    }
  }

  @Test
  public void aBucketThatIsAwayIsNobodysFault() throws Exception {
    Contents contents =
        ResultFilesContract.contents("q4", ResultFilesContract.feature("age", ValueType.INT64));
    BulkUpload upload = write(contents, "r4", 1);
    s3.refuseNext(50, 403);

    assertThrows(UnavailableException.class, () -> load(upload));
  }
}
