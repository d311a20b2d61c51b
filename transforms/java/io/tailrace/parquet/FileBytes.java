package io.tailrace.parquet;

import java.io.ByteArrayOutputStream;
import org.apache.parquet.io.DelegatingPositionOutputStream;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;

/** A file in memory, as Parquet's writer wants one. Not thread-safe. */
public final class FileBytes implements OutputFile {
  private final ByteArrayOutputStream bytes;

  public FileBytes(int expectedSize) {
    bytes = new ByteArrayOutputStream(expectedSize);
  }

  @Override
  public PositionOutputStream create(long blockSizeHint) {
    return new DelegatingPositionOutputStream(bytes) {
      @Override
      public long getPos() {
        return bytes.size();
      }
    };
  }

  @Override
  public PositionOutputStream createOrOverwrite(long blockSizeHint) {
    return create(blockSizeHint);
  }

  @Override
  public boolean supportsBlockSize() {
    return false;
  }

  @Override
  public long defaultBlockSize() {
    return 0;
  }

  public byte[] toByteArray() {
    return bytes.toByteArray();
  }
}
