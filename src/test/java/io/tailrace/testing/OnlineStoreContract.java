package io.tailrace.testing;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.BundleWriter;
import io.tailrace.online.Cell;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.online.OnlineStore;
import io.tailrace.online.OnlineStores;
import io.tailrace.online.WriteOnline;
import io.tailrace.online.WriteOutcome;
import io.tailrace.v1.Column;
import io.tailrace.v1.Column.CacheNulls;
import io.tailrace.v1.QueryResult;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.beam.sdk.util.SerializableUtils;
import org.junit.Before;
import org.junit.Test;

/**
 * What every online store must do, on real servers: the greatest cell ever written stands, after
 * any order, any batching, any repetition, and whatever number of writers.
 */
public abstract class OnlineStoreContract {
  private static final int ROUNDS = 8;
  private static final int WRITERS = 3;
  private static final long T = OnlineWriters.START;
  private static final long MINUTE = 60_000_000;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;
  // A second before, as the writers' clock says.
  private static final long NOW = T - 1_000_000;
  private static final QueryResult FENCE = Results.of(Results.deletion("ann", T + 10));

  /** Returns the store's URI. */
  protected abstract String uri();

  /** Returns the store's URI, with a time for which it is tried again. */
  protected abstract String uri(String retryFor);

  /** Returns the URI of a store that is not there. */
  protected abstract String unreachable() throws Exception;

  /** Removes everything. */
  protected abstract void removeAll() throws Exception;

  /** Takes the store away, or a part of it that some of many entities are in. */
  protected abstract void stopStore() throws Exception;

  /** Brings it back; it may have forgotten everything. */
  protected abstract void restartStore() throws Exception;

  @Before
  public void startEmpty() throws Exception {
    removeAll();
  }

  @Test
  public void aStoreIsAValueThatPassesItsCheck() throws Exception {
    OnlineStore store = SerializableUtils.clone(OnlineStores.at(uri()));

    assertThat(store.uri()).isEqualTo(OnlineStores.at(uri()).uri());
    store.check();
  }

  @Test
  public void aStoreHoldsAnIdThatItLosesWithAllElse() throws Exception {
    String id = OnlineStores.at(uri()).identity();

    assertThat(id).isNotEmpty();
    assertThat(OnlineStores.at(uri()).identity()).isEqualTo(id);
    removeAll();
    assertThat(OnlineStores.at(uri()).identity()).isNotEqualTo(id);
  }

  @Test
  public void aStoreThatIsNotThereIsNamedWithTheCorrection() throws Exception {
    OnlineStore store = OnlineStores.at(unreachable());

    assertThat(assertThrows(UnavailableException.class, store::check))
        .hasMessageThat()
        .startsWith(store.uri() + " can't be reached");
  }

  @Test
  public void anyOrderBatchingAndNumberOfWritersEndsInTheGreatestCells() throws Exception {
    for (int seed = 0; seed < ROUNDS; seed++) {
      removeAll();
      Random random = new Random(seed);
      // Of every type, with nulls, deletions and repetitions among them.
      List<BusMessage> messages = OnlineWriters.messages(seed, 40);

      OnlineWriters.write(
          OnlineWriters.to(uri()), OnlineWriters.shares(messages, WRITERS, random), random);

      assertWithMessage("seed %s", seed).that(cells(messages)).isEqualTo(expected(messages));
    }
  }

  @Test
  public void writingEverythingOnceMoreChangesNothing() throws Exception {
    Random random = new Random(1);
    List<BusMessage> messages = OnlineWriters.messages(1, 40);
    OnlineWriters.write(OnlineWriters.to(uri()), List.of(messages), random);
    Map<EntityKey, Map<String, String>> before = cells(messages);

    OnlineWriters.write(
        OnlineWriters.to(uri()), OnlineWriters.shares(messages, WRITERS, random), random);

    assertThat(cells(messages)).isEqualTo(before);
  }

  @Test
  public void ofThreeTimesTheLatestStandsInOneBundle() throws Exception {
    try (BundleWriter writer = BundleWriter.of(OnlineWriters.to(uri()))) {
      writer.write(T, at(2), at(1), at(0));
    }

    assertStands(at(2));
  }

