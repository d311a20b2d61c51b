package io.tailrace.offline;

import io.tailrace.parquet.ObservationFile;
import io.tailrace.result.ValueType;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/**
 * Files of one kind that are inserted together. Immutable.
 *
 * @param environment of all rows
 * @param kind of all files
 * @param stringKeys whether primary keys are strings; false for queries
 * @param valueType the type of all values; empty for deletions and queries
 * @param files at least one
 * @param tables the table of each feature whose rows are to be inserted, sorted by feature; rows of
 *     other features are left out. Empty for queries
 */
public record FileBatch(
    String environment,
    ObservationFile.Kind kind,
    boolean stringKeys,
    Optional<ValueType> valueType,
    List<ObservationFile> files,
    SortedMap<Feature, String> tables) {
  /** Returns the number of rows in all files that have a table. */
  public long rowsOfTables() {
    return files.stream()
        .flatMap(file -> file.features().stream())
        .filter(feature -> tables.containsKey(Feature.of(feature)))
        .mapToLong(ObservationFile.FeatureRows::rows)
        .sum();
  }

  /** Returns the number of rows in all files. */
  public long rows() {
    return files.stream().mapToLong(ObservationFile::rowCount).sum();
  }
}
