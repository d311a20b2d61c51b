package io.tailrace.parquet;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MemoryBudget;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.ObservationRows.Keys;
import io.tailrace.parquet.ObservationRows.Names;
import io.tailrace.parquet.ObservationRows.Texts;
import io.tailrace.parquet.ObservationRows.Values;
import io.tailrace.parquet.SomeRows.Distinct;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Nulls;
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
 * Makes canonical files of the rows of a wide one: of each value type one or several, with the ids
 * that every other way gives them. What can't be taken exactly of a row is refused cell by cell.
 * Not thread-safe.
 */
public final class WideRows {
  /** Rows after which a file is ended, when the column is over. */
  private static final int FILE_ROWS = 200_000;

  private final WideFile file;
  private final WideMapping mapping;
  private final WideFile.Checked checked;
  private final Source source;
  private final RejectedCells refused;
  private final List<ObservationFile> files = new ArrayList<>();

  /**
   * What all rows have in common.
   *
   * @param place what is said of where a refused cell is, such as {@code files[3]}
   * @param name what the file is called in sentences
   * @param observedUntil microseconds since the epoch: later times are a clock's error
   * @param message stands for the message that brought the rows
   */
  public record Source(
      Operation operation, String place, String name, long observedUntil, BusMessage message) {}

  /**
   * Where rows come from.
   *
   * @param deployment empty: not known
   */
  public record Operation(String id, String environment, String deployment) {}

  /** Takes the canonical files of a row group. */
  public interface Receiver<E extends Exception> {
    /** Takes them. */
    void take(List<ObservationFile> some) throws IOException, E;
  }

  /**
   * Creates one.
   *
   * @param refused takes the cells that are refused
   */
  public WideRows(
      WideFile file,
      WideMapping mapping,
      WideFile.Checked checked,
      Source source,
      RejectedCells refused) {
    this.file = file;
    this.mapping = mapping;
    this.checked = checked;
    this.source = source;
    this.refused = refused;
  }

  /** The cells of a column that have a value, and are not refused with their rows. */
  private record Cells(FeatureColumn feature, int[] rows, ValueColumn values) {}

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
   * Decodes the file, a row group after the other.
   *
   * @param to takes what a row group becomes, before the next one is read
   * @throws InvalidMessageException if it is damaged, or takes more memory than a file may; what
   *     came before is good
   */
  public <E extends Exception> void decode(Receiver<E> to)
      throws IOException, InvalidMessageException, E {
    long first = 0;
    for (int group = 0; group < file.rowGroups(); group++) {
      int rows = file.groups().rows(group);
      if (rows > 0) {
        byte[] bytes = file.groups().read(group, mapping.columns());
        files.clear();
        try (MemoryBudget.Share memory = MemoryBudget.ofProcess().share();
            FileColumns columns = new FileColumns(bytes)) {
          memory.hold(3L * bytes.length);
          decode(columns, first, rows);
        } catch (DecodeBudget.TooLargeException e) {
          throw new InvalidMessageException(
              Reason.TOO_LARGE, e.column, String.valueOf(e.getMessage()));
        } catch (IOException | RuntimeException e) {
          // Parquet's reader throws what it likes at what is damaged.
          throw new InvalidMessageException(
              Reason.UNDECODABLE, "", "the Parquet file can't be read: " + e.getMessage());
        }
        to.take(List.copyOf(files));
      }
      first += rows;
    }
  }

