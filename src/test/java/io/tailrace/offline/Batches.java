package io.tailrace.offline;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection.BatchInserted;
import io.tailrace.parquet.ObservationFile;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Inserts files as {@link InsertObservations} does, without its failures. */
final class Batches {
  private Batches() {}

  /** Returns a batch of files that are alike, with all their features. */
  static FileBatch of(List<ObservationFile> files) {
    SortedMap<Feature, String> tables = new TreeMap<>();
    for (ObservationFile file : files) {
      file.features().forEach(it -> tables.put(Feature.of(it), Feature.of(it).table()));
    }
    ObservationFile first = files.get(0);
    return new FileBatch(
        first.environment(), first.kind(), first.stringKeys(), first.valueType(), files, tables);
  }

  /** Creates the tables that files need, inserts those that are alike together, and adds up. */
  static BatchInserted insert(BatchConnection connection, List<ObservationFile> files)
      throws ContentRejectedException, UnavailableException {
    Map<List<Object>, List<ObservationFile>> alike = new LinkedHashMap<>();
    for (ObservationFile file : files) {
      alike
          .computeIfAbsent(
              List.of(file.environment(), file.kind(), file.stringKeys(), file.valueType()),
              unused -> new ArrayList<>())
          .add(file);
    }
    long rows = 0;
    long duplicates = 0;
    for (List<ObservationFile> each : alike.values()) {
      FileBatch batch = of(each);
      List<FeatureTable> tables = new ArrayList<>();
      for (Feature feature : batch.tables().keySet()) {
        tables.add(new FeatureTable(feature, batch.stringKeys(), batch.valueType()));
      }
      connection.create(batch.environment(), tables);
      BatchInserted inserted = connection.insert(batch);
      rows += inserted.rows();
      duplicates += inserted.duplicates();
    }
    return new BatchInserted(rows, duplicates, List.of());
  }
}
