package io.tailrace.offline;

import io.tailrace.offline.FileCutter.Group;
import io.tailrace.parquet.ObservationEncoder;
import io.tailrace.parquet.ObservationEncoder.Run;
import io.tailrace.result.ColumnSpec;
import io.tailrace.result.Frame;
import io.tailrace.result.Result;
import io.tailrace.result.ValueType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Rows by the files and features that they go to, until they are encoded. Not thread-safe. */
final class GatheredRows {
  /** Bytes of names that are kept from one file to the next, roughly. */
  private static final long MAX_KEPT_BYTES =
      Math.min(8L << 20, Runtime.getRuntime().maxMemory() / 64);

  /** What a name takes beside its characters, or a destination or an environment, roughly. */
  private static final int OVERHEAD = 200;

  /** Columns of an environment that are known as objects. */
  private static final int MAX_COLUMNS = 20_000;

  /** A feature, with what is worked out of its names once. */
  private record Named(Feature feature, ObservationEncoder.Feature encoded, String table) {
    static Named of(Feature feature) {
      byte[] bytes = feature.text().getBytes(StandardCharsets.UTF_8);
      return new Named(
          feature,
          new ObservationEncoder.Feature(feature.namespace(), feature.text(), bytes),
          feature.table());
    }

    long heldBytes() {
      return OVERHEAD + 4L * encoded.bytes().length;
    }
  }

  /** The rows of a file that is to be. */
  private static final class Rows {
    final Map<Feature, List<Run>> runs = new HashMap<>();
    int count;
    long rawBytes;
  }

  /** Where the rows of a feature go. */
  final class Destination {
    private final Named named;
    private final Group group;
    // Absent as long as there are no rows: nor is there a file.
    private @Nullable Rows rows;
    private @Nullable List<Run> runs;

    private Destination(Group group, Named named) {
      this.group = group;
      this.named = named;
    }

    /** Returns the feature's name, as rows have it. */
    ObservationEncoder.Feature feature() {
      return named.encoded;
    }

    /** Returns the name of the feature's table. */
    String table() {
      return named.table;
    }

    /**
     * Adds rows, one at least.
     *
     * @return whether the file is full
     */
    boolean add(Run run) {
      Rows file = rows;
      List<Run> known = runs;
      if (file == null || known == null) {
        file = files.computeIfAbsent(group, unused -> new Rows());
        known = file.runs.computeIfAbsent(named.feature, unused -> new ArrayList<>());
        rows = file;
        runs = known;
      }
      known.add(run);
      file.count += run.count();
      file.rawBytes += FileCutter.rawBytes(run);
      return file.count >= FileCutter.MAX_FILE_ROWS;
    }
  }

  /** What the rows of a destination have in common within their environment. */
  private record Key(Feature feature, Optional<ValueType> type, boolean stringKeys) {}

  /** Where the rows of an environment's features go. */
  final class Environment {
    private final String name;
    private final Map<Key, Destination> destinations = new HashMap<>();
    // By what columns say, which is often one object for many results: no text is compared.
    private final IdentityHashMap<ColumnSpec, Destination> columns = new IdentityHashMap<>();

    private Environment(String name) {
      this.name = name;
    }

    /** Returns where the values of a column go. */
    Destination of(Frame frame, ColumnSpec column) {
      Destination known = columns.get(column);
      boolean stringKeys = frame.keys().areStrings();
      if (known != null
          && known.group.stringKeys() == stringKeys
          && known.named.feature.namespace().equals(frame.namespace())) {
        return known;
      }
      Destination found =
          of(
              new Key(
                  new Feature(frame.namespace(), column.feature()),
                  Optional.of(column.type()),
                  stringKeys));
      // Results that came through a coder have objects of their own.
      if (columns.size() >= MAX_COLUMNS) {
        columns.clear();
      }
      columns.put(column, found);
      return found;
    }

    /** Returns where deletions of a feature go. */
    Destination ofDeletions(boolean stringKeys, Feature feature) {
      return of(new Key(feature, Optional.empty(), stringKeys));
    }

    private Destination of(Key key) {
      Destination known = destinations.get(key);
      if (known == null) {
        known = new Destination(new Group(name, key.stringKeys, key.type), named(key.feature));
        destinations.put(key, known);
        heldBytes += OVERHEAD;
      }
      return known;
    }
  }

  private final Map<Group, Rows> files = new HashMap<>();
  private final Map<String, Environment> environments = new HashMap<>();
  private final Map<Feature, Named> names = new HashMap<>();
  private long heldBytes;
  private long keptBytes;

  /** Forgets all, but for names that are likely to come again. */
  void clear() {
    files.clear();
    environments.clear();
    heldBytes = 0;
  }

  /** Returns an environment: to be asked for once for each result. */
  Environment environment(String name) {
    Environment known = environments.get(name);
    if (known == null) {
      known = new Environment(name);
      environments.put(name, known);
      heldBytes += 2 * OVERHEAD;
    }
    return known;
  }

  private Named named(Feature feature) {
    Named known = names.get(feature);
    if (known == null) {
      known = Named.of(feature);
      if (keptBytes + known.heldBytes() > MAX_KEPT_BYTES) {
        names.clear();
        // Destinations hold on to them.
        heldBytes += keptBytes;
        keptBytes = 0;
      }
      keptBytes += known.heldBytes();
      names.put(feature, known);
    }
    return known;
  }

  /** Returns how many bytes are held beside the rows, roughly. */
  long heldBytes() {
    return heldBytes + keptBytes;
  }

  /** Encodes the files, the rows of each sorted by feature. */
  void encode(FileCutter cutter) throws IOException {
    for (Map.Entry<Group, Rows> file : files.entrySet()) {
      Rows rows = file.getValue();
      List<Run> runs = new ArrayList<>(rows.runs.values().stream().mapToInt(List::size).sum());
      new TreeMap<>(rows.runs).values().forEach(runs::addAll);
      cutter.encode(file.getKey(), runs, rows.rawBytes);
    }
  }

  /** Returns how many rows of a result there are, by feature. */
  @SuppressWarnings("ReferenceEquality") // Equal results can have different rows left.
  Map<Feature, Integer> rowsOf(Result result) {
    Map<Feature, Integer> counts = new HashMap<>();
    for (Rows rows : files.values()) {
      rows.runs.forEach(
          (feature, runs) -> {
            for (Run run : runs) {
              if (run.operation().result == result) {
                counts.merge(feature, run.count(), Integer::sum);
              }
            }
          });
    }
    return counts;
  }
}
