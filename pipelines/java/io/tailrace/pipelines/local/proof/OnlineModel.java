package io.tailrace.pipelines.local.proof;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.v1.Column;
import io.tailrace.v1.Column.CacheDefaults;
import io.tailrace.v1.Column.CacheNulls;
import io.tailrace.v1.Column.Origin;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a reader of the online store must see after a number of results, worked out from the results
 * alone and in the plainest way, so that it errs in other places than the writer, if at all: it
 * shares no code with it.
 *
 * <p>For each feature of each entity the greatest observation stands: the latest; of those at the
 * same time a deletion before a null before a value; then the one that expires last; then the one
 * whose type has the greater number; then the one whose encoded bytes are greater. The deletion of
 * an entity takes away what was observed until then. A reader sees what stands, unless it is a
 * deletion or has expired.
 *
 * <p>The order in which results are added does not matter, nor does adding them twice. Not
 * thread-safe.
 */
public final class OnlineModel {
  /** How far after its publication an observation may be, by the writer's default. */
  private static final long MAX_CLOCK_SKEW = micros(Duration.ofMinutes(5));

  private static final long FOREVER = Long.MAX_VALUE;

  /** Entities that are read back in one call. */
  private static final int BATCH = 1_000;

  private static final int DIFFERENCES_LISTED = 10;

  private enum Kind {
    VALUE,
    NULL,
    DELETED
  }

