package io.tailrace.pipelines.local.proof;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import io.tailrace.online.Cell;
import io.tailrace.online.EntityKey;
import io.tailrace.online.EntityWrite;
import io.tailrace.online.OnlineReader;
import io.tailrace.online.OnlineStore;
import io.tailrace.v1.Column;
import io.tailrace.v1.Column.CacheNulls;
import io.tailrace.v1.Column.Origin;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

@RunWith(JUnit4.class)
public class OnlineModelTest {
  private static final long NOW = 1_790_000_000_000_000L;
  private static final long SECOND = 1_000_000;
  private static final long DAY = 86_400 * SECOND;
  private static final long FOREVER = Long.MAX_VALUE;
  private static final EntityKey USER = new EntityKey("prod", "user", "7");

  private final OnlineModel model = new OnlineModel();
  private final Map<EntityKey, Map<String, Cell>> stored = new HashMap<>();

  @Test
  public void newestObservationStandsWhateverTheOrder() throws Exception {
    publish(age(NOW - 3, 3));
    publish(age(NOW - 1, 1));
    publish(age(NOW - 2, 2));
    store("age", NOW - 1, VALUE, FOREVER, Column.Type.INT64, int64(1));
    assertSame();
  }

  @Test
  public void anOlderValueInTheStoreIsADifference() throws Exception {
    publish(age(NOW - 2, 2));
    publish(age(NOW - 1, 1));
    store("age", NOW - 2, VALUE, FOREVER, Column.Type.INT64, int64(2));

    OnlineModel.Comparison comparison = compare();

    assertThat(comparison.differences()).isEqualTo(1);
    assertThat(comparison.first().get(0).toString())
        .isEqualTo(
            "user 7 age: expected INT64 1 observed at 2026-09-21T14:13:19.999999Z,"
                + " found INT64 2 observed at 2026-09-21T14:13:19.999998Z");
  }

  @Test
  public void aMissingAndASuperfluousFeatureAreDifferences() throws Exception {
    publish(age(NOW, 1));
    store("height", NOW, VALUE, FOREVER, Column.Type.INT64, int64(1));
    OnlineModel.Comparison comparison = compare();
    assertThat(comparison.differences()).isEqualTo(2);
    assertThat(comparison.features()).isEqualTo(2);
  }

  @Test
  public void atTheSameTimeTheGreaterBytesStand() throws Exception {
    // As unsigned bytes, -1 is above 1.
    publish(age(NOW, 1));
    publish(age(NOW, -1));
    store("age", NOW, VALUE, FOREVER, Column.Type.INT64, int64(-1));
    assertSame();
  }

  @Test
  public void atTheSameTimeANullBeatsAValue() throws Exception {
    publish(nullAge(NOW, CacheNulls.WRITE_NULLS));
    publish(age(NOW, 1));
    store("age", NOW, NULL, FOREVER, Column.Type.INT64);
    assertSame();
  }

  @Test
  public void atTheSameTimeADeletionBeatsEverything() throws Exception {
    publish(deletion(NOW, "user.age"));
    publish(nullAge(NOW, CacheNulls.WRITE_NULLS));
    publish(age(NOW, 1));
    assertSame();
  }

  @Test
  public void aSkippedNullLeavesTheStoreAsItIs() throws Exception {
    publish(age(NOW - 1, 1));
    publish(nullAge(NOW, CacheNulls.SKIP_NULLS));
    store("age", NOW - 1, VALUE, FOREVER, Column.Type.INT64, int64(1));
    assertSame();
  }

  @Test
  public void anEvictingNullDeletes() throws Exception {
    publish(age(NOW - 1, 1));
    publish(nullAge(NOW, CacheNulls.EVICT_NULLS));
    store("age", NOW, TOMBSTONE, FOREVER, Column.Type.TYPE_UNSPECIFIED);
    assertSame();
  }

  @Test
  public void aFenceTakesAwayWhatWasObservedUntilThenAlsoWhatComesLater() throws Exception {
    publish(age(NOW - 5, 1));
    publish(deletion(NOW - 3));
    publish(age(NOW - 3, 2));
    assertSame();
    publish(age(NOW - 2, 3));
    store("age", NOW - 2, VALUE, FOREVER, Column.Type.INT64, int64(3));
    assertSame();
  }

