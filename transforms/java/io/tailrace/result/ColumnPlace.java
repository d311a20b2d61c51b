package io.tailrace.result;

/** Where a column stands in a message. Not thread-safe: used again for each column. */
final class ColumnPlace {
  int frame;
  int index;
  // Of the frame.
  int rows;

  /** Returns the path of the column's fields, for errors. */
  String path() {
    return "frames[" + frame + "].columns[" + index + "].";
  }
}
