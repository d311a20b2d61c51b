package io.tailrace.online;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import com.google.protobuf.ByteString;
import io.tailrace.online.Cell.Kind;
import io.tailrace.result.PersistencePolicy;
import io.tailrace.result.ResultDecoder;
import io.tailrace.result.ValueType;
import io.tailrace.testing.Messages;
import io.tailrace.v1.Column;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.Test;

/**
 * The bytes of a {@link Cell}, which stores hold for years, and the order that decides who wins.
 */
public class CellTest {
  private static final long T = 1_000_000;
  private static final long EXPIRY = 2_000_000;

  // observed_at 1,000,000 = 0xF4240, sign bit flipped; kind value; expires_at 2,000,000 = 0x1E8480.
  private static final String VALUE = "80000000000f4240" + "00" + "80000000001e8480";

  // ---- Golden bytes

  @Test
  public void anInt64IsBigEndian() throws Exception {
    assertThat(hex(int64(1))).isEqualTo(VALUE + "01" + "0000000000000001");
    assertThat(hex(int64(-2))).isEqualTo(VALUE + "01" + "fffffffffffffffe");
    assertThat(hex(int64(Long.MAX_VALUE))).isEqualTo(VALUE + "01" + "7fffffffffffffff");
    assertThat(hex(int64(Long.MIN_VALUE))).isEqualTo(VALUE + "01" + "8000000000000000");
  }

  @Test
  public void aFloat64IsBigEndianIeee754() throws Exception {
    assertThat(hex(float64(1.5))).isEqualTo(VALUE + "02" + "3ff8000000000000");
    assertThat(hex(float64(-1.5))).isEqualTo(VALUE + "02" + "bff8000000000000");
    assertThat(hex(float64(Double.POSITIVE_INFINITY))).isEqualTo(VALUE + "02" + "7ff0000000000000");
    assertThat(hex(float64(Double.MIN_VALUE))).isEqualTo(VALUE + "02" + "0000000000000001");
  }

  @Test
  public void aBoolIsOneByte() throws Exception {
    assertThat(hex(of(Column.Type.BOOL, c -> c.addBoolValues(true))))
        .isEqualTo(VALUE + "03" + "01");
    assertThat(hex(of(Column.Type.BOOL, c -> c.addBoolValues(false))))
        .isEqualTo(VALUE + "03" + "00");
  }

  @Test
  public void aStringIsUtf8() throws Exception {
    assertThat(hex(string("aé😀"))).isEqualTo(VALUE + "04" + "61c3a9f09f9880");
    assertThat(hex(string(""))).isEqualTo(VALUE + "04");
  }

  @Test
  public void bytesAreKept() throws Exception {
    ByteString bytes = ByteString.copyFrom(new byte[] {0, (byte) 0xFF});

    assertThat(hex(of(Column.Type.BYTES, c -> c.addBytesValues(bytes))))
        .isEqualTo(VALUE + "05" + "00ff");
  }

  @Test
  public void aTimestampIsMicroseconds() throws Exception {
    assertThat(hex(timestamp(1_767_225_600_000_001L))).isEqualTo(VALUE + "06" + "0006474846204001");
    assertThat(hex(timestamp(-1))).isEqualTo(VALUE + "06" + "ffffffffffffffff");
  }

  @Test
  public void aDateIsDays() throws Exception {
    assertThat(hex(date(1))).isEqualTo(VALUE + "07" + "00000001");
    assertThat(hex(date(-1))).isEqualTo(VALUE + "07" + "ffffffff");
  }

  @Test
  public void aVectorIsBigEndianFloats() throws Exception {
    assertThat(hex(vector(1f, -2.5f))).isEqualTo(VALUE + "08" + "3f800000" + "c0200000");
  }

  @Test
  public void jsonIsKeptAsPublished() throws Exception {
    assertThat(hex(of(Column.Type.JSON, c -> c.addJsonValues("{ \"a\":1}"))))
        .isEqualTo(VALUE + "09" + "7b202261223a317d");
  }