  @Test
  public void expiryCountsFromTheObservation() throws Exception {
    publish(result(NOW - 2 * DAY, column(NOW - 2 * DAY).setMaxStaleness(3 * DAY)));
    store("age", NOW - 2 * DAY, VALUE, NOW + DAY, Column.Type.INT64, int64(1));
    assertSame();
  }

  @Test
  public void whatHasExpiredIsAbsentAndHidesWhatIsOlder() throws Exception {
    publish(result(NOW, column(NOW - 3 * DAY).setMaxStaleness(FOREVER)));
    publish(result(NOW, column(NOW - 2 * DAY).setMaxStaleness(DAY)));
    store("age", NOW - 2 * DAY, VALUE, NOW - DAY, Column.Type.INT64, int64(1));
    assertSame();
  }

  @Test
  public void anotherExpiryIsADifference() throws Exception {
    publish(result(NOW, column(NOW).setMaxStaleness(DAY)));
    store("age", NOW, VALUE, FOREVER, Column.Type.INT64, int64(1));
    assertThat(compare().differences()).isEqualTo(1);
  }

  @Test
  public void onlyWhatWasComputedForTheOnlineStoreIsThere() throws Exception {
    publish(result(NOW, column(NOW).setMaxStaleness(0)));
    publish(result(NOW, column(NOW).setSkipOnline(true)));
    publish(result(NOW, column(NOW).setOrigin(Origin.ONLINE_STORE)));
    publish(result(NOW, column(NOW).setOrigin(Origin.OFFLINE_STORE)));
    assertSame();
  }

  @Test
  public void whatWasObservedLongAfterItsPublicationIsRefusedAlone() throws Exception {
    publish(
        result(
            NOW, column(NOW + 600 * SECOND), column(NOW + 60 * SECOND).setFeature("user.height")));
    store("height", NOW + 60 * SECOND, VALUE, FOREVER, Column.Type.INT64, int64(1));
    assertSame();
  }

  @Test
  public void nothingOfARefusedResultMayBeThere() throws Exception {
    model.addRefused(age(NOW, 1));
    assertSame();
    store("age", NOW, VALUE, FOREVER, Column.Type.INT64, int64(1));
    assertThat(compare().differences()).isEqualTo(1);
  }

  @Test
  public void everyTypeIsComparedByItsValue() throws Exception {
    publish(
        result(
            NOW,
            typed(Column.Type.FLOAT64).addFloat64Values(-0.0),
            typed(Column.Type.BOOL).addBoolValues(true),
            typed(Column.Type.STRING).addStringValues("é"),
            typed(Column.Type.BYTES).addBytesValues(ByteString.copyFrom(new byte[] {1, -1})),
            typed(Column.Type.TIMESTAMP).addTimestampValues(-1),
            typed(Column.Type.DATE).addDateValues(-1),
            typed(Column.Type.VECTOR)
                .setVectorDimension(2)
                .addVectorValues(-0.0f)
                .addVectorValues(2),
            typed(Column.Type.JSON).addJsonValues("[]")));
    storeTyped(Column.Type.FLOAT64, ByteBuffer.allocate(8).putDouble(0.0).array());
    storeTyped(Column.Type.BOOL, new byte[] {1});
    storeTyped(Column.Type.STRING, "é".getBytes(UTF_8));
    storeTyped(Column.Type.BYTES, new byte[] {1, -1});
    storeTyped(Column.Type.TIMESTAMP, int64(-1));
    storeTyped(Column.Type.DATE, ByteBuffer.allocate(4).putInt(-1).array());
    storeTyped(Column.Type.VECTOR, ByteBuffer.allocate(8).putFloat(0).putFloat(2).array());
    storeTyped(Column.Type.JSON, "[]".getBytes(UTF_8));
    assertSame();
    storeTyped(Column.Type.VECTOR, ByteBuffer.allocate(8).putFloat(0).putFloat(3).array());
    assertThat(compare().first().get(0).toString()).contains("expected VECTOR [0.0, 2.0]");
  }

