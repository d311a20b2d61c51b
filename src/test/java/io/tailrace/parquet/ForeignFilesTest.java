package io.tailrace.parquet;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.offline.BundleEncoder;
import io.tailrace.parquet.ObservationFile.FeatureRows;
import io.tailrace.result.ValueType;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.Test;

/** Which files of other publishers are taken, and why others are refused. */
public class ForeignFilesTest {
  private static final String TIME = "TIMESTAMPTZ '2026-01-01 00:00:00+00'";

  private static final ForeignFile GOOD =
      ForeignFile.of(
          ValueType.INT64,
          "('user.zip', 'größe', NULL, " + TIME + ", 'op-2')",
          "('user.age', 'ann', 42::BIGINT, " + TIME + ", 'op-1')");

  @Test
  public void aFileThatDuckDbWrote() throws Exception {
    ObservationFile file = GOOD.file();

    assertThat(file.valueType()).hasValue(ValueType.INT64);
    assertThat(file.features())
        .containsExactly(
            new FeatureRows("user", "user.age", 1), new FeatureRows("user", "user.zip", 1))
        .inOrder();
    assertThat(file.earliest()).isEqualTo(1_767_225_600_000_000L);
    assertThat(file.latest()).isEqualTo(1_767_225_600_000_000L);
    assertThat(file.publishedFrom()).isEmpty();
    assertThat(FileRows.of(file).get(0))
        .isEqualTo(
            FileRows.row(
                "user.age",
                FileRows.hex(ObservationIds.of("op-1", "user.age", "ann", 1_767_225_600_000_000L)),
                "ann",
                "42",
                1_767_225_600_000_000L,
                "resolvers.get",
                "",
                "op-1",
                false));
  }

  @Test
  public void everyTypeThatDuckDbWrote() throws Exception {
    Map<ValueType, String> values = new EnumMap<>(ValueType.class);
    values.put(ValueType.INT64, "-42::BIGINT");
    values.put(ValueType.FLOAT64, "1.5::DOUBLE");
    values.put(ValueType.BOOL, "true");
    values.put(ValueType.STRING, "'größe'");
    values.put(ValueType.BYTES, "'\\x00\\xFF'::BLOB");
    values.put(ValueType.TIMESTAMP, "TIMESTAMPTZ '1969-12-31 23:59:59.999999+00'");
    values.put(ValueType.DATE, "DATE '1969-12-31'");
    values.put(ValueType.VECTOR, "[1.5, -0.25]::FLOAT[]");
    values.put(ValueType.JSON, "'[1,2]'::JSON");
    Map<ValueType, String> read = new EnumMap<>(ValueType.class);
    for (Map.Entry<ValueType, String> value : values.entrySet()) {
      ObservationFile file =
          ForeignFile.of(
                  value.getKey(),
                  "('item.v', 7::BIGINT, " + value.getValue() + ", " + TIME + ", 'op')")
              .file();
      assertThat(file.stringKeys()).isFalse();
      read.put(value.getKey(), FileRows.of(file).get(0).split(" \\| ", -1)[3]);
    }

    assertThat(read)
        .containsExactly(
            ValueType.INT64, "-42",
            ValueType.FLOAT64, "3ff8000000000000",
            ValueType.BOOL, "1",
            ValueType.STRING, FileRows.hex("größe".getBytes(UTF_8)),
            ValueType.BYTES, "00ff",
            ValueType.TIMESTAMP, "-1",
            ValueType.DATE, "-1",
            ValueType.VECTOR, "3fc00000be800000",
            ValueType.JSON, FileRows.hex("[1,2]".getBytes(UTF_8)));
  }

  @Test
  public void deletionsThatDuckDbWrote() throws Exception {
    ObservationFile file =
        ForeignFile.ofDeletions("('user.', 'ann', 0, " + TIME + ", 'op')").file();

    assertThat(file.valueType()).isEmpty();
    assertThat(file.rows().isDeleted(0)).isTrue();
  }