  private void decode(FileColumns columns, long first, int count)
      throws IOException, InvalidMessageException {
    RowFaults rowFaults = new FaultsOfFile(first);
    DecodeBudget budget = DecodeBudget.ofFile();
    TextColumn strings = new TextColumn(mapping.keyColumn(), budget, true, rowFaults);
    NumberColumn integers =
        new NumberColumn(mapping.keyColumn(), checked.stringKeys() ? 0 : count, true, rowFaults);
    columns.read(Map.of(mapping.keyColumn(), checked.stringKeys() ? strings : integers));
    long[] times = new long[count];
    Arrays.fill(times, mapping.time().constant());
    if (mapping.time().named().isPresent()) {
      NumberColumn column = new NumberColumn(mapping.time().column(), count, true, rowFaults);
      columns.read(Map.of(mapping.time().column(), column));
      times = column.numbers;
    }
    Base base =
        new Base(
            count,
            first,
            new Texts(strings.distinct, strings.indices()),
            integers.numbers,
            times,
            rowFaults);
    Map<ValueType, List<Cells>> byType = new LinkedHashMap<>();
    for (FeatureColumn feature : mapping.features()) {
      RowFaults faults = new FaultsOfFile(first);
      Cells cells = cells(columns, feature, base, faults);
      List<Cells> same = byType.computeIfAbsent(feature.kind().type(), unused -> new ArrayList<>());
      same.add(cells);
      if (same.stream().mapToInt(each -> each.rows.length).sum() >= FILE_ROWS) {
        encode(base, feature.kind().type(), same);
        same.clear();
      }
    }
    for (Map.Entry<ValueType, List<Cells>> each : byType.entrySet()) {
      encode(base, each.getKey(), each.getValue());
    }
  }

  /** What the cells of a row have in common. */
  private record Base(
      int count, long first, Texts strings, long[] integers, long[] times, RowFaults faults) {
    /** Why a row can't be taken: of the first ones it is known, of the others it is likely. */
    Reason reasonOf(int row) {
      return faults.first().stream()
          .filter(fault -> fault.row() == row)
          .findFirst()
          .map(RowFaults.Fault::reason)
          .orElse(Reason.MISSING_FIELD);
    }
  }

  private Cells cells(FileColumns columns, FeatureColumn feature, Base base, RowFaults faults)
      throws IOException {
    Optional<ValueType> type = Optional.of(feature.kind().type());
    ValueColumn values =
        new ValueColumn(feature.column(), type, base.count, DecodeBudget.ofFile(), faults);
    if (!checked.empty().contains(feature.column())) {
      columns.read(Map.of(feature.column(), values));
    }
    int[] rows = new int[base.count];
    int kept = 0;
    boolean nulls = feature.kind().nulls() == Nulls.COMPUTED;
    for (int row = 0; row < base.count; row++) {
      if (faults.contains(row) || !(values.present[row] || nulls)) {
        continue;
      }
      if (base.faults.contains(row)) {
        faults.add(row, base.reasonOf(row), mapping.keyColumn(), "");
        continue;
      }
      rows[kept++] = row;
    }
    refuse(feature, base, faults);
    return new Cells(feature, Arrays.copyOf(rows, kept), values);
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
        refused.add(reason, feature.namespace(), "", feature.feature(), source.name, more);
      }
    }
  }

  private void tell(FeatureColumn feature, Base base, RowFaults.Fault fault) {
    boolean hasKey = !checked.stringKeys() || base.strings.index()[fault.row()] >= 0;
    String key =
        !hasKey
            ? ""
            : checked.stringKeys()
                ? new String(base.strings.at(fault.row()), StandardCharsets.UTF_8)
                : Long.toString(base.integers[fault.row()]);
    refused.addAt(
        source.place + "." + fault.column() + "[" + (base.first + fault.row()) + "]",
        new RejectedCell(
            fault.reason(),
            feature.namespace(),
            key,
            feature.feature(),
            source.name + ": " + fault.message()),
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
        .observedUntil(source.observedUntil)
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
        refused.add(reason, "", "", "", source.name, faults.unnamed(reason));
      }
    }
    CanonicalRows canonical = new CanonicalRows(rows, checked.stringKeys(), of);
    byte[] encoded =
        canonical.encode(
            canonical.order(faults),
            new FileFooter(Kind.OBSERVATIONS, source.operation.environment, of, 0));
    ObservationFile canonicalFile =
        CanonicalFile.of(
                encoded,
                FileStructure.of(encoded).check(ObservationSchema.COLUMNS),
                QueryLog.CURRENT,
                // What carries it from here on.
                source.message.withPayload(encoded))
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
        integers[at] = base.integers[ofFile[at]];
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
        WideOrigins.of(source.operation, columns.stream().map(Cells::feature).toList(), feature));
  }
}
