package io.tailrace.parquet;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.offline.BundleEncoder;
import io.tailrace.stage.Failure;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.format.SchemaElement;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.api.Binary;
import org.junit.Test;

/**
 * Which columns of other writers are taken, each exactly, and that what can't be taken of a row is
 * that row's fault alone.
 */
public class ForeignTypesTest {
  private static final long TIME = 1_767_225_600_123_000L;

  private static final String FEATURE = "required binary feature (STRING)";
  private static final String KEY = "optional binary pkey (STRING)";
  private static final String INT64 = "optional int64 value";
  private static final String OBSERVED_AT = "optional int64 observed_at (TIMESTAMP(MICROS,true))";
  private static final String OPERATION = "optional binary operation_id (STRING)";
  private static final String DELETED = "required boolean deleted";

  @Test
  public void timesOfEveryUnitAreTakenExactly() throws Exception {
    Map<String, Object> times =
        Map.of(
            "optional int64 observed_at (TIMESTAMP(MILLIS,true))",
            TIME / 1_000,
            "required int64 observed_at (TIMESTAMP(MICROS,true))",
            TIME,
            "optional int64 observed_at (TIMESTAMP(NANOS,true))",
            TIME * 1_000,
            "optional int96 observed_at",
            int96(TIME * 1_000));
    for (Map.Entry<String, Object> time : times.entrySet()) {
      ObservationFile file =
          file(INT64, time.getKey()).row(row(time.getValue(), it -> it.append("value", 1L))).file();

      assertWithMessage(time.getKey()).that(file.rows().observedAt(0)).isEqualTo(TIME);
    }
  }

  @Test
  public void aTimeThatIsNoWholeNumberOfMicrosecondsIsItsRowsFault() throws Exception {
    assertOneOfTwo(
        file(INT64, "optional int64 observed_at (TIMESTAMP(NANOS,true))")
            .row(row(TIME * 1_000, it -> it.append("value", 1L)))
            .row(row(TIME * 1_000 + 1, it -> it.append("value", 2L))),
        Reason.INVALID_VALUE,
        "no whole number of microseconds");
    assertOneOfTwo(
        file(INT64, "optional int96 observed_at")
            .row(row(int96(TIME * 1_000), it -> it.append("value", 1L)))
            .row(row(int96(TIME * 1_000 + 999), it -> it.append("value", 2L))),
        Reason.INVALID_VALUE,
        "no whole number of microseconds");
    for (long millis : new long[] {Long.MAX_VALUE / 100, Long.MIN_VALUE}) {
      assertOneOfTwo(
          file(INT64, "optional int64 observed_at (TIMESTAMP(MILLIS,true))")
              .row(row(TIME / 1_000, it -> it.append("value", 1L)))
              .row(row(millis, it -> it.append("value", 2L))),
          Reason.INVALID_VALUE,
          "beyond all microseconds");
    }
  }

  @Test
  public void aTimeOutsideOfTheYears1To9999IsItsRowsFault() throws Exception {
    for (long time : new long[] {-62_135_596_800_000_001L, 253_402_300_800_000_000L}) {
      assertOneOfTwo(
          file(INT64, OBSERVED_AT)
              .row(row(TIME, it -> it.append("value", 1L)))
              .row(row(time, it -> it.append("value", 2L))),
          Reason.INVALID_VALUE,
          "outside of the years 1 to 9999");
    }
  }

  @Test
  public void aTimeThatIsNotAdjustedToUtcIsRefusedByName() {
    InvalidMessageException refused =
        assertThrows(
            InvalidMessageException.class,
            () -> file(INT64, "optional int64 observed_at (TIMESTAMP(MICROS,false))").file());

    assertThat(refused.field()).isEqualTo("observed_at");
    assertThat(refused).hasMessageThat().contains("not adjusted to UTC");
  }

