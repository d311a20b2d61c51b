package io.tailrace.parquet;

import io.tailrace.bus.BusMessage;
import io.tailrace.parquet.ObservationFile.FeatureRows;
import io.tailrace.parquet.ObservationFile.FileContents;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.result.ValueType;
import io.tailrace.stage.InvalidMessageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.schema.PrimitiveType;

/**
 * Tells the files that our encoder writes from others: a right checksum, which vouches for every
 * value, the columns of this version and no more, one row group with statistics of its times, and
 * its rows sorted by feature. Not thread-safe.
 */
final class CanonicalFile {
  private final FileColumns file;
  private final FileFooter footer;
  private final QueryLog log;
  private final ObservationFile.Size size;

  private CanonicalFile(
      FileColumns file, FileFooter footer, QueryLog log, ObservationFile.Size size) {
    this.file = file;
    this.footer = footer;
    this.log = log;
    this.size = size;
  }

  /**
   * Returns a file, if it is canonical.
   *
   * @param bytes the file
   * @param message what is said to have carried it
   * @throws IOException if it can't be read
   */
  static Optional<ObservationFile> of(
      byte[] bytes, FileStructure.Checked checked, QueryLog log, BusMessage message)
      throws IOException, InvalidMessageException {
    if (!checked.texts().containsKey(ObservationSchema.CHECKSUM) || !FileChecksum.isRight(bytes)) {
      return Optional.empty();
    }
    FileFooter footer = FileFooter.of(checked.texts());
    try (FileColumns file = new FileColumns(bytes)) {
      return new CanonicalFile(
              file,
              footer,
              log,
              new ObservationFile.Size(checked.decompressedBytes(), checked.decodedBytes()))
          .contents()
          .map(contents -> new ObservationFile(message, bytes, contents));
    }
  }

  /** Returns how many columns a canonical file has. */
  static int columnsOf(FileFooter footer, QueryLog log) {
    return footer.kind() == Kind.QUERIES
        ? log.columns().size()
        : ObservationSchema.observations(true, footer.valueType()).getFieldCount();
  }

  /** Returns whether primary keys are strings. */
  static boolean hasStringKeys(FileColumns file) {
    return file.has(ObservationSchema.PKEY)
        && file.schema().getType(ObservationSchema.PKEY).isPrimitive()
        && file.schema().getType(ObservationSchema.PKEY).asPrimitiveType().getPrimitiveTypeName()
            == PrimitiveType.PrimitiveTypeName.BINARY;
  }

  private Optional<FileContents> contents() throws IOException {
    long[] range = {Long.MAX_VALUE, Long.MIN_VALUE};
    if (file.footer().getBlocks().size() > 1) {
      return Optional.empty();
    }
    if (footer.kind() == Kind.QUERIES) {
      return file.schema().equals(log.schema()) && hasRange(QueryLog.TIME, range)
          ? Optional.of(contents(false, List.of(), range))
          : Optional.empty();
    }
    boolean stringKeys = hasStringKeys(file);
    Optional<ValueType> valueType = footer.valueType();
    if (!file.schema().equals(ObservationSchema.observations(stringKeys, valueType))
        || !hasRange(ObservationSchema.OBSERVED_AT, range)) {
      return Optional.empty();
    }
    return features().map(features -> contents(stringKeys, features, range));
  }

  private FileContents contents(boolean stringKeys, List<FeatureRows> features, long[] range) {
    return new FileContents(
        footer, stringKeys, features, file.rowCount(), range[0], range[1], size);
  }

  /** Reads the range of a column of times from the footer; returns false if that does not say. */
  private boolean hasRange(String column, long[] range) {
    for (BlockMetaData block : file.footer().getBlocks()) {
      for (ColumnChunkMetaData chunk : block.getColumns()) {
        if (chunk.getPath().toDotString().equals(column)) {
          Statistics<?> statistics = chunk.getStatistics();
          if (statistics == null
              || !statistics.hasNonNullValue()
              || !(statistics.genericGetMin() instanceof Long min)
              || !(statistics.genericGetMax() instanceof Long max)) {
            return false;
          }
          range[0] = Math.min(range[0], min);
          range[1] = Math.max(range[1], max);
        }
      }
    }
    return true;
  }

  /** Reads the features, if they are sorted. */
  private Optional<List<FeatureRows>> features() throws IOException {
    RowFaults faults = new RowFaults();
    DecodeBudget budget = DecodeBudget.ofFile();
    TextColumn features = new TextColumn(ObservationSchema.FEATURE, budget, true, faults);
    TextColumn namespaces = new TextColumn(ObservationSchema.NAMESPACE, budget, true, faults);
    Map<String, TextColumn> columns = new LinkedHashMap<>();
    columns.put(ObservationSchema.FEATURE, features);
    columns.put(ObservationSchema.NAMESPACE, namespaces);
    file.read(columns);
    List<FeatureRows> runs = new ArrayList<>();
    int count = features.count();
    for (int from = 0, to; from < count && faults.isEmpty(); from = to) {
      int feature = features.indices()[from];
      int namespace = namespaces.indices()[from];
      to = from + 1;
      while (to < count
          && features.indices()[to] == feature
          && namespaces.indices()[to] == namespace) {
        to++;
      }
      FeatureRows run =
          new FeatureRows(namespaces.text(namespace), features.text(feature), to - from);
      if (!isAfter(run, runs)
          || !RowCheck.whyNoFeature(run.namespace(), run.feature(), footer.valueType().isPresent())
              .isEmpty()) {
        return Optional.empty();
      }
      runs.add(run);
    }
    return faults.isEmpty() ? Optional.of(List.copyOf(runs)) : Optional.empty();
  }

  private static boolean isAfter(FeatureRows run, List<FeatureRows> before) {
    if (before.isEmpty()) {
      return true;
    }
    FeatureRows last = before.get(before.size() - 1);
    int byFeature = last.feature().compareTo(run.feature());
    return byFeature < 0 || (byFeature == 0 && last.namespace().compareTo(run.namespace()) < 0);
  }
}
