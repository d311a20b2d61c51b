package io.tailrace.online;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.bus.Replayed;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.result.DecodeResults;
import io.tailrace.result.Result;
import io.tailrace.stage.Failure;
import io.tailrace.stage.RejectedCell;
import io.tailrace.testing.Balance;
import io.tailrace.testing.Messages;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column;
import io.tailrace.v1.Column.CacheDefaults;
import io.tailrace.v1.Column.CacheNulls;
import io.tailrace.v1.Column.Origin;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.testing.TestPipeline;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.values.PCollection;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import redis.clients.jedis.Jedis;

/** What becomes of each result in a pipeline, and which cells of it reach the store. */
public class WriteOnlineTest {
  private static final long T = 4_102_444_800_000_000L;
  private static final long MINUTE = 60_000_000;
  private static final long DAY = 24 * 60 * MINUTE;

  @ClassRule public static final TemporaryFolder temporary = new TemporaryFolder();
  @Rule public final transient TestPipeline pipeline = TestPipeline.create();

  private static LocalRedis redis;

  @BeforeClass
  public static void start() {
    redis = LocalRedis.start(temporary.getRoot().toPath());
  }

  @AfterClass
  public static void stop() {
    redis.close();
  }

  @Before
  public void forgetEverything() {
    try (Jedis jedis = redis.connect()) {
      jedis.flushAll();
    }
  }

  @Test
  public void eachResultHasAnOutcome() throws Exception {
    store(
        Results.user("old", Results.int64("age", T, 40)),
        Results.user("same", Results.int64("age", T - 5, 41)));

    WithFailures.Result<PCollection<WriteOutcome>, Failure> written =
        write(
            T,
            named("written", Results.user("ann", age(T - 1), Results.int64("height", T - 1, 180))),
            named("stale", Results.user("old", age(T - 1))),
            named("duplicate", Results.user("same", Results.int64("age", T - 5, 41))),
            named("expired", Results.user("bea", Results.expiring("age", T - MINUTE, 1, 42))),
            named("skipped", Results.user("bea", age(T).toBuilder().setSkipOnline(true).build())),
            named("empty"),
            Results.named("deletes").addDeletions(Results.deletion("cid", T)).build());

    PAssert.that(written.output())
        .containsInAnyOrder(
            new WriteOutcome("written", T, 2, 0, 0, 0, 0, 0),
            new WriteOutcome("stale", T, 0, 1, 0, 0, 0, 0),
            new WriteOutcome("duplicate", T, 0, 0, 1, 0, 0, 0),
            new WriteOutcome("expired", T, 0, 0, 0, 1, 0, 0),
            new WriteOutcome("skipped", T, 0, 0, 0, 0, 1, 0),
            new WriteOutcome("empty", T, 0, 0, 0, 0, 0, 0),
            new WriteOutcome("deletes", T, 1, 0, 0, 0, 0, 0));
    PAssert.that(written.failures()).empty();
    Balance.run(pipeline);
  }

  @Test
  public void anObservationInTheFutureIsRejectedAndTheOtherCellsAreStored() throws Exception {
    QueryResult result =
        Results.named("op")
            .addFrames(
                Results.user(
                    "ann",
                    age(T + 5 * MINUTE),
                    Results.int64("height", T + 5 * MINUTE + 1, 180),
                    Results.int64("weight", T + DAY, 70)))
            .addDeletions(Results.deletion("bea", T + DAY))
            .build();

    WithFailures.Result<PCollection<WriteOutcome>, Failure> written = write(T, result);

    PAssert.that(written.output()).containsInAnyOrder(new WriteOutcome("op", T, 1, 0, 0, 0, 0, 3));
    PAssert.thatSingleton(written.failures())
        .satisfies(
            letter -> {
              assertThat(letter.stage()).isEqualTo("WriteOnline");
              assertThat(letter.reason()).isEqualTo(Reason.OBSERVED_IN_FUTURE);
              assertThat(letter.retryable()).isTrue();
              assertThat(letter.cellCount()).isEqualTo(3);
              assertThat(letter.message())
                  .isEqualTo(
                      "user.height of 'ann': observed at 2100-01-01T00:05:00.000001Z, too far after"
                          + " its publication at 2100-01-01T00:00:00Z;"
                          + " check the publisher's clock; and 2 more");
              assertThat(letter.cells().stream().map(RejectedCell::feature))
                  .containsExactly("user.height", "user.weight", "")
                  .inOrder();
              assertThat(letter.cells().stream().map(RejectedCell::key))
                  .containsExactly("ann", "ann", "bea")
                  .inOrder();
              assertThat(letter.original()).isEqualTo(message(T, 0, result));
              return null;
            });
    Balance.run(pipeline);
    assertThat(stored("ann").keySet()).containsExactly("age");
    assertThat(keys()).containsExactly("production:user:ann");
  }

