package io.tailrace.offline.bulk;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.bus.Replayed;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationIds;
import io.tailrace.parquet.WideFile;
import io.tailrace.parquet.WideMapping;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Kind;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.parquet.WideMapping.Time;
import io.tailrace.parquet.WideRows;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Failure;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.BulkUpload;
import io.tailrace.v1.DeadLetter.Reason;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.checkerframework.checker.nullness.qual.Nullable;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;

/** What every store must do with files of results that are loaded into it. */
public abstract class ResultFilesContract {
  static final long T = 1_760_000_000_000_000L;

  @Rule public final ResultsPlace results = place();

  ResultBucket bucket;
  private final AtomicInteger messages = new AtomicInteger();
  // Rows that were decoded one by one, of the message that was loaded last.
  private volatile long decoded;

  /** Where the files are. */
  protected ResultsPlace place() {
    return ResultsPlace.local();
  }

  /** How files are compressed. */
  protected CompressionCodecName codec() {
    return CompressionCodecName.ZSTD;
  }

  /** The store, one schema for each environment. */
  protected abstract OfflineStore store();

  /** Whether it has columns of a type loaded by its own statements. */
  protected abstract boolean loadsByItself(ValueType type);

  @Before
  public void nameBucket() {
    bucket = new ResultBucket(results.uri());
  }

  static FeatureColumn feature(String name, ValueType type) {
    return new FeatureColumn(
        "user", "user." + name, name, new Kind(type, Nulls.NOT_COMPUTED), "r." + name);
  }

  static Contents contents(String operation, FeatureColumn... features) {
    return new Contents(
        operation, "prod", "d1", new WideMapping("id", new Time("at", 0), List.of(features)));
  }

  OfflineResults writing(Contents contents, String folder) {
    return writing(contents, folder, 100_000);
  }

  OfflineResults writing(Contents contents, String folder, int fileRows) {
    return OfflineResults.of(contents)
        .withFileRows(fileRows)
        .compressedBy(codec())
        .into(bucket.uri() + "/" + folder);
  }

  /** What came of a message. */
  record Outcome(long rows, Optional<Failure> failure) {}

  Outcome load(BulkUpload upload) throws UnavailableException {
    return load(upload, Headers.NONE);
  }

  Outcome replay(BulkUpload upload) throws UnavailableException {
    return load(
        upload,
        Headers.of(
            Header.of(Replayed.WRITER, "bulk-insert-writer"),
            Header.of(Replayed.FAILED_AT, "2026-01-31T12:00:00Z")));
  }

  Outcome load(BulkUpload upload, Headers headers) throws UnavailableException {
    BusMessage message =
        BusMessage.of(
            NotificationFormat.json(upload).getBytes(UTF_8),
            null,
            Place.numbered("bulk-upload", 0, messages.getAndIncrement()),
            MessageTime.ofBus(Micros.now()),
            headers);
    try {
      return load(NotificationFormat.decode(message));
    } catch (InvalidMessageException e) {
      throw new AssertionError(e);
    }
  }

  /** Returns a message that nobody looks into. */
  BusMessage message() {
    return BusMessage.of(
        new byte[0],
        Place.numbered("bulk-upload", 0, messages.getAndIncrement()),
        MessageTime.ofBus(Micros.now()));
  }

  /** Loads by another loader, which is made of the store's own. */
  Outcome load(BulkUpload upload, UnaryOperator<BulkLoader> other) throws Exception {
    return load(
        NotificationFormat.decode(
            message().withPayload(NotificationFormat.json(upload).getBytes(UTF_8))),
        other.apply(store().bulkLoads().orElseThrow().open()));
  }

  /** Returns how many rows were decoded of the message that was loaded last. */
  long decoded() {
    return decoded;
  }

  Outcome load(Notification notification) throws UnavailableException {
    return load(notification, store().bulkLoads().orElseThrow().open());
  }

  Outcome load(Notification notification, BulkLoader opened) throws UnavailableException {
    LoadCounts counts = new LoadCounts();
    try (BulkLoader loader = opened) {
      NotificationLoad load =
          new NotificationLoad(
              new LoadResultFiles.Rules(bucket, Set.of(), Duration.ofMinutes(5)),
              loader,
              counts,
              notification);
      long rows = load.run();
      return new Outcome(rows, load.failure());
    } finally {
      decoded = counts.rowsDecoded.unflushed();
    }
  }