  @Test
  public void smallerIntegersAreTaken() throws Exception {
    Map<String, Long> values =
        Map.of(
            "optional int32 value", -7L,
            "optional int32 value (INTEGER(8,true))", -7L,
            "optional int32 value (INTEGER(16,true))", -7L,
            "optional int32 value (INTEGER(32,false))", 4_294_967_289L,
            "required int32 value (INTEGER(32,true))", -7L);
    for (Map.Entry<String, Long> value : values.entrySet()) {
      ObservationFile file =
          file(value.getKey(), OBSERVED_AT).row(row(TIME, it -> it.append("value", -7))).file();

      assertWithMessage(value.getKey()).that(file.rows().number(0)).isEqualTo(value.getValue());
    }
  }

  @Test
  public void keysMayBeSmallerIntegers() throws Exception {
    ParquetFile file =
        new ParquetFile(
            "INT64", FEATURE, "required int32 pkey", INT64, OBSERVED_AT, OPERATION, DELETED);
    file.row(
        row -> {
          row.append("feature", "item.stock");
          row.append("pkey", 7);
          row.append("observed_at", TIME);
          row.append("operation_id", "op");
          row.append("deleted", false);
        });

    assertThat(file.file().stringKeys()).isFalse();
    assertThat(file.file().rows().integerKey(0)).isEqualTo(7);
    assertThat(FileRows.hex(id(file.file())))
        .isEqualTo(FileRows.hex(ObservationIds.of("op", "item.stock", "7", TIME)));
  }

  @Test
  public void floatsAreTakenForDoubles() throws Exception {
    ObservationFile file =
        typed("FLOAT64", "optional float value")
            .row(row(TIME, it -> it.append("value", 0.1f)))
            .file();

    assertThat(file.rows().float64(0)).isEqualTo((double) 0.1f);
  }

  @Test
  public void numbersOfAnyWidthAreVectorsWhereTheyAreExact() throws Exception {
    double[] numbers = {1.5, -0.25, (float) 0.1, 0, 3.4028234663852886E38, 65504};
    ParquetFile file =
        typed(
            "VECTOR",
            "optional group value (LIST) { repeated group list { optional double element; } }");
    file.row(
        row(
            TIME,
            it -> {
              Group list = it.addGroup("value");
              for (double number : numbers) {
                list.addGroup("list").append("element", number);
              }
            }));
    file.row(
        row(TIME + 1, it -> it.addGroup("value").addGroup("list").append("element", Double.NaN)));
    ObservationFile taken = file.file();

    ByteBuffer read = ByteBuffer.wrap(taken.rows().bytes(0));
    for (double number : numbers) {
      assertThat((double) read.getFloat()).isEqualTo(number);
    }
    for (double tooFine : new double[] {0.1, Double.MIN_VALUE, 16_777_217, Double.MAX_VALUE}) {
      assertOneOfTwo(
          typed(
                  "VECTOR",
                  "optional group value (LIST) { repeated group list { optional double element; }"
                      + " }")
              .row(row(TIME, it -> it.addGroup("value").addGroup("list").append("element", 1.0)))
              .row(
                  row(
                      TIME,
                      it -> it.addGroup("value").addGroup("list").append("element", tooFine))),
          Reason.INVALID_VALUE,
          "which 32 bits do not hold exactly");
    }
  }

  @Test
  public void everyNumberOf16BitsIsTakenExactly() throws Exception {
    ParquetFile file = typed("FLOAT64", "optional fixed_len_byte_array(2) value (FLOAT16)");
    for (int bits = 0; bits < 1 << 16; bits += 7) {
      byte[] half = {(byte) bits, (byte) (bits >> 8)};
      long time = TIME + bits;
      file.row(row(time, it -> it.append("value", bytes(half))));
    }
    ObservationRows rows = file.file().rows();

    for (int row = 0; row < rows.count(); row++) {
      int bits = (int) (rows.observedAt(row) - TIME);
      int exponent = bits >> 10 & 31;
      double size =
          exponent == 0
              ? (bits & 1023) * Math.pow(2, -24)
              : (1024 + (bits & 1023)) * Math.pow(2, exponent - 25);
      double expected = (bits >> 15 == 0 ? 1 : -1) * size;
      if (exponent < 31) {
        assertThat(rows.float64(row)).isEqualTo(expected == 0 ? 0.0 : expected);
      } else {
        assertThat(Double.isFinite(rows.float64(row))).isFalse();
      }
    }
  }

