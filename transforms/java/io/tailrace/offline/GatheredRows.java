package io.tailrace.offline;

import io.tailrace.offline.FileCutter.Group;
import io.tailrace.parquet.ObservationEncoder;
import io.tailrace.parquet.ObservationEncoder.Run;
import io.tailrace.result.ColumnSpec;
import io.tailrace.result.Frame;
import io.tailrace.result.Result;
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
  /** Bytes of destinations that are remembered until the rows are encoded. */
  private static final long MAX_REMEMBERED_BYTES =
      Math.min(8L << 20, Runtime.getRuntime().maxMemory() / 64);

  /** What a destination takes beside its names, in bytes, roughly. */
  private static final int DESTINATION_OVERHEAD = 300;

  /** The rows of a file that is to be. */
  private static final class Rows {
    final Map<Feature, List<Run>> runs = new HashMap<>();
    int count;
    long rawBytes;
  }

  /** Where the rows of a feature go, with what is worked out of its names once. */
  final class Destination {
    final ObservationEncoder.Feature feature;
    final String table;
    private final Feature named;
    private final Group group;
    // Absent as long as there are no rows: nor is there a file.
    private @Nullable Rows rows;
    private @Nullable List<Run> runs;

    private Destination(Group group, Feature named) {
      this.group = group;
      this.named = named;
      this.feature =
          new ObservationEncoder.Feature(
              named.namespace(), named.text(), named.text().getBytes(StandardCharsets.UTF_8));
      this.table = named.table();
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
        known = file.runs.computeIfAbsent(named, unused -> new ArrayList<>());
        rows = file;
        runs = known;
      }
      known.add(run);
      file.count += run.count();
      file.rawBytes += FileCutter.rawBytes(run);
      return file.count >= FileCutter.MAX_FILE_ROWS;
    }
  }

  /** Where the rows of an environment's features go, as far as that is remembered. */
  final class Environment {
    private final String name;
    // By what columns say, which is one object for many results: no text is compared.
    private final IdentityHashMap<ColumnSpec, Destination> columns = new IdentityHashMap<>();
    private final Map<Feature, Destination> deletions = new HashMap<>();

    private Environment(String name) {
      this.name = name;
    }

    /** Returns where the values of a column go. */
    Destination of(Frame frame, ColumnSpec column) {
      Destination known = columns.get(column);
      boolean stringKeys = frame.keys().areStrings();
      if (known != null
          && known.group.stringKeys() == stringKeys
          && known.named.namespace().equals(frame.namespace())) {
        return known;
      }
      Destination fresh =
          new Destination(
              new Group(name, stringKeys, Optional.of(column.type())),
              new Feature(frame.namespace(), column.feature()));
      if (isRemembered(fresh)) {
        columns.put(column, fresh);
      }
      return fresh;
    }

    /** Returns where deletions of a feature go. */
    Destination ofDeletions(boolean stringKeys, Feature feature) {
      Destination known = deletions.get(feature);
      if (known != null && known.group.stringKeys() == stringKeys) {
        return known;
      }
      Destination fresh = new Destination(new Group(name, stringKeys, Optional.empty()), feature);
      if (isRemembered(fresh)) {
        deletions.put(feature, fresh);
      }
      return fresh;
    }
  }

  private final Map<Group, Rows> files = new HashMap<>();
  private final Map<String, Environment> environments = new HashMap<>();
  // Of all destinations, as rows hold on to those, too, that are not remembered.
  private long heldBytes;

  /** Forgets all. */
  void clear() {
    files.clear();
    environments.clear();
    heldBytes = 0;
  }

  /** Returns an environment: to be asked for once for each result. */
  Environment environment(String name) {
    return environments.computeIfAbsent(name, Environment::new);
  }

  /** Returns how many bytes destinations hold, roughly; rows do not count. */
  long heldBytes() {
    return heldBytes;
  }

  private boolean isRemembered(Destination fresh) {
    heldBytes += DESTINATION_OVERHEAD + 4L * fresh.feature.bytes().length;
    return heldBytes <= MAX_REMEMBERED_BYTES;
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
