package io.tailrace.online.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.BusMessage;
import io.tailrace.v1.Column;
import io.tailrace.v1.Column.CacheNulls;
import io.tailrace.v1.Column.Origin;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import redis.clients.jedis.Jedis;

/**
 * What a Redis holds, and what it must hold after messages came in any order: computed from the
 * contract alone, with nothing of the code that writes. Everything is text, bytes in hexadecimal,
 * so that a difference can be read.
 */
final class Hashes {
  private static final long RETENTION = 14L * 24 * 3600 * 1_000_000;
  private static final long GRACE = 3600L * 1_000_000;
  private static final long GRANULARITY = 1L << 30;

  /** All of one entity that was ever offered. */
  private static final class Entity {
    final Map<String, byte[]> greatest = new TreeMap<>();
    long highWater = Long.MIN_VALUE;
    long fence = Long.MIN_VALUE;
    long keptUntil = Long.MIN_VALUE;

    void offer(String name, byte[] cell, long observedAt, long expiresAt) {
      highWater = Math.max(highWater, observedAt);
      keptUntil = Math.max(keptUntil, expiresAt);
      greatest.merge(name, cell, (a, b) -> Arrays.compareUnsigned(a, b) >= 0 ? a : b);
    }

    void delete(long observedAt, long until) {
      highWater = Math.max(highWater, observedAt);
      keptUntil = Math.max(keptUntil, until);
      fence = Math.max(fence, observedAt);
    }

    Map<String, String> fields() {
      Map<String, String> fields = new TreeMap<>();
      byte[] fenced = time(fence);
      greatest.forEach(
          (name, cell) -> {
            if (Arrays.compareUnsigned(cell, 0, 8, fenced, 0, 8) > 0) {
              fields.put(name, HexFormat.of().formatHex(cell));
            }
          });
      fields.put("", hex(time(highWater)) + hex(fenced) + hex(time(rounded(keptUntil))));
      return fields;
    }

    private static long rounded(long until) {
      if (until > Long.MAX_VALUE - GRACE - GRANULARITY) {
        return Long.MAX_VALUE;
      }
      long kept = until + GRACE;
      long over = Math.floorMod(kept, GRANULARITY);
      return over == 0 ? kept : kept - over + GRANULARITY;
    }
  }

  private final Map<String, Entity> entities = new TreeMap<>();
  private int offered;

  private Hashes() {}

  /** Returns the hashes that messages must end in, if none of their cells has expired. */
  static Map<String, Map<String, String>> after(List<BusMessage> messages) {
    Hashes hashes = new Hashes();
    messages.forEach(hashes::add);
    Map<String, Map<String, String>> fields = new TreeMap<>();
    hashes.entities.forEach((key, entity) -> fields.put(key, entity.fields()));
    return fields;
  }

  /** Returns of how many cells and fences a result says something, stored ones or not. */
  static int countCells(BusMessage message) {
    Hashes hashes = new Hashes();
    hashes.add(message);
    return hashes.offered;
  }

  /** Returns every hash of a server. */
  static Map<String, Map<String, String>> in(Jedis redis) {
    Map<String, Map<String, String>> hashes = new TreeMap<>();
    for (byte[] key : redis.keys("*".getBytes(UTF_8))) {
      Map<String, String> fields = new TreeMap<>();
      redis.hgetAll(key).forEach((name, cell) -> fields.put(new String(name, UTF_8), hex(cell)));
      hashes.put(new String(key, UTF_8), fields);
    }
    return hashes;
  }