  @Test
  public void aPublisherWhoseClockIsAYearAheadIsRefused() throws Exception {
    long ahead = T + 365 * DAY;

    WithFailures.Result<PCollection<WriteOutcome>, Failure> written =
        write(ahead, named("op", Results.user("ann", age(ahead))));

    PAssert.that(written.output())
        .containsInAnyOrder(new WriteOutcome("op", ahead, 0, 0, 0, 0, 0, 1));
    PAssert.thatSingleton(written.failures())
        .satisfies(
            letter -> {
              assertThat(letter.reason()).isEqualTo(Reason.OBSERVED_IN_FUTURE);
              return null;
            });
    Balance.run(pipeline);
    assertThat(keys()).isEmpty();
  }

  @Test
  public void aRowWithoutPrimaryKeyIsRejectedAndTheOtherRowsAreStored() throws Exception {
    WithFailures.Result<PCollection<WriteOutcome>, Failure> written =
        write(
            T,
            named(
                "op",
                Results.users(
                    List.of("ann", "", "bea"),
                    Results.int64("age", T, 1, 2, 3),
                    Results.int64("height", T, 4, 5, 6))));

    PAssert.that(written.output())
        .satisfies(
            outcomes -> {
              WriteOutcome outcome = outcomes.iterator().next();
              assertThat(outcome.written()).isEqualTo(4);
              assertThat(outcome.rejected()).isAtLeast(1);
              assertThat(outcome.status()).isEqualTo(WriteOutcome.Status.WRITTEN);
              return null;
            });
    PAssert.thatSingleton(written.failures())
        .satisfies(
            letter -> {
              assertThat(letter.reason()).isEqualTo(Reason.MISSING_FIELD);
              assertThat(letter.message()).contains("the primary key of row 1 is empty");
              return null;
            });
    Balance.run(pipeline);
    assertThat(keys()).containsExactly("production:user:ann", "production:user:bea");
  }

  @Test
  public void onlyComputedValuesWithAMaxStalenessAreStored() throws Exception {
    WithFailures.Result<PCollection<WriteOutcome>, Failure> written =
        write(
            T,
            named(
                "op",
                Results.user(
                    "ann",
                    age(T),
                    Results.int64("f1", T, 1).toBuilder().setSkipOnline(true).build(),
                    Results.int64("f2", T, 1).toBuilder().clearMaxStaleness().build(),
                    Results.int64("f3", T, 1).toBuilder().setOrigin(Origin.ONLINE_STORE).build(),
                    Results.int64("f4", T, 1).toBuilder().setOrigin(Origin.OFFLINE_STORE).build(),
                    Results.int64("f6", T, 1).toBuilder().setOrigin(Origin.GIVEN).build(),
                    Results.int64("f7", T, 1).toBuilder().setOrigin(Origin.DEFAULT).build(),
                    Results.int64("f5", T, 1).toBuilder().setSkipOffline(true).build())));

    PAssert.that(written.output()).containsInAnyOrder(new WriteOutcome("op", T, 2, 0, 0, 0, 6, 0));
    PAssert.that(written.failures()).empty();
    Balance.run(pipeline);
    assertThat(stored("ann").keySet()).containsExactly("age", "f5");
  }

