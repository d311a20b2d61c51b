package io.tailrace.result;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.WireFormat;
import com.sun.management.ThreadMXBean;
import io.tailrace.bus.BusMessage;
import io.tailrace.result.ColumnSpec.NullHandling;
import io.tailrace.result.ColumnSpec.Origin;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.testing.Messages;
import io.tailrace.testing.RandomResults;
import io.tailrace.v1.Column;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryError;
import io.tailrace.v1.QueryResult;
import io.tailrace.v1.QueryResult.OperationKind;
import io.tailrace.v1.QueryResult.Status;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.Test;

/** What {@link ResultDecoder} reads, and what it refuses with which words. */
public class ResultDecoderTest {
  private static final long T = RandomResults.START;
  private static final long BEFORE_YEAR_1 = -62_135_596_800_000_001L;
  private static final long YEAR_10000 = 253_402_300_800_000_000L;
  private static final String COLUMN = "frames[0].columns[0].";

  private final ResultDecoder decoder = new ResultDecoder();

  // ---- What is read

  @Test
  public void readsEveryPartOfAResult() throws Exception {
    QueryResult message =
        QueryResult.newBuilder()
            .setOperationId("op-1")
            .setEnvironmentId("production")
            .setDeploymentId("d-1")
            .setOperationKind(OperationKind.SCHEDULED)
            .setQueryName("profile")
            .setTraceId("trace-1")
            .setQueryTimestamp(T)
            .setExecutionStartedAt(T + 1)
            .setExecutionFinishedAt(T + 2)
            .setStatus(Status.PARTIAL)
            .addErrors(QueryError.newBuilder().setCode("TIMEOUT").setFeature("user.name"))
            .setPart(1)
            .setParts(3)
            .addFrames(
                Frame.newBuilder()
                    .setNamespace("user")
                    .addStringKeys("ann")
                    .addStringKeys("bob")
                    .addColumns(
                        Column.newBuilder()
                            .setFeature("user.age")
                            .setType(Column.Type.INT64)
                            .setResolverFqn("resolvers.age")
                            .setOrigin(Column.Origin.ONLINE_STORE)
                            .setMaxStaleness(60)
                            .setSkipOnline(true)
                            .setSkipOffline(true)
                            .setCacheNulls(Column.CacheNulls.EVICT_NULLS)
                            .addObservedAt(T + 3)
                            .addObservedAt(T + 4)
                            .setNulls(ByteString.copyFrom(new byte[] {0b10}))
                            .addInt64Values(-42)
                            .addInt64Values(0)))
            .addDeletions(
                Deletion.newBuilder()
                    .setNamespace("item")
                    .addInt64Keys(-7)
                    .addFeatures("item.price")
                    .setObservedAt(T + 5))
            .build();

    Result result = decode(message);

    assertThat(result.operationId()).isEqualTo("op-1");
    assertThat(result.environmentId()).isEqualTo("production");
    assertThat(result.deploymentId()).isEqualTo("d-1");
    assertThat(result.queryName()).isEqualTo("profile");
    assertThat(result.text(QueryResult.TRACE_ID_FIELD_NUMBER)).isEqualTo("trace-1");
    assertThat(result.text(QueryResult.AGENT_ID_FIELD_NUMBER)).isEmpty();
    assertThat(result.operationKind()).isEqualTo(OperationKind.SCHEDULED);
    assertThat(result.status()).isEqualTo(Status.PARTIAL);
    assertThat(result.queryTimestamp()).isEqualTo(T);
    assertThat(result.executionStartedAt()).isEqualTo(T + 1);
    assertThat(result.executionFinishedAt()).isEqualTo(T + 2);
    assertThat(result.errorCount()).isEqualTo(1);
    assertThat(result.part()).isEqualTo(1);
    assertThat(result.parts()).isEqualTo(3);

    assertThat(result.frames()).hasSize(1);
    io.tailrace.result.Frame frame = result.frames().get(0);
    assertThat(frame.namespace()).isEqualTo("user");
    assertThat(frame.rows()).isEqualTo(2);
    assertThat(frame.keys().areStrings()).isTrue();
    assertThat(frame.keys().text(1)).isEqualTo("bob");
    io.tailrace.result.Column column = frame.columns().get(0);
    assertThat(column.spec().feature()).isEqualTo("user.age");
    assertThat(column.spec().name()).isEqualTo("age");
    assertThat(column.spec().type()).isEqualTo(ValueType.INT64);
    assertThat(column.spec().resolverFqn()).isEqualTo("resolvers.age");
    assertThat(column.spec().origin()).isEqualTo(Origin.ONLINE_STORE);
    assertThat(column.spec().maxStaleness()).isEqualTo(60);
    assertThat(column.spec().skipOnline()).isTrue();
    assertThat(column.spec().skipOffline()).isTrue();
    assertThat(column.spec().nullHandling()).isEqualTo(NullHandling.EVICT);
    assertThat(column.observedAt(0)).isEqualTo(T + 3);
    assertThat(column.observedAt(1)).isEqualTo(T + 4);
    assertThat(column.isNull(0)).isFalse();
    assertThat(column.isNull(1)).isTrue();
    assertThat(column.int64(0)).isEqualTo(-42);

    assertThat(result.deletions()).hasSize(1);
    io.tailrace.result.Deletion deletion = result.deletions().get(0);
    assertThat(deletion.namespace()).isEqualTo("item");
    assertThat(deletion.keys().areStrings()).isFalse();
    assertThat(deletion.keys().text(0)).isEqualTo("-7");
    assertThat(deletion.keys().number(0)).isEqualTo(-7);
    assertThat(deletion.names()).containsExactly("price");
    assertThat(deletion.wholeEntities()).isFalse();
    assertThat(deletion.observedAt()).isEqualTo(T + 5);
  }