  @Test
  public void ofThreeTimesTheLatestStandsInBundlesOfAnyOrder() throws Exception {
    List<QueryResult> results = new ArrayList<>(List.of(at(2), at(1), at(0)));
    for (int order = 0; order < 6; order++) {
      removeAll();
      write(results.toArray(QueryResult[]::new));

      assertStands(at(2));
      Collections.swap(results, order % 2, order % 2 + 1);
    }
  }

  @Test
  public void ofThreeTimesTheLatestStandsByThreeWriters() throws Exception {
    for (int round = 0; round < 20; round++) {
      removeAll();
      List<List<BusMessage>> shares =
          List.of(
              OnlineWriters.published(T, at(2)),
              OnlineWriters.published(T, at(1)),
              OnlineWriters.published(T, at(0)));

      OnlineWriters.write(OnlineWriters.to(uri()), shares, new Random(round));

      assertStands(at(2));
    }
  }

  @Test
  public void atTheSameTimeATombstoneBeatsANullAndANullAValue() throws Exception {
    QueryResult value = at(0);
    QueryResult nothing =
        Results.of(Results.user("ann", Results.nothing("age", T, CacheNulls.WRITE_NULLS)));
    QueryResult deletion = Results.of(Results.deletion("ann", T, "age"));
    for (QueryResult[] order :
        new QueryResult[][] {
          {value, nothing, deletion},
          {value, deletion, nothing},
          {nothing, value, deletion},
          {nothing, deletion, value},
          {deletion, value, nothing},
          {deletion, nothing, value}
        }) {
      removeAll();
      write(order);
      assertStands(deletion);
    }
    for (QueryResult[] order : new QueryResult[][] {{value, nothing}, {nothing, value}}) {
      removeAll();
      write(order);
      assertStands(nothing);
    }
  }

  @Test
  public void atTheSameTimeTheGreaterBytesStand() throws Exception {
    // The bytes differ in the sign of a byte, in length, and far behind the first difference of a
    // chunk's length.
    String common = "x".repeat(600);
    String[][] pairs = {
      {"a", "b"},
      {"a", "aa"},
      {"", "\u0000"},
      {"B", "a"},
      {"z", "é"},
      {common + "a", common + "b"},
      {common + "\u0000", common + "\u0001"},
      {common.substring(0, 238), common.substring(0, 239)},
      {common, common + "é"}
    };
    for (String[] pair : pairs) {
      QueryResult less = Results.of(Results.user("ann", Results.string("name", T, pair[0])));
      QueryResult greater = Results.of(Results.user("ann", Results.string("name", T, pair[1])));
      for (QueryResult[] order : new QueryResult[][] {{less, greater}, {greater, less}}) {
        removeAll();
        write(order);
        assertStands(greater);
      }
    }
  }

  @Test
  public void aWriteThatHoldsNothingToStoreLeavesTheEntityAsItIs() throws Exception {
    long future = T + 365 * DAY;
    try (BundleWriter writer = BundleWriter.of(OnlineWriters.to(uri()))) {
      writer.write(T, at(2));

      BundleWriter.Written refused =
          writer.write(T, at(365 * DAY), Results.of(Results.deletion("bea", future)));
      writer.write(T, at(1));

      assertThat(refused.failures()).hasSize(2);
    }
    assertStands(at(2));
  }

  @Test
  public void aFenceRemovesWhatIsOlderAndKeepsWhatIsNewer() throws Exception {
    write(aroundTheFence());

    assertThat(write(FENCE).written()).isEqualTo(1);

    assertThat(features("ann")).containsExactly("newer");
  }

  @Test
  public void aFenceHoldsBackOlderValuesThatComeLater() throws Exception {
    write(FENCE);

    WriteOutcome outcome = write(aroundTheFence());

    assertThat(outcome.stale()).isEqualTo(2);
    assertThat(outcome.written()).isEqualTo(1);
    assertThat(features("ann")).containsExactly("newer");
  }

  @Test
  public void aFenceOutlivesNewerValues() throws Exception {
    write(FENCE);
    write(at(20));

    assertThat(write(Results.of(Results.user("ann", Results.int64("height", T + 9, 1)))).stale())
        .isEqualTo(1);
    assertThat(features("ann")).containsExactly("age");
  }

  @Test
  public void aFenceComesTogetherWithCells() throws Exception {
    QueryResult before = at(9);
    QueryResult both =
        Results.named("both")
            .addFrames(
                Results.user(
                    "ann", Results.int64("age", T + 8, 8), Results.int64("height", T + 12, 12)))
            .addDeletions(Results.deletion("ann", T + 10))
            .build();
    write(before);

    WriteOutcome outcome = write(both);

    assertThat(outcome.written()).isEqualTo(2);
    assertThat(outcome.stale()).isEqualTo(1);
    assertStands(before, both);
  }