  @Test
  public void unsignedIntegersOf64BitsAreTakenUpToTheGreatestWithASign() throws Exception {
    assertOneOfTwo(
        file("optional int64 value (INTEGER(64,false))", OBSERVED_AT)
            .row(row(TIME, it -> it.append("value", Long.MAX_VALUE)))
            .row(row(TIME, it -> it.append("value", -1L))),
        Reason.INVALID_VALUE,
        "has 18446744073709551615, beyond the greatest integer");
  }

  /** Tools that guess types from values write some type where there are none. */
  @Test
  public void aColumnOfAnyTypeWithNothingInItIsAbsent() throws Exception {
    byte[] expected = file(INT64, OBSERVED_AT).row(row(TIME, it -> {})).file().bytes();
    for (String type : List.of("int32", "boolean", "double", "int96", "int64 %s (DECIMAL(9,2))")) {
      for (String name : List.of("resolver_fqn", "deployment_id", "namespace", "observation_id")) {
        String column =
            "optional " + (type.contains("%s") ? type.formatted(name) : type + " " + name);

        assertWithMessage(column)
            .that(file(INT64, OBSERVED_AT, column).row(row(TIME, it -> {})).file().bytes())
            .isEqualTo(expected);
      }
    }
    assertThat(
            file("optional binary value (STRING)", OBSERVED_AT)
                .row(row(TIME, it -> {}))
                .file()
                .bytes())
        .isEqualTo(expected);
    InvalidMessageException refused =
        assertThrows(
            InvalidMessageException.class,
            () ->
                file(INT64, OBSERVED_AT, "optional int32 resolver_fqn")
                    .row(row(TIME, it -> {}))
                    .row(row(TIME + 1, it -> it.append("resolver_fqn", 1)))
                    .file());
    assertThat(refused.field()).isEqualTo("resolver_fqn");
  }

  /** As some writers make them: what a column is, they say once. */
  @Test
  public void columnsWithoutTheOlderAnnotationAreTheSame() throws Exception {
    byte[] file =
        typed(
                "JSON",
                "optional binary value (JSON)",
                OBSERVED_AT,
                "optional binary namespace (STRING)")
            .row(row(TIME, it -> it.append("value", "[\"größe\"]").append("namespace", "user")))
            .bytes();
    byte[] expected = FileDecoder.decode(BundleEncoder.message(file)).bytes();

    byte[] newer =
        DamagedFilesTest.withFooter(
            file, footer -> footer.getSchema().forEach(SchemaElement::unsetConverted_type));

    assertThat(FileDecoder.decode(BundleEncoder.message(newer)).bytes()).isEqualTo(expected);
  }

  @Test
  public void moreColumnsBesideThanAnybodyHasAreOfNoInterest() throws Exception {
    String[] more = new String[3_000];
    Arrays.setAll(more, i -> "optional int32 c" + i);

    assertThat(file(INT64, OBSERVED_AT, more).row(row(TIME, it -> {})).file().bytes())
        .isEqualTo(file(INT64, OBSERVED_AT).row(row(TIME, it -> {})).file().bytes());
  }

  @Test
  public void jsonMayBeAString() throws Exception {
    ObservationFile file =
        typed("JSON", "optional binary value (STRING)")
            .row(row(TIME, it -> it.append("value", "{\"a\": 1}")))
            .file();

    assertThat(file.rows().bytes(0)).isEqualTo("{\"a\": 1}".getBytes(UTF_8));
  }

