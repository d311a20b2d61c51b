package io.tailrace.parquet;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.offline.BundleEncoder;
import io.tailrace.offline.BundleEncoder.Encoded;
import io.tailrace.parquet.ObservationFile.FeatureRows;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.result.ValueType;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.apache.beam.sdk.util.CoderUtils;
import org.junit.Test;

/** That what goes into files comes out of them, and how they are cut. */
public class ObservationFileTest {
  private static final long T = RandomResults.START;
  private static final long FIRST_YEAR = -62_135_596_800_000_000L;

  @Test
  public void everyObservationAndDeletionComesOutAsItWentIn() throws Exception {
    for (int seed = 0; seed < 5; seed++) {
      RandomResults random = RandomResults.seeded(seed).withDeletions(0.3).withRowsUpTo(20);
      List<QueryResult> results = new ArrayList<>();
      List<String> expected = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        QueryResult result = random.next();
        results.add(result);
        expected.addAll(FileRows.of(result));
      }

      List<String> rows = new ArrayList<>();
      for (ObservationFile file : BundleEncoder.files(results)) {
        if (file.kind() == Kind.OBSERVATIONS) {
          rows.addAll(FileRows.of(file));
        }
      }

      assertWithMessage("seed %s", seed).that(rows).containsExactlyElementsIn(expected);
    }
  }

  @Test
  public void vectorsThatAreNullTakeNoRoomHoweverManyNumbersTheyWouldHave() throws Exception {
    List<QueryResult> results = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      Column column =
          Column.newBuilder()
              .setFeature("user.face")
              .setType(Column.Type.VECTOR)
              .setVectorDimension(1 << 30)
              .setNulls(ByteString.copyFrom(new byte[] {1}))
              .addObservedAt(T)
              .build();
      results.add(
          QueryResult.newBuilder()
              .setOperationId("op-" + i)
              .setEnvironmentId(RandomResults.ENVIRONMENT)
              .setQueryTimestamp(T)
              .addFrames(
                  Frame.newBuilder().setNamespace("user").addStringKeys("ann").addColumns(column))
              .build());
    }

    List<ObservationFile> files = BundleEncoder.files(results);

    assertThat(files.stream().map(ObservationFile::kind).toList())
        .containsExactly(Kind.OBSERVATIONS, Kind.QUERIES);
  }

  @Test
  public void aFileHoldsKeyAndHeadersOfItsMessageToo() throws Exception {
    List<QueryResult> results = List.of(RandomResults.seeded(1).next());
    ObservationFile file = BundleEncoder.files(results).get(0);
    BusMessage plain = file.message();
    BusMessage large =
        BusMessage.of(
            plain.payload(),
            new byte[1_000],
            plain.place(),
            plain.ownTime(),
            Headers.of(new Header("name", new byte[20_000])));

    assertThat(FileDecoder.decode(large).heldBytes())
        .isEqualTo(file.heldBytes() + large.heldBytes() - plain.heldBytes());
  }

  @Test
  public void everyQueryComesOutAsItWentIn() throws Exception {
    RandomResults random = RandomResults.seeded(21);
    List<QueryResult> results = new ArrayList<>();
    List<QueryRow> expected = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      QueryResult result = random.next();
      results.add(result);
      expected.add(query(result));
    }

    List<QueryRow> rows = new ArrayList<>();
    for (ObservationFile file : BundleEncoder.files(results)) {
      if (file.kind() == Kind.QUERIES) {
        rows.addAll(file.queries());
      }
    }

    assertThat(rows).containsExactlyElementsIn(expected).inOrder();
  }

  @Test
  public void aFileSaysWhatItHolds() throws Exception {
    List<ObservationFile> files =
        BundleEncoder.files(
            Results.of(
                Results.users(
                    List.of("ann", "bob"),
                    Results.int64("zip", T + 2, 1, 2),
                    Results.int64("age", T, 42, 43))));

    ObservationFile file = file(files, Optional.of(ValueType.INT64));
    assertThat(file.environment()).isEqualTo("production");
    assertThat(file.stringKeys()).isTrue();
    assertThat(file.features())
        .containsExactly(
            new FeatureRows("user", "user.age", 2), new FeatureRows("user", "user.zip", 2))
        .inOrder();
    assertThat(file.rowCount()).isEqualTo(4);
    assertThat(file.earliest()).isEqualTo(T);
    assertThat(file.latest()).isEqualTo(T + 2);
    assertThat(file.publishedFrom()).hasValue(BundleEncoder.PUBLISHED_AT);
    assertThat(CoderUtils.clone(ObservationFileCoder.of(), file)).isEqualTo(file);
  }

  @Test
  public void thereIsAFileForEachEnvironmentKindOfKeyAndTypeAndOneForTheQueries() throws Exception {
    Frame items =
        Frame.newBuilder()
            .setNamespace("item")
            .addInt64Keys(Long.MIN_VALUE)
            .addColumns(Results.int64("x", T, 1).toBuilder().setFeature("item.stock"))
            .build();
    List<String> kinds = new ArrayList<>();
    for (ObservationFile file :
        BundleEncoder.files(
            Results.of(
                items,
                Results.user("ann", Results.int64("age", T, 1), Results.string("name", T, "A"))),
            Results.of(Results.user("bob", Results.int64("age", T, 2), Results.int64("zip", T, 3))),
            Results.of(Results.deletion("ann", T), Results.deletion("bob", T, "age")),
            Results.of(Results.user("eve", Results.int64("age", T, 4))).toBuilder()
                .setEnvironmentId("staging")
                .build())) {
      kinds.add(
          file.environment()
              + " "
              + file.valueType().map(Enum::name).orElse(file.kind().name())
              + (file.stringKeys() ? " by string " : " ")
              + file.rowCount());
    }

    assertThat(kinds)
        .containsExactly(
            "production INT64 1",
            "production INT64 by string 3",
            "production STRING by string 1",
            "production OBSERVATIONS by string 2",
            "production QUERIES 3",
            "staging INT64 by string 1",
            "staging QUERIES 1");
  }

  @Test
  public void rowsAreSortedByFeature() throws Exception {
    RandomResults random = RandomResults.seeded(22).withDeletions(0.5);
    List<QueryResult> results = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      results.add(random.next());
    }
    for (ObservationFile file : BundleEncoder.files(results)) {
      if (file.kind() == Kind.OBSERVATIONS) {
        List<String> features = new ArrayList<>();
        ObservationRows rows = file.rows();
        for (int i = 0; i < rows.count(); i++) {
          features.add(rows.feature(i));
        }
        assertThat(features).isInOrder();
      }
    }
  }

  @Test
  public void observationsOfTheFirstYearAndBeforeTheEpochKeepTheirTimes() throws Exception {
    ObservationFile file =
        file(
            BundleEncoder.files(
                Results.of(
                    Results.user(
                        "ann", Results.int64("a", FIRST_YEAR, 1), Results.int64("b", -1, 2)))),
            Optional.of(ValueType.INT64));

    assertThat(file.earliest()).isEqualTo(FIRST_YEAR);
    assertThat(file.latest()).isEqualTo(-1);
    assertThat(file.rows().observedAt(0)).isEqualTo(FIRST_YEAR);
    assertThat(file.rows().observedAt(1)).isEqualTo(-1);
  }

  @Test
  public void anEmptyVectorIsNoNull() throws Exception {
    ObservationFile file =
        ForeignFile.of(
                ValueType.VECTOR,
                row("a", "[]::FLOAT[]"),
                row("b", "NULL"),
                row("c", "[1.5::FLOAT, 'nan'::FLOAT]"))
            .file();

    ObservationRows rows = file.rows();
    Map<String, String> vectors = new LinkedHashMap<>();
    for (int row = 0; row < rows.count(); row++) {
      vectors.put(
          new String(rows.stringKey(row), UTF_8),
          rows.hasValue(row) ? "[" + FileRows.hex(rows.bytes(row)) + "]" : "null");
    }
    assertThat(vectors).containsExactly("a", "[]", "b", "null", "c", "[3fc000007fc00000]");
  }

  @Test
  public void noFileIsLargerThanItMayBeAndNoRowIsLost() throws Exception {
    Random random = new Random(23);
    List<QueryResult> results = new ArrayList<>();
    Set<String> expected = new HashSet<>();
    for (int i = 0; i < 60; i++) {
      List<String> keys = new ArrayList<>();
      Column.Builder column = Results.string("text", T, "").toBuilder().clearStringValues();
      for (int row = 0; row < 10; row++) {
        byte[] bytes = new byte[random.nextInt(400)];
        random.nextBytes(bytes);
        keys.add(i + " " + row);
        column.addStringValues(FileRows.hex(bytes));
      }
      QueryResult result =
          Results.named("op-" + i).addFrames(Results.users(keys, column.build())).build();
      results.add(result);
      expected.addAll(FileRows.of(result));
    }

    try (BundleEncoder encoder = new BundleEncoder(10_000)) {
      Encoded encoded = encoder.encode(results);

      assertThat(encoded.failures()).isEmpty();
      Set<String> rows = new LinkedHashSet<>();
      int queries = 0;
      for (ObservationFile file : encoded.decoded()) {
        assertThat(file.bytes().length).isAtMost(10_000);
        if (file.kind() == Kind.QUERIES) {
          queries += file.queries().size();
        } else {
          rows.addAll(FileRows.of(file));
        }
      }
      assertThat(rows).isEqualTo(expected);
      assertThat(queries).isEqualTo(60);
    }
  }

  @Test
  public void aRowThatIsTooLargeIsAFailureThatNamesItsCellAndTheOthersGoOn() throws Exception {
    byte[] noise = new byte[20_000];
    new Random(24).nextBytes(noise);
    Column blob =
        Column.newBuilder()
            .setFeature("user.blob")
            .setType(Column.Type.BYTES)
            .addObservedAt(T)
            .addBytesValues(ByteString.copyFromUtf8("small"))
            .addBytesValues(ByteString.copyFrom(noise))
            .build();

    try (BundleEncoder encoder = new BundleEncoder(10_000)) {
      Encoded encoded =
          encoder.encode(List.of(Results.of(Results.users(List.of("ann", "bob"), blob))));

      assertThat(encoded.failures()).hasSize(1);
      assertThat(encoded.failures().get(0).reason()).isEqualTo(Reason.TOO_LARGE);
      assertThat(encoded.failures().get(0).cellCount()).isEqualTo(1);
      assertThat(encoded.failures().get(0).cells().get(0).namespace()).isEqualTo("user");
      assertThat(encoded.failures().get(0).cells().get(0).key()).isEqualTo("bob");
      assertThat(encoded.failures().get(0).cells().get(0).feature()).isEqualTo("user.blob");
      ObservationFile file = file(encoded.decoded(), Optional.of(ValueType.BYTES));
      assertThat(file.rowCount()).isEqualTo(1);
      assertThat(file.rows().stringKey(0)).isEqualTo("ann".getBytes(UTF_8));
    }
  }

  @Test
  public void aValueThatIsNotJsonIsAFailureAndTheOthersGoOn() throws Exception {
    Column json =
        Results.string("profile", T, "{\"a\": [1, null]}").toBuilder()
            .setType(Column.Type.JSON)
            .clearStringValues()
            .addAllJsonValues(List.of("{\"level\":\"FATAL\"", "", "[1]", "1 2"))
            .build();
    try (BundleEncoder encoder = new BundleEncoder()) {
      Encoded encoded =
          encoder.encode(List.of(Results.of(Results.users(List.of("a", "b", "c", "d"), json))));

      assertThat(encoded.failures()).hasSize(1);
      assertThat(encoded.failures().get(0).reason()).isEqualTo(Reason.INVALID_VALUE);
      assertThat(encoded.failures().get(0).cellCount()).isEqualTo(3);
      ObservationFile file = file(encoded.decoded(), Optional.of(ValueType.JSON));
      assertThat(file.rowCount()).isEqualTo(1);
      assertThat(file.rows().stringKey(0)).isEqualTo("c".getBytes(UTF_8));
    }
  }

  @Test
  public void noFileIsLargerBeforeCompressionThanEveryReaderTakes() throws Exception {
    Column.Builder text = Results.string("text", T, "").toBuilder().clearStringValues();
    List<String> keys = new ArrayList<>();
    for (int row = 0; row < 4; row++) {
      keys.add("u" + row);
      text.addStringValues("x".repeat(3 << 20) + row);
    }
    List<QueryResult> results = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      results.add(Results.named("op-" + i).addFrames(Results.users(keys, text.build())).build());
    }
    try (BundleEncoder encoder = new BundleEncoder()) {
      long rows = 0;
      for (ObservationFile file : encoder.encode(results).decoded()) {
        assertThat(file.decompressedBytes()).isLessThan(33L << 20);
        rows += file.kind() == Kind.QUERIES ? 0 : file.rowCount();
      }
      assertThat(rows).isEqualTo(20);
    }
  }

  @Test
  public void rowsWithAnEmptyKeyOrFromTheFutureAreFailuresAndTheOthersGoOn() throws Exception {
    long future = BundleEncoder.PUBLISHED_AT + 300_000_001L;
    try (BundleEncoder encoder = new BundleEncoder()) {
      Encoded encoded =
          encoder.encode(
              List.of(
                  Results.of(
                      Results.users(
                          List.of("", "ann"),
                          Results.int64("age", T, 1, 2),
                          Results.int64("zip", future - 1, 3, 4),
                          Results.int64("late", future, 5, 6)))));

      assertThat(encoded.failures()).hasSize(1);
      assertThat(encoded.failures().get(0).reason()).isEqualTo(Reason.MISSING_FIELD);
      assertThat(encoded.failures().get(0).reasons())
          .containsExactly(Reason.MISSING_FIELD, 3, Reason.OBSERVED_IN_FUTURE, 1);
      ObservationRows rows = file(encoded.decoded(), Optional.of(ValueType.INT64)).rows();
      assertThat(rows.count()).isEqualTo(2);
      assertThat(rows.number(0)).isEqualTo(2);
      assertThat(rows.number(1)).isEqualTo(4);
    }
  }

  @Test
  public void whatNoFileHoldsIsInTheLetterOfWhatElseOfItsResultIsRejected() throws Exception {
    byte[] random = new byte[60_000];
    new Random(3).nextBytes(random);
    String large = Base64.getEncoder().encodeToString(random);
    try (BundleEncoder encoder = new BundleEncoder(40_000)) {
      Encoded encoded =
          encoder.encode(
              List.of(
                  Results.of(
                      Results.user("ann", Results.string("a", T, large)),
                      Results.user("ben", Results.string("b", T, large)),
                      Results.user("", Results.int64("age", T, 1))),
                  Results.named("sound")
                      .addFrames(Results.user("cid", Results.int64("age", T, 1)))
                      .build()));

      assertThat(encoded.failures()).hasSize(1);
      assertThat(encoded.failures().get(0).reason()).isEqualTo(Reason.MISSING_FIELD);
      assertThat(encoded.failures().get(0).reasons())
          .containsExactly(Reason.MISSING_FIELD, 1, Reason.TOO_LARGE, 2);
      assertThat(file(encoded.decoded(), Optional.of(ValueType.INT64)).rowCount()).isEqualTo(1);
    }
  }

  private static String row(String key, String value) {
    return "('user.v', '" + key + "', " + value + ", TIMESTAMPTZ '2026-01-01 00:00:00+00', 'op')";
  }

  private static ObservationFile file(List<ObservationFile> files, Optional<ValueType> type) {
    return files.stream()
        .filter(it -> it.kind() == Kind.OBSERVATIONS && it.valueType().equals(type))
        .findFirst()
        .orElseThrow();
  }

  private static String table(String namespace, String feature) {
    return TableNames.ofFeature(namespace, feature.substring(namespace.length() + 1));
  }

  private static QueryRow query(QueryResult result) {
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put("deployment_id", result.getDeploymentId());
    texts.put("query_name", result.getQueryName());
    texts.put("query_name_version", result.getQueryNameVersion());
    texts.put("branch_name", result.getBranchName());
    texts.put("correlation_id", result.getCorrelationId());
    texts.put("trace_id", result.getTraceId());
    texts.put("agent_id", result.getAgentId());
    texts.put("query_plan_id", result.getQueryPlanId());
    texts.put("meta_query_hash", result.getMetaQueryHash());
    texts.values().removeIf(String::isEmpty);
    Set<String> tables = new LinkedHashSet<>();
    for (Frame frame : result.getFramesList()) {
      for (Column column : frame.getColumnsList()) {
        boolean isStored =
            column.getOrigin() == Column.Origin.COMPUTED
                || (column.getOrigin() == Column.Origin.DEFAULT
                    && column.getCacheDefaults() == Column.CacheDefaults.WRITE_DEFAULTS);
        if (isStored
            && !column.getSkipOffline()
            && frame.getStringKeysCount() + frame.getInt64KeysCount() > 0) {
          tables.add(table(frame.getNamespace(), column.getFeature()));
        }
      }
    }
    for (Deletion deletion : result.getDeletionsList()) {
      deletion
          .getFeaturesList()
          .forEach(feature -> tables.add(table(deletion.getNamespace(), feature)));
      if (deletion.getFeaturesCount() == 0) {
        tables.add(TableNames.ofFeature(deletion.getNamespace(), ""));
      }
    }
    texts.put("operation_id", result.getOperationId());
    texts.put("environment_id", result.getEnvironmentId());
    texts.put("operation_kind", result.getOperationKind().name());
    texts.put("query_status", result.getStatus().name());
    Map<String, Long> times = new LinkedHashMap<>();
    times.put("execution_started_at", result.getExecutionStartedAt());
    times.put("execution_finished_at", result.getExecutionFinishedAt());
    times.values().removeIf(micros -> micros == 0);
    times.put("query_timestamp", result.getQueryTimestamp());
    return new QueryRow(texts, times, Map.of("value_tables", List.copyOf(tables)));
  }
}