  @Test
  public void aNullIsWrittenOrSkippedOrEvicts() throws Exception {
    store(
        Results.user(
            "ann",
            Results.int64("written", T - 1, 1),
            Results.int64("skipped", T - 1, 1),
            Results.int64("evicted", T - 1, 1)));

    WithFailures.Result<PCollection<WriteOutcome>, Failure> written =
        write(
            T,
            named(
                "op",
                Results.user(
                    "ann",
                    Results.nothing("written", T, CacheNulls.WRITE_NULLS),
                    Results.nothing("unsaid", T, CacheNulls.CACHE_NULLS_UNSPECIFIED),
                    Results.nothing("skipped", T, CacheNulls.SKIP_NULLS),
                    Results.nothing("evicted", T, CacheNulls.EVICT_NULLS))));

    PAssert.that(written.output()).containsInAnyOrder(new WriteOutcome("op", T, 3, 0, 0, 0, 1, 0));
    PAssert.that(written.failures()).empty();
    Balance.run(pipeline);
    Map<String, Cell> cells = stored("ann");
    assertThat(cells.get("written").kind()).isEqualTo(Cell.Kind.NULL);
    assertThat(cells.get("unsaid").kind()).isEqualTo(Cell.Kind.NULL);
    assertThat(cells.get("skipped").value()).hasValue(1L);
    assertThat(cells.get("evicted").kind()).isEqualTo(Cell.Kind.TOMBSTONE);
    assertThat(cells.get("evicted").expiresAt()).isEqualTo(Cell.NEVER);
  }

  @Test
  public void aDefaultIsWrittenOrSkippedOrEvicts() throws Exception {
    store(
        Results.user(
            "ann",
            Results.int64("written", T - 1, 1),
            Results.int64("unsaid", T - 1, 1),
            Results.int64("skipped", T - 1, 1),
            Results.int64("evicted", T - 1, 1)));

    WithFailures.Result<PCollection<WriteOutcome>, Failure> written =
        write(
            T,
            named(
                "op",
                Results.user(
                    "ann",
                    defaulted("written", CacheDefaults.WRITE_DEFAULTS),
                    defaulted("unsaid", CacheDefaults.CACHE_DEFAULTS_UNSPECIFIED),
                    defaulted("skipped", CacheDefaults.SKIP_DEFAULTS),
                    defaulted("evicted", CacheDefaults.EVICT_DEFAULTS))));

    PAssert.that(written.output()).containsInAnyOrder(new WriteOutcome("op", T, 2, 0, 0, 0, 2, 0));
    PAssert.that(written.failures()).empty();
    Balance.run(pipeline);
    Map<String, Cell> cells = stored("ann");
    assertThat(cells.get("written").value()).hasValue(7L);
    assertThat(cells.get("unsaid").value()).hasValue(1L);
    assertThat(cells.get("skipped").value()).hasValue(1L);
    assertThat(cells.get("evicted").kind()).isEqualTo(Cell.Kind.TOMBSTONE);
  }

  @Test
  public void whatIsInAReservedNamespaceExpiresAfterADayAtMost() throws Exception {
    Frame frame =
        Frame.newBuilder()
            .setNamespace("tailrace.probe")
            .addStringKeys("ann")
            .addColumns(Results.int64("ever", T, 1).toBuilder().setFeature("tailrace.probe.ever"))
            .addColumns(
                Results.int64("soon", T, 1).toBuilder()
                    .setFeature("tailrace.probe.soon")
                    .setMaxStaleness(60_000_000))
            .build();

    WithFailures.Result<PCollection<WriteOutcome>, Failure> written = write(T, named("op", frame));

    PAssert.that(written.output()).containsInAnyOrder(new WriteOutcome("op", T, 2, 0, 0, 0, 0, 0));
    Balance.run(pipeline);
    Map<String, Cell> cells = stored("tailrace.probe", "ann");
    assertThat(cells.get("ever").expiresAt()).isEqualTo(T + 86_400_000_000L);
    assertThat(cells.get("soon").expiresAt()).isEqualTo(T + 60_000_000);
  }

  private static Column defaulted(String name, CacheDefaults handling) {
    return Results.int64(name, T, 7).toBuilder()
        .setOrigin(Origin.DEFAULT)
        .setCacheDefaults(handling)
        .build();
  }