  @Test
  public void whatIsNotJsonIsItsRowsFault() throws Exception {
    assertOneOfTwo(
        typed("JSON", "optional binary value (JSON)")
            .row(row(TIME, it -> it.append("value", "[]")))
            .row(row(TIME, it -> it.append("value", "{broken"))),
        Reason.INVALID_VALUE,
        "is not JSON");
  }

  @Test
  public void bytesMayBeOfOneLength() throws Exception {
    ObservationFile file =
        typed("BYTES", "optional fixed_len_byte_array(3) value")
            .row(row(TIME, it -> it.append("value", Binary.fromConstantByteArray(new byte[3]))))
            .file();

    assertThat(file.rows().bytes(0)).isEqualTo(new byte[3]);
  }

  @Test
  public void listsOfTwoLevelsAreVectorsAndWhatHasANullIsItsRowsFault() throws Exception {
    ObservationFile old =
        typed("VECTOR", "optional group value (LIST) { repeated float array; }")
            .row(
                row(
                    TIME,
                    it -> {
                      Group list = it.addGroup("value");
                      list.append("array", 1.5f);
                      list.append("array", -0.0f);
                    }))
            .row(row(TIME + 1, it -> it.addGroup("value")))
            .row(row(TIME + 2, it -> {}))
            .file();

    assertThat(FileRows.hex(old.rows().bytes(0))).isEqualTo("3fc0000000000000");
    assertThat(old.rows().bytes(1)).isEmpty();
    assertThat(old.rows().hasValue(2)).isFalse();
    assertOneOfTwo(
        typed(
                "VECTOR",
                "optional group value (LIST) { repeated group list { optional float element; } }")
            .row(row(TIME, it -> it.addGroup("value").addGroup("list").append("element", 1f)))
            .row(row(TIME, it -> it.addGroup("value").addGroup("list"))),
        Reason.INVALID_VALUE,
        "a null among its numbers");
  }

  @Test
  public void idsMayBeBytesOrTextOrAbsent() throws Exception {
    byte[] id = ObservationIds.of("op", "user.age", "ann", TIME);
    ByteBuffer numbers = ByteBuffer.wrap(id);
    String text = new UUID(numbers.getLong(), numbers.getLong()).toString();
    Map<String, Object> ids =
        Map.of(
            "required fixed_len_byte_array(16) observation_id (UUID)", bytes(id),
            "required fixed_len_byte_array(16) observation_id", bytes(id),
            "optional binary observation_id", bytes(id),
            "optional binary observation_id (STRING)", text);
    for (Map.Entry<String, Object> given : ids.entrySet()) {
      ObservationFile file =
          file(INT64, OBSERVED_AT, given.getKey())
              .row(row(TIME, it -> append(it, "observation_id", given.getValue())))
              .file();

      assertWithMessage(given.getKey()).that(id(file)).isEqualTo(id);
    }
    assertThat(id(file(INT64, OBSERVED_AT).row(row(TIME, it -> {})).file())).isEqualTo(id);
  }

  @Test
  public void anIdThatIsAnotherOrNoneIsItsRowsFault() throws Exception {
    String right = UUID.nameUUIDFromBytes(new byte[0]).toString();
    for (String wrong : List.of(right, "", "1-1-1-1-1", "x".repeat(36), right + "0")) {
      assertOneOfTwo(
          file(INT64, OBSERVED_AT, "optional binary observation_id (STRING)")
              .row(row(TIME, it -> it.append("value", 1L)))
              .row(row(TIME, it -> it.append("observation_id", wrong))),
          Reason.INVALID_VALUE,
          "column 'observation_id' is not the MD5");
    }
  }