  @Test
  public void aNullHasATypeAndNoPayload() {
    assertThat(hex(Cell.encodeNull(ValueType.STRING, T, EXPIRY)))
        .isEqualTo("80000000000f4240" + "01" + "80000000001e8480" + "04");
  }

  @Test
  public void aTombstoneHasNeitherTypeNorPayload() {
    assertThat(hex(Cell.encodeTombstone(T)))
        .isEqualTo("80000000000f4240" + "02" + "ffffffffffffffff" + "00");
  }

  @Test
  public void neverIsAllOnesAndTimesBefore1970AreBelowTheOthers() {
    assertThat(hex(Cell.encodeNull(ValueType.STRING, -1, Cell.NEVER)))
        .isEqualTo("7fffffffffffffff" + "01" + "ffffffffffffffff" + "04");
    assertThat(hex(Cell.encodeNull(ValueType.STRING, 0, 0)))
        .isEqualTo("8000000000000000" + "01" + "8000000000000000" + "04");
  }

  // ---- One encoding for each value

  @Test
  public void everyNanIsTheSameNan() throws Exception {
    String nan = VALUE + "02" + "7ff8000000000000";
    long[] patterns = {
      0x7FF8_0000_0000_0000L, 0x7FF8_0000_0000_0001L, 0x7FF0_0000_0000_0001L, 0xFFF8_0000_0000_0123L
    };
    for (long pattern : patterns) {
      assertThat(hex(float64(Double.longBitsToDouble(pattern)))).isEqualTo(nan);
    }
    assertThat(
            hex(
                vector(
                    Float.NaN,
                    Float.intBitsToFloat(0xFFC0_0123),
                    Float.intBitsToFloat(0x7F80_0001))))
        .isEqualTo(VALUE + "08" + "7fc00000" + "7fc00000" + "7fc00000");
  }

  @Test
  public void negativeZeroIsZero() throws Exception {
    assertThat(hex(float64(-0.0))).isEqualTo(hex(float64(0.0)));
    assertThat(hex(float64(0.0))).isEqualTo(VALUE + "02" + "0000000000000000");
    assertThat(hex(vector(-0f))).isEqualTo(VALUE + "08" + "00000000");
  }

  // ---- The order

  @Test
  public void theNewestObservationWinsToTheMicrosecondWhateverElseItSays() {
    Random random = new Random(7);
    for (int i = 0; i < 20_000; i++) {
      long time = anyTime(random);
      byte[] older = anyCell(random, time);
      byte[] newer = anyCell(random, time + 1 + (random.nextBoolean() ? 0 : random.nextInt(1_000)));

      assertWithMessage("seed 7, pair %s: %s, %s", i, hex(older), hex(newer))
          .that(Cell.of(newer))
          .isGreaterThan(Cell.of(older));
    }
  }

  @Test
  public void atTheSameTimeATombstoneBeatsANullAndANullAValue() throws Exception {
    Cell value =
        Cell.of(encode(Column.Type.STRING, c -> c.addStringValues("\uFFFF"), T, Cell.NEVER));
    Cell nothing = Cell.of(Cell.encodeNull(ValueType.INT64, T, T));
    Cell tombstone = Cell.of(Cell.encodeTombstone(T));

    assertThat(nothing).isGreaterThan(value);
    assertThat(tombstone).isGreaterThan(nothing);
    assertThat(tombstone).isGreaterThan(Cell.of(Cell.encodeNull(ValueType.JSON, T, Cell.NEVER)));
  }

  @Test
  public void atTheSameTimeTheLaterExpiryWinsAndNeverIsTheLatest() throws Exception {
    List<Long> expiries = List.of(-5L, 0L, T, T + 1, Long.MAX_VALUE - 1, Cell.NEVER);
    List<Cell> cells = new ArrayList<>();
    for (int i = 0; i < expiries.size(); i++) {
      int falling = -i;
      cells.add(
          Cell.of(encode(Column.Type.INT64, c -> c.addInt64Values(falling), T, expiries.get(i))));
    }

    assertThat(cells).isInStrictOrder();
  }