  @Test
  public void theEncodingsOfVersionTwoOfParquet() throws Exception {
    Map<ValueType, String> values = new EnumMap<>(ValueType.class);
    values.put(ValueType.INT64, "(hash(i) >> 1)::BIGINT");
    values.put(ValueType.STRING, "'text ' || hash(i)");
    values.put(ValueType.FLOAT64, "hash(i)::DOUBLE");
    values.put(ValueType.BOOL, "hash(i) % 2 = 0");
    values.put(ValueType.VECTOR, "[i, 2 * i]::FLOAT[]");
    for (Map.Entry<ValueType, String> value : values.entrySet()) {
      ForeignFile file = many(value.getKey(), 5_000, value.getValue());

      assertWithMessage("%s", value.getKey())
          .that(FileRows.of(decoded(file.bytes("ZSTD, PARQUET_VERSION V2"))))
          .isEqualTo(FileRows.of(file.file()));
    }
  }

  @Test
  public void longValuesThatRepeatAreAsManyAsThereAreRows() throws Exception {
    ObservationFile file =
        many(ValueType.STRING, 2_000, "repeat(chr((97 + i % 2)::INTEGER), 10000)").file();

    assertThat(file.rows().bytes(1_999)).hasLength(10_000);
    assertThat(file.decompressedBytes()).isGreaterThan(2_000L * 10_000);
  }

  @Test
  public void whatItsRowsTakeWithoutADictionaryIsBounded() {
    refused(
        many(ValueType.STRING, 50_000, "repeat(chr((97 + i % 2)::INTEGER), 10000)"),
        Reason.TOO_LARGE,
        "value");
  }

  @Test
  public void whatItsPagesTakeIsKnownHoweverTheyAreCompressed() throws Exception {
    ObservationFile plain = decoded(GOOD.bytes("UNCOMPRESSED"));

    assertThat(plain.decompressedBytes()).isGreaterThan(100L);
    assertThat(plain.decompressedBytes()).isLessThan((long) plain.bytes().length);
    assertThat(decoded(GOOD.bytes("ZSTD")).decompressedBytes())
        .isEqualTo(plain.decompressedBytes());
  }

  @Test
  public void columnsMayBeInAnyOrderAndOthersAreOfNoInterest() throws Exception {
    assertThat(GOOD.without("feature").with("more", "1").with("feature", "feature").file().rows())
        .isNotNull();
  }

  @Test
  public void aWrongIdIsRefused() {
    refused(GOOD.with("observation_id", "uuid()"), Reason.INVALID_VALUE, "observation_id");
    refused(
        GOOD.with("observed_at", "observed_at + INTERVAL 1 MICROSECOND")
            .with("observation_id", ForeignFile.ID.replace("epoch_us", "epoch_ms")),
        Reason.INVALID_VALUE,
        "observation_id");
  }

  @Test
  public void aColumnOfAWrongTypeIsRefusedByName() {
    Map.of(
            "feature", "encode(feature)",
            "observation_id", "1",
            "pkey", "1.5::DOUBLE",
            "value", "'42'",
            "observed_at", "observed_at::TIMESTAMP",
            "resolver_fqn", "1",
            "deployment_id", "1",
            "operation_id", "encode(operation_id)",
            "deleted", "0")
        .forEach((column, sql) -> refused(GOOD.with(column, sql), Reason.UNKNOWN_TYPE, column));
    refused(GOOD.with("value", "value::HUGEINT::DOUBLE"), Reason.UNKNOWN_TYPE, "value");
    refused(GOOD.with("observed_at", "epoch_us(observed_at)"), Reason.UNKNOWN_TYPE, "observed_at");
  }

  @Test
  public void aColumnThatIsMissingIsRefusedByName() {
    for (String column : List.of("feature", "operation_id", "pkey", "value", "observed_at")) {
      refused(GOOD.without(column), Reason.MISSING_FIELD, column);
    }
    refused(
        ForeignFile.ofDeletions("('user.age', 'ann', 0, " + TIME + ", 'op')").without("deleted"),
        Reason.MISSING_FIELD,
        "deleted");
  }