  @Test
  public void readsAResultWithoutFramesAsOnePartOfOne() throws Exception {
    Result result = decode(sound().clearFrames().build());

    assertThat(result.frames()).isEmpty();
    assertThat(result.deletions()).isEmpty();
    assertThat(result.part()).isEqualTo(0);
    assertThat(result.parts()).isEqualTo(1);
  }

  @Test
  public void readsKindsOfQueriesAndStatusesThatAreNewerThanItself() throws Exception {
    Result result = decode(sound().setOperationKindValue(99).setStatusValue(98).build());

    assertThat(result.operationKind()).isEqualTo(OperationKind.UNRECOGNIZED);
    assertThat(result.status()).isEqualTo(Status.UNRECOGNIZED);
  }

  @Test
  public void oneTimeHoldsForEveryRow() throws Exception {
    Result result = decode(sound().build());

    assertThat(result.frames().get(0).columns().get(0).observedAt(0)).isEqualTo(T);
    assertThat(result.frames().get(0).columns().get(0).observedAt(1)).isEqualTo(T);
  }

  @Test
  public void aColumnOfNullsNeedsNoValues() throws Exception {
    for (Column.Type type : types()) {
      Column.Builder column =
          column(type, 0).setNulls(ByteString.copyFrom(new byte[] {0b11})).clearVectorDimension();

      Result result = decode(with(column));

      assertThat(result.frames().get(0).columns().get(0).isNull(0)).isTrue();
      assertThat(result.frames().get(0).columns().get(0).isNull(1)).isTrue();
    }
  }

  @Test
  public void timesReachFromYear1ToYear9999() throws Exception {
    assertThat(micros("0001-01-01T00:00:00Z")).isEqualTo(ResultDecoder.MIN_TIME);
    assertThat(micros("9999-12-31T23:59:59.999999Z")).isEqualTo(ResultDecoder.MAX_TIME);
    for (long time : new long[] {ResultDecoder.MIN_TIME, ResultDecoder.MAX_TIME}) {
      Result result =
          decode(
              with(column(Column.Type.INT64, 2).setObservedAt(0, time)).toBuilder()
                  .setQueryTimestamp(time)
                  .build());

      assertThat(result.queryTimestamp()).isEqualTo(time);
      assertThat(result.frames().get(0).columns().get(0).observedAt(1)).isEqualTo(time);
    }
  }

  @Test
  public void agreesWithProtobufOnRandomResults() throws Exception {
    for (long seed = 0; seed < 25; seed++) {
      RandomResults results = RandomResults.seeded(seed).withDuplicates(0.1);
      for (int i = 0; i < 50; i++) {
        QueryResult message = results.next();

        String decoded = ResultText.of(decode(message.toByteArray()));

        assertWithMessage("seed %s, message %s", seed, i)
            .that(decoded)
            .isEqualTo(ResultText.of(message));
      }
    }
  }

  @Test
  public void agreesWithProtobufHoweverTheFieldsAreWritten() throws Exception {
    for (long seed = 0; seed < 25; seed++) {
      RandomResults results = RandomResults.seeded(seed).withDuplicates(0.3).withRowsUpTo(12);
      WireScrambler scrambler = new WireScrambler(new Random(seed));
      for (int i = 0; i < 100; i++) {
        QueryResult message = results.next();
        byte[] bytes = scrambler.write(message);

        String decoded = ResultText.of(decode(bytes));

        assertWithMessage("seed %s, message %s", seed, i)
            .that(decoded)
            .isEqualTo(ResultText.of(QueryResult.parseFrom(bytes)));
        assertWithMessage("seed %s, message %s", seed, i)
            .that(decoded)
            .isEqualTo(ResultText.of(message));
      }
    }
  }

  // ---- Columns that were met before

  @Test
  public void columnsOfTheSameQueryShareTheirSpec() throws Exception {
    Result first = decode(sound().build());
    Result second = decode(sound().setOperationId("op-2").build());

    assertThat(second.frames().get(0).columns().get(0).spec())
        .isSameInstanceAs(first.frames().get(0).columns().get(0).spec());
  }

  @Test
  public void aColumnThatBeginsLikeAnotherKeepsWhatItSays() throws Exception {
    Column.Builder shortest = column(Column.Type.INT64, 2);
    List<Column> columns =
        List.of(
            shortest.build(),
            shortest.clone().setResolverFqn("r").build(),
            shortest.clone().setOrigin(Column.Origin.OFFLINE_STORE).build(),
            shortest.clone().setMaxStaleness(1).build(),
            shortest.clone().setMaxStaleness(1).setSkipOnline(true).build(),
            shortest.clone().setMaxStaleness(1).setSkipOffline(true).build(),
            shortest.clone().setCacheNulls(Column.CacheNulls.SKIP_NULLS).build());
    for (long seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      Frame.Builder frame = soundFrame().clearColumns();
      for (int i = random.nextInt(4); i >= 0; i--) {
        frame.addColumns(columns.get(random.nextInt(columns.size())));
      }
      QueryResult message = sound().clearFrames().addFrames(frame).build();

      assertWithMessage("seed %s", seed)
          .that(ResultText.of(decode(message)))
          .isEqualTo(ResultText.of(message));
    }
  }