  @Test
  public void theLatestOfSeveralFencesStands() throws Exception {
    write(FENCE);

    assertThat(write(Results.of(Results.deletion("ann", T + 5))).stale()).isEqualTo(1);
    assertThat(write(FENCE).duplicate()).isEqualTo(1);
    assertThat(write(at(9)).stale()).isEqualTo(1);
  }

  @Test
  public void aDeletionOfTheMomentInWhichOlderOnesAreForgottenIsRemembered() throws Exception {
    long later = T + 3 * DAY;
    List<QueryResult> deletions =
        List.of(
            Results.of(Results.deletion("ann", later, "height")),
            Results.of(Results.deletion("ann", later, "age")),
            // The one that is forgotten comes again.
            Results.of(Results.deletion("ann", T, "age")),
            Results.of(Results.deletion("ann", later)));
    for (QueryResult deletion : deletions) {
      String gone =
          deletion.getDeletions(0).getFeaturesList().stream().findAny().orElse("user.age");
      removeAll();
      writeAt(T, Results.of(Results.deletion("ann", T, "age")));
      writeAt(later, deletion);

      long before = deletion.getDeletions(0).getObservedAt() - 1;
      QueryResult older =
          Results.of(Results.user("ann", Results.int64(gone.replace("user.", ""), before, 1)));
      assertWithMessage("%s", deletion).that(writeAt(later, older).stale()).isEqualTo(1);
      assertThat(writeAt(later + 2 * DAY - HOUR, older).stale()).isEqualTo(1);
      assertThat(writeAt(later + 9 * DAY, older).rejected()).isEqualTo(0);
    }
  }

  @Test
  public void aDeletionWhoseTimeIsOverHoldsNothingBack() throws Exception {
    QueryResult older = Results.of(Results.user("ann", Results.int64("age", T - 1, 1)));
    writeAt(T, Results.of(Results.deletion("ann", T)));

    assertThat(writeAt(T + 2 * DAY - HOUR, older).stale()).isEqualTo(1);
    assertThat(writeAt(T + 3 * DAY, older).written()).isEqualTo(1);
    assertThat(features("ann")).containsExactly("age");
  }

  /** Writes at a time, by a writer that remembers deletions for two days. */
  private WriteOutcome writeAt(long now, QueryResult result) throws Exception {
    WriteOnline write =
        OnlineWriters.to(uri())
            .withDeletionRetention(Duration.ofDays(2))
            .withClock(() -> Instant.ofEpochSecond(now / 1_000_000));
    try (BundleWriter writer = BundleWriter.of(write)) {
      return writer.write(now, result).outcomes().get(0);
    }
  }

  @Test
  public void anExpiredCellIsDroppedWhereNothingIsStored() throws Exception {
    WriteOutcome outcome = write(age(NOW - HOUR, MINUTE));

    assertThat(outcome.expired()).isEqualTo(1);
    assertThat(outcome.status()).isEqualTo(WriteOutcome.Status.NOT_TO_BE_STORED);
    assertThat(features("ann")).isEmpty();
  }

  @Test
  public void anExpiredCellReplacesAnOlderOneWhichMustNoLongerBeServed() throws Exception {
    write(age(NOW - 2 * HOUR, DAY));

    assertThat(write(age(NOW - HOUR, MINUTE)).written()).isEqualTo(1);

    assertThat(served("ann")).isEmpty();
    assertThat(features("ann")).containsExactly("age");
  }

  @Test
  public void anExpiredCellDoesNotReplaceANewerOne() throws Exception {
    write(age(NOW - MINUTE, DAY));

    assertThat(write(age(NOW - HOUR, MINUTE)).stale()).isEqualTo(1);

    assertThat(served("ann")).containsExactly("age");
  }

  @Test
  public void anExpiredCellIsDroppedWhereOnlyOtherFeaturesAreStored() throws Exception {
    write(Results.of(Results.user("ann", Results.int64("height", NOW - DAY, 180))));

    WriteOutcome outcome =
        write(
            Results.of(
                Results.user(
                    "ann",
                    Results.expiring("age", NOW - HOUR, MINUTE, 42),
                    Results.expiring("height", NOW - HOUR, DAY, 181))));

    assertThat(outcome.expired()).isEqualTo(1);
    assertThat(outcome.written()).isEqualTo(1);
    assertThat(features("ann")).containsExactly("height");
  }