  @Test
  public void theNamespaceIsWhatStandsBeforeTheDot() throws Exception {
    ObservationFile file = file(INT64, OBSERVED_AT).row(row(TIME, it -> {})).file();

    assertThat(file.rows().namespace(0)).isEqualTo("user");
    assertThat(file.features().get(0).namespace()).isEqualTo("user");
  }

  @Test
  public void aFeatureWithMoreDotsNeedsANamespace() throws Exception {
    assertOneOfTwo(
        file(INT64, OBSERVED_AT)
            .row(row(TIME, it -> it.append("value", 1L)))
            .row(row("user.card.limit", "ann", "op", TIME)),
        Reason.INVALID_VALUE,
        "more than one dot");
    ObservationFile file =
        file(INT64, OBSERVED_AT, "optional binary namespace (STRING)")
            .row(
                row("user.card.limit", "ann", "op", TIME)
                    .andThen(it -> it.append("namespace", "user")))
            .row(
                row("user.card.limit", "ann", "op-2", TIME)
                    .andThen(it -> it.append("namespace", "user.card")))
            .file();

    assertThat(file.features().stream().map(it -> it.namespace() + ":" + it.feature()))
        .containsExactly("user:user.card.limit", "user.card:user.card.limit")
        .inOrder();
    assertOneOfTwo(
        file(INT64, OBSERVED_AT, "optional binary namespace (STRING)")
            .row(row(TIME, it -> it.append("namespace", "user")))
            .row(row(TIME, it -> it.append("namespace", "use"))),
        Reason.INVALID_VALUE,
        "no feature of the namespace 'use'");
  }

  @Test
  public void whatARowLacksIsItsOwnFault() throws Exception {
    Consumer<Group> good = row(TIME, it -> it.append("value", 1L));
    assertOneOfTwo(
        file(INT64, OBSERVED_AT).row(good).row(row("user.age", "ann", "", TIME)),
        Reason.MISSING_FIELD,
        "column 'operation_id' is empty");
    assertOneOfTwo(
        file(INT64, OBSERVED_AT).row(good).row(row("user.age", "", "op", TIME)),
        Reason.MISSING_FIELD,
        "column 'pkey' is empty");
    assertOneOfTwo(
        file(INT64, OBSERVED_AT).row(good).row(row("age", "ann", "op", TIME)),
        Reason.INVALID_VALUE,
        "no feature");
    assertOneOfTwo(
        file(INT64, OBSERVED_AT)
            .row(good)
            .row(
                it -> {
                  it.append("feature", "user.age");
                  it.append("pkey", "ann");
                  it.append("deleted", false);
                }),
        Reason.MISSING_FIELD,
        "has a null");
    assertOneOfTwo(
        file(INT64, OBSERVED_AT, "optional binary resolver_fqn (STRING)")
            .row(good)
            .row(row(TIME, it -> it.append("resolver_fqn", bytes(new byte[] {(byte) 0xff})))),
        Reason.INVALID_VALUE,
        "column 'resolver_fqn' is not UTF-8");
  }

  @Test
  public void rowsOfSeveralReasonsAreNamedAndCounted() throws Exception {
    ParquetFile file = file(INT64, OBSERVED_AT).row(row(TIME, it -> {}));
    for (int i = 0; i < 3_000; i++) {
      file.row(row("user.age", "u" + i, "", TIME));
    }
    file.row(row("age", "ann", "op", TIME));
    RejectedCells refused = new RejectedCells();

    ObservationFile rest = FileDecoder.decode(BundleEncoder.message(file.bytes()), refused);

    assertThat(rest.rowCount()).isEqualTo(1);
    assertThat(refused.count()).isEqualTo(3_001);
  }

