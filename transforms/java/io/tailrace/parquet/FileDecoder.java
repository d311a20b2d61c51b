package io.tailrace.parquet;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MemoryBudget;
import io.tailrace.parquet.DecodeBudget.TooLargeException;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.result.ValueType;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.RejectedCell;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.Collectors;

/**
 * Makes canonical files of the messages of the streaming-insert bus, whoever wrote them: the stores
 * get what our {@link ObservationEncoder} writes, and nothing else.
 *
 * <p>A {@link CanonicalFile} is as its writer made it: its footer and the columns of features and
 * namespaces are looked at, the others left to whoever inserts it. Any other file is foreign, one
 * whose checksum is wrong too: it is read once, every value checked, the ids computed, and encoded
 * anew. Rows that can't be taken exactly are refused one by one. What comes of a file depends on
 * nothing but the file. Stateless and thread-safe.
 */
public final class FileDecoder {
  /** No time is too late. */
  static final long ANY_TIME = Long.MAX_VALUE;

  private final QueryLog log;
  private final RejectedCells refused;
  private final long observedUntil;
  private final RowFaults faults = new RowFaults();
  private Optional<byte[]> refusedRows = Optional.empty();

  private FileDecoder(QueryLog log, RejectedCells refused, long observedUntil) {
    this.log = log;
    this.refused = refused;
    this.observedUntil = observedUntil;
  }

  /**
   * What a message was decoded to.
   *
   * @param file without the rows that are refused; it may have none
   * @param refusedRows a file of those alone, as they are, where that is smaller than the message
   */
  public record Decoded(ObservationFile file, Optional<byte[]> refusedRows) {}

  /**
   * Decodes a message, none of whose rows may be refused.
   *
   * @throws InvalidMessageException if it is no file that can be inserted, or a row of it is
   *     refused
   */
  public static ObservationFile decode(BusMessage message) throws InvalidMessageException {
    return decode(message, QueryLog.CURRENT);
  }

  /**
   * Decodes a message, none of whose rows may be refused, with the columns that a version has in
   * the log of queries.
   *
   * @throws InvalidMessageException if it is no file that can be inserted, or a row of it is
   *     refused
   */
  public static ObservationFile decode(BusMessage message, QueryLog log)
      throws InvalidMessageException {
    FileDecoder decoder = new FileDecoder(log, new RejectedCells(), ANY_TIME);
    ObservationFile file = decoder.decodeFile(message);
    if (!decoder.faults.isEmpty()) {
      RowFaults.Fault first = decoder.faults.first().get(0);
      throw new InvalidMessageException(first.reason(), first.column(), first.message());
    }
    return file;
  }

  /**
   * Decodes a message.
   *
   * @param refused takes the rows that are refused; the file is without them, and may have none
   * @throws InvalidMessageException if it is no file that can be inserted
   */
  public static ObservationFile decode(BusMessage message, RejectedCells refused)
      throws InvalidMessageException {
    return decode(message, refused, ANY_TIME).file();
  }

  /**
   * Decodes a message, of which nothing may be observed later than a time: a clock, or a unit, that
   * is wrong. Files of the offline writer were held against it when they were made.
   *
   * @param refused takes the rows that are refused
   * @param observedUntil in microseconds since the epoch
   * @throws InvalidMessageException if it is no file that can be inserted
   */
  public static Decoded decode(BusMessage message, RejectedCells refused, long observedUntil)
      throws InvalidMessageException {
    FileDecoder decoder = new FileDecoder(QueryLog.CURRENT, refused, observedUntil);
    return new Decoded(decoder.decodeFile(message), decoder.refusedRows);
  }

  private ObservationFile decodeFile(BusMessage message) throws InvalidMessageException {
    byte[] bytes = message.payload();
    FileStructure structure = FileStructure.of(bytes);
    FileFooter footer = FileFooter.of(structure.texts());
    Set<String> columns = columns(footer);
    try {
      FileStructure.Checked checked = structure.check(columns);
      // With other columns it is not, and no library may know what these are.
      Optional<ObservationFile> canonical =
          structure.hasColumns(CanonicalFile.columnsOf(footer, log))
              ? CanonicalFile.of(bytes, checked, log, message)
              : Optional.empty();
      if (canonical.isPresent()) {
        return canonical.get();
      }
      byte[] encoded;
      try (MemoryBudget.Share memory = MemoryBudget.ofProcess().share()) {
        memory.hold(bytes.length + checked.decodedBytes());
        byte[] reduced = structure.reducedTo(columns);
        encoded = encodedAnew(reduced, footer);
        keepRefused(reduced, footer, bytes.length);
      }
      return CanonicalFile.of(encoded, FileStructure.of(encoded).check(columns), log, message)
          .orElseThrow(() -> new IllegalStateException("what was encoded is not canonical"))
          .observedUntil(observedUntil);
    } catch (TooLargeException e) {
      throw new InvalidMessageException(Reason.TOO_LARGE, e.column, String.valueOf(e.getMessage()));
    } catch (IOException | RuntimeException e) {
      // Parquet's reader throws what it likes at what is damaged.
      throw new InvalidMessageException(
          Reason.UNDECODABLE, "", "the Parquet file can't be read: " + e.getMessage());
    }
  }

