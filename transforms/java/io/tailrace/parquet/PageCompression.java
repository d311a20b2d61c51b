package io.tailrace.parquet;

import org.apache.parquet.compression.CompressionCodecFactory.BytesInputCompressor;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.CodecFactory;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/** Compresses the pages of files that we write. Not thread-safe; close it. */
final class PageCompression implements AutoCloseable {
  private final CodecFactory codecs =
      new CodecFactory(new PlainParquetConfiguration(), FileWriter.PAGE_BYTES);
  private final BytesInputCompressor compressor;

  PageCompression() {
    this(CompressionCodecName.ZSTD);
  }

  PageCompression(CompressionCodecName codec) {
    compressor = codecs.getCompressor(codec);
  }

  BytesInputCompressor compressor() {
    return compressor;
  }

  @Override
  public void close() {
    codecs.release();
  }
}