  /** What a letter holds: rows that were refused alone, in the types that they came in. */
  @Test
  public void theRowsThatAreRefusedAreAFileOfTheirOwnWhichIsRefusedLikewise() throws Exception {
    ParquetFile file =
        file(
            INT64,
            "optional int64 observed_at (TIMESTAMP(NANOS,true))",
            "optional binary other (BSON)");
    for (int i = 0; i < 3_000; i++) {
      long time = (TIME + i) * 1_000 + (i % 1_000 == 7 ? 3 : 0);
      String key = "u" + i;
      file.row(row("user.age", key, i == 20 ? "" : "op", time));
    }
    BusMessage message = BundleEncoder.message(file.bytes());
    RejectedCells refused = new RejectedCells();

    FileDecoder.Decoded decoded = FileDecoder.decode(message, refused, FileDecoder.ANY_TIME);

    assertThat(decoded.file().rowCount()).isEqualTo(2_996);
    assertThat(refused.count()).isEqualTo(4);
    byte[] alone = decoded.refusedRows().orElseThrow();
    assertThat(alone.length).isLessThan(message.payload().length / 10);
    RejectedCells again = new RejectedCells();
    ObservationFile nothing = FileDecoder.decode(BundleEncoder.message(alone), again);
    assertThat(nothing.rowCount()).isEqualTo(0);
    assertThat(again.count()).isEqualTo(4);
    assertThat(again.failure("stage", message).orElseThrow().reasons())
        .isEqualTo(refused.failure("stage", message).orElseThrow().reasons());
  }

  @Test
  public void rowsThatAStoreRefusesAreACanonicalFileOfTheirOwn() throws Exception {
    ParquetFile file = file(INT64, OBSERVED_AT);
    for (int i = 0; i < 300; i++) {
      String key = "u" + i;
      file.row(row(i % 2 == 0 ? "user.age" : "user.zip", key, "op", TIME + i));
    }
    ObservationFile whole = file.file();
    BitSet some = new BitSet();
    some.set(3);
    some.set(10, 20);
    some.set(200);

    ObservationFile alone =
        FileDecoder.decode(
            BundleEncoder.message(
                SomeRows.of(List.of(new SomeRows.Part(whole, some.stream().toArray())))));

    assertThat(alone.bytes()).isSameInstanceAs(alone.message().payload());
    List<String> all = FileRows.of(whole);
    assertThat(FileRows.of(alone)).isEqualTo(some.stream().mapToObj(all::get).toList());
  }

  @Test
  public void namesThatDifferInCaseAreOthers() throws Exception {
    ObservationFile file =
        file(INT64, OBSERVED_AT, "optional int64 Value", "optional binary VALUE (BSON)")
            .row(
                row(
                    TIME,
                    it -> {
                      it.append("value", 7L);
                      it.append("Value", 8L);
                    }))
            .file();

    assertThat(file.rows().number(0)).isEqualTo(7);
    InvalidMessageException refused =
        assertThrows(
            InvalidMessageException.class, () -> file("optional int64 Value", OBSERVED_AT).file());
    assertThat(refused.field()).isEqualTo("value");
  }

  @Test
  public void columnsOfNoInterestMayBeOfAnyType() throws Exception {
    ObservationFile file =
        file(
                INT64,
                OBSERVED_AT,
                "optional binary extra (BSON)",
                "optional int32 number",
                "optional group nested { required group inner { repeated int64 many; } }",
                "optional group tags (MAP) { repeated group key_value { required binary key"
                    + " (STRING); optional int32 value; } }",
                "optional binary amount (DECIMAL(30,2))",
                "optional int32 clock (TIME(MILLIS,false))")
            .row(
                row(
                    TIME,
                    it -> {
                      it.append("extra", bytes(new byte[] {5, 0, 0, 0, 0}));
                      it.append("number", 4);
                      it.addGroup("nested").addGroup("inner").append("many", 1L).append("many", 2L);
                    }))
            .file();

    assertThat(file.bytes())
        .isEqualTo(file(INT64, OBSERVED_AT).row(row(TIME, it -> {})).file().bytes());
  }