  @Test
  public void aCellExpiresAtTheVeryMicrosecond() throws Exception {
    assertThat(write(age(NOW - HOUR, HOUR)).expired()).isEqualTo(1);
    assertThat(write(age(NOW - HOUR, HOUR + 1)).written()).isEqualTo(1);
    assertThat(served("ann")).containsExactly("age");
  }

  @Test
  public void anEntityMayHaveThousandsOfFeatures() throws Exception {
    assertThat(write(wide(1)).written()).isEqualTo(5_000);
    assertThat(write(wide(0)).stale()).isEqualTo(5_000);
    assertThat(write(wide(1)).duplicate()).isEqualTo(5_000);
    assertThat(write(wide(2)).written()).isEqualTo(5_000);

    assertStands(wide(2));
  }

  @Test
  public void noTwoEntitiesShareAPlace() throws Exception {
    List<String> keys =
        List.of("a:b", "a%3Ab", "a%253Ab", "%", ":", "::", "\u0000", "a\u0000b", "größe 😀", "{a}");
    write(ages(0, keys));

    try (OnlineReader reader = OnlineReader.open(uri())) {
      List<Map<String, OnlineReader.Value>> read =
          reader.read(keys.stream().map(OnlineStoreContract::entity).toList());
      for (int i = 0; i < keys.size(); i++) {
        assertThat(read.get(i).get("age").value()).hasValue((long) i);
      }
    }
  }

  @Test
  public void emptyValuesAndNotANumberAreValues() throws Exception {
    QueryResult result =
        Results.of(
            Results.user(
                "ann",
                Results.string("name", T, ""),
                Column.newBuilder()
                    .setFeature("user.score")
                    .setType(Column.Type.FLOAT64)
                    .setMaxStaleness(Long.MAX_VALUE)
                    .addObservedAt(T)
                    .addFloat64Values(Double.NaN)
                    .build()));

    write(result);

    assertStands(result);
    try (OnlineReader reader = OnlineReader.open(uri())) {
      Map<String, OnlineReader.Value> read = reader.read(entity("ann"));
      assertThat(read.get("name").value()).hasValue("");
      assertThat(read.get("score").value()).hasValue(Double.NaN);
    }
  }

  @Test
  public void namesMayBeOfAnyCharacters() throws Exception {
    QueryResult result =
        Results.of(
            Results.user(
                "ann",
                IntStream.of(1, 31, 32, 255, 256)
                    .mapToObj(length -> Results.int64("n".repeat(length), T, length))
                    .toArray(Column[]::new)),
            Results.user("bea", Results.int64("größe:😀%.part", T, 1), Results.int64("_id", T, 2)));

    write(result);

    assertStands(result);
  }

  /**
   * Time goes on for weeks: cells expire, deletions need not be remembered any more, and what is
   * over is removed. A reader sees what it would see if nothing ever were. Messages come in any
   * order, but none comes later than deletions are remembered.
   */
  @Test
  public void removingWhatIsOverNeverChangesWhatAReaderSees() throws Exception {
    for (int seed = 0; seed < 2; seed++) {
      removeAll();
      Random random = new Random(seed);
      long[] now = {T};
      List<BusMessage> written = new ArrayList<>();
      WriteOnline write =
          WriteOnline.to(uri())
              .withDeletionRetention(Duration.ofDays(2))
              .withClock(() -> Micros.instant(now[0]));
      try (BundleWriter one = BundleWriter.of(write);
          BundleWriter other = BundleWriter.of(write)) {
        for (int step = 0; step < 120; step++) {
          now[0] += random.nextLong(6 * HOUR);
          List<BusMessage> bundle = new ArrayList<>();
          for (int i = random.nextInt(4); i >= 0; i--) {
            bundle.add(
                written.isEmpty() || random.nextInt(8) > 0
                    ? Messages.of(anything(random, now[0] - random.nextLong(DAY)), now[0])
                    // Again what came within the last day, as a repetition does.
                    : written.get(
                        written.size() - 1 - random.nextInt(Math.min(4, written.size()))));
          }
          (random.nextBoolean() ? one : other).write(bundle);
          written.addAll(bundle);

          assertWithMessage("seed %s, step %s", seed, step)
              .that(seen(now[0]))
              .isEqualTo(expectedToBeSeen(written, now[0]));
        }
      }
    }
  }

