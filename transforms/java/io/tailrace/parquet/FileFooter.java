package io.tailrace.parquet;

import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.result.ValueType;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the texts in a file's footer say of its rows. Immutable.
 *
 * @param valueType the type of the values; empty for deletions and for queries
 * @param publishedFrom when the oldest of the results in it was published, in microseconds since
 *     the epoch; zero when it does not say
 */
record FileFooter(
    Kind kind, String environment, Optional<ValueType> valueType, long publishedFrom) {
  private static final Set<String> KEYS =
      Set.of(
          ObservationSchema.KIND,
          ObservationSchema.VALUE_TYPE,
          ObservationSchema.ENVIRONMENT_ID,
          ObservationSchema.SCHEMA_VERSION,
          ObservationSchema.PUBLISHED_FROM,
          ObservationSchema.CHECKSUM);

  private static final String OUR_KEYS = "tailrace.";

  /**
   * Reads the texts of a footer.
   *
   * @throws InvalidMessageException if they are not what the rows of a file can go by
   */
  static FileFooter of(Map<String, String> texts) throws InvalidMessageException {
    for (String key : texts.keySet()) {
      if (key.startsWith(OUR_KEYS) && !KEYS.contains(key)) {
        throw new InvalidMessageException(
            Reason.INVALID_VALUE, key, "the footer's key '" + key + "' is unknown");
      }
    }
    String version = required(texts, ObservationSchema.SCHEMA_VERSION, "'1'");
    if (!version.equals(ObservationSchema.VERSION)) {
      throw new InvalidMessageException(
          Reason.UNKNOWN_TYPE,
          ObservationSchema.SCHEMA_VERSION,
          "the file has version '" + version + "' of the layout; this program knows 1");
    }
    String kind = required(texts, ObservationSchema.KIND, "observations or query_log");
    if (!kind.equals(ObservationSchema.OBSERVATIONS) && !kind.equals(ObservationSchema.QUERIES)) {
      throw new InvalidMessageException(
          Reason.UNKNOWN_TYPE,
          ObservationSchema.KIND,
          "the file is of kind '" + kind + "'; expected observations or query_log");
    }
    String environment = required(texts, ObservationSchema.ENVIRONMENT_ID, "the environment");
    if (environment.isEmpty()) {
      throw new InvalidMessageException(
          Reason.MISSING_FIELD,
          ObservationSchema.ENVIRONMENT_ID,
          "the footer's " + ObservationSchema.ENVIRONMENT_ID + " is empty");
    }
    boolean areQueries = kind.equals(ObservationSchema.QUERIES);
    return new FileFooter(
        areQueries ? Kind.QUERIES : Kind.OBSERVATIONS,
        environment,
        areQueries ? Optional.empty() : valueType(texts),
        publishedFrom(texts));
  }

  private static String required(Map<String, String> texts, String key, String expected)
      throws InvalidMessageException {
    String value = texts.get(key);
    if (value == null) {
      throw new InvalidMessageException(
          Reason.MISSING_FIELD,
          key,
          "the file's footer lacks the key-value metadata " + key + " (" + expected + ")");
    }
    return value;
  }

  private static Optional<ValueType> valueType(Map<String, String> texts)
      throws InvalidMessageException {
    String name = texts.get(ObservationSchema.VALUE_TYPE);
    if (name == null) {
      return Optional.empty();
    }
    for (ValueType type : ValueType.values()) {
      if (type.name().equals(name)) {
        return Optional.of(type);
      }
    }
    throw new InvalidMessageException(
        Reason.UNKNOWN_TYPE,
        ObservationSchema.VALUE_TYPE,
        "value type '" + name + "' is none of " + Arrays.toString(ValueType.values()));
  }

  private static long publishedFrom(Map<String, String> texts) throws InvalidMessageException {
    String published = texts.getOrDefault(ObservationSchema.PUBLISHED_FROM, "0");
    try {
      return Long.parseLong(published);
    } catch (NumberFormatException e) {
      throw new InvalidMessageException(
          Reason.INVALID_VALUE,
          ObservationSchema.PUBLISHED_FROM,
          "'" + published + "' is not a time in microseconds");
    }
  }

  /**
   * Returns the texts that say this, always in one order: the checksum is looked for from behind.
   */
  Map<String, String> texts() {
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put(
        ObservationSchema.KIND,
        kind == Kind.QUERIES ? ObservationSchema.QUERIES : ObservationSchema.OBSERVATIONS);
    valueType.ifPresent(type -> texts.put(ObservationSchema.VALUE_TYPE, type.name()));
    texts.put(ObservationSchema.ENVIRONMENT_ID, environment);
    texts.put(ObservationSchema.SCHEMA_VERSION, ObservationSchema.VERSION);
    if (publishedFrom != 0) {
      texts.put(ObservationSchema.PUBLISHED_FROM, Long.toString(publishedFrom));
    }
    texts.put(ObservationSchema.CHECKSUM, FileChecksum.UNKNOWN);
    return texts;
  }
}