  @Test
  public void everyUsualCodecIsTakenWithAndWithoutDictionaries() throws Exception {
    byte[] expected = file(INT64, OBSERVED_AT).row(row(TIME, it -> {})).file().bytes();
    for (CompressionCodecName codec :
        List.of(
            CompressionCodecName.UNCOMPRESSED,
            CompressionCodecName.SNAPPY,
            CompressionCodecName.GZIP,
            CompressionCodecName.ZSTD,
            CompressionCodecName.LZ4_RAW)) {
      ParquetFile file = file(INT64, OBSERVED_AT).row(row(TIME, it -> {})).compressed(codec);

      assertWithMessage("%s", codec).that(file.file().bytes()).isEqualTo(expected);
      assertWithMessage("%s", codec)
          .that(file.withoutDictionary().file().bytes())
          .isEqualTo(expected);
    }
  }

  @Test
  public void aFileWithoutRowsHasNone() throws Exception {
    ObservationFile file = file(INT64, OBSERVED_AT).file();

    assertThat(file.rowCount()).isEqualTo(0);
    assertThat(file.features()).isEmpty();
    assertThat(file.rows().count()).isEqualTo(0);
  }

  private static ParquetFile file(String value, String observedAt, String... more) {
    return typed("INT64", value, observedAt, more);
  }

  private static ParquetFile typed(String type, String value) {
    return typed(type, value, OBSERVED_AT);
  }

  private static ParquetFile typed(String type, String value, String observedAt, String... more) {
    String[] columns = new String[6 + more.length];
    List.of(FEATURE, KEY, value, observedAt, OPERATION, DELETED).toArray(columns);
    System.arraycopy(more, 0, columns, 6, more.length);
    return new ParquetFile(type, columns);
  }

  private static Consumer<Group> row(Object time, Consumer<Group> more) {
    return row("user.age", "ann", "op", time).andThen(more);
  }

  private static Consumer<Group> row(String feature, String key, String operation, Object time) {
    return row -> {
      row.append("feature", feature);
      row.append("pkey", key);
      append(row, "observed_at", time);
      row.append("operation_id", operation);
      row.append("deleted", false);
    };
  }

  private static void append(Group row, String column, Object value) {
    if (value instanceof Long number) {
      row.append(column, (long) number);
    } else if (value instanceof Binary bytes) {
      row.add(column, bytes);
    } else {
      row.append(column, (String) value);
    }
  }

  private static Binary bytes(byte[] bytes) {
    return Binary.fromConstantByteArray(bytes);
  }

  private static Binary int96(long nanos) {
    long nanosADay = 86_400_000_000_000L;
    return bytes(
        ByteBuffer.allocate(12)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(Math.floorMod(nanos, nanosADay))
            .putInt((int) (Math.floorDiv(nanos, nanosADay) + 2_440_588))
            .array());
  }

  private static byte[] id(ObservationFile file) throws Exception {
    byte[] id = new byte[ObservationIds.LENGTH];
    file.rows().id(0).get(id);
    return id;
  }

  /** Of two rows the first is taken and the second refused. */
  private static void assertOneOfTwo(ParquetFile file, Reason reason, String why) throws Exception {
    RejectedCells refused = new RejectedCells();
    ObservationFile rest = FileDecoder.decode(BundleEncoder.message(file.bytes()), refused);

    assertWithMessage(why).that(rest.rowCount()).isEqualTo(1);
    assertThat(FileRows.of(rest).get(0))
        .contains("user.age | " + HexFormat.of().formatHex(id(rest)));
    List<Failure> failures =
        refused.failure("Stage", BundleEncoder.message(file.bytes())).stream().toList();
    assertThat(failures).hasSize(1);
    assertThat(failures.get(0).reason()).isEqualTo(reason);
    assertThat(failures.get(0).cellCount()).isEqualTo(1);
    assertThat(failures.get(0).cells().get(0).message()).contains("row 1: ");
    assertThat(failures.get(0).cells().get(0).message()).contains(why);
  }
}