  /** Makes a value of a feature, each with its own lifetime, or a deletion, of one of two users. */
  private static QueryResult anything(Random random, long observedAt) {
    String key = random.nextBoolean() ? "ann" : "bea";
    return switch (random.nextInt(8)) {
      case 0 -> Results.of(Results.deletion(key, observedAt));
      case 1 -> Results.of(Results.deletion(key, observedAt, "hour"));
      case 2 -> Results.of(Results.deletion(key, observedAt, "ever", "week"));
      case 3 ->
          Results.of(
              Results.user(key, Results.nothing("ever", observedAt, CacheNulls.EVICT_NULLS)));
      case 4 -> Results.of(Results.user(key, Results.int64("ever", observedAt, observedAt)));
      case 5 ->
          Results.of(Results.user(key, Results.expiring("week", observedAt, 7 * DAY, observedAt)));
      default ->
          Results.of(
              Results.user(
                  key,
                  Results.expiring("hour", observedAt, HOUR, observedAt),
                  Results.expiring("day", observedAt, DAY, observedAt)));
    };
  }

  private Map<String, Instant> seen(long now) throws Exception {
    Map<String, Instant> seen = new TreeMap<>();
    Clock clock = Clock.fixed(Micros.instant(now), ZoneOffset.UTC);
    try (OnlineReader reader = OnlineReader.open(OnlineStores.at(uri()), clock)) {
      for (String key : List.of("ann", "bea")) {
        reader
            .read(entity(key))
            .forEach((name, value) -> seen.put(key + " " + name, value.observedAt()));
      }
    }
    return seen;
  }

  private static Map<String, Instant> expectedToBeSeen(List<BusMessage> messages, long now) {
    Map<String, Instant> seen = new TreeMap<>();
    ExpectedCells.after(messages)
        .forEach(
            (key, entity) ->
                entity
                    .cells()
                    .forEach(
                        (name, hex) -> {
                          Cell cell = Cell.of(HexFormat.of().parseHex(hex));
                          if (cell.kind() != Cell.Kind.TOMBSTONE && !cell.isExpired(now)) {
                            seen.put(
                                key.primaryKey() + " " + name, Micros.instant(cell.observedAt()));
                          }
                        }));
    return seen;
  }

  @Test
  public void aWriterWhoseClockIsBehindTheStoresCondemnsNothing() throws Exception {
    Instant behind = Instant.now().minus(Duration.ofMinutes(6));
    WriteOnline write = WriteOnline.to(uri()).withClock(() -> behind);
    // A publisher's time says nothing of when that was.
    BusMessage fresh =
        BusMessage.of(
            age(Micros.now(), HOUR).toByteArray(),
            Place.numbered(Messages.TOPIC, 0, 1),
            MessageTime.ofPublisher(Micros.now()));
    try (BundleWriter writer = BundleWriter.of(write)) {
      UnavailableException e =
          assertThrows(UnavailableException.class, () -> writer.write(List.of(fresh)));

      assertThat(e).hasMessageThat().contains("this worker's clock is behind");
      assertThat(e).hasMessageThat().contains(OnlineStores.at(uri()).uri());
    }
    assertThat(features("ann")).isEmpty();
    try (BundleWriter right = BundleWriter.of(WriteOnline.to(uri()))) {
      assertThat(right.write(List.of(fresh)).outcomes().get(0).written()).isEqualTo(1);
    }
  }

  @Test
  public void whatAPublisherStampedLongAgoIsNotObservedInTheFuture() throws Exception {
    try (BundleWriter writer = BundleWriter.of(WriteOnline.to(uri()))) {
      for (long stamp : new long[] {0, -1, 1, Micros.now() - HOUR, Micros.now() + 9 * HOUR}) {
        BundleWriter.Written written =
            writer.write(
                List.of(
                    BusMessage.of(
                        age(Micros.now(), HOUR).toByteArray(),
                        Place.numbered(Messages.TOPIC, 0, 1),
                        MessageTime.ofPublisher(stamp))));

        assertThat(written.failures()).isEmpty();
        assertThat(written.outcomes().get(0).written()).isEqualTo(1);
      }
    }
  }

