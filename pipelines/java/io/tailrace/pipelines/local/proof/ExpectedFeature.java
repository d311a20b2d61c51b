package io.tailrace.pipelines.local.proof;

import io.tailrace.pipelines.local.proof.ExpectedTable.Field;
import io.tailrace.pipelines.local.proof.ExpectedTable.Row;
import io.tailrace.v1.Column;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The table of one feature. */
final class ExpectedFeature {
  final Map<UUID, Observation> rows = new HashMap<>();
  private final String name;
  private final boolean stringKeys;
  private Column.@Nullable Type type;

  ExpectedFeature(String name, boolean stringKeys) {
    this.name = name;
    this.stringKeys = stringKeys;
  }

  void add(UUID id, Observation observation, Column.@Nullable Type observed) {
    if (stringKeys != observation.key() instanceof String) {
      throw new IllegalArgumentException(name + " has keys of two types");
    }
    if (type != null && observed != null && type != observed) {
      throw new IllegalArgumentException(name + " is " + type + " and " + observed);
    }
    type = type == null ? observed : type;
    rows.merge(id, observation, (a, b) -> Observation.ORDER.compare(a, b) >= 0 ? a : b);
  }

  List<Field> fields() {
    return List.of(
        new Field("observation_id", StoredType.ID),
        new Field("pkey", stringKeys ? StoredType.STRING : StoredType.INT64),
        new Field("value", type == null ? StoredType.NOTHING : StoredType.valueOf(type.name())),
        new Field("observed_at", StoredType.TIMESTAMP),
        new Field("inserted_at", StoredType.SOME_TIME),
        new Field("resolver_fqn", StoredType.STRING),
        new Field("deployment_id", StoredType.STRING),
        new Field("operation_id", StoredType.STRING),
        new Field("deleted", StoredType.BOOL));
  }

  enum Kind {
    VALUE,
    NULL,
    DELETED
  }

  /** What the observations of one result have in common. */
  record Operation(String id, @Nullable String deployment) {}

  /** One observation of one feature; the value is null for a null and a deletion. */
  record Observation(
      Object key,
      Kind kind,
      @Nullable Object value,
      long observedAt,
      @Nullable String resolver,
      Operation operation)
      implements Row {

    static final Comparator<Observation> ORDER =
        Comparator.comparing(Observation::kind)
            .thenComparing(Observation::encoded, Arrays::compareUnsigned);

    private byte[] encoded() {
      if (value instanceof Long number) {
        return ByteBuffer.allocate(8).putLong(number).array();
      } else if (value instanceof Double number) {
        return ByteBuffer.allocate(8).putLong(Double.doubleToLongBits(number)).array();
      } else if (value instanceof Boolean bool) {
        return new byte[] {(byte) (bool ? 1 : 0)};
      } else if (value instanceof String text) {
        return text.getBytes(StandardCharsets.UTF_8);
      } else if (value instanceof byte[] bytes) {
        return bytes;
      } else if (value instanceof Instant instant) {
        return ByteBuffer.allocate(8)
            .putLong(ChronoUnit.MICROS.between(Instant.EPOCH, instant))
            .array();
      } else if (value instanceof LocalDate date) {
        return ByteBuffer.allocate(4).putInt((int) date.toEpochDay()).array();
      } else if (value instanceof float[] numbers) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * numbers.length);
        for (float number : numbers) {
          bytes.putInt(Float.floatToIntBits(number));
        }
        return bytes.array();
      }
      return new byte[0];
    }

    @Override
    public List<@Nullable Object> cells() {
      return Arrays.asList(
          key,
          value,
          Instant.EPOCH.plus(observedAt, ChronoUnit.MICROS),
          StoredType.SOME_TIME_OR_OTHER,
          resolver,
          operation.deployment(),
          operation.id(),
          kind == Kind.DELETED);
    }
  }
}
