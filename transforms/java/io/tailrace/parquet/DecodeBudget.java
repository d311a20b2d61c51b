package io.tailrace.parquet;

import java.io.IOException;

/**
 * What the decoded texts and vectors of a file may take: a few bytes of a page can stand for many,
 * where each is what it adds to the one before. Not thread-safe.
 */
final class DecodeBudget {
  /** A file's values take more memory than a file may. */
  static final class TooLargeException extends IOException {
    private static final long serialVersionUID = 1;

    final String column;

    TooLargeException(long most, String column) {
      super(
          "decoded, the values of the file have more than "
              + most
              + " bytes, column '"
              + column
              + "' included");
      this.column = column;
    }
  }

  private final long most;
  private long left;

  private DecodeBudget(long most) {
    this.most = most;
    this.left = most;
  }

  /** For a file: what one may take. */
  static DecodeBudget ofFile() {
    return new DecodeBudget(FileStructure.MAX_DECOMPRESSED_BYTES);
  }

  /** For rows that are decoded together. */
  static DecodeBudget of(long bytes) {
    return new DecodeBudget(bytes);
  }

  void take(long bytes, String column) throws TooLargeException {
    left -= bytes;
    if (left < 0) {
      throw new TooLargeException(most, column);
    }
  }
}