  @Test
  public void whatTheStoreRejectsIsOneLetterForEachResult() throws Exception {
    try (Jedis jedis = redis.connect()) {
      jedis.set("production:user:ann", "not a hash");
    }

    WithFailures.Result<PCollection<WriteOutcome>, Failure> written =
        write(
            T,
            named(
                "one",
                Results.users(
                    List.of("ann", "bea"),
                    Results.int64("age", T, 1, 2),
                    Results.int64("height", T, 3, 4))),
            named("other", Results.user("cid", age(T))));

    PAssert.thatSingleton(written.failures())
        .satisfies(
            letter -> {
              assertThat(letter.reason()).isEqualTo(Reason.REJECTED_BY_STORE);
              assertThat(letter.cellCount()).isEqualTo(2);
              assertThat(letter.cells().stream().map(RejectedCell::feature))
                  .containsExactly("user.age", "user.height");
              return null;
            });
    PAssert.that(written.output())
        .satisfies(
            outcomes -> {
              assertThat(outcomes).hasSize(2);
              return null;
            });
    Balance.run(pipeline);
    assertThat(keys())
        .containsExactly("production:user:ann", "production:user:bea", "production:user:cid");
  }

  @Test
  public void whateverTheReasonsAResultHasOneLetterThatCountsThem() throws Exception {
    try (Jedis jedis = redis.connect()) {
      jedis.set("production:user:ann", "not a hash");
    }

    WithFailures.Result<PCollection<WriteOutcome>, Failure> written =
        write(
            T,
            named(
                "op",
                Results.users(
                    List.of("bea", "", "ann"),
                    Results.int64("age", T + DAY, 1, 2, 3),
                    Results.int64("height", T, 4, 5, 6))));

    PAssert.that(written.output()).containsInAnyOrder(new WriteOutcome("op", T, 1, 0, 0, 0, 0, 5));
    PAssert.thatSingleton(written.failures())
        .satisfies(
            letter -> {
              assertThat(letter.reason()).isEqualTo(Reason.OBSERVED_IN_FUTURE);
              assertThat(letter.reasons())
                  .containsExactly(
                      Reason.OBSERVED_IN_FUTURE,
                      2,
                      Reason.MISSING_FIELD,
                      2,
                      Reason.REJECTED_BY_STORE,
                      1);
              assertThat(letter.cellCount()).isEqualTo(5);
              assertThat(letter.cells().stream().map(RejectedCell::feature))
                  .containsExactly("user.age", "", "user.age", "user.height")
                  .inOrder();
              return null;
            });
    Balance.run(pipeline);
    assertThat(stored("bea").keySet()).containsExactly("height");
  }

  @Test
  public void aLetterListsTheFirstCellsAndCountsTheRest() throws Exception {
    Frame.Builder frame = Results.user("ann").toBuilder();
    for (int i = 0; i < 150; i++) {
      frame.addColumns(Results.int64("f" + i, T + DAY, i));
    }

    WithFailures.Result<PCollection<WriteOutcome>, Failure> written =
        write(T, named("op", frame.build()));

    PAssert.that(written.output())
        .containsInAnyOrder(new WriteOutcome("op", T, 0, 0, 0, 0, 0, 150));
    PAssert.thatSingleton(written.failures())
        .satisfies(
            letter -> {
              assertThat(letter.cells()).hasSize(Failure.MAX_CELLS);
              assertThat(letter.cellCount()).isEqualTo(150);
              return null;
            });
    Balance.run(pipeline);
  }

  @Test
  public void aResultThatOutgrowsTheBufferIsSentInPieces() throws Exception {
    int rows = 2 * WriteOnline.MAX_BUFFERED_ENTITIES + 1;
    List<String> keys = IntStream.range(0, rows).mapToObj(row -> "k" + row).toList();
    long[] ages = new long[rows];

    try (BundleWriter writer = BundleWriter.of(to(redis))) {
      BundleWriter.Written written =
          writer.write(T, named("op", Results.users(keys, Results.int64("age", T, ages))));

      assertThat(written.outcomes())
          .containsExactly(new WriteOutcome("op", T, rows, 0, 0, 0, 0, 0));
    }
    assertThat(keys()).hasSize(rows);
  }

