package io.tailrace.parquet;

import java.io.IOException;
import java.util.BitSet;
import java.util.Map;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/**
 * Writes some rows of a file of another publisher as they are, in the types that they came in: what
 * a letter holds of a file of which only rows were refused. It is taken, or refused, as the file
 * was. Stateless and thread-safe.
 */
final class RowsAlone {
  private RowsAlone() {}

  /**
   * Returns a file of some rows.
   *
   * @param file a file in which nothing is of no interest
   * @param texts what the footer says
   * @param rows the numbers of the rows, from zero
   */
  static byte[] of(FileColumns file, Map<String, String> texts, BitSet rows) throws IOException {
    FileBytes bytes = new FileBytes(0);
    try (ParquetWriter<Group> writer =
        ExampleParquetWriter.builder(bytes)
            .withConf(new PlainParquetConfiguration())
            .withType(file.schema())
            .withCompressionCodec(CompressionCodecName.ZSTD)
            .withExtraMetaData(texts)
            .build()) {
      file.readRows(
          (number, row) -> {
            if (rows.get(number)) {
              writer.write(row);
            }
          });
    }
    return bytes.toByteArray();
  }
}
