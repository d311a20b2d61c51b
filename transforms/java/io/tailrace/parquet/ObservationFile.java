package io.tailrace.parquet;

import io.tailrace.bus.BusMessage;
import io.tailrace.result.ValueType;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.beam.sdk.coders.DefaultCoder;
import org.jspecify.annotations.Nullable;

/**
 * A canonical Parquet file of the streaming-insert bus: what our encoder writes, whoever published
 * the message. Two are equal when their messages are. Immutable, as long as nobody writes into its
 * bytes.
 */
@DefaultCoder(ObservationFileCoder.class)
public final class ObservationFile {
  /** What the rows of a file are. */
  public enum Kind {
    /** Observations of features, or deletions. */
    OBSERVATIONS,
    /** Rows of the log of queries. */
    QUERIES
  }

  /**
   * A feature in a file.
   *
   * @param namespace its namespace
   * @param feature fully qualified; ends with a dot for the entities themselves
   * @param rows how many rows it has
   */
  public record FeatureRows(String namespace, String feature, int rows) {}

  private final BusMessage message;
  private final byte[] bytes;
  private final FileContents contents;
  private final long observedUntil;

  ObservationFile(BusMessage message, byte[] bytes, FileContents contents) {
    this(message, bytes, contents, FileDecoder.ANY_TIME);
  }

  private ObservationFile(
      BusMessage message, byte[] bytes, FileContents contents, long observedUntil) {
    this.message = message;
    this.bytes = bytes;
    this.contents = contents;
    this.observedUntil = observedUntil;
  }

  /** Returns the same file, of whose message rows were left out that were observed later. */
  ObservationFile observedUntil(long micros) {
    return new ObservationFile(message, bytes, contents, micros);
  }

  /** Returns until when rows of the message may have been observed. */
  long observedUntil() {
    return observedUntil;
  }

  /**
   * What is known of a file without its rows.
   *
   * @param earliest the least of the rows' times (observed_at, or query_timestamp)
   * @param size what it takes
   */
  record FileContents(
      FileFooter footer,
      boolean stringKeys,
      List<FeatureRows> features,
      long rows,
      long earliest,
      long latest,
      Size size) {}

  /**
   * What a file takes.
   *
   * @param decompressed its pages, when decompressed
   * @param decoded its rows, when decoded, at most
   */
  record Size(long decompressed, long decoded) {}

  FileContents contents() {
    return contents;
  }

  /** Returns the message that carried the file, as it was published. */
  public BusMessage message() {
    return message;
  }

  /** Returns the canonical file; not to be written to. */
  public byte[] bytes() {
    return bytes;
  }

  /** Returns whether bytes begin as every Parquet file does. */
  public static boolean isParquet(byte[] bytes) {
    return bytes.length > 4
        && bytes[0] == 'P'
        && bytes[1] == 'A'
        && bytes[2] == 'R'
        && bytes[3] == '1';
  }

  /** Returns what the rows are. */
  public Kind kind() {
    return contents.footer.kind();
  }

  /** Returns the environment of all rows. */
  public String environment() {
    return contents.footer.environment();
  }

  /** Returns whether primary keys are strings; otherwise they are integers. */
  public boolean stringKeys() {
    return contents.stringKeys;
  }

  /** Returns the type of all values; empty for deletions and for queries. */
  public Optional<ValueType> valueType() {
    return contents.footer.valueType();
  }

  /** Returns the features in the file, sorted, each once. */
  public List<FeatureRows> features() {
    return contents.features;
  }

  /** Returns the number of rows. */
  public long rowCount() {
    return contents.rows;
  }

  /**
   * Returns the least of the rows' times ({@code observed_at}, or {@code query_timestamp}), in
   * microseconds since the epoch.
   */
  public long earliest() {
    return contents.earliest;
  }

  /** Returns the greatest of the rows' times. */
  public long latest() {
    return contents.latest;
  }

  /**
   * Returns when the oldest of the results in the file was published, in microseconds since the
   * epoch; empty when the file does not say.
   */
  public Optional<Long> publishedFrom() {
    long publishedFrom = contents.footer.publishedFrom();
    return publishedFrom == 0 ? Optional.empty() : Optional.of(publishedFrom);
  }

  /**
   * Returns how many bytes the file's pages take when decompressed. A file in which that is more
   * than an eighth of the heap, or 256 MB, is invalid.
   */
  public long decompressedBytes() {
    return contents.size.decompressed;
  }

  /** Returns how many bytes the rows take at most when {@link #rows} decodes them. */
  public long decodedBytes() {
    return contents.size.decoded;
  }

  /** Returns how many bytes this holds: the canonical file, and the message that carried it. */
  public long heldBytes() {
    int counted = message.payload() == bytes ? 0 : bytes.length;
    return message.heldBytes() + counted + 100L * features().size();
  }

  /**
   * Decodes the rows of a file of observations, for stores that do not read Parquet.
   *
   * @throws IOException if they can't be decoded, which a file with a right checksum never causes
   */
  public ObservationRows rows() throws IOException {
    RowFaults faults = new RowFaults();
    try (FileColumns columns = new FileColumns(bytes)) {
      ObservationRows rows =
          new RowReader(columns, Set.of(), faults).read(stringKeys(), valueType()).rows();
      checkNone(faults);
      return rows;
    } catch (RuntimeException e) {
      throw new IOException("the Parquet file can't be read: " + e.getMessage(), e);
    }
  }

  /**
   * Decodes the rows of a file of queries, for stores that do not read Parquet.
   *
   * @throws IOException if they can't be decoded, which a file with a right checksum never causes
   */
  public List<QueryRow> queries() throws IOException {
    return queries(QueryLog.CURRENT);
  }

  /**
   * Decodes the rows of a file of queries, with other columns than this version knows.
   *
   * @throws IOException if they can't be decoded, which a file with a right checksum never causes
   */
  public List<QueryRow> queries(QueryLog log) throws IOException {
    RowFaults faults = new RowFaults();
    try (FileColumns columns = new FileColumns(bytes)) {
      List<Optional<QueryRow>> rows =
          new QueryReader(log, Set.of(), faults).read(columns, environment());
      checkNone(faults);
      return rows.stream().flatMap(Optional::stream).toList();
    } catch (RuntimeException e) {
      throw new IOException("the Parquet file can't be read: " + e.getMessage(), e);
    }
  }

  /** A row at fault in a file with a right checksum: somebody made the checksum to deceive. */
  private static void checkNone(RowFaults faults) throws IOException {
    if (!faults.isEmpty()) {
      throw new IOException(faults.first().get(0).message());
    }
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ObservationFile that && message.equals(that.message);
  }

  @Override
  public int hashCode() {
    return message.hashCode();
  }

  @Override
  public String toString() {
    return kind() + " of " + environment() + " in " + message;
  }
}
