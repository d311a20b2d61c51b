package io.tailrace.parquet;

import java.io.IOException;

/**
 * What the decoded values of a file may take: a few bytes of a page can stand for a million values.
 * Not thread-safe.
 */
final class DecodeBudget {
  /** A file's values take more memory than a file may. */
  static final class TooLargeException extends IOException {
    private static final long serialVersionUID = 1;

    final String column;

    TooLargeException(String column) {
      super(
          "decoded, the values of the file have more than "
              + FileStructure.MAX_DECOMPRESSED_BYTES
              + " bytes, column '"
              + column
              + "' included");
      this.column = column;
    }
  }

  private long left = FileStructure.MAX_DECOMPRESSED_BYTES;

  void take(long bytes, String column) throws TooLargeException {
    left -= bytes;
    if (left < 0) {
      throw new TooLargeException(column);
    }
  }
}
