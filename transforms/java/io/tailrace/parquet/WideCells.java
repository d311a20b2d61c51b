package io.tailrace.parquet;

import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.ObservationRows.Keys;
import io.tailrace.parquet.ObservationRows.Names;
import io.tailrace.parquet.ObservationRows.Texts;
import io.tailrace.parquet.ObservationRows.Values;
import io.tailrace.parquet.SomeRows.Distinct;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.parquet.WideRows.Source;
import io.tailrace.result.ValueType;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.RejectedCell;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes canonical files of the cells of some rows and columns of a wide file: of each value type
 * one or several. Not thread-safe.
 */
final class WideCells {
  /**
   * What a cell takes beside its key and its value when it is a row of a file, at most, as {@link
   * DecodedSize} counts it: texts that are absent count, too.
   */
  static final int CELL_BYTES = 384;

  /** What a byte of a vector takes then: its numbers are values each. */
  private static final int VECTOR_GROWTH = 4;

  /** Rows after which a file is ended, when the column is over. */
  private static final int FILE_ROWS = 200_000;

  private final WideMapping mapping;
  private final WideFile.Checked checked;
  private final Source source;
  private final RejectedCells refused;
  private final long most;
  private final List<ObservationFile> files = new ArrayList<>();

  /**
   * Makes files of a file's cells.
   *
   * @param most how many bytes rows that are decoded together may take, and those of one file
   */
  WideCells(
      WideMapping mapping,
      WideFile.Checked checked,
      Source source,
      RejectedCells refused,
      long most) {
    this.mapping = mapping;
    this.checked = checked;
    this.source = source;
    this.refused = refused;
    this.most = most;
  }

  /**
   * The cells of a column that have a value, and are not refused with their rows.
   *
   * @param bytes what they take as rows of a file, at most
   */
  private record Cells(
      FeatureColumn feature, int[] rows, ValueColumn values, RowFaults faults, long bytes) {}

  /** Where faults of a column's rows are in the file. */
  private static final class FaultsOfFile extends RowFaults {
    private final long first;

    FaultsOfFile(long first) {
      this.first = first;
    }

    @Override
    String where(int row, String column) {
      return "row " + (first + row) + ": column '" + column + "'";
    }
  }

  /**
   * Decodes the next rows.
   *
   * @param first which row of the file the first of them is
   * @throws DecodeBudget.TooLargeException if they take too much; then nothing is refused yet, and
   *     fewer rows may do
   */
  List<ObservationFile> decode(
      WideSlice.Reading reading, List<FeatureColumn> features, long first, int count)
      throws IOException, InvalidMessageException {
    DecodeBudget budget = DecodeBudget.of(most);
    Base base = base(reading, first, count, budget);
    List<Cells> columns = new ArrayList<>();
    for (FeatureColumn feature : features) {
      columns.add(cells(reading, feature, base, budget));
    }
    files.clear();
    Map<ValueType, List<Cells>> byType = new LinkedHashMap<>();
    for (Cells cells : columns) {
      refuse(cells.feature, base, cells.faults);
      ValueType type = cells.feature.kind().type();
      List<Cells> same = byType.computeIfAbsent(type, unused -> new ArrayList<>());
      if (isFull(same, cells)) {
        encode(base, type, same);
        same.clear();
      }
      same.add(cells);
    }
    for (Map.Entry<ValueType, List<Cells>> each : byType.entrySet()) {
      encode(base, each.getKey(), each.getValue());
    }
    return List.copyOf(files);
  }

  private boolean isFull(List<Cells> some, Cells more) {
    return some.stream().mapToInt(each -> each.rows.length).sum() >= FILE_ROWS
        || some.stream().mapToLong(Cells::bytes).sum() + more.bytes > most;
  }

  private Base base(WideSlice.Reading reading, long first, int count, DecodeBudget budget)
      throws IOException {
    RowFaults faults = new FaultsOfFile(first);
    String key = mapping.keyColumn();
    TextColumn strings = new TextColumn(key, budget, true, faults);
    NumberColumn integers = new NumberColumn(key, checked.stringKeys() ? 0 : count, true, faults);
    reading.takeBase(key, checked.stringKeys() ? strings : integers, count);
    long[] times = new long[count];
    Arrays.fill(times, mapping.time().constant());
    if (mapping.time().named().isPresent()) {
      NumberColumn column = new NumberColumn(mapping.time().column(), count, true, faults);
      reading.takeBase(mapping.time().column(), column, count);
      times = column.numbers;
    }
    return new Base(
        count, first, new Texts(strings.distinct, strings.indices()), integers, times, faults);
  }

