package io.tailrace.pipelines.benchmark.edges;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/** What the bus has acknowledged, as it must be found again. Thread-safe. */
public final class Acknowledged {
  /** The place of a record. */
  public record Place(String topic, int partition, long offset) {}

  /**
   * A record of which letters must be found.
   *
   * @param kind what is wrong with it
   * @param hash that of what was sent, which may be large: many of them would fill the heap
   * @param writers who must each have written one
   */
  public record Expected(String kind, int hash, Set<String> writers) {
    /** Returns a record of what was sent; null where it had no value. */
    static Expected of(String kind, byte @Nullable [] value, Set<String> writers) {
      return new Expected(kind, Arrays.hashCode(value), writers);
    }
  }

  private final Map<Place, Expected> refused = new ConcurrentHashMap<>();

  /** Notes a record that has to become letters. */
  void refused(RecordMetadata where, Expected what) {
    refused.put(new Place(where.topic(), where.partition(), where.offset()), what);
  }

  /** Returns the records that have to become letters. */
  public Map<Place, Expected> refused() {
    return Map.copyOf(refused);
  }

  /** Returns how many of each kind there are. */
  Map<String, Long> byKind() {
    Map<String, Long> counts = new TreeMap<>();
    refused.values().forEach(it -> counts.merge(it.kind(), 1L, Long::sum));
    return counts;
  }
}