  private static final int VALUE = 0;
  private static final int NULL = 1;
  private static final int TOMBSTONE = 2;

  private void publish(QueryResult result) {
    model.add(result, NOW);
  }

  private static QueryResult age(long observedAt, long age) {
    return result(observedAt, column(observedAt).setInt64Values(0, age));
  }

  private static QueryResult nullAge(long observedAt, CacheNulls nulls) {
    return result(
        observedAt,
        column(observedAt).setCacheNulls(nulls).setNulls(ByteString.copyFrom(new byte[] {1})));
  }

  private static QueryResult deletion(long observedAt, String... features) {
    return QueryResult.newBuilder()
        .setEnvironmentId("prod")
        .addDeletions(
            Deletion.newBuilder()
                .setNamespace("user")
                .addInt64Keys(7)
                .addAllFeatures(List.of(features))
                .setObservedAt(observedAt))
        .build();
  }

  private static Column.Builder column(long observedAt) {
    return Column.newBuilder()
        .setFeature("user.age")
        .setType(Column.Type.INT64)
        .setMaxStaleness(FOREVER)
        .addObservedAt(observedAt)
        .addInt64Values(1);
  }

  private static Column.Builder typed(Column.Type type) {
    return Column.newBuilder()
        .setFeature("user." + type)
        .setType(type)
        .setMaxStaleness(FOREVER)
        .addObservedAt(NOW);
  }

  private static QueryResult result(long at, Column.Builder... columns) {
    Frame.Builder frame = Frame.newBuilder().setNamespace("user").addInt64Keys(7);
    for (Column.Builder column : columns) {
      frame.addColumns(column);
    }
    return QueryResult.newBuilder()
        .setOperationId("operation")
        .setEnvironmentId("prod")
        .setQueryTimestamp(at)
        .addFrames(frame)
        .build();
  }

  private static byte[] int64(long value) {
    return ByteBuffer.allocate(8).putLong(value).array();
  }

  private void storeTyped(Column.Type type, byte... payload) {
    store(type.toString(), NOW, VALUE, FOREVER, type, payload);
  }

  private void store(
      String name, long observedAt, int kind, long expiresAt, Column.Type type, byte... payload) {
    byte[] bytes =
        ByteBuffer.allocate(18 + payload.length)
            .putLong(observedAt ^ Long.MIN_VALUE)
            .put((byte) kind)
            .putLong(expiresAt ^ Long.MIN_VALUE)
            .put((byte) type.getNumber())
            .put(payload)
            .array();
    stored.computeIfAbsent(USER, key -> new TreeMap<>()).put(name, Cell.of(bytes));
  }

  private void assertSame() throws Exception {
    assertThat(compare().first()).isEmpty();
    assertThat(compare().differences()).isEqualTo(0);
    assertThat(compare().entities()).isEqualTo(1);
  }

  private OnlineModel.Comparison compare() throws Exception {
    Instant now = Instant.ofEpochSecond(NOW / SECOND);
    try (OnlineReader reader =
        OnlineReader.open(new FakeStore(stored), Clock.fixed(now, ZoneOffset.UTC))) {
      return model.compare(reader, now);
    }
  }

  private static final class FakeStore implements OnlineStore {
    private static final long serialVersionUID = 1;

    private final transient Map<EntityKey, Map<String, Cell>> stored;

    FakeStore(Map<EntityKey, Map<String, Cell>> stored) {
      this.stored = stored;
    }

    @Override
    public String uri() {
      return "fake://";
    }

    @Override
    public void check() {}

    @Override
    public Connection connect() {
      return new Connection() {
        @Override
        public void write(List<EntityWrite> writes, long nowMicros) {
          throw new UnsupportedOperationException();
        }

        @Override
        public List<Map<String, Cell>> read(List<EntityKey> keys) {
          return keys.stream().map(key -> stored.getOrDefault(key, Map.of())).toList();
        }

        @Override
        public Instant now() {
          return Instant.EPOCH;
        }

        @Override
        public void close() {}
      };
    }
  }
}
