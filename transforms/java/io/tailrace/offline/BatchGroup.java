package io.tailrace.offline;

import io.tailrace.offline.InsertTally.Numbered;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.result.ValueType;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/** What the files of a batch have in common. Immutable. */
record BatchGroup(
    String environment, Kind kind, boolean stringKeys, Optional<ValueType> valueType) {
  /** Deletions first: of an observation and a deletion with one id, the deletion stands. */
  static final Comparator<BatchGroup> ORDER =
      Comparator.comparing(BatchGroup::environment)
          .thenComparing(BatchGroup::kind)
          .thenComparing(group -> group.valueType.map(Enum::ordinal).orElse(-1))
          .thenComparing(BatchGroup::stringKeys);

  static BatchGroup of(ObservationFile file) {
    return new BatchGroup(file.environment(), file.kind(), file.stringKeys(), file.valueType());
  }

  FileBatch batch(List<Numbered> files, SortedMap<Feature, String> tables) {
    return new FileBatch(
        environment,
        kind,
        stringKeys,
        valueType,
        files.stream().map(Numbered::file).toList(),
        tables);
  }
}
