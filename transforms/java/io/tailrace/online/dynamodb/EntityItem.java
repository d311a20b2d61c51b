package io.tailrace.online.dynamodb;

import static java.util.Objects.requireNonNull;

import io.tailrace.online.Cell;
import io.tailrace.online.EntityKey;
import io.tailrace.online.EntityWrite;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/**
 * What a table holds of an entity. Immutable.
 *
 * @param lastVersion another one after each write; null: the table holds nothing, or nothing of
 *     ours
 * @param fence the time up to which the entity is deleted, or {@link EntityWrite#NO_FENCE}
 * @param remembered until when fence and tombstones are remembered, or {@link EntityWrite#NOTHING}
 * @param times until when it is kept
 * @param content its cells, and what others have put beside them
 */
record EntityItem(
    @Nullable SdkBytes lastVersion, long fence, long remembered, Times times, Content content) {
  /** What an item has room for, in bytes, names included. */
  static final int MAX_BYTES = 400 << 10;

  private static final AttributeValue FOR_EVER = AttributeValue.fromNul(true);

  /** What becomes of an entity that the table does not know. */
  static final EntityItem ABSENT =
      new EntityItem(
          null,
          EntityWrite.NO_FENCE,
          EntityWrite.NOTHING,
          new Times(Lifetimes.NEVER, Lifetimes.NEVER),
          new Content(Map.of(), Map.of()));

  /**
   * Until when an item is kept, in seconds since the epoch.
   *
   * @param due from when on something in it is over
   * @param keptUntil until when the item is kept
   */
  record Times(long due, long keptUntil) {}

  /**
   * What an item has beside its own attributes.
   *
   * @param cells by the features' names
   * @param foreign what is no cell, by its attribute
   */
  record Content(Map<String, byte[]> cells, Map<String, AttributeValue> foreign) {}

  /** Reads an item; empty: there is none. */
  static EntityItem of(Map<String, AttributeValue> item) {
    if (item.isEmpty()) {
      return ABSENT;
    }
    Map<String, byte[]> cells = new HashMap<>();
    Map<String, AttributeValue> foreign = new HashMap<>();
    item.forEach(
        (name, value) -> {
          if (Attributes.RESERVED.contains(name)) {
            return;
          }
          Optional<String> feature = Attributes.feature(name);
          if (feature.isPresent() && isCell(value)) {
            cells.put(feature.get(), requireNonNull(value.b()).asByteArrayUnsafe());
          } else {
            foreign.put(name, value);
          }
        });
    return new EntityItem(
        bytes(item, Attributes.VERSION),
        time(item, Attributes.FENCE, EntityWrite.NO_FENCE),
        time(item, Attributes.REMEMBERED, EntityWrite.NOTHING),
        new Times(seconds(item, Attributes.DUE), seconds(item, Attributes.EXPIRY)),
        new Content(cells, foreign));
  }

  /** What somebody else has put into an item of ours counts as absent. */
  private static boolean isCell(AttributeValue value) {
    SdkBytes bytes = value.b();
    if (bytes == null) {
      return false;
    }
    byte[] cell = bytes.asByteArrayUnsafe();
    return cell.length >= Cell.HEADER_BYTES && cell[8] >= 0 && cell[8] <= 2;
  }

  private static @Nullable SdkBytes bytes(Map<String, AttributeValue> item, String name) {
    AttributeValue value = item.get(name);
    return value == null ? null : value.b();
  }

  private static long time(Map<String, AttributeValue> item, String name, long absent) {
    SdkBytes bytes = bytes(item, name);
    return bytes == null || bytes.asByteArrayUnsafe().length != Long.BYTES
        ? absent
        : Cell.sortable(bytes.asByteBuffer().getLong());
  }

  private static long seconds(Map<String, AttributeValue> item, String name) {
    AttributeValue value = item.get(name);
    String number = value == null ? null : value.n();
    return number != null && number.matches("-?\\d{1,18}")
        ? Long.parseLong(number)
        : Lifetimes.NEVER;
  }

  /** Returns a version that no item has had. */
  static SdkBytes newVersion() {
    return SdkBytes.fromByteArrayUnsafe(
        ByteBuffer.allocate(Long.BYTES).putLong(ThreadLocalRandom.current().nextLong()).array());
  }

  /** Returns whether somebody else's item is in its place. */
  boolean isForeign() {
    return lastVersion == null && !isAbsent();
  }

  /** Returns whether the table holds nothing in its place. */
  @SuppressWarnings("ReferenceEquality") // An item of somebody else may have nothing, too.
  boolean isAbsent() {
    return this == ABSENT;
  }

  /** Returns what is another one after each write; empty: there is no item, or none of ours. */
  Optional<SdkBytes> version() {
    return Optional.ofNullable(lastVersion);
  }

  static AttributeValue time(long micros) {
    return AttributeValue.fromB(
        SdkBytes.fromByteArrayUnsafe(
            ByteBuffer.allocate(Long.BYTES).putLong(Cell.sortable(micros)).array()));
  }

  static AttributeValue keptUntil(long seconds) {
    return seconds == Lifetimes.NEVER ? FOR_EVER : number(seconds);
  }

  static AttributeValue number(long number) {
    return AttributeValue.fromN(Long.toString(number));
  }

  static Map<String, AttributeValue> key(EntityKey key) {
    Map<String, AttributeValue> attributes = new HashMap<>();
    attributes.put(Attributes.ID, AttributeValue.fromS(key.primaryKey()));
    attributes.put(Attributes.NAMESPACE, AttributeValue.fromS(key.namespace()));
    return attributes;
  }

  /** Returns the attributes of an item of ours. */
  Map<String, AttributeValue> attributes(EntityKey key) {
    Map<String, AttributeValue> item = key(key);
    item.put(Attributes.VERSION, AttributeValue.fromB(requireNonNull(lastVersion)));
    item.put(Attributes.EXPIRY, keptUntil(times.keptUntil));
    if (fence != EntityWrite.NO_FENCE) {
      item.put(Attributes.FENCE, time(fence));
    }
    if (remembered != EntityWrite.NOTHING) {
      item.put(Attributes.REMEMBERED, time(remembered));
    }
    if (times.due != Lifetimes.NEVER) {
      item.put(Attributes.DUE, number(times.due));
    }
    item.putAll(content.foreign);
    content.cells.forEach(
        (name, cell) ->
            item.put(
                Attributes.of(name), AttributeValue.fromB(SdkBytes.fromByteArrayUnsafe(cell))));
    return item;
  }
}