  /** One observation of one feature; the value is empty for a null and a deletion. */
  private record Observation(
      long observedAt, Kind kind, long expiresAt, Column.Type type, Optional<Object> value) {

    static final Comparator<Observation> ORDER =
        Comparator.comparingLong(Observation::observedAt)
            .thenComparing(Observation::kind)
            .thenComparingLong(Observation::expiresAt)
            .thenComparingInt(observation -> observation.type().getNumber())
            .thenComparing(Observation::encoded, Arrays::compareUnsigned);

    private byte[] encoded() {
      Object it = value.orElse(null);
      if (it instanceof Long number) {
        return ByteBuffer.allocate(8).putLong(number).array();
      } else if (it instanceof Double number) {
        return ByteBuffer.allocate(8).putDouble(number).array();
      } else if (it instanceof Boolean bool) {
        return new byte[] {(byte) (bool ? 1 : 0)};
      } else if (it instanceof String text) {
        return text.getBytes(StandardCharsets.UTF_8);
      } else if (it instanceof byte[] bytes) {
        return bytes;
      } else if (it instanceof Instant instant) {
        return ByteBuffer.allocate(8).putLong(sinceEpoch(instant)).array();
      } else if (it instanceof LocalDate date) {
        return ByteBuffer.allocate(4).putInt((int) date.toEpochDay()).array();
      } else if (it instanceof float[] numbers) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * numbers.length);
        for (float number : numbers) {
          bytes.putFloat(number);
        }
        return bytes.array();
      }
      return new byte[0];
    }

    boolean isServed(long now) {
      return kind != Kind.DELETED && (expiresAt == FOREVER || expiresAt > now);
    }
  }

  private static final class Entity {
    final Map<String, Observation> features = new TreeMap<>();
    long deletedUntil = Long.MIN_VALUE;

    void observe(String name, Observation observation) {
      features.merge(name, observation, (a, b) -> Observation.ORDER.compare(a, b) >= 0 ? a : b);
    }

    Optional<Observation> served(String name, long now) {
      return Optional.ofNullable(features.get(name))
          .filter(observation -> observation.observedAt() > deletedUntil)
          .filter(observation -> observation.isServed(now));
    }
  }

  /**
   * A feature that is not as it must be.
   *
   * @param expected what a reader must see, in words
   * @param found what it sees, in words
   */
  record Difference(EntityKey entity, String feature, String expected, String found) {
    @Override
    public String toString() {
      return entity.namespace()
          + " "
          + entity.primaryKey()
          + " "
          + feature
          + ": expected "
          + expected
          + ", found "
          + found;
    }
  }

  /**
   * The store beside the model.
   *
   * @param entities how many entities were read back
   * @param features how many features a reader must see or sees
   * @param departures how many of these are not as they must be, and how
   * @param first the first differences
   */
  record Comparison(
      int entities, long features, Map<Departure, Long> departures, List<Difference> first) {
    long differences() {
      return Departure.total(departures);
    }
  }

  private final Map<EntityKey, Entity> entities =
      new TreeMap<>(
          Comparator.comparing(EntityKey::environment)
              .thenComparing(EntityKey::namespace)
              .thenComparing(EntityKey::primaryKey));

  /**
   * Adds a result that was published.
   *
   * @param publishedAt microseconds since the epoch
   */
  public void add(QueryResult result, long publishedAt) {
    for (Frame frame : result.getFramesList()) {
      List<Entity> rows =
          entities(
              result.getEnvironmentId(),
              frame.getNamespace(),
              frame.getStringKeysList(),
              frame.getInt64KeysList());
      for (Column column : frame.getColumnsList()) {
        if (!isOwn(column) || column.getSkipOnline() || column.getMaxStaleness() == 0) {
          continue;
        }
        for (int row = 0; row < rows.size(); row++) {
          long observedAt = column.getObservedAt(column.getObservedAtCount() == 1 ? 0 : row);
          if (observedAt > publishedAt + MAX_CLOCK_SKEW) {
            continue;
          }
          Entity entity = rows.get(row);
          observation(column, row, observedAt)
              .ifPresent(it -> entity.observe(name(frame.getNamespace(), column), it));
        }
      }
    }
    for (Deletion deletion : result.getDeletionsList()) {
      long observedAt = deletion.getObservedAt();
      if (observedAt > publishedAt + MAX_CLOCK_SKEW) {
        continue;
      }
      for (Entity entity :
          entities(
              result.getEnvironmentId(),
              deletion.getNamespace(),
              deletion.getStringKeysList(),
              deletion.getInt64KeysList())) {
        if (deletion.getFeaturesCount() == 0) {
          entity.deletedUntil = Math.max(entity.deletedUntil, observedAt);
        }
        for (String feature : deletion.getFeaturesList()) {
          entity.observe(
              feature.substring(deletion.getNamespace().length() + 1), deleted(observedAt));
        }
      }
    }
  }

  /**
   * Adds a result that must be refused: its entities are looked at, and nothing of it may be there.
   */
  public void addRefused(QueryResult result) {
    for (Frame frame : result.getFramesList()) {
      var unused =
          entities(
              result.getEnvironmentId(),
              frame.getNamespace(),
              frame.getStringKeysList(),
              frame.getInt64KeysList());
    }
  }

  private List<Entity> entities(
      String environment, String namespace, List<String> strings, List<Long> integers) {
    List<Entity> rows = new ArrayList<>();
    for (String key : strings) {
      rows.add(entity(environment, namespace, key));
    }
    for (Long key : integers) {
      rows.add(entity(environment, namespace, key.toString()));
    }
    return rows;
  }

  private Entity entity(String environment, String namespace, String key) {
    return entities.computeIfAbsent(
        new EntityKey(environment, namespace, key), unused -> new Entity());
  }

  private static String name(String namespace, Column column) {
    return column.getFeature().substring(namespace.length() + 1);
  }

  private static Optional<Observation> observation(Column column, int row, long observedAt) {
    long staleness = column.getMaxStaleness();
    long expiresAt =
        staleness > FOREVER - Math.max(0, observedAt) ? FOREVER : observedAt + staleness;
    boolean isNull =
        row / 8 < column.getNulls().size()
            && (column.getNulls().byteAt(row / 8) >> row % 8 & 1) == 1;
    if (column.getOrigin() == Origin.DEFAULT
        && column.getCacheDefaults() == CacheDefaults.EVICT_DEFAULTS) {
      return Optional.of(deleted(observedAt));
    }
    if (!isNull) {
      return Optional.of(
          new Observation(
              observedAt,
              Kind.VALUE,
              expiresAt,
              column.getType(),
              Optional.of(value(column, row))));
    }
    if (column.getCacheNulls() == CacheNulls.SKIP_NULLS) {
      return Optional.empty();
    }
    return Optional.of(
        column.getCacheNulls() == CacheNulls.EVICT_NULLS
            ? deleted(observedAt)
            : new Observation(
                observedAt, Kind.NULL, expiresAt, column.getType(), Optional.empty()));
  }

  private static boolean isOwn(Column column) {
    return column.getOrigin() == Origin.COMPUTED
        || (column.getOrigin() == Origin.DEFAULT
            && (column.getCacheDefaults() == CacheDefaults.WRITE_DEFAULTS
                || column.getCacheDefaults() == CacheDefaults.EVICT_DEFAULTS));
  }

  private static Observation deleted(long observedAt) {
    return new Observation(
        observedAt, Kind.DELETED, FOREVER, Column.Type.TYPE_UNSPECIFIED, Optional.empty());
  }

  private static Object value(Column column, int row) {
    return switch (column.getType()) {
      case INT64 -> column.getInt64Values(row);
      case FLOAT64 -> column.getFloat64Values(row) == 0 ? 0.0 : column.getFloat64Values(row);
      case BOOL -> column.getBoolValues(row);
      case STRING -> column.getStringValues(row);
      case BYTES -> column.getBytesValues(row).toByteArray();
      case TIMESTAMP -> Instant.EPOCH.plus(column.getTimestampValues(row), ChronoUnit.MICROS);
      case DATE -> LocalDate.ofEpochDay(column.getDateValues(row));
      case VECTOR -> {
        float[] numbers = new float[column.getVectorDimension()];
        for (int i = 0; i < numbers.length; i++) {
          float number = column.getVectorValues(row * numbers.length + i);
          numbers[i] = number == 0 ? 0.0f : number;
        }
        yield numbers;
      }
      case JSON -> column.getJsonValues(row);
      case TYPE_UNSPECIFIED, UNRECOGNIZED ->
          throw new IllegalArgumentException(column.getFeature() + " has no known type");
    };
  }

  /** Returns how many entities results have named. */
  public int entityCount() {
    return entities.size();
  }

  /**
   * Reads every entity back and compares.
   *
   * @throws UnavailableException if the store can't be read now
   */
  public Comparison compare(OnlineReader reader, Instant now) throws UnavailableException {
    long features = 0;
    Map<Departure, Long> departures = new EnumMap<>(Departure.class);
    List<Difference> first = new ArrayList<>();
    List<EntityKey> keys = new ArrayList<>(entities.keySet());
    for (int from = 0; from < keys.size(); from += BATCH) {
      List<EntityKey> batch = keys.subList(from, Math.min(from + BATCH, keys.size()));
      List<Map<String, OnlineReader.Value>> found = reader.read(batch);
      for (int i = 0; i < batch.size(); i++) {
        EntityKey key = batch.get(i);
        Entity entity = Objects.requireNonNull(entities.get(key));
        Set<String> names = new TreeSet<>(entity.features.keySet());
        names.addAll(found.get(i).keySet());
        for (String name : names) {
          Optional<Observation> expected = entity.served(name, sinceEpoch(now));
          Optional<OnlineReader.Value> seen = Optional.ofNullable(found.get(i).get(name));
          if (expected.isPresent() || seen.isPresent()) {
            features++;
          }
          if (!same(expected.orElse(null), seen.orElse(null))) {
            departures.merge(departure(expected, seen), 1L, Long::sum);
            if (first.size() < DIFFERENCES_LISTED) {
              first.add(new Difference(key, name, inWords(expected), seenInWords(seen)));
            }
          }
        }
      }
    }
    return new Comparison(keys.size(), features, departures, List.copyOf(first));
  }

  /** What must not be there has come back, or was not taken away by what is newer. */
  private static Departure departure(
      Optional<Observation> expected, Optional<OnlineReader.Value> seen) {
    if (seen.isEmpty()) {
      return Departure.LOST;
    }
    long found = sinceEpoch(seen.get().observedAt());
    return expected.isEmpty() || found < expected.get().observedAt()
        ? Departure.STALE
        : Departure.OTHER;
  }

  private static boolean same(@Nullable Observation expected, OnlineReader.@Nullable Value seen) {
    if (expected == null || seen == null) {
      return expected == null && seen == null;
    }
    return expected.observedAt() == sinceEpoch(seen.observedAt())
        && expected.type().getNumber() == seen.type().code()
        && expected.expiresAt() == seen.expiresAt().map(OnlineModel::sinceEpoch).orElse(FOREVER)
        && Objects.deepEquals(expected.value().orElse(null), seen.value().orElse(null));
  }

  private static String inWords(Optional<Observation> expected) {
    return expected
        .map(
            it ->
                it.type()
                    + " "
                    + text(it.value())
                    + " observed at "
                    + Instant.EPOCH.plus(it.observedAt(), ChronoUnit.MICROS)
                    + (it.expiresAt() == FOREVER
                        ? ""
                        : " until " + Instant.EPOCH.plus(it.expiresAt(), ChronoUnit.MICROS)))
        .orElse("nothing");
  }

  private static String seenInWords(Optional<OnlineReader.Value> seen) {
    return seen.map(
            it ->
                it.type()
                    + " "
                    + text(it.value())
                    + " observed at "
                    + it.observedAt()
                    + it.expiresAt().map(expiry -> " until " + expiry).orElse(""))
        .orElse("nothing");
  }

  private static String text(Optional<Object> value) {
    // Arrays.deepToString shows arrays of numbers as well, in one more pair of brackets.
    String text = Arrays.deepToString(new Object[] {value.orElse(null)});
    return text.substring(1, text.length() - 1);
  }

  private static long sinceEpoch(Instant instant) {
    return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
  }

  private static long micros(Duration duration) {
    return duration.toMillis() * 1_000;
  }
}