  @Test
  public void aFieldOfTheHeadBehindTheValuesCounts() throws Exception {
    Column head = column(Column.Type.INT64, 2).build();
    byte[] evicting =
        Column.newBuilder().setCacheNulls(Column.CacheNulls.EVICT_NULLS).build().toByteArray();

    assertThat(specOf(head.toByteArray()).nullHandling()).isEqualTo(NullHandling.WRITE);
    assertThat(specOf(join(head.toByteArray(), evicting)).nullHandling())
        .isEqualTo(NullHandling.EVICT);
    assertThat(specOf(head.toByteArray()).nullHandling()).isEqualTo(NullHandling.WRITE);
  }

  @Test
  public void aFieldOfTheHeadWithALongTagCounts() throws Exception {
    byte[] head = column(Column.Type.INT64, 0).clearObservedAt().build().toByteArray();
    byte[] values =
        Column.newBuilder()
            .addObservedAt(T)
            .addInt64Values(1)
            .addInt64Values(2)
            .build()
            .toByteArray();
    // skip_online = true, its tag 0x30 written in two and in three bytes.
    byte[] inTwo = {(byte) 0xB0, 0x00, 0x01};
    byte[] inThree = {(byte) 0xB0, (byte) 0x80, 0x00, 0x01};

    assertThat(specOf(join(head, values)).skipOnline()).isFalse();
    assertThat(specOf(join(join(head, inTwo), values)).skipOnline()).isTrue();
    assertThat(specOf(join(head, values)).skipOnline()).isFalse();
    assertThat(specOf(join(join(head, inThree), values)).skipOnline()).isTrue();
  }

  @Test
  public void theSameFeatureInTwoNamespacesHasTwoNames() throws Exception {
    Column column = column(Column.Type.INT64, 2).setFeature("user.card.limit").build();
    QueryResult inUser =
        sound().clearFrames().addFrames(soundFrame().clearColumns().addColumns(column)).build();
    QueryResult inCard =
        sound()
            .clearFrames()
            .addFrames(soundFrame().clearColumns().setNamespace("user.card").addColumns(column))
            .build();

    for (int i = 0; i < 3; i++) {
      assertThat(decode(inUser).frames().get(0).columns().get(0).spec().name())
          .isEqualTo("card.limit");
      assertThat(decode(inCard).frames().get(0).columns().get(0).spec().name()).isEqualTo("limit");
    }
  }

  @Test
  public void aKnownFeatureIsStillRefusedInAnotherNamespace() throws Exception {
    decode(sound().build());

    InvalidMessageException e =
        refused(sound().setFrames(0, soundFrame().setNamespace("item")).build());

    assertThat(e.field()).isEqualTo(COLUMN + "feature");
  }

  @Test
  public void aRefusedColumnIsNotRemembered() throws Exception {
    QueryResult unknownType = with(column(Column.Type.INT64, 2).setTypeValue(77));

    refused(unknownType);
    InvalidMessageException again = refused(unknownType);

    assertThat(again.reason()).isEqualTo(Reason.UNKNOWN_TYPE);
  }

  @Test
  public void moreFeaturesThanAreRememberedAreAllReadRight() throws Exception {
    List<QueryResult> messages = new ArrayList<>();
    for (int m = 0; m < 45; m++) {
      Frame.Builder frame = soundFrame().clearColumns();
      for (int c = 0; c < 500; c++) {
        frame.addColumns(column(Column.Type.INT64, 2).setFeature("user.f" + (500 * m + c)));
      }
      messages.add(sound().setFrames(0, frame).build());
    }
    for (int round = 0; round < 2; round++) {
      for (QueryResult message : messages) {
        assertThat(ResultText.of(decode(message))).isEqualTo(ResultText.of(message));
      }
    }
  }

  // ---- What is refused: missing fields

  @Test
  public void refusesAResultWithoutIds() {
    assertRefused(sound().clearOperationId(), Reason.MISSING_FIELD, "operation_id");
    assertRefused(sound().clearEnvironmentId(), Reason.MISSING_FIELD, "environment_id");
    assertRefused(sound().clearQueryTimestamp(), Reason.MISSING_FIELD, "query_timestamp");
    assertRefused(QueryResult.newBuilder(), Reason.MISSING_FIELD, "operation_id");
  }

  @Test
  public void refusesAnEnvironmentThatNoStoreCanNameAnythingAfter() {
    assertRefused(sound().setEnvironmentId("a\0b"), Reason.INVALID_VALUE, "environment_id");
    assertRefused(
        sound().setEnvironmentId("e".repeat(1_001)), Reason.INVALID_VALUE, "environment_id");
  }

  @Test
  public void refusesAnEmptyIdBehindAFullOne() {
    byte[] bytes = join(sound().build().toByteArray(), new byte[] {1 << 3 | 2, 0});

    InvalidMessageException e = refused(bytes);

    assertThat(e.reason()).isEqualTo(Reason.MISSING_FIELD);
    assertThat(e.field()).isEqualTo("operation_id");
  }

  @Test
  public void refusesAFrameWithoutNamespace() {
    assertFrameRefused(
        frame -> frame.clearNamespace(), Reason.MISSING_FIELD, "frames[0].namespace");
  }