  private void add(BusMessage message) {
    QueryResult result;
    try {
      result = QueryResult.parseFrom(message.payload());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    for (Frame frame : result.getFramesList()) {
      for (Column column : frame.getColumnsList()) {
        for (int row = 0; row < rows(frame); row++) {
          offered++;
          add(
              column,
              row,
              key(
                  result,
                  frame.getNamespace(),
                  frame.getStringKeysList(),
                  frame.getInt64KeysList(),
                  row),
              frame.getNamespace(),
              message.publishedAt());
        }
      }
    }
    for (Deletion deletion : result.getDeletionsList()) {
      int keys = deletion.getStringKeysCount() + deletion.getInt64KeysCount();
      long observedAt = deletion.getObservedAt();
      long until = Math.max(observedAt, message.publishedAt()) + RETENTION;
      for (int row = 0; row < keys; row++) {
        offered += Math.max(1, deletion.getFeaturesCount());
        String key =
            key(
                result,
                deletion.getNamespace(),
                deletion.getStringKeysList(),
                deletion.getInt64KeysList(),
                row);
        Entity entity = entities.computeIfAbsent(key, any -> new Entity());
        if (deletion.getFeaturesCount() == 0) {
          entity.delete(observedAt, until);
        }
        for (String feature : deletion.getFeaturesList()) {
          entity.offer(
              feature.substring(deletion.getNamespace().length() + 1),
              cell(observedAt, 2, until, 0, new byte[0]),
              observedAt,
              until);
        }
      }
    }
  }

  private void add(Column column, int row, String key, String namespace, long publishedAt) {
    boolean isNull =
        !column.getNulls().isEmpty() && (column.getNulls().byteAt(row / 8) >> row % 8 & 1) == 1;
    if (column.getOrigin() != Origin.COMPUTED
        || column.getSkipOnline()
        || column.getMaxStaleness() == 0
        || (isNull && column.getCacheNulls() == CacheNulls.SKIP_NULLS)) {
      return;
    }
    long observedAt = column.getObservedAt(column.getObservedAtCount() == 1 ? 0 : row);
    long expiresAt =
        column.getMaxStaleness() > Long.MAX_VALUE - Math.max(0, observedAt)
            ? Long.MAX_VALUE
            : observedAt + column.getMaxStaleness();
    int type = column.getTypeValue();
    byte[] cell;
    if (!isNull) {
      cell = cell(observedAt, 0, expiresAt, type, payload(column, row));
    } else if (column.getCacheNulls() == CacheNulls.EVICT_NULLS) {
      expiresAt = Math.max(observedAt, publishedAt) + RETENTION;
      cell = cell(observedAt, 2, expiresAt, 0, new byte[0]);
    } else {
      cell = cell(observedAt, 1, expiresAt, type, new byte[0]);
    }
    entities
        .computeIfAbsent(key, any -> new Entity())
        .offer(column.getFeature().substring(namespace.length() + 1), cell, observedAt, expiresAt);
  }

  private static int rows(Frame frame) {
    return frame.getStringKeysCount() + frame.getInt64KeysCount();
  }

  private static String key(
      QueryResult result, String namespace, List<String> texts, List<Long> numbers, int row) {
    String key = texts.isEmpty() ? numbers.get(row).toString() : texts.get(row);
    return String.join(":", escaped(result.getEnvironmentId()), escaped(namespace), escaped(key));
  }

  private static String escaped(String part) {
    return part.replace("%", "%25").replace(":", "%3A");
  }

  private static byte[] cell(long observedAt, int kind, long expiresAt, int type, byte[] payload) {
    return bytes(
        out -> {
          out.write(time(observedAt));
          out.write(kind);
          out.write(time(expiresAt));
          out.write(type);
          out.write(payload);
        });
  }

  private static byte[] payload(Column column, int row) {
    return bytes(
        out -> {
          switch (column.getType()) {
            case INT64 -> out.writeLong(column.getInt64Values(row));
            case FLOAT64 -> {
              double value = column.getFloat64Values(row);
              out.writeDouble(value == 0 ? 0 : Double.isNaN(value) ? Double.NaN : value);
            }
            case BOOL -> out.write(column.getBoolValues(row) ? 1 : 0);
            case STRING -> out.write(column.getStringValuesBytes(row).toByteArray());
            case BYTES -> out.write(column.getBytesValues(row).toByteArray());
            case TIMESTAMP -> out.writeLong(column.getTimestampValues(row));
            case DATE -> out.writeInt(column.getDateValues(row));
            case VECTOR -> {
              int dimension = column.getVectorDimension();
              for (int i = 0; i < dimension; i++) {
                float value = column.getVectorValues(row * dimension + i);
                out.writeFloat(value == 0 ? 0 : Float.isNaN(value) ? Float.NaN : value);
              }
            }
            case JSON -> out.write(column.getJsonValuesBytes(row).toByteArray());
            default -> throw new AssertionError(column.getType());
          }
        });
  }

  private static byte[] time(long micros) {
    return bytes(out -> out.writeLong(micros ^ Long.MIN_VALUE));
  }

  private interface Writing {
    void to(DataOutputStream out) throws IOException;
  }

  private static byte[] bytes(Writing writing) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      writing.to(new DataOutputStream(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