  @Test
  public void anOutageIsWaitedForAndNothingIsLost() throws Exception {
    List<String> keys = IntStream.range(0, 30).mapToObj(i -> "k" + i).toList();
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try (BundleWriter patient = BundleWriter.of(OnlineWriters.to(uri("60s")));
        BundleWriter impatient = BundleWriter.of(OnlineWriters.to(uri("200ms")))) {
      patient.write(T, ages(0, keys));
      stopStore();
      Future<?> waiting = thread.submit(() -> patient.write(T, ages(1, keys)));
      assertThrows(UnavailableException.class, () -> impatient.write(T, ages(1, keys)));
      assertThat(waiting.isDone()).isFalse();
      restartStore();

      waiting.get();

      assertStands(ages(1, keys));
    } finally {
      thread.shutdownNow();
    }
  }

  private static QueryResult at(long after) {
    return Results.of(Results.user("ann", Results.int64("age", T + after, after)));
  }

  private static QueryResult age(long observedAt, long maxStaleness) {
    return Results.of(Results.user("ann", Results.expiring("age", observedAt, maxStaleness, 42)));
  }

  private static QueryResult ages(long after, List<String> keys) {
    long[] ages = IntStream.range(0, keys.size()).mapToLong(i -> i).toArray();
    return Results.of(Results.users(keys, Results.int64("age", T + after, ages)));
  }

  private static QueryResult aroundTheFence() {
    return Results.of(
        Results.user(
            "ann",
            Results.int64("older", T + 9, 1),
            Results.int64("equal", T + 10, 2),
            Results.int64("newer", T + 11, 3)));
  }

  private static QueryResult wide(long after) {
    return Results.of(
        Results.user(
            "ann",
            IntStream.range(0, 5_000)
                .mapToObj(i -> Results.int64("f" + i, T + after, i))
                .toArray(Column[]::new)));
  }

  private static EntityKey entity(String key) {
    return new EntityKey(Results.ENVIRONMENT, "user", key);
  }

  /** Writes each in a bundle of its own; returns what became of the last. */
  private WriteOutcome write(QueryResult... bundles) throws Exception {
    List<WriteOutcome> outcomes = new ArrayList<>();
    try (BundleWriter writer = BundleWriter.of(OnlineWriters.to(uri()))) {
      for (QueryResult bundle : bundles) {
        outcomes.addAll(writer.write(T, bundle).outcomes());
      }
    }
    return outcomes.get(outcomes.size() - 1);
  }

  /** Returns the features whose cells are stored. */
  private Set<String> features(String key) throws Exception {
    try (OnlineStore.Connection connection = OnlineStores.at(uri()).connect()) {
      return new LinkedHashSet<>(connection.read(List.of(entity(key))).get(0).keySet());
    }
  }

  /** Returns the features that have a value, at the writers' time. */
  private Set<String> served(String key) throws Exception {
    Clock clock = Clock.fixed(Instant.ofEpochSecond(NOW / 1_000_000), ZoneOffset.UTC);
    try (OnlineReader reader = OnlineReader.open(OnlineStores.at(uri()), clock)) {
      return reader.read(entity(key)).keySet();
    }
  }

  private void assertStands(QueryResult... results) throws Exception {
    List<BusMessage> messages = OnlineWriters.published(T, results);
    assertThat(cells(messages)).isEqualTo(expected(messages));
  }

  private static Map<EntityKey, Map<String, String>> expected(List<BusMessage> messages) {
    Map<EntityKey, Map<String, String>> cells = new LinkedHashMap<>();
    ExpectedCells.after(messages).forEach((key, entity) -> cells.put(key, entity.cells()));
    return cells;
  }

  /** Returns what the store holds of the entities of which messages say something. */
  private Map<EntityKey, Map<String, String>> cells(List<BusMessage> messages) throws Exception {
    List<EntityKey> keys = List.copyOf(ExpectedCells.after(messages).keySet());
    Map<EntityKey, Map<String, String>> cells = new LinkedHashMap<>();
    try (OnlineStore.Connection connection = OnlineStores.at(uri()).connect()) {
      List<Map<String, Cell>> read = connection.read(keys);
      for (int i = 0; i < keys.size(); i++) {
        Map<String, String> ofEntity = new TreeMap<>();
        read.get(i)
            .forEach((name, cell) -> ofEntity.put(name, HexFormat.of().formatHex(cell.toBytes())));
        cells.put(keys.get(i), ofEntity);
      }
    }
    return cells;
  }
}