  List<List<@Nullable String>> query(String sql) throws UnavailableException {
    return store().reader().query(sql, 100_000).rows();
  }

  /** Ids first, which some stores write in capitals. */
  private List<List<@Nullable String>> queryById(String columns) throws UnavailableException {
    return query("SELECT " + idText() + ", " + columns).stream()
        .<List<@Nullable String>>map(
            row -> {
              List<@Nullable String> lower = new ArrayList<>(row);
              lower.set(0, String.valueOf(row.get(0)).toLowerCase(Locale.ROOT));
              return lower;
            })
        .toList();
  }

  long count(String table) throws UnavailableException {
    return Long.parseLong(query("SELECT count(*) FROM prod." + table).get(0).get(0));
  }

  @Test
  public void aColumnBecomesRowsWithTheIdsOfTheStreamingPath() throws Exception {
    Contents contents =
        contents("q1", feature("age", ValueType.INT64), feature("name", ValueType.STRING));
    BulkUpload upload;
    try (OfflineResults files = writing(contents, "r1")) {
      files.add("ann", T, Arrays.asList(35L, "Änn"));
      files.add("böb", T + 1, Arrays.asList(null, "b"));
      files.add("cid", -5L, Arrays.asList(7L, null));
      upload = files.finish();
    }

    Outcome outcome = load(upload);

    assertThat(outcome.failure()).isEqualTo(Optional.empty());
    assertThat(outcome.rows()).isEqualTo(4);
    assertThat(
            queryById(
                "pkey, value,"
                    + " resolver_fqn, deployment_id, operation_id, "
                    + text("deleted")
                    + " FROM"
                    + " prod.user__age ORDER BY pkey"))
        .containsExactly(
            List.of(id("q1", "user.age", "ann", T), "ann", "35", "r.age", "d1", "q1", "false"),
            List.of(id("q1", "user.age", "cid", -5), "cid", "7", "r.age", "d1", "q1", "false"))
        .inOrder();
    assertThat(queryById("pkey, value FROM" + " prod.user__name ORDER BY pkey"))
        .containsExactly(
            List.of(id("q1", "user.name", "ann", T), "ann", "Änn"),
            List.of(id("q1", "user.name", "böb", T + 1), "böb", "b"))
        .inOrder();
  }

  private static String id(String operation, String feature, String key, long observedAt) {
    return HexFormat.of().formatHex(ObservationIds.of(operation, feature, key, observedAt));
  }

  @Test
  public void integerKeysAndOneTimeForAllRows() throws Exception {
    Contents contents =
        new Contents(
            "q2",
            "prod",
            "",
            new WideMapping("id", new Time("", T), List.of(feature("age", ValueType.INT64))));
    BulkUpload upload;
    try (OfflineResults files = writing(contents, "r2")) {
      files.add(-42L, 0, List.of(1L));
      files.add(43L, 0, List.of(2L));
      upload = files.finish();
    }

    assertThat(load(upload)).isEqualTo(new Outcome(2, Optional.empty()));

    assertThat(queryById("pkey, value," + " deployment_id FROM prod.user__age ORDER BY pkey"))
        .containsExactly(
            Arrays.asList(id("q2", "user.age", "-42", T), "-42", "1", null),
            Arrays.asList(id("q2", "user.age", "43", T), "43", "2", null))
        .inOrder();
  }