  @Test
  public void refusesAColumnWithoutFeatureOrTime() {
    assertColumnRefused(c -> c.clearFeature(), Reason.MISSING_FIELD, "feature");
    assertColumnRefused(c -> c.clearObservedAt(), Reason.MISSING_FIELD, "observed_at");
  }

  @Test
  public void refusesADeletionThatDoesNotSayOfWhatAndWhen() {
    assertDeletionRefused(d -> d.clearNamespace(), Reason.MISSING_FIELD, "namespace");
    assertDeletionRefused(d -> d.clearStringKeys(), Reason.MISSING_FIELD, "string_keys");
    assertDeletionRefused(d -> d.clearObservedAt(), Reason.MISSING_FIELD, "observed_at");
  }

  // ---- Lengths

  @Test
  public void refusesTimesThatAreNeitherOneNorOneForEachRow() {
    assertColumnRefused(
        c -> c.addObservedAt(T).addObservedAt(T), Reason.LENGTH_MISMATCH, "observed_at");
  }

  @Test
  public void refusesSeveralTimesForNoRow() {
    Column.Builder column = column(Column.Type.INT64, 0).addObservedAt(T);

    assertRefused(
        sound().setFrames(0, soundFrame().clearStringKeys().setColumns(0, column)),
        Reason.LENGTH_MISMATCH,
        COLUMN + "observed_at");
  }

  @Test
  public void refusesANullBitmapForFewerRowsThanThereAre() {
    for (int bytes : new int[] {1, 2}) {
      assertRefused(
          sound()
              .setFrames(
                  0,
                  Frame.newBuilder()
                      .setNamespace("user")
                      .addAllStringKeys(Collections.nCopies(17, "k"))
                      .addColumns(
                          column(Column.Type.INT64, 17)
                              .setNulls(ByteString.copyFrom(new byte[bytes])))),
          Reason.LENGTH_MISMATCH,
          COLUMN + "nulls");
    }
  }

  @Test
  public void passesOverBitsOfANullBitmapBeyondTheRows() throws Exception {
    Column.Builder column =
        column(Column.Type.INT64, 2).setNulls(ByteString.copyFrom(new byte[] {(byte) 0xFE, -1}));

    io.tailrace.result.Column decoded = decode(with(column)).frames().get(0).columns().get(0);

    assertThat(decoded.isNull(0)).isFalse();
    assertThat(decoded.isNull(1)).isTrue();
  }

  @Test
  public void readsWhoPublishedAResultAndItsNumber() throws Exception {
    Result none = decode(sound().build());
    Result numbered = decode(sound().setPublisherId("engine-7/größe").setSequence(-1).build());

    assertThat(none.hasPublisher()).isFalse();
    assertThat(none.publisherId()).isEmpty();
    assertThat(numbered.hasPublisher()).isTrue();
    assertThat(numbered.publisherId()).isEqualTo("engine-7/größe");
    assertThat(numbered.sequence()).isEqualTo(-1);
    assertThat(decode(sound().setPublisherId("p".repeat(200)).build()).sequence()).isEqualTo(0);
    assertRefused(sound().setPublisherId("p".repeat(201)), Reason.INVALID_VALUE, "publisher_id");
    assertNotUtf8(sound().setPublisherId("~"), "publisher_id");
  }

  @Test
  public void refusesTooFewAndTooManyValuesOfEveryType() {
    for (Column.Type type : types()) {
      for (int values : new int[] {0, 1, 3}) {
        assertRefused(
            sound().setFrames(0, soundFrame().setColumns(0, column(type, values))),
            Reason.LENGTH_MISMATCH,
            COLUMN + type.name().toLowerCase(Locale.ROOT) + "_values");
      }
    }
  }

  @Test
  public void refusesMissingValuesWhenARowIsNotNull() {
    assertColumnRefused(
        c -> c.clearInt64Values().setNulls(ByteString.copyFrom(new byte[] {0b01})),
        Reason.LENGTH_MISMATCH,
        "int64_values");
  }

  @Test
  public void refusesSomeValuesWhereEveryRowIsNull() {
    assertColumnRefused(
        c ->
            c.clearInt64Values().addInt64Values(1).setNulls(ByteString.copyFrom(new byte[] {0b11})),
        Reason.LENGTH_MISMATCH,
        "int64_values");
  }

  @Test
  public void refusesVectorsWhoseDimensionDoesNotFit() {
    Column.Builder vector = column(Column.Type.VECTOR, 2);
    assertRefused(
        with(vector.clone().setVectorDimension(2)),
        Reason.LENGTH_MISMATCH,
        COLUMN + "vector_values");
    assertRefused(
        with(vector.clone().setVectorDimension(0)),
        Reason.LENGTH_MISMATCH,
        COLUMN + "vector_dimension");
    assertRefused(
        with(vector.clone().setVectorDimension(0).clearVectorValues()),
        Reason.LENGTH_MISMATCH,
        COLUMN + "vector_dimension");
    assertRefused(
        with(vector.clone().setVectorDimension(-1)),
        Reason.LENGTH_MISMATCH,
        COLUMN + "vector_dimension");
  }

