package io.tailrace.pipelines.local.proof;

import java.time.Instant;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Types of columns: their names in the stores, how SQL makes them text, and what that means. */
enum StoredType {
  ID("UUID", "uuid"),
  INT64("BIGINT", "int8"),
  FLOAT64("DOUBLE", "float8"),
  BOOL("BOOLEAN", "bool"),
  STRING("VARCHAR", "text"),
  BYTES("BLOB", "bytea", "hex(%s)", "encode(%s, 'hex')"),
  // Before PostgreSQL 14 the epoch of a time that is no whole second is not exact.
  TIMESTAMP(
      "TIMESTAMP WITH TIME ZONE",
      "timestamptz",
      "epoch_us(%1$s)",
      "extract(epoch FROM date_trunc('second', %1$s))::bigint * 1000000"
          + " + extract(microseconds FROM %1$s)::bigint %% 1000000"),
  /** A time that the store chooses. */
  SOME_TIME(TIMESTAMP.inDuckDb, TIMESTAMP.inPostgres),
  DATE("DATE", "date", "%s - DATE '1970-01-01'", "%s - DATE '1970-01-01'"),
  VECTOR("FLOAT[]", "_float4"),
  JSON("JSON", "json"),
  /** Texts in any order, without commas. */
  TEXTS("VARCHAR[]", "_text", "array_to_string(%s, ',')", "array_to_string(%s, ',')"),
  /** Of a column that may have any type, or be absent, as it is null everywhere. */
  NOTHING("", "");

  /** Stands for every time that is not null, where the store chooses it. */
  static final String SOME_TIME_OR_OTHER = "a time";

  private final String inDuckDb;
  private final String inPostgres;
  private final String duckDbText;
  private final String postgresText;

  StoredType(String inDuckDb, String inPostgres) {
    this(inDuckDb, inPostgres, "%s", "%s");
  }

  StoredType(String inDuckDb, String inPostgres, String duckDbText, String postgresText) {
    this.inDuckDb = inDuckDb;
    this.inPostgres = inPostgres;
    this.duckDbText = duckDbText;
    this.postgresText = postgresText;
  }

  String nameIn(StoreSql dialect) {
    return dialect == StoreSql.DUCKDB ? inDuckDb : inPostgres;
  }

  String asText(StoreSql dialect, String column) {
    String expression = dialect == StoreSql.DUCKDB ? duckDbText : postgresText;
    return "CAST(" + String.format(Locale.ROOT, expression, column) + " AS VARCHAR)";
  }

  /** Returns what a text means; the text itself where it means nothing. */
  @Nullable Object parse(@Nullable String text) {
    if (text == null) {
      return null;
    }
    try {
      return switch (this) {
        case ID -> UUID.fromString(text);
        case INT64 -> Long.valueOf(text);
        case FLOAT64 -> Double.valueOf(number(text));
        case BOOL -> Boolean.valueOf(text);
        case BYTES -> HexFormat.of().parseHex(text);
        case TIMESTAMP -> Instant.EPOCH.plus(Long.parseLong(text), ChronoUnit.MICROS);
        case SOME_TIME -> SOME_TIME_OR_OTHER;
        case DATE -> LocalDate.ofEpochDay(Long.parseLong(text));
        case VECTOR -> numbers(text.substring(1, text.length() - 1));
        case TEXTS -> text.isEmpty() ? Set.of() : new TreeSet<>(Arrays.asList(text.split(",")));
        case STRING, JSON, NOTHING -> text;
      };
    } catch (IllegalArgumentException e) {
      return text;
    }
  }

  private static float[] numbers(String list) {
    String[] texts = list.isEmpty() ? new String[0] : list.split(",");
    float[] numbers = new float[texts.length];
    for (int i = 0; i < texts.length; i++) {
      numbers[i] = Float.parseFloat(number(texts[i].strip()));
    }
    return numbers;
  }

  /** DuckDB writes other words than Java for what is no finite number. */
  private static String number(String text) {
    return switch (text) {
      case "nan" -> "NaN";
      case "inf" -> "Infinity";
      case "-inf" -> "-Infinity";
      default -> text;
    };
  }
}
