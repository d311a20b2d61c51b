package io.tailrace.parquet;

import io.tailrace.parquet.ObservationFile.Kind;
import java.io.IOException;
import java.util.Map;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/**
 * Writes a file again for readers that know few of Parquet's types: {@code observation_id} is a
 * text, as UUIDs are written, JSON is a text, and pages are compressed by Snappy. All else, the
 * order of rows and columns too, stays. Spark refuses a whole file for one column of UUIDs, and
 * Redshift's documentation names neither UUIDs nor ZSTD. Whoever decodes such a file gets the
 * canonical one back, as of every file that somebody else wrote. Stateless and thread-safe.
 */
public final class PlainFile {
  private PlainFile() {}

  /**
   * Returns the bytes of a plain file.
   *
   * @throws IOException if the rows can't be decoded, which a file with a right checksum never
   *     causes
   */
  public static byte[] of(ObservationFile file) throws IOException {
    Map<String, String> footer = file.contents().footer().texts();
    // It is not canonical.
    footer.remove(ObservationSchema.CHECKSUM);
    PageCompression compression = new PageCompression(CompressionCodecName.SNAPPY);
    if (file.kind() == Kind.QUERIES) {
      try (ObservationEncoder encoder = new ObservationEncoder(QueryLog.CURRENT, compression)) {
        return encoder.queryRows(footer, file.queries());
      }
    }
    ObservationRows rows = file.rows();
    try (compression;
        FileWriter writer =
            new FileWriter(
                compression,
                ObservationSchema.plainObservations(file.stringKeys(), file.valueType()))) {
      RowColumns columns = new RowColumns(writer, rows, file.stringKeys(), file.valueType());
      for (int row = 0; row < rows.count(); row++) {
        columns.put(row);
        writer.ended(1, RowColumns.bytes(rows, row, file.stringKeys(), file.valueType()));
      }
      columns.end();
      return writer.finish(footer);
    }
  }
}