  @Test
  public void everyTypeArrivesAsItIs() throws Exception {
    List<FeatureColumn> features = new ArrayList<>();
    for (ValueType type : ValueType.values()) {
      features.add(feature("f_" + type.name().toLowerCase(Locale.ROOT), type));
    }
    Contents contents = contents("q3", features.toArray(FeatureColumn[]::new));
    BulkUpload upload;
    try (OfflineResults files = writing(contents, "r3")) {
      files.add(
          "a",
          T,
          List.of(
              Long.MIN_VALUE,
              -0.0,
              true,
              "it's \"ö\"",
              new byte[] {0, -1},
              Instant.parse("1969-12-31T23:59:59.999999Z"),
              LocalDate.of(1969, 12, 31),
              new float[] {1.5f, -0.0f},
              "{\"a\": [1, 2]}"));
      files.add(
          "b",
          T,
          List.of(
              Long.MAX_VALUE,
              Double.NaN,
              false,
              "",
              new byte[0],
              Instant.parse("2026-01-31T12:00:00.000001Z"),
              LocalDate.of(2026, 1, 31),
              new float[0],
              "null"));
      upload = files.finish();
    }

    assertThat(load(upload)).isEqualTo(new Outcome(18, Optional.empty()));

    assertThat(decoded)
        .isEqualTo(2 * Arrays.stream(ValueType.values()).filter(it -> !loadsByItself(it)).count());
    assertThat(values("f_int64", "value"))
        .containsExactly("-9223372036854775808", "9223372036854775807")
        .inOrder();
    assertThat(values("f_float64", "CASE WHEN value = 0 THEN '0' ELSE 'NaN' END"))
        .containsExactly("0", "NaN")
        .inOrder();
    assertThat(values("f_float64", "CASE WHEN " + text("value") + " LIKE '-%' THEN 1 ELSE 0 END"))
        .containsExactly("0", "0");
    assertThat(values("f_bool", text("value"))).containsExactly("true", "false").inOrder();
    assertThat(values("f_string", "value")).containsExactly("it's \"ö\"", "").inOrder();
    assertThat(values("f_timestamp", text("value = '1969-12-31 23:59:59.999999+00'")))
        .containsExactly("true", "false")
        .inOrder();
    assertThat(values("f_date", "value")).containsExactly("1969-12-31", "2026-01-31").inOrder();
    assertThat(
            values("f_json", "value").stream()
                .map(it -> String.valueOf(it).replace(" ", ""))
                .toList())
        .containsExactly("{\"a\":[1,2]}", "null")
        .inOrder();
    assertThat(count("user__f_vector")).isEqualTo(2);
    assertThat(count("user__f_bytes")).isEqualTo(2);
  }

  List<@Nullable String> values(String feature, String expression) throws UnavailableException {
    return query("SELECT " + expression + " FROM prod.user__" + feature + " ORDER BY pkey").stream()
        .<@Nullable String>map(row -> row.get(0))
        .toList();
  }

  @Test
  public void aFileIsLoadedOnceAndAnotherVersionOfItAgain() throws Exception {
    // Longer than a key of an index may be, and of what compresses to no less.
    String operation =
        new Random(5)
            .ints(3_000, 'a', 'z')
            .mapToObj(Character::toString)
            .collect(Collectors.joining());
    Contents contents = contents(operation, feature("age", ValueType.INT64));
    BulkUpload upload;
    try (OfflineResults files = writing(contents, "r5")) {
      files.add("a", T, List.of(1L));
      upload = files.finish();
    }
    assertThat(load(upload).rows()).isEqualTo(1);
    assertThat(load(upload)).isEqualTo(new Outcome(0, Optional.empty()));
    assertThat(count("bulk_files")).isEqualTo(1);

    try (OfflineResults files = writing(contents, "r5")) {
      files.add("a", T, List.of(1L));
      files.add("b", T, List.of(2L));
      assertThat(files.finish()).isEqualTo(upload);
    }

    assertThat(load(upload)).isEqualTo(new Outcome(2, Optional.empty()));
    assertThat(count("user__age")).isEqualTo(2);
    assertThat(count("bulk_files")).isEqualTo(2);
  }

  @Test
  public void rowsThatWereDecodedAreInTheStoreTogetherWithTheirEntryInTheLedger() throws Exception {
    Contents contents = contents("q6", feature("age", ValueType.INT64));
    BulkUpload upload;
    try (OfflineResults files = writing(contents, "r6", 1)) {
      files.add("a", T, List.of(1L));
      files.add("b", T, List.of(2L));
      upload = files.finish();
    }

    Outcome outcome =
        load(
            upload, loader -> new BulkLoader(WideLoads.NONE, loader.rows(), entersNothing(loader)));

    assertThat(outcome).isEqualTo(new Outcome(2, Optional.empty()));
    assertThat(decoded).isEqualTo(2);
    assertThat(count("bulk_files")).isEqualTo(2);
    assertThat(load(upload)).isEqualTo(new Outcome(0, Optional.empty()));
    assertThat(count("user__age")).isEqualTo(2);
  }