  @Test
  public void aResultSentInPiecesIsCountedWholeWhenOthersFollow() throws Exception {
    int rows = WriteOnline.MAX_BUFFERED_ENTITIES + 10;
    List<String> keys = IntStream.range(0, rows).mapToObj(row -> "k" + row).toList();

    try (BundleWriter writer = BundleWriter.of(to(redis))) {
      BundleWriter.Bundle bundle = writer.begin();
      bundle.add(
          Messages.of(
              named("large", Results.users(keys, Results.int64("age", T, new long[rows]))), T));
      bundle.add(Messages.of(named("next", Results.user("ann", age(T))), T).endingBacklog());
      bundle.add(Messages.of(named("last", Results.user("bob", age(T))), T).endingBacklog());

      assertThat(bundle.end().outcomes())
          .containsExactly(
              new WriteOutcome("large", T, rows, 0, 0, 0, 0, 0),
              new WriteOutcome("next", T, 1, 0, 0, 0, 0, 0),
              new WriteOutcome("last", T, 1, 0, 0, 0, 0, 0));
    }
  }

  @Test
  public void whatEndsABacklogIsWrittenBeforeTheBundleEnds() throws Exception {
    try (BundleWriter writer = BundleWriter.of(to(redis))) {
      BundleWriter.Bundle bundle = writer.begin();
      bundle.add(Messages.of(named("first", Results.user("ann", age(T))), T));
      bundle.add(Messages.of(named("last", Results.user("bob", age(T))), T).endingBacklog());

      Instant deadline = Instant.now().plusSeconds(60);
      while (keys().size() < 2 && Instant.now().isBefore(deadline)) {
        Thread.sleep(5);
      }

      assertThat(keys()).hasSize(2);
      assertThat(bundle.end().outcomes()).hasSize(2);
    }
  }

  @Test
  public void oneLetterHasEachCellWithItsReasonAndThePlaceOfTheFirst() throws Exception {
    long ahead = T + 365 * DAY;
    QueryResult result =
        named(
            "op",
            Results.users(
                List.of("ann", "", "bea"),
                Results.int64("age", T, 1, 2, 3),
                Results.int64("height", T, 1, 2, 3).toBuilder()
                    .clearObservedAt()
                    .addAllObservedAt(List.of(T, T, ahead))
                    .build()));
    try (BundleWriter writer = BundleWriter.of(to(redis))) {
      BundleWriter.Written written = writer.write(T, result);

      assertThat(written.outcomes().get(0).written()).isEqualTo(3);
      assertThat(written.outcomes().get(0).rejected()).isEqualTo(3);
      assertThat(written.failures()).hasSize(1);
      Failure failure = written.failures().get(0);
      assertThat(failure.reasons())
          .containsExactly(Reason.MISSING_FIELD, 2, Reason.OBSERVED_IN_FUTURE, 1);
      assertThat(failure.field()).isEqualTo("frames[0].string_keys[1]");
      assertThat(
              writer
                  .write(T, named("op", Results.user("ann", age(ahead))))
                  .failures()
                  .get(0)
                  .field())
          .isEqualTo("frames[0].columns[0].observed_at[0]");
    }
  }

  @Test
  public void aMessageIsSentBackTooLateWhereADeletionMayBeForgotten() throws Exception {
    QueryResult result = named("op", Results.user("ann", age(T - 30 * DAY)));
    try (BundleWriter writer = BundleWriter.of(to(redis))) {
      Failure failure =
          writer.write(List.of(sentBack(result, T - 14 * DAY - 2_000_000))).failures().get(0);

      assertThat(failure.reason()).isEqualTo(Reason.TOO_OLD);
      assertThat(failure.field()).isEqualTo("frames[0].columns[0]");
      assertThat(failure.message()).contains("--deletionRetention");
      assertThat(keys()).isEmpty();
      // One that was published so long ago and comes for the first time has waited on its bus.
      assertThat(writer.write(T - 20 * DAY, result).failures()).isEmpty();
      assertThat(writer.write(List.of(sentBack(result, T - 13 * DAY))).failures()).isEmpty();
    }
  }