  @Test
  public void refusesADimensionThatTimesTheRowsWouldOverflow() {
    Column.Builder vector = column(Column.Type.VECTOR, 0).setVectorDimension(1 << 30);
    Frame.Builder frame = soundFrame().addStringKeys("c").addStringKeys("d").setColumns(0, vector);

    assertRefused(sound().setFrames(0, frame), Reason.LENGTH_MISMATCH, COLUMN + "vector_values");
  }

  // ---- Types and values

  @Test
  public void refusesUnknownEnumValues() {
    for (int type : new int[] {0, 10, -1}) {
      assertColumnRefused(c -> c.setTypeValue(type), Reason.UNKNOWN_TYPE, "type");
    }
    for (int origin : new int[] {5, -1}) {
      assertColumnRefused(c -> c.setOriginValue(origin), Reason.UNKNOWN_TYPE, "origin");
    }
    for (int nulls : new int[] {4, -1}) {
      assertColumnRefused(c -> c.setCacheNullsValue(nulls), Reason.UNKNOWN_TYPE, "cache_nulls");
    }
    for (int defaults : new int[] {4, -1}) {
      assertColumnRefused(
          c -> c.setCacheDefaultsValue(defaults), Reason.UNKNOWN_TYPE, "cache_defaults");
    }
  }

  @Test
  public void refusesAFeatureThatIsNotInTheNamespace() {
    for (String feature :
        List.of(
            "item.age",
            "age",
            "user",
            "user.",
            "userage",
            "username.age",
            "user.a.",
            "user.a\0b")) {
      assertColumnRefused(c -> c.setFeature(feature), Reason.INVALID_VALUE, "feature");
      assertDeletionRefused(d -> d.setFeatures(0, feature), Reason.INVALID_VALUE, "features[0]");
    }
  }

  @Test
  public void refusesANegativeMaxStaleness() {
    assertColumnRefused(c -> c.setMaxStaleness(-1), Reason.INVALID_VALUE, "max_staleness");
    assertColumnRefused(
        c -> c.setMaxStaleness(Long.MIN_VALUE), Reason.INVALID_VALUE, "max_staleness");
  }

  @Test
  public void refusesKeysOfBothTypes() {
    assertFrameRefused(f -> f.addInt64Keys(1), Reason.LENGTH_MISMATCH, "frames[0].string_keys");
    assertDeletionRefused(d -> d.addInt64Keys(1), Reason.LENGTH_MISMATCH, "string_keys");
  }

  @Test
  public void refusesValuesOfAnotherType() {
    assertColumnRefused(c -> c.addStringValues(""), Reason.INVALID_VALUE, "string_values");
    assertColumnRefused(c -> c.addTimestampValues(1), Reason.INVALID_VALUE, "timestamp_values");
    assertColumnRefused(
        c -> c.clearInt64Values().addDateValues(1).addDateValues(2),
        Reason.INVALID_VALUE,
        "date_values");
  }

  @Test
  public void refusesTimesOutsideOfTheYears1To9999() {
    for (long time : new long[] {BEFORE_YEAR_1, YEAR_10000, Long.MIN_VALUE, Long.MAX_VALUE}) {
      assertRefused(sound().setQueryTimestamp(time), Reason.INVALID_VALUE, "query_timestamp");
      assertRefused(
          sound().setExecutionStartedAt(time), Reason.INVALID_VALUE, "execution_started_at");
      assertRefused(
          sound().setExecutionFinishedAt(time), Reason.INVALID_VALUE, "execution_finished_at");
      assertColumnRefused(c -> c.setObservedAt(0, time), Reason.INVALID_VALUE, "observed_at[0]");
      assertColumnRefused(c -> c.addObservedAt(time), Reason.INVALID_VALUE, "observed_at[1]");
      assertDeletionRefused(d -> d.setObservedAt(time), Reason.INVALID_VALUE, "observed_at");
    }
  }

  @Test
  public void refusesAPartThatIsNotOneOfTheParts() {
    assertRefused(sound().setPart(1), Reason.INVALID_VALUE, "part");
    assertRefused(sound().setPart(3).setParts(3), Reason.INVALID_VALUE, "part");
    assertRefused(sound().setPart(-1).setParts(3), Reason.INVALID_VALUE, "part");
    assertRefused(sound().setParts(-1), Reason.INVALID_VALUE, "part");
  }

  @Test
  public void namesTheFrameAndTheColumnAtFault() {
    Frame.Builder third =
        soundFrame()
            .addColumns(column(Column.Type.BOOL, 2).setFeature("user.b"))
            .addColumns(column(Column.Type.DATE, 1).setFeature("user.c"));

    assertRefused(
        sound().addFrames(soundFrame()).addFrames(third),
        Reason.LENGTH_MISMATCH,
        "frames[2].columns[2].date_values");
    assertRefused(
        sound().addDeletions(deletion()).addDeletions(deletion().clearStringKeys()),
        Reason.MISSING_FIELD,
        "deletions[1].string_keys");
  }

  @Test
  public void saysWhatIsWrongInASentence() {
    assertThat(refused(sound().clearOperationId().build()))
        .hasMessageThat()
        .isEqualTo("a result needs the id of its execution");
    assertThat(refused(with(column(Column.Type.INT64, 3))))
        .hasMessageThat()
        .isEqualTo("'user.age' has 3 values for 2 rows");
    assertThat(refused(with(column(Column.Type.INT64, 2).setTypeValue(77))))
        .hasMessageThat()
        .isEqualTo("'user.age' has the unknown type 77");
    assertThat(refused(with(column(Column.Type.INT64, 2).setFeature("item.age"))))
        .hasMessageThat()
        .isEqualTo("'item.age' is not in the frame's namespace; expected 'user.<name>'");
  }

