package io.tailrace.testing;

import io.tailrace.bus.BusMessage;
import io.tailrace.online.EntityKey;
import io.tailrace.v1.Column;
import io.tailrace.v1.Column.CacheDefaults;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What an online store must hold after messages came in any order, if nothing has expired: computed
 * from the contract alone, with nothing of the code that writes. Bytes are in hexadecimal, so that
 * a difference can be read.
 */
public final class ExpectedCells {
  private static final long RETENTION = 14L * 24 * 3600 * 1_000_000;

  /** By the clock of {@link OnlineWriters}. */
  private static final long READ_AT = OnlineWriters.START - 1_000_000;

  /** All of one entity that was ever offered. */
  public static final class Entity {
    private final Map<String, byte[]> greatest = new TreeMap<>();
    private long highWater = Long.MIN_VALUE;
    private long fence = Long.MIN_VALUE;
    private long rememberedUntil = Long.MIN_VALUE;

    private Entity() {}

    private void offer(String name, byte[] cell, long observedAt) {
      highWater = Math.max(highWater, observedAt);
      greatest.merge(name, cell, (a, b) -> Arrays.compareUnsigned(a, b) >= 0 ? a : b);
    }

    private void remember(long until) {
      rememberedUntil = Math.max(rememberedUntil, until);
    }

    private void delete(long observedAt) {
      highWater = Math.max(highWater, observedAt);
      fence = Math.max(fence, observedAt);
    }

    /** Returns the cells that a reader sees, by feature. */
    public Map<String, String> cells() {
      Map<String, String> cells = new TreeMap<>();
      byte[] fenced = time(fence);
      greatest.forEach(
          (name, cell) -> {
            if (Arrays.compareUnsigned(cell, 0, 8, fenced, 0, 8) > 0) {
              cells.put(name, HexFormat.of().formatHex(cell));
            }
          });
      return cells;
    }

    /** Returns the greatest time that was ever offered, in microseconds. */
    public long highWater() {
      return highWater;
    }

    /** Returns the time of the latest deletion of the whole entity. */
    public long fence() {
      return fence;
    }

    /** Returns until when its deletions are to be remembered; the least long if it has none. */
    public long rememberedUntil() {
      return rememberedUntil;
    }
  }

  private final Map<EntityKey, Entity> entities = new LinkedHashMap<>();
  private int offered;

  private ExpectedCells() {}

  /** Returns every entity of which messages say something. */
  public static Map<EntityKey, Entity> after(List<BusMessage> messages) {
    ExpectedCells expected = new ExpectedCells();
    messages.forEach(expected::add);
    return expected.entities;
  }

  /** Returns of how many cells and fences a result says something, stored ones or not. */
  public static int countCells(BusMessage message) {
    ExpectedCells expected = new ExpectedCells();
    expected.add(message);
    return expected.offered;
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
      long until = Math.max(READ_AT, message.publishedAt()) + RETENTION;
      for (int row = 0; row < keys; row++) {
        offered += Math.max(1, deletion.getFeaturesCount());
        EntityKey key =
            key(
                result,
                deletion.getNamespace(),
                deletion.getStringKeysList(),
                deletion.getInt64KeysList(),
                row);
        Entity entity = entities.computeIfAbsent(key, any -> new Entity());
        entity.remember(until);
        if (deletion.getFeaturesCount() == 0) {
          entity.delete(observedAt);
        }
        for (String feature : deletion.getFeaturesList()) {
          entity.offer(
              feature.substring(deletion.getNamespace().length() + 1),
              cell(observedAt, 2, Long.MAX_VALUE, 0, new byte[0]),
              observedAt);
        }
      }
    }
  }

  private void add(Column column, int row, EntityKey key, String namespace, long publishedAt) {
    boolean isNull =
        !column.getNulls().isEmpty() && (column.getNulls().byteAt(row / 8) >> row % 8 & 1) == 1;
    boolean isDefault = column.getOrigin() == Origin.DEFAULT;
    boolean evicts = isDefault && column.getCacheDefaults() == CacheDefaults.EVICT_DEFAULTS;
    boolean isKept =
        column.getOrigin() == Origin.COMPUTED
            || (isDefault && column.getCacheDefaults() == CacheDefaults.WRITE_DEFAULTS);
    if (!(isKept || evicts)
        || column.getSkipOnline()
        || column.getMaxStaleness() == 0
        || (isNull && !evicts && column.getCacheNulls() == CacheNulls.SKIP_NULLS)) {
      return;
    }
    long observedAt = column.getObservedAt(column.getObservedAtCount() == 1 ? 0 : row);
    long expiresAt =
        column.getMaxStaleness() > Long.MAX_VALUE - Math.max(0, observedAt)
            ? Long.MAX_VALUE
            : observedAt + column.getMaxStaleness();
    int type = column.getTypeValue();
    Entity entity = entities.computeIfAbsent(key, any -> new Entity());
    byte[] cell;
    if (!isNull && !evicts) {
      cell = cell(observedAt, 0, expiresAt, type, payload(column, row));
    } else if (evicts || column.getCacheNulls() == CacheNulls.EVICT_NULLS) {
      cell = cell(observedAt, 2, Long.MAX_VALUE, 0, new byte[0]);
      entity.remember(Math.max(READ_AT, publishedAt) + RETENTION);
    } else {
      cell = cell(observedAt, 1, expiresAt, type, new byte[0]);
    }
    entity.offer(column.getFeature().substring(namespace.length() + 1), cell, observedAt);
  }

  private static int rows(Frame frame) {
    return frame.getStringKeysCount() + frame.getInt64KeysCount();
  }

  private static EntityKey key(
      QueryResult result, String namespace, List<String> texts, List<Long> numbers, int row) {
    return new EntityKey(
        result.getEnvironmentId(),
        namespace,
        texts.isEmpty() ? numbers.get(row).toString() : texts.get(row));
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
}
