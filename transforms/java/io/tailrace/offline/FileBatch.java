package io.tailrace.offline;

import io.tailrace.parquet.ObservationFile;
import io.tailrace.result.ValueType;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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
    Map<String, String> tables) {
  /** Returns the earliest time in any file, in microseconds since the epoch. */
  public long earliest() {
    return files.stream().mapToLong(ObservationFile::earliest).min().orElse(0);
  }

  /** Returns the latest time in any file, in microseconds since the epoch. */
  public long latest() {
    return files.stream().mapToLong(ObservationFile::latest).max().orElse(0);
  }

  /** Returns the number of rows in all files that have a table. */
  public long rowsOfTables() {
    return files.stream()
        .flatMap(file -> file.features().stream())
        .filter(feature -> tables.containsKey(feature.feature()))
        .mapToLong(ObservationFile.FeatureRows::rows)
        .sum();
  }

  /** Returns the number of rows in all files. */
  public long rows() {
    return files.stream().mapToLong(ObservationFile::rowCount).sum();
  }
}
