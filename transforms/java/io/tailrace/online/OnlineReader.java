package io.tailrace.online;

import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.result.ValueType;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Reads entities back from an online store, as typed values: what a program that serves features
 * does, and the specification of the layout for one that does it in another language.
 *
 * <p>An entity is one record of the store. In Redis that is a hash: its key is {@code
 * <environment>:<namespace>:<primary key>}, in UTF-8, where {@code %}, {@code :} and <code>{</code>
 * within a part are written {@code %25}, {@code %3A} and {@code %7B}, and an integer primary key in
 * decimal ({@link io.tailrace.online.redis.RedisKeys}). Each field is a feature, by its name
 * without the namespace, and holds a {@linkplain Cell cell}, whose documentation says what its
 * bytes mean. The field with the empty name belongs to the writer and is to be passed over; a hash
 * without it is somebody else's, and holds no entity. A field that holds no cell is to be passed
 * over, too.
 *
 * <p>A reader shows a feature if there is a cell, the cell is no tombstone, and {@code expires_at}
 * is all ones or after the reader's clock. What has no cell, has a tombstone or has expired is
 * absent, and the three are the same to a program. A null that was computed and stored is not
 * absent: it is a {@link Value} without a value.
 *
 * <p>Not thread-safe; connects anew by itself when the connection breaks.
 */
public final class OnlineReader implements AutoCloseable {
  private final OnlineStore.Connection connection;
  private final Clock clock;

  /**
   * A feature of an entity, as of its last observation.
   *
   * @param type the type of the value, or of the null
   * @param value {@link Long}, {@link Double}, {@link Boolean}, {@link String} ({@code STRING} and
   *     {@code JSON}), {@code byte[]}, {@link Instant}, {@link java.time.LocalDate} or {@code
   *     float[]}; empty for a null
   * @param observedAt when it was observed, to the microsecond
   * @param expiresAt until when it may be served; empty: for ever
   */
  public record Value(
      ValueType type, Optional<Object> value, Instant observedAt, Optional<Instant> expiresAt) {
    /** Returns how long ago the value was observed; below zero if the observer's clock is ahead. */
    public Duration age(Instant now) {
      return Duration.between(observedAt, now);
    }
  }

  private OnlineReader(OnlineStore.Connection connection, Clock clock) {
    this.connection = connection;
    this.clock = clock;
  }

  /**
   * Opens the store that a URI names.
   *
   * @throws IllegalArgumentException if it names none; see {@link OnlineStores#at}
   */
  public static OnlineReader open(String uri) {
    return open(OnlineStores.at(uri), Clock.systemUTC());
  }

  /** Opens a store, and judges by a clock what has expired. */
  public static OnlineReader open(OnlineStore store, Clock clock) {
    return new OnlineReader(store.connect(), clock);
  }

  /**
   * Reads an entity.
   *
   * @return the features that may be served, by name within the namespace; none if the entity is
   *     unknown, deleted or has expired
   * @throws UnavailableException if the store can't be read now
   */
  public Map<String, Value> read(EntityKey entity) throws UnavailableException {
    return read(List.of(entity)).get(0);
  }

  /**
   * Reads entities in one round trip; a thousand at once is a good number.
   *
   * @return for each entity, in the same order, the features that may be served, by name within the
   *     namespace
   * @throws UnavailableException if the store can't be read now
   */
  public List<Map<String, Value>> read(List<EntityKey> entities) throws UnavailableException {
    List<Map<String, Cell>> stored = readCells(entities);
    long now = Micros.of(clock.instant());
    List<Map<String, Value>> values = new ArrayList<>(stored.size());
    for (Map<String, Cell> cells : stored) {
      Map<String, Value> served = new TreeMap<>();
      cells.forEach((name, cell) -> served(cell, now).ifPresent(value -> served.put(name, value)));
      values.add(served);
    }
    return values;
  }

  private static Optional<Value> served(Cell cell, long now) {
    if (cell.isExpired(now)) {
      return Optional.empty();
    }
    // A tombstone has no type.
    return cell.type()
        .map(
            type ->
                new Value(
                    type,
                    cell.value(),
                    Micros.instant(cell.observedAt()),
                    cell.expiresAt() == Cell.NEVER
                        ? Optional.empty()
                        : Optional.of(Micros.instant(cell.expiresAt()))));
  }

  /**
   * Reads what the store holds of entities, deleted and expired features among it: for tools that
   * say why a value is not served.
   *
   * @return for each entity, in the same order, the cells by feature name within the namespace
   * @throws UnavailableException if the store can't be read now
   */
  public List<Map<String, Cell>> readCells(List<EntityKey> entities) throws UnavailableException {
    return connection.read(entities);
  }

  @Override
  public void close() {
    connection.close();
  }
}