  /** Keeps the rows that are refused, unless the message is as small. */
  private void keepRefused(byte[] reduced, FileFooter footer, int size) throws IOException {
    if (!faults.isEmpty()) {
      Map<String, String> texts = footer.texts();
      // It is no file of ours.
      texts.remove(ObservationSchema.CHECKSUM);
      try (FileColumns file = new FileColumns(reduced)) {
        refusedRows =
            Optional.of(RowsAlone.of(file, texts, faults.rows())).filter(it -> it.length < size);
      }
    }
  }

  /** Returns the names of the columns that are of interest; what is beside them is not. */
  private Set<String> columns(FileFooter footer) {
    return footer.kind() == Kind.QUERIES
        ? log.columns().stream().map(QueryLog.Column::name).collect(Collectors.toSet())
        : ObservationSchema.COLUMNS;
  }

  private byte[] encodedAnew(byte[] bytes, FileFooter footer)
      throws IOException, InvalidMessageException {
    try (FileColumns file = new FileColumns(bytes)) {
      return footer.kind() == Kind.QUERIES ? queries(file, footer) : observations(file, footer);
    }
  }

  private byte[] observations(FileColumns file, FileFooter footer)
      throws IOException, InvalidMessageException {
    Optional<ValueType> valueType = footer.valueType();
    boolean stringKeys = CanonicalFile.hasStringKeys(file);
    Set<String> mayBeAbsent = ObservationSchema.mayBeAbsent(valueType);
    Set<String> nulls =
        new ColumnTypes(file)
            .check(ObservationSchema.observations(stringKeys, valueType), mayBeAbsent);
    RowReader.Read read = new RowReader(file, nulls, faults).read(stringKeys, valueType);
    ObservationRows rows = read.rows();
    new RowCheck(rows, stringKeys, valueType, faults)
        .observedUntil(observedUntil)
        .check(read.ids());
    refuse(row -> Refused.of(rows, row, stringKeys));
    CanonicalRows canonical = new CanonicalRows(rows, stringKeys, valueType);
    return canonical.encode(canonical.order(faults), footer);
  }

  private byte[] queries(FileColumns file, FileFooter footer)
      throws IOException, InvalidMessageException {
    Set<String> optional =
        log.columns().stream()
            .filter(column -> !column.required())
            .map(QueryLog.Column::name)
            .collect(Collectors.toSet());
    Set<String> nulls = new ColumnTypes(file).check(log.schema(), optional);
    List<QueryRow> rows =
        new QueryReader(log, nulls, faults)
            .read(file, footer.environment()).stream().flatMap(Optional::stream).toList();
    refuse(row -> Refused.A_QUERY);
    try (ObservationEncoder encoder = new ObservationEncoder(log)) {
      return encoder.queryRows(footer, rows);
    }
  }

  /** What is known of a row that is refused; empty where nothing is. */
  private record Refused(String namespace, String key, String feature) {
    static final Refused A_QUERY = new Refused(TableNames.QUERY_LOG, "", "");

    static Refused of(ObservationRows rows, int row, boolean stringKeys) {
      boolean hasKey = !stringKeys || rows.stringKey(row).length > 0;
      return new Refused(
          rows.names().namespace()[row] < 0 ? "" : rows.namespace(row),
          hasKey ? rows.keyText(row, stringKeys) : "",
          rows.names().feature()[row] < 0 ? "" : rows.feature(row));
    }
  }

  /** Hands over the rows that are refused: the first of each reason by name, the others counted. */
  private void refuse(IntFunction<Refused> rows) {
    for (RowFaults.Fault fault : faults.first()) {
      Refused row = rows.apply(fault.row());
      refused.addAt(
          fault.column() + "[" + fault.row() + "]",
          new RejectedCell(fault.reason(), row.namespace, row.key, row.feature, fault.message()),
          1);
    }
    for (Reason reason : Reason.values()) {
      int more = faults.unnamed(reason);
      if (more > 0) {
        refused.add(reason, "", "", "", "", more);
      }
    }
  }
}