  /** What the cells of a row have in common. */
  private record Base(
      int count, long first, Texts strings, NumberColumn integers, long[] times, RowFaults faults) {
    boolean hasKey(int row) {
      return integers.numbers.length > 0 ? integers.at(row).isPresent() : strings.index()[row] >= 0;
    }

    /** Why a row can't be taken: of the first ones it is known, of the others it is likely. */
    Reason reasonOf(int row) {
      return faults.first().stream()
          .filter(fault -> fault.row() == row)
          .findFirst()
          .map(RowFaults.Fault::reason)
          .orElse(Reason.MISSING_FIELD);
    }
  }

  private Cells cells(
      WideSlice.Reading reading, FeatureColumn feature, Base base, DecodeBudget budget)
      throws IOException {
    RowFaults faults = new FaultsOfFile(base.first);
    ValueColumn values =
        new ValueColumn(
            feature.column(), Optional.of(feature.kind().type()), base.count, budget, faults);
    reading.takeValues(feature.column(), values, base.count);
    ValueType type = feature.kind().type();
    int ofByte = RowColumns.isInBytes(type) ? type == ValueType.VECTOR ? VECTOR_GROWTH : 1 : 0;
    boolean nulls = feature.kind().nulls() == Nulls.COMPUTED;
    int[] rows = new int[base.count];
    int kept = 0;
    long bytes = 0;
    for (int row = 0; row < base.count; row++) {
      if (faults.contains(row) || !(values.present[row] || nulls)) {
        continue;
      }
      if (base.faults.contains(row)) {
        faults.add(row, base.reasonOf(row), mapping.keyColumn(), "");
        continue;
      }
      rows[kept++] = row;
      bytes += CELL_BYTES + (checked.stringKeys() ? base.strings.at(row).length : 0);
      bytes += ofByte > 0 && values.present[row] ? (long) ofByte * values.bytes[row].length : 0;
    }
    if (bytes > most) {
      throw new DecodeBudget.TooLargeException(most, feature.column());
    }
    return new Cells(feature, Arrays.copyOf(rows, kept), values, faults, bytes);
  }

  /** Names the first cells that are refused of a column, and counts the others. */
  private void refuse(FeatureColumn feature, Base base, RowFaults faults) {
    Map<Integer, RowFaults.Fault> ofRows = new LinkedHashMap<>();
    base.faults.first().forEach(fault -> ofRows.put(fault.row(), fault));
    for (RowFaults.Fault fault : faults.first()) {
      RowFaults.Fault told = base.faults.contains(fault.row()) ? ofRows.get(fault.row()) : fault;
      tell(feature, base, told == null ? fault : told);
    }
    for (Reason reason : Reason.values()) {
      int more = faults.unnamed(reason);
      if (more > 0) {
        refused.add(reason, feature.namespace(), "", feature.feature(), source.name(), more);
      }
    }
  }

  private void tell(FeatureColumn feature, Base base, RowFaults.Fault fault) {
    String key =
        !base.hasKey(fault.row())
            ? ""
            : checked.stringKeys()
                ? new String(base.strings.at(fault.row()), StandardCharsets.UTF_8)
                : Long.toString(base.integers.numbers[fault.row()]);
    refused.addAt(
        source.place() + "." + fault.column() + "[" + (base.first + fault.row()) + "]",
        new RejectedCell(
            fault.reason(),
            feature.namespace(),
            key,
            feature.feature(),
            source.name() + ": " + fault.message()),
        1);
  }