  @Test
  public void theLastTieIsBrokenByTheUnsignedBytesOfTypeAndPayload() throws Exception {
    assertThat(Cell.of(int64(-1))).isGreaterThan(Cell.of(int64(1)));
    assertThat(Cell.of(string("b"))).isGreaterThan(Cell.of(string("a")));
    assertThat(Cell.of(string("aa"))).isGreaterThan(Cell.of(string("a")));
    assertThat(Cell.of(string(""))).isGreaterThan(Cell.of(int64(-1)));
    assertThat(Cell.of(string("a"))).isEqualTo(Cell.of(string("a")));
    assertThat(Cell.of(string("a")).hashCode()).isEqualTo(Cell.of(string("a")).hashCode());
  }

  @Test
  public void theGreatestCellIsTheSameInAnyOrder() {
    for (long seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      List<Cell> cells = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        cells.add(Cell.of(anyCell(random, T + random.nextInt(3))));
      }
      Cell greatest = Collections.max(cells);
      Collections.shuffle(cells, random);

      Cell last = cells.get(0);
      for (Cell each : cells) {
        last = each.compareTo(last) > 0 ? each : last;
      }

      assertWithMessage("seed %s", seed).that(last).isEqualTo(greatest);
    }
  }

  // ---- What was written is read

  @Test
  public void aValueOfEveryTypeComesBack() throws Exception {
    assertThat(value(int64(Long.MIN_VALUE))).isEqualTo(Long.MIN_VALUE);
    assertThat(value(int64(Long.MAX_VALUE))).isEqualTo(Long.MAX_VALUE);
    assertThat(value(float64(-1.5))).isEqualTo(-1.5);
    assertThat(value(float64(Double.NaN))).isEqualTo(Double.NaN);
    assertThat(value(of(Column.Type.BOOL, c -> c.addBoolValues(true)))).isEqualTo(true);
    assertThat(value(of(Column.Type.BOOL, c -> c.addBoolValues(false)))).isEqualTo(false);
    assertThat(value(string("größe 😀\u0000"))).isEqualTo("größe 😀\u0000");
    assertThat(value(string(""))).isEqualTo("");
    assertThat(value(of(Column.Type.BYTES, c -> c.addBytesValues(ByteString.copyFromUtf8("b")))))
        .isEqualTo(new byte[] {'b'});
    assertThat(value(of(Column.Type.JSON, c -> c.addJsonValues("[1]")))).isEqualTo("[1]");
    assertThat(value(vector(1f, Float.NEGATIVE_INFINITY)))
        .isEqualTo(new float[] {1f, Float.NEGATIVE_INFINITY});
    assertThat(Cell.of(vector(1f)).type()).hasValue(ValueType.VECTOR);
  }

  @Test
  public void timestampsAndDatesComeBackFromTheFirstYearToTheLast() throws Exception {
    assertThat(value(timestamp(ResultDecoder.MIN_TIME)))
        .isEqualTo(Instant.parse("0001-01-01T00:00:00Z"));
    assertThat(value(timestamp(ResultDecoder.MAX_TIME)))
        .isEqualTo(Instant.parse("9999-12-31T23:59:59.999999Z"));
    assertThat(value(timestamp(-1))).isEqualTo(Instant.parse("1969-12-31T23:59:59.999999Z"));
    assertThat(value(timestamp(Long.MIN_VALUE)))
        .isEqualTo(Instant.parse("-290308-12-21T19:59:05.224192Z"));
    assertThat(value(date((int) LocalDate.of(1, 1, 1).toEpochDay())))
        .isEqualTo(LocalDate.of(1, 1, 1));
    assertThat(value(date((int) LocalDate.of(9999, 12, 31).toEpochDay())))
        .isEqualTo(LocalDate.of(9999, 12, 31));
    assertThat(value(date(Integer.MIN_VALUE))).isEqualTo(LocalDate.ofEpochDay(Integer.MIN_VALUE));
  }

  @Test
  public void theTimesOfACellComeBack() throws Exception {
    for (long observedAt : new long[] {ResultDecoder.MIN_TIME, -1, 0, 1, ResultDecoder.MAX_TIME}) {
      for (long expiresAt : new long[] {observedAt, Long.MAX_VALUE - 1, Cell.NEVER}) {
        byte[] bytes = encode(Column.Type.BOOL, c -> c.addBoolValues(true), observedAt, expiresAt);

        assertThat(Cell.observedAt(bytes)).isEqualTo(observedAt);
        assertThat(Cell.expiresAt(bytes)).isEqualTo(expiresAt);
        assertThat(Cell.of(bytes).observedAt()).isEqualTo(observedAt);
        assertThat(Cell.of(bytes).expiresAt()).isEqualTo(expiresAt);
      }
    }
  }

  @Test
  public void aNullAndATombstoneHaveNoValue() {
    Cell nothing = Cell.of(Cell.encodeNull(ValueType.DATE, T, EXPIRY));
    Cell tombstone = Cell.of(Cell.encodeTombstone(T));

    assertThat(nothing.kind()).isEqualTo(Kind.NULL);
    assertThat(nothing.type()).hasValue(ValueType.DATE);
    assertThat(nothing.value()).isEmpty();
    assertThat(tombstone.kind()).isEqualTo(Kind.TOMBSTONE);
    assertThat(tombstone.type()).isEmpty();
    assertThat(tombstone.value()).isEmpty();
  }

  @Test
  public void aCellDoesNotChangeWithTheBytesItWasReadFromOrGaveOut() throws Exception {
    byte[] bytes = string("a");
    Cell cell = Cell.of(bytes);

    bytes[0] = 0;
    cell.toBytes()[Cell.HEADER_BYTES] = 'b';

    assertThat(cell.observedAt()).isEqualTo(T);
    assertThat(cell.value()).hasValue("a");
  }

  // ---- Expiry

  @Test
  public void aCellExpiresAtItsTimeAndNotAMicrosecondEarlier() {
    Cell cell = Cell.of(Cell.encodeNull(ValueType.BOOL, T, EXPIRY));

    assertThat(cell.isExpired(EXPIRY - 1)).isFalse();
    assertThat(cell.isExpired(EXPIRY)).isTrue();
    assertThat(cell.isExpired(EXPIRY + 1)).isTrue();
  }

  @Test
  public void aCellForEverNeverExpires() {
    Cell cell = Cell.of(Cell.encodeNull(ValueType.BOOL, T, Cell.NEVER));

    assertThat(cell.isExpired(Long.MAX_VALUE)).isFalse();
  }

  @Test
  public void anExpiryBeyondTheLastTimeIsNever() {
    long tooLong = PersistencePolicy.expiresAt(T, Long.MAX_VALUE - T + 1);

    Cell cell = Cell.of(Cell.encodeNull(ValueType.BOOL, T, tooLong));

    assertThat(cell.expiresAt()).isEqualTo(Cell.NEVER);
    assertThat(cell.isExpired(Long.MAX_VALUE)).isFalse();
  }

  // ---- What is no cell

  @Test
  public void bytesThatEndInTheHeaderAreNoCell() {
    byte[] tombstone = Cell.encodeTombstone(T);
    for (int length = 0; length < Cell.HEADER_BYTES; length++) {
      assertNoCell(Arrays.copyOf(tombstone, length));
    }
  }

  @Test
  public void aKindOrTypeThatIsUnknownIsNoCell() throws Exception {
    for (int kind : new int[] {3, 127, 128, 255}) {
      assertNoCell(withByte(string("a"), 8, kind));
    }
    for (int type : new int[] {0, 10, 127, 128, 255}) {
      assertNoCell(withByte(string("a"), 17, type));
      assertNoCell(withByte(Cell.encodeNull(ValueType.BOOL, T, EXPIRY), 17, type));
    }
  }

  @Test
  public void aPayloadOfTheWrongLengthIsNoCell() throws Exception {
    for (byte[] cell : List.of(int64(1), float64(1), timestamp(1), date(1), vector(1f, 2f))) {
      assertNoCell(Arrays.copyOf(cell, cell.length - 1));
      assertNoCell(Arrays.copyOf(cell, cell.length + 1));
    }
    byte[] bool = of(Column.Type.BOOL, c -> c.addBoolValues(true));
    assertNoCell(Arrays.copyOf(bool, bool.length - 1));
    assertNoCell(Arrays.copyOf(bool, bool.length + 1));
  }

  @Test
  public void aNullOrTombstoneWithMoreThanItSaysIsNoCell() {
    byte[] nothing = Cell.encodeNull(ValueType.STRING, T, EXPIRY);
    byte[] tombstone = Cell.encodeTombstone(T);

    assertNoCell(Arrays.copyOf(nothing, nothing.length + 1));
    assertNoCell(Arrays.copyOf(tombstone, tombstone.length + 1));
    assertNoCell(withByte(tombstone, 17, 1));
  }

  // ---- Making cells

  private interface Fill {
    void fill(Column.Builder column);
  }

  private static byte[] of(Column.Type type, Fill value) throws Exception {
    return encode(type, value, T, EXPIRY);
  }

  /** Encodes the way a writer does: from a row of a decoded column. */
  private static byte[] encode(Column.Type type, Fill value, long observedAt, long expiresAt)
      throws Exception {
    Column.Builder column =
        Column.newBuilder().setFeature("user.f").setType(type).addObservedAt(observedAt);
    value.fill(column);
    QueryResult result =
        QueryResult.newBuilder()
            .setOperationId("op-1")
            .setEnvironmentId("production")
            .setQueryTimestamp(T)
            .addFrames(
                Frame.newBuilder().setNamespace("user").addStringKeys("ann").addColumns(column))
            .build();
    return Cell.encode(
        new ResultDecoder().decode(Messages.of(result, T)).frames().get(0).columns().get(0),
        0,
        observedAt,
        expiresAt);
  }

  private static byte[] int64(long value) throws Exception {
    return of(Column.Type.INT64, c -> c.addInt64Values(value));
  }

  private static byte[] float64(double value) throws Exception {
    return of(Column.Type.FLOAT64, c -> c.addFloat64Values(value));
  }

  private static byte[] string(String value) throws Exception {
    return of(Column.Type.STRING, c -> c.addStringValues(value));
  }

  private static byte[] timestamp(long micros) throws Exception {
    return of(Column.Type.TIMESTAMP, c -> c.addTimestampValues(micros));
  }

  private static byte[] date(int days) throws Exception {
    return of(Column.Type.DATE, c -> c.addDateValues(days));
  }

  private static byte[] vector(float... numbers) throws Exception {
    return of(
        Column.Type.VECTOR,
        c -> {
          c.setVectorDimension(numbers.length);
          for (float number : numbers) {
            c.addVectorValues(number);
          }
        });
  }

  private static long anyTime(Random random) {
    long[] edges = {ResultDecoder.MIN_TIME, -1, 0, ResultDecoder.MAX_TIME - 2_000};
    return random.nextBoolean()
        ? edges[random.nextInt(edges.length)]
        : random.nextLong(ResultDecoder.MIN_TIME, ResultDecoder.MAX_TIME);
  }

  private static byte[] anyCell(Random random, long observedAt) {
    long expiresAt = random.nextBoolean() ? random.nextLong() : observedAt + random.nextInt(3);
    ValueType type = ValueType.ofCode(1 + random.nextInt(9));
    return switch (random.nextInt(3)) {
      case 0 -> Cell.encodeTombstone(observedAt);
      case 1 -> Cell.encodeNull(type, observedAt, expiresAt);
      default -> {
        byte[] value =
            Arrays.copyOf(
                Cell.encodeNull(ValueType.BYTES, observedAt, expiresAt),
                Cell.HEADER_BYTES + random.nextInt(3));
        for (int i = Cell.HEADER_BYTES; i < value.length; i++) {
          value[i] = (byte) random.nextInt();
        }
        yield withByte(value, 8, 0);
      }
    };
  }

  private static byte[] withByte(byte[] cell, int index, int value) {
    byte[] changed = cell.clone();
    changed[index] = (byte) value;
    return changed;
  }

  private static Object value(byte[] cell) {
    return Cell.of(cell).value().orElseThrow();
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  private static void assertNoCell(byte[] bytes) {
    assertThrows(hex(bytes), IllegalArgumentException.class, () -> Cell.of(bytes));
  }
}
