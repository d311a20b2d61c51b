package io.tailrace.offline.staging;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Finishing;
import io.tailrace.offline.InsertSession;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.parquet.ObservationFile;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Inserts files into a store that loads what is staged: stages them, loads them at once, and
 * deletes them from the stage. Nobody else loads them: what a session leaves that died is inserted
 * again by whoever repeats its work, and is deleted a week later by whoever searches the stage. Not
 * thread-safe.
 */
public final class StagedSession implements InsertSession {
  private final Stage stage;
  private final Stage.Connection connection;
  private final Loader loader;

  StagedSession(Stage stage, Loader loader) {
    this.stage = stage;
    this.connection = stage.open();
    this.loader = loader;
  }

  /** Inserts into a store. */
  public static StagedSession into(StagedStore store) {
    return new StagedSession(store.stage(), store.openLoader());
  }

  @Override
  public Inserted insert(List<ObservationFile> files) throws UnavailableException {
    return insert(files, loader::load);
  }

  @Override
  public Inserted insert(List<ObservationFile> files, Finishing finishing)
      throws UnavailableException {
    // Files of one environment are one load.
    return files.stream().map(ObservationFile::environment).distinct().count() == 1
        ? insert(files, (from, some) -> loader.load(from, some, finishing))
        : insert(files);
  }

  private interface Load {
    Inserted of(Stage.Connection from, List<StagedFile> files) throws UnavailableException;
  }

  private Inserted insert(List<ObservationFile> files, Load load) throws UnavailableException {
    Map<String, Integer> positions = new LinkedHashMap<>();
    Map<String, byte[]> staged = new LinkedHashMap<>();
    Map<String, List<StagedFile>> byEnvironment = new LinkedHashMap<>();
    long twice = 0;
    for (int i = 0; i < files.size(); i++) {
      ObservationFile file = files.get(i);
      String name = StagedNames.ofSession(file);
      // Two that are the same have one name.
      if (positions.putIfAbsent(name, i) == null) {
        byte[] bytes = stage.form().of(file, name);
        staged.put(name, bytes);
        byEnvironment
            .computeIfAbsent(file.environment(), unused -> new ArrayList<>())
            .add(StagedFile.of(file, stage.uri(), name, bytes.length));
      } else {
        twice += file.rowCount();
      }
    }
    connection.put(staged);
    Inserted all =
        new Inserted(new Inserted.Count(0, twice), Inserted.Count.NONE, 0, List.of(), Map.of());
    for (List<StagedFile> some : byEnvironment.values()) {
      all = plus(all, load.of(connection, some), some, positions);
    }
    connection.delete(staged.keySet());
    return all;
  }

  private static Inserted plus(
      Inserted all, Inserted more, List<StagedFile> files, Map<String, Integer> positions) {
    List<Rejected> rejected = new ArrayList<>(all.rejected());
    for (Rejected each : more.rejected()) {
      rejected.add(each.of(position(files, each.file(), positions)));
    }
    Map<Integer, String> refused = new HashMap<>(all.refused());
    more.refused().forEach((file, why) -> refused.put(position(files, file, positions), why));
    return new Inserted(
        sum(all.rows(), more.rows()),
        sum(all.queries(), more.queries()),
        all.tables() + more.tables(),
        rejected,
        refused);
  }

  private static int position(List<StagedFile> files, int file, Map<String, Integer> positions) {
    return positions.getOrDefault(files.get(file).name(), 0);
  }

  private static Inserted.Count sum(Inserted.Count a, Inserted.Count b) {
    return new Inserted.Count(
        a.inserted() + b.inserted(), a.duplicates() + b.duplicates(), a.known() + b.known());
  }

  @Override
  public void close() {
    connection.close();
    loader.close();
  }
}