  @Test
  public void aNullWhereNoneMayBeIsRefusedByName() {
    refused(nulled("feature", "VARCHAR"), Reason.MISSING_FIELD, "feature");
    refused(nulled("pkey", "VARCHAR"), Reason.MISSING_FIELD, "pkey");
    refused(nulled("operation_id", "VARCHAR"), Reason.MISSING_FIELD, "operation_id");
    refused(nulled("observed_at", "TIMESTAMPTZ"), Reason.MISSING_FIELD, "observed_at");
    refused(nulled("deleted", "BOOLEAN"), Reason.MISSING_FIELD, "deleted");
    refused(nulled("pkey", "BIGINT"), Reason.MISSING_FIELD, "pkey");
  }

  @Test
  public void aFooterThatLacksATextIsRefusedByItsKey() {
    for (String key :
        List.of("tailrace.kind", "tailrace.environment_id", "tailrace.schema_version")) {
      refused(GOOD.withoutText(key), Reason.MISSING_FIELD, key);
    }
  }

  @Test
  public void aFooterWithAWrongTextIsRefusedByItsKey() {
    refused(GOOD.withText("tailrace.colour", "red"), Reason.INVALID_VALUE, "tailrace.colour");
    refused(GOOD.withText("tailrace.kind", "rows"), Reason.UNKNOWN_TYPE, "tailrace.kind");
    refused(
        GOOD.withText("tailrace.value_type", "int64"), Reason.UNKNOWN_TYPE, "tailrace.value_type");
    refused(
        GOOD.withText("tailrace.environment_id", ""),
        Reason.MISSING_FIELD,
        "tailrace.environment_id");
    refused(
        GOOD.withText("tailrace.schema_version", "2"),
        Reason.UNKNOWN_TYPE,
        "tailrace.schema_version");
    refused(
        GOOD.withText("tailrace.published_from", "now"),
        Reason.INVALID_VALUE,
        "tailrace.published_from");
  }

  @Test
  public void aWrongChecksumMakesAFileForeignAndNotDamaged() throws Exception {
    ObservationFile file = GOOD.withText("tailrace.crc32c", "00000000").file();

    assertThat(file.bytes()).isEqualTo(GOOD.file().bytes());
  }

  @Test
  public void aTextOfSomebodyElseInTheFooterIsOfNoInterest() throws Exception {
    assertThat(GOOD.withText("pandas", "{}").file().rowCount()).isEqualTo(2);
  }

  @Test
  public void deletionsAndValuesAreNotMixed() {
    refused(GOOD.with("deleted", "feature = 'user.age'"), Reason.INVALID_VALUE, "deleted");
    refused(GOOD.withoutText("tailrace.value_type"), Reason.INVALID_VALUE, "deleted");
  }

  @Test
  public void whatIsNoFeatureIsRefused() {
    for (String feature : List.of("age", ".age", "", "user.")) {
      refused(GOOD.with("feature", "'" + feature + "'"), Reason.INVALID_VALUE, "feature");
    }
  }

  private static ForeignFile many(ValueType type, int rows, String value) {
    ForeignFile one = ForeignFile.of(type, "('', 0, 0, 0, '')");
    return new ForeignFile(
        one.columns(),
        "(SELECT 'user.age' AS feature, i AS pkey, "
            + value
            + " AS value, "
            + TIME
            + " AS observed_at, 'op' AS operation_id FROM range("
            + rows
            + ") AS numbers(i)) AS rows",
        one.footer());
  }

  private static ObservationFile decoded(byte[] file) throws Exception {
    return FileDecoder.decode(BundleEncoder.message(file));
  }

  private static ForeignFile nulled(String column, String type) {
    return GOOD.with(column, "NULL::" + type);
  }

  private static void refused(ForeignFile file, Reason reason, String field) {
    InvalidMessageException refused =
        assertThrows(field, InvalidMessageException.class, file::file);
    assertWithMessage(refused.getMessage()).that(refused.field()).isEqualTo(field);
    assertWithMessage(refused.getMessage()).that(refused.reason()).isEqualTo(reason);
  }
}