  private static BusMessage sentBack(QueryResult result, long publishedAt) {
    return BusMessage.of(
        result.toByteArray(),
        null,
        Place.numbered(Messages.TOPIC, 0, 1),
        MessageTime.ofBus(T),
        Headers.of(
            Header.of(Replayed.WRITER, "online-writer"),
            Header.of(Replayed.FAILED_AT, "2026-01-31T12:00:00Z"),
            Header.of(Replayed.PUBLISHED_AT, Long.toString(publishedAt))));
  }

  @Test
  public void aStoreThatFailsWhileResultsAreGatheredFailsTheBundle() throws Exception {
    try (LocalRedis other = LocalRedis.start(temporary.newFolder().toPath());
        BundleWriter writer =
            BundleWriter.of(
                WriteOnline.to(other.uri() + "?retryFor=1s&timeout=500ms")
                    .withClock(() -> Instant.EPOCH.plus(T, ChronoUnit.MICROS)))) {
      writer.write(T, named("op", Results.user("ann", age(T))));
      other.stop();
      BundleWriter.Bundle bundle = writer.begin();
      bundle.add(Messages.of(named("op", Results.user("ann", age(T + 1))), T).endingBacklog());

      assertThrows(UnavailableException.class, bundle::end);
    }
  }

  @Test
  public void optionsThatMakeNoSenseAreRefused() {
    WriteOnline write = to(redis);
    assertThrows(
        IllegalArgumentException.class, () -> write.withMaxClockSkew(Duration.ofSeconds(-1)));
    assertThrows(IllegalArgumentException.class, () -> write.withDeletionRetention(Duration.ZERO));
  }

  @Test
  public void displayDataNamesTheStoreAndNoSecret() {
    DisplayData data =
        DisplayData.from(WriteOnline.to("redis://localhost:6379/0?password=env:REDIS_PASSWORD"));

    assertThat(data.items().stream().map(DisplayData.Item::getKey)).contains("onlineStore");
  }

  private WithFailures.Result<PCollection<WriteOutcome>, Failure> write(
      long publishedAt, QueryResult... results) {
    BusMessage[] messages = new BusMessage[results.length];
    for (int i = 0; i < results.length; i++) {
      messages[i] = message(publishedAt, i, results[i]);
    }
    WithFailures.Result<PCollection<Result>, Failure> decoded =
        pipeline
            .apply("Read", Create.of(Arrays.asList(messages)))
            .apply("Decode", DecodeResults.forWriter("online-writer"));
    PAssert.that(decoded.failures()).empty();
    return decoded.output().apply("Write", to(redis));
  }

  private static void store(Frame... frames) throws Exception {
    try (BundleWriter writer = BundleWriter.of(to(redis))) {
      writer.write(T, Results.of(frames));
    }
  }

  private static Map<String, Cell> stored(String key) throws Exception {
    return stored("user", key);
  }

  private static Map<String, Cell> stored(String namespace, String key) throws Exception {
    try (OnlineReader reader = OnlineReader.open(redis.uri())) {
      return reader.readCells(List.of(new EntityKey(Results.ENVIRONMENT, namespace, key))).get(0);
    }
  }

  private static Set<String> keys() {
    try (Jedis jedis = redis.connect()) {
      return jedis.keys("*");
    }
  }

  private static WriteOnline to(LocalRedis redis) {
    return WriteOnline.to(redis.uri()).withClock(() -> Instant.ofEpochSecond(T / 1_000_000));
  }

  private static BusMessage message(long publishedAt, int offset, QueryResult result) {
    return BusMessage.of(
        result.toByteArray(),
        Place.numbered(Messages.TOPIC, 0, offset),
        MessageTime.ofBus(publishedAt));
  }

  private static QueryResult named(String operationId, Frame... frames) {
    return Results.named(operationId).addAllFrames(List.of(frames)).build();
  }

  private static Column age(long observedAt) {
    return Results.int64("age", observedAt, 42);
  }
}
