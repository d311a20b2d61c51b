package io.tailrace.offline;

import io.tailrace.parquet.ObservationFile;
import io.tailrace.result.ValueType;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Files of one kind that are inserted together. Immutable.
 *
 * @param environment of all rows
 * @param kind of all files
 * @param stringKeys whether primary keys are strings; false for queries
 * @param valueType the type of all values; empty for deletions and queries
 * @param files at least one
 * @param tables the table of each feature whose rows are to be inserted, sorted by feature; rows of
 *     other features are left out. The log's for queries
 */
public record FileBatch(
    String environment,
    ObservationFile.Kind kind,
    boolean stringKeys,
    Optional<ValueType> valueType,
    List<ObservationFile> files,
    SortedMap<Feature, String> tables) {
  /** Returns the same files with some of the tables. */
  public FileBatch only(Predicate<Feature> features) {
    SortedMap<Feature, String> some = new TreeMap<>(tables);
    some.keySet().removeIf(features.negate());
    return new FileBatch(environment, kind, stringKeys, valueType, files, some);
  }

  /** Returns the number of rows in all files that have a table. */
  public long rows() {
    return kind == ObservationFile.Kind.QUERIES
        ? files.stream().mapToLong(ObservationFile::rowCount).sum()
        : files.stream()
            .flatMap(file -> file.features().stream())
            .filter(feature -> tables.containsKey(Feature.of(feature)))
            .mapToLong(ObservationFile.FeatureRows::rows)
            .sum();
  }
}