  // ---- Bytes that no writer of protobuf would write

  @Test
  public void refusesTextThatIsNotUtf8() {
    QueryError.Builder error = QueryError.newBuilder();
    assertNotUtf8(sound().setOperationId("~"), "operation_id");
    assertNotUtf8(sound().setEnvironmentId("~"), "environment_id");
    assertNotUtf8(sound().setDeploymentId("~"), "deployment_id");
    assertNotUtf8(sound().setMetaQueryHash("~"), "meta_query_hash");
    assertNotUtf8(sound().addErrors(error).addErrors(error.setCode("~")), "errors[1].code");
    assertNotUtf8(sound().addErrors(QueryError.newBuilder().setMessage("~")), "errors[0].message");
    assertNotUtf8(sound().setFrames(0, soundFrame().setNamespace("~")), "frames[0].namespace");
    assertNotUtf8(
        sound().setFrames(0, soundFrame().setStringKeys(1, "~")), "frames[0].string_keys[1]");
    assertNotUtf8(
        with(column(Column.Type.INT64, 2).setFeature("user.~")).toBuilder(), COLUMN + "feature");
    assertNotUtf8(
        with(column(Column.Type.INT64, 2).setResolverFqn("~")).toBuilder(),
        COLUMN + "resolver_fqn");
    assertNotUtf8(
        with(column(Column.Type.STRING, 2).setStringValues(1, "~")).toBuilder(),
        COLUMN + "string_values[1]");
    assertNotUtf8(
        with(column(Column.Type.JSON, 2).setJsonValues(0, "\"~\"")).toBuilder(),
        COLUMN + "json_values[0]");
    assertNotUtf8(sound().addDeletions(deletion().setNamespace("~")), "deletions[0].namespace");
    assertNotUtf8(
        sound().addDeletions(deletion().setStringKeys(0, "~")), "deletions[0].string_keys[0]");
    assertNotUtf8(
        sound().addDeletions(deletion().setFeatures(0, "user.~")), "deletions[0].features[0]");
  }

  @Test
  public void keepsBytesThatAreNotUtf8() throws Exception {
    byte[] bytes = {(byte) 0xC0, 0, (byte) 0xFF};
    Column.Builder column =
        column(Column.Type.BYTES, 2).setBytesValues(1, ByteString.copyFrom(bytes));

    io.tailrace.result.Column decoded = decode(with(column)).frames().get(0).columns().get(0);

    byte[] copy = new byte[decoded.length(1)];
    decoded.copyTo(1, copy, 0);
    assertThat(copy).isEqualTo(bytes);
  }

  @Test
  public void refusesWhatEndsTooEarlyOrIsNoMessageAtAll() {
    assertUndecodable(new byte[] {0x0A});
    assertUndecodable(new byte[] {0x0A, 5, 'o', 'p'});
    assertUndecodable("{\"operation_id\": \"op-1\"}".getBytes(StandardCharsets.UTF_8));
    // Field number zero; wire types 6 and 7; a group that ends as another, and one that never ends.
    assertUndecodable(new byte[] {0x02, 0});
    assertUndecodable(new byte[] {(byte) 0xCE, 0x01});
    assertUndecodable(new byte[] {(byte) 0xCF, 0x01});
    assertUndecodable(new byte[] {(byte) 0xCB, 0x01, (byte) 0xD4, 0x01});
    assertUndecodable(new byte[] {(byte) 0xCB, 0x01});
    assertUndecodable(new byte[] {(byte) 0xCC, 0x01});
    // A tag of more than 32 bits.
    assertUndecodable(new byte[] {(byte) 0x8A, (byte) 0x80, (byte) 0x80, (byte) 0x80, 0x10, 0});
    // A varint of eleven bytes.
    assertUndecodable(new byte[] {0x20, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1});
  }

  @Test
  public void refusesAPackedRunThatEndsInsideANumber() {
    for (int field : new int[] {9, 12, 16, 18}) {
      byte[] column =
          join(
              column(Column.Type.INT64, 2).build().toByteArray(),
              delimited(field, new byte[] {1, 2, 3}));

      InvalidMessageException e = refused(withColumn(column));

      assertThat(e.reason()).isEqualTo(Reason.UNDECODABLE);
    }
  }

  @Test
  public void refusesANumberThatEndsEarlyInAKnownColumnToo() throws Exception {
    decode(sound().build());
    for (int tag : new int[] {9 << 3 | 1, 12 << 3 | 1, 16 << 3 | 1, 18 << 3 | 5}) {
      UnknownFieldSet.Builder unpacked = UnknownFieldSet.newBuilder();
      UnknownFieldSet.Field.Builder number = UnknownFieldSet.Field.newBuilder();
      if ((tag & 7) == WireFormat.WIRETYPE_FIXED64) {
        number.addFixed64(1);
      } else {
        number.addFixed32(1);
      }
      byte[] field = unpacked.addField(tag >>> 3, number.build()).build().toByteArray();
      byte[] column =
          join(
              column(Column.Type.INT64, 2).build().toByteArray(),
              Arrays.copyOf(field, field.length - 1));

      assertUndecodable(withColumn(column));
    }
  }