  private void encode(Base base, ValueType type, List<Cells> columns)
      throws IOException, InvalidMessageException {
    int count = columns.stream().mapToInt(each -> each.rows.length).sum();
    if (count == 0) {
      return;
    }
    int[] feature = new int[count];
    int[] ofFile = new int[count];
    boolean inBytes = RowColumns.isInBytes(type);
    Values values =
        new Values(
            new boolean[count],
            new long[inBytes ? 0 : count],
            new byte[inBytes ? count : 0][],
            new boolean[count]);
    int at = 0;
    for (int number = 0; number < columns.size(); number++) {
      Cells cells = columns.get(number);
      for (int row : cells.rows) {
        feature[at] = number;
        ofFile[at] = row;
        values.present()[at] = cells.values.present[row];
        if (cells.values.present[row] && inBytes) {
          values.bytes()[at] = cells.values.bytes[row];
        } else if (cells.values.present[row]) {
          values.numbers()[at] = cells.values.numbers[row];
        }
        at++;
      }
    }
    Optional<ValueType> of = Optional.of(type);
    ObservationRows rows = rows(base, columns, feature, ofFile, values);
    RowFaults faults = new FaultsOfCells(base.first, ofFile, feature, columns);
    new RowCheck(rows, checked.stringKeys(), of, faults)
        .observedUntil(source.observedUntil())
        .check(new IdColumn(0));
    for (RowFaults.Fault fault : faults.first()) {
      FeatureColumn column = columns.get(feature[fault.row()]).feature;
      tell(
          column,
          base,
          new RowFaults.Fault(
              ofFile[fault.row()], fault.reason(), columnOf(fault, column), fault.message()));
    }
    for (Reason reason : Reason.values()) {
      if (faults.unnamed(reason) > 0) {
        refused.add(reason, "", "", "", source.name(), faults.unnamed(reason));
      }
    }
    CanonicalRows canonical = new CanonicalRows(rows, checked.stringKeys(), of);
    byte[] encoded =
        canonical.encode(
            canonical.order(faults),
            new FileFooter(Kind.OBSERVATIONS, source.operation().environment(), of, 0));
    ObservationFile canonicalFile =
        CanonicalFile.of(
                encoded,
                FileStructure.of(encoded).check(ObservationSchema.COLUMNS),
                QueryLog.CURRENT,
                // What carries it from here on.
                source.message().withPayload(encoded))
            .orElseThrow(() -> new IllegalStateException("what was encoded is not canonical"));
    if (canonicalFile.rowCount() > 0) {
      files.add(canonicalFile);
    }
  }

  /** What a cell's column is called in the wide file. */
  private String columnOf(RowFaults.Fault fault, FeatureColumn column) {
    return columnOf(fault.column(), column);
  }

  private String columnOf(String name, FeatureColumn column) {
    return switch (name) {
      case ObservationSchema.VALUE -> column.column();
      case ObservationSchema.PKEY -> mapping.keyColumn();
      case ObservationSchema.OBSERVED_AT -> mapping.time().named().orElse(name);
      default -> name;
    };
  }

  /** Says of a cell which row and column of the wide file it is. */
  private final class FaultsOfCells extends RowFaults {
    private final long first;
    private final int[] ofFile;
    private final int[] feature;
    private final List<Cells> columns;

    FaultsOfCells(long first, int[] ofFile, int[] feature, List<Cells> columns) {
      this.first = first;
      this.ofFile = ofFile;
      this.feature = feature;
      this.columns = columns;
    }

    @Override
    String where(int row, String column) {
      return "row "
          + (first + ofFile[row])
          + ": column '"
          + columnOf(column, columns.get(feature[row]).feature)
          + "'";
    }
  }

  private ObservationRows rows(
      Base base, List<Cells> columns, int[] feature, int[] ofFile, Values values) {
    int count = feature.length;
    Distinct<String> features = new Distinct<>(count);
    Distinct<String> namespaces = new Distinct<>(count);
    int[] keys = new int[checked.stringKeys() ? count : 0];
    long[] integers = new long[checked.stringKeys() ? 0 : count];
    long[] times = new long[count];
    for (int at = 0; at < count; at++) {
      if (checked.stringKeys()) {
        keys[at] = base.strings.index()[ofFile[at]];
      } else {
        integers[at] = base.integers.numbers[ofFile[at]];
      }
      times[at] = base.times[ofFile[at]];
      FeatureColumn column = columns.get(feature[at]).feature;
      features.put(at, column.feature());
      namespaces.put(at, column.namespace());
    }
    return new ObservationRows(
        count,
        new Names(features.values, features.index, namespaces.values, namespaces.index),
        new Keys(
            new byte[count * ObservationIds.LENGTH],
            new Texts(base.strings.distinct(), keys),
            integers,
            times),
        values,
        WideOrigins.of(source.operation(), columns.stream().map(Cells::feature).toList(), feature));
  }
}
