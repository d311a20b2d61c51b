package io.tailrace.result;

import org.jspecify.annotations.Nullable;

/** A column's head: its bytes, what they mean, and what followed it last time. Not thread-safe. */
final class ColumnHead {
  final byte[] bytes;
  final ColumnSpec spec;
  // Fields of the head stand between or behind the values: there are no bytes to recognise it by.
  final boolean scattered;
  @Nullable ColumnHead next;

  ColumnHead(byte[] bytes, ColumnSpec spec, boolean scattered) {
    this.bytes = bytes;
    this.spec = spec;
    this.scattered = scattered;
  }
}