  @Test
  public void refusesAFieldThatReachesBeyondTheMessageAroundIt() throws Exception {
    byte[] behind = delimited(1_000, new byte[50]);
    byte[] tooLong = lyingField(1, 10);

    assertUndecodable(join(withFrame(tooLong), behind));
    assertUndecodable(join(withColumn(tooLong), behind));
    assertUndecodable(join(withDeletion(tooLong), behind));
  }

  @Test
  public void refusesGroupsThatAreNestedTooDeep() {
    byte[] groups = new byte[2_000_000];
    for (int i = 0; i < groups.length; i += 2) {
      groups[i] = (byte) 0xCB;
      groups[i + 1] = 0x01;
    }

    assertUndecodable(groups);
  }

  @Test
  public void aLengthThatIsALieAllocatesNothing() throws Exception {
    long[] lies = {1_000, Integer.MAX_VALUE, 1L << 31, 1L << 32, Long.MAX_VALUE, -1};
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (long lie : lies) {
      for (int field = 1; field <= 21; field++) {
        byte[] payload = lyingField(field, lie);
        for (byte[] message :
            List.of(payload, withFrame(payload), withColumn(payload), withDeletion(payload))) {
          BusMessage onBus = Messages.of(message, T);
          ResultDecoder fresh = new ResultDecoder();
          long before = threads.getCurrentThreadAllocatedBytes();
          InvalidMessageException e =
              assertThrows(InvalidMessageException.class, () -> fresh.decode(onBus));
          long allocated = threads.getCurrentThreadAllocatedBytes() - before;

          assertThat(e.reason()).isEqualTo(Reason.UNDECODABLE);
          assertThat(allocated).isLessThan(500_000);
        }
      }
    }
  }

  @Test
  public void aMessageCutOffAnywhereIsRefusedOrSound() throws Exception {
    RandomResults results = RandomResults.seeded(1).ofFeatures(9).withDeletions(1);
    WireScrambler scrambler = new WireScrambler(new Random(1));
    for (int i = 0; i < 20; i++) {
      QueryResult whole = results.next();
      for (byte[] bytes : List.of(whole.toByteArray(), scrambler.write(whole))) {
        for (int length = 0; length < bytes.length; length++) {
          assertRefusedOrSound(
              Arrays.copyOf(bytes, length), "message " + i + " cut off at " + length);
        }
      }
    }
  }

  @Test
  public void aMessageWithWrongBytesIsRefusedOrSound() throws Exception {
    int sound = 0;
    int refused = 0;
    for (long seed = 0; seed < 25; seed++) {
      RandomResults results = RandomResults.seeded(seed).withRowsUpTo(3).withDeletions(0.3);
      WireScrambler scrambler = new WireScrambler(new Random(seed));
      Random random = new Random(seed);
      for (int i = 0; i < 200; i++) {
        QueryResult message = results.next();
        byte[] bytes = i % 2 == 0 ? message.toByteArray() : scrambler.write(message);
        if (assertRefusedOrSound(corrupt(bytes, random), "seed " + seed + ", message " + i)) {
          sound++;
        } else {
          refused++;
        }
        // What was remembered of a broken message must not spoil a sound one.
        if (i % 10 == 0) {
          assertWithMessage("seed %s, message %s", seed, i)
              .that(ResultText.of(decode(bytes)))
              .isEqualTo(ResultText.of(message));
        }
      }
    }
    assertThat(sound).isGreaterThan(200);
    assertThat(refused).isGreaterThan(200);
  }

  /**
   * Decodes; what is not refused must be walkable to the last value, and be what protobuf reads.
   */
  private boolean assertRefusedOrSound(byte[] bytes, String message) throws Exception {
    Result result;
    try {
      result = decode(bytes);
    } catch (InvalidMessageException e) {
      assertWithMessage(message).that(e.reason()).isNotEqualTo(Reason.REASON_UNSPECIFIED);
      assertWithMessage(message).that(e).hasMessageThat().isNotEmpty();
      return false;
    } catch (RuntimeException | Error e) {
      throw new AssertionError(message, e);
    }
    String text = ResultText.of(result);
    QueryResult reference;
    try {
      reference = QueryResult.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(message + ": protobuf refuses what was read", e);
    }
    assertWithMessage(message).that(text).isEqualTo(ResultText.of(reference));
    return true;
  }