  /** Returns a loader's ledger, of which the process is gone before it is asked to enter a file. */
  private static Ledger.Book entersNothing(BulkLoader loader) {
    return new Ledger.Book() {
      @Override
      public Map<String, Entry> find(String environment, Collection<String> names)
          throws UnavailableException {
        return loader.ledger().find(environment, names);
      }

      @Override
      public void enter(String environment, List<Entry> entries) {
        throw new AssertionError("they are not entered with their rows: " + entries);
      }

      @Override
      public void forget(String environment, Instant before) throws UnavailableException {
        loader.ledger().forget(environment, before);
      }
    };
  }

  @Test
  public void aColumnOfAnotherTypeIsRefusedAndToldUntilItIsReplayed() throws Exception {
    BulkUpload first;
    try (OfflineResults files =
        writing(contents("q8", feature("age", ValueType.STRING)), "before")) {
      files.add("z", T, List.of("old"));
      first = files.finish();
    }
    assertThat(load(first).rows()).isEqualTo(1);
    BulkUpload upload;
    try (OfflineResults files =
        writing(
            contents("q9", feature("age", ValueType.INT64), feature("size", ValueType.INT64)),
            "r9")) {
      files.add("a", T, Arrays.asList(1L, 2L));
      files.add("b", T, Arrays.asList(null, 3L));
      upload = files.finish();
    }

    Outcome refused = load(upload);
    assertThat(refused.rows()).isEqualTo(2);
    assertThat(refused.failure().orElseThrow().reasons()).containsExactly(Reason.TYPE_CHANGED, 1);
    assertThat(refused.failure().orElseThrow().cells().get(0).feature()).isEqualTo("user.age");
    // It comes again, as the writer may have died before its letter was published.
    assertThat(load(upload).failure().orElseThrow().reasons())
        .containsExactly(Reason.TYPE_CHANGED, 1);
    assertThat(load(upload).rows()).isEqualTo(0);

    dropTable("user__age");
    Outcome replayed = replay(upload);

    assertThat(replayed.failure()).isEqualTo(Optional.empty());
    assertThat(values("age", "value")).containsExactly("1");
    assertThat(load(upload).failure()).isEqualTo(Optional.empty());
  }

  /** Returns an expression for the text of a value. */
  protected String text(String expression) {
    return "CAST(" + expression + " AS VARCHAR)";
  }

  /** Returns an expression for a row's id, as 32 hexadecimal digits. */
  protected String idText() {
    return "replace(lower(" + text("observation_id") + "), '-', '')";
  }

  /** Drops a table of the environment {@code prod}. */
  protected abstract void dropTable(String table) throws Exception;

  @Test
  public void aResultThatCameBothWaysIsThereOnce() throws Exception {
    Contents contents =
        contents("q11", feature("age", ValueType.INT64), feature("name", ValueType.STRING));
    BulkUpload upload;
    try (OfflineResults files = writing(contents, "r11")) {
      for (long i = 0; i < 50; i++) {
        files.add("k" + i, T + i, Arrays.asList(i, i % 3 == 0 ? null : "n" + i));
      }
      upload = files.finish();
    }
    long before = streamed(contents, upload);
    assertThat(before).isEqualTo(83);

    assertThat(load(upload)).isEqualTo(new Outcome(83, Optional.empty()));

    assertThat(count("user__age")).isEqualTo(50);
    assertThat(count("user__name")).isEqualTo(33);
  }

  /** Inserts the rows of files as the streaming path does, and returns how many were new. */
  private long streamed(Contents contents, BulkUpload upload) throws Exception {
    try (BulkLoader loader = store().bulkLoads().orElseThrow().open()) {
      return loader.rows().insert(canonical(contents, upload)).rows().inserted();
    }
  }

  /** Returns the rows of a file as files of the streaming path. */
  List<ObservationFile> canonical(Contents contents, BulkUpload upload) throws Exception {
    List<ObservationFile> canonical = new ArrayList<>();
    RejectedCells none = new RejectedCells();
    try (WideFile file =
        WideFile.open(bucket.open(bucket.find(upload.getFiles(0)).orElseThrow()))) {
      new WideRows(
              file,
              contents.mapping(),
              file.check(contents.mapping()),
              new WideRows.Source(
                  new WideRows.Operation(
                      contents.operationId(), contents.environment(), contents.deploymentId()),
                  "",
                  "",
                  Long.MAX_VALUE,
                  BusMessage.of(new byte[0], Place.numbered("t", 0, 0), MessageTime.ofBus(1))),
              none)
          .<Exception>decode(canonical::addAll);
    }
    return canonical;
  }
}