  private static byte[] corrupt(byte[] sound, Random random) {
    byte[] bytes = sound.clone();
    for (int i = random.nextInt(3); i >= 0 && bytes.length > 1; i--) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(5)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt();
        case 2 ->
            bytes = join(Arrays.copyOf(bytes, at), Arrays.copyOfRange(bytes, at + 1, bytes.length));
        case 3 ->
            bytes = join(Arrays.copyOf(bytes, at + 1), Arrays.copyOfRange(bytes, at, bytes.length));
        default ->
            bytes = join(bytes, Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + 40)));
      }
    }
    return bytes;
  }

  // ---- A sound message to break

  /** A result of two rows, {@code ann} and {@code bob}, and one feature, {@code user.age}. */
  private static QueryResult.Builder sound() {
    return QueryResult.newBuilder()
        .setOperationId("op-1")
        .setEnvironmentId("production")
        .setQueryTimestamp(T)
        .addFrames(soundFrame());
  }

  private static Frame.Builder soundFrame() {
    return Frame.newBuilder()
        .setNamespace("user")
        .addStringKeys("ann")
        .addStringKeys("bob")
        .addColumns(column(Column.Type.INT64, 2));
  }

  private static Column.Builder column(Column.Type type, int values) {
    Column.Builder column =
        Column.newBuilder().setFeature("user.age").setType(type).addObservedAt(T);
    if (type == Column.Type.VECTOR) {
      column.setVectorDimension(3);
    }
    for (int i = 0; i < values; i++) {
      switch (type) {
        case INT64 -> column.addInt64Values(i);
        case FLOAT64 -> column.addFloat64Values(i);
        case BOOL -> column.addBoolValues(true);
        case STRING -> column.addStringValues("");
        case BYTES -> column.addBytesValues(ByteString.EMPTY);
        case TIMESTAMP -> column.addTimestampValues(i);
        case DATE -> column.addDateValues(i);
        case VECTOR -> column.addVectorValues(i).addVectorValues(i).addVectorValues(i);
        case JSON -> column.addJsonValues("{}");
        default -> throw new AssertionError(type);
      }
    }
    return column;
  }

  private static Deletion.Builder deletion() {
    return Deletion.newBuilder()
        .setNamespace("user")
        .addStringKeys("ann")
        .addFeatures("user.age")
        .setObservedAt(T);
  }

  private static List<Column.Type> types() {
    return Arrays.stream(Column.Type.values())
        .filter(t -> t != Column.Type.TYPE_UNSPECIFIED && t != Column.Type.UNRECOGNIZED)
        .toList();
  }

  private static QueryResult with(Column.Builder column) {
    return sound().setFrames(0, soundFrame().setColumns(0, column)).build();
  }

  private static byte[] withColumn(byte[] column) {
    return withFrame(join(soundFrame().clearColumns().build().toByteArray(), delimited(4, column)));
  }

  private static byte[] withFrame(byte[] frame) {
    return join(sound().clearFrames().build().toByteArray(), delimited(18, frame));
  }

  private static byte[] withDeletion(byte[] deletion) {
    return join(sound().build().toByteArray(), delimited(19, deletion));
  }

  private static byte[] delimited(int field, byte[] bytes) {
    return UnknownFieldSet.newBuilder()
        .addField(
            field,
            UnknownFieldSet.Field.newBuilder()
                .addLengthDelimited(ByteString.copyFrom(bytes))
                .build())
        .build()
        .toByteArray();
  }

  private static byte[] lyingField(int field, long length) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    out.writeTag(field, WireFormat.WIRETYPE_LENGTH_DELIMITED);
    out.writeUInt64NoTag(length);
    out.writeRawByte(0);
    out.flush();
    return bytes.toByteArray();
  }

  private static byte[] join(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private static long micros(String time) {
    Instant instant = Instant.parse(time);
    return instant.getEpochSecond() * 1_000_000 + instant.getNano() / 1_000;
  }

  // ---- Decoding and refusing

  private Result decode(QueryResult message) throws InvalidMessageException {
    return decode(message.toByteArray());
  }

  private Result decode(byte[] bytes) throws InvalidMessageException {
    return decoder.decode(Messages.of(bytes, T));
  }

  private ColumnSpec specOf(byte[] column) throws InvalidMessageException {
    return decode(withColumn(column)).frames().get(0).columns().get(0).spec();
  }

  private InvalidMessageException refused(QueryResult message) {
    return refused(message.toByteArray());
  }

  private InvalidMessageException refused(byte[] bytes) {
    return assertThrows(InvalidMessageException.class, () -> decode(bytes));
  }

  private void assertRefused(QueryResult.Builder message, Reason reason, String field) {
    assertRefused(message.build(), reason, field);
  }

  private void assertRefused(QueryResult message, Reason reason, String field) {
    InvalidMessageException e = refused(message);
    assertWithMessage("field of: %s", e.getMessage()).that(e.field()).isEqualTo(field);
    assertWithMessage("reason of: %s", e.getMessage()).that(e.reason()).isEqualTo(reason);
  }

  private void assertFrameRefused(Consumer<Frame.Builder> breach, Reason reason, String field) {
    Frame.Builder frame = soundFrame();
    breach.accept(frame);
    assertRefused(sound().setFrames(0, frame), reason, field);
  }

  private void assertColumnRefused(Consumer<Column.Builder> breach, Reason reason, String field) {
    Column.Builder column = column(Column.Type.INT64, 2);
    breach.accept(column);
    assertRefused(with(column), reason, COLUMN + field);
  }

  private void assertDeletionRefused(
      Consumer<Deletion.Builder> breach, Reason reason, String field) {
    Deletion.Builder deletion = deletion();
    breach.accept(deletion);
    assertRefused(sound().addDeletions(deletion), reason, "deletions[0]." + field);
  }

  /** Puts a byte that UTF-8 never has in the place of each tilde. */
  private void assertNotUtf8(QueryResult.Builder message, String field) {
    byte[] bytes = message.build().toByteArray();
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = bytes[i] == '~' ? (byte) 0xC0 : bytes[i];
    }
    InvalidMessageException e = refused(bytes);
    assertThat(e.reason()).isEqualTo(Reason.UNDECODABLE);
    assertThat(e.field()).isEqualTo(field);
  }

  private void assertUndecodable(byte[] bytes) {
    InvalidMessageException e = refused(bytes);
    assertThat(e.reason()).isEqualTo(Reason.UNDECODABLE);
    assertThat(e.field()).isEmpty();
  }
}
