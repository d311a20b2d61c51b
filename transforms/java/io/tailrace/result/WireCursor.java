package io.tailrace.result;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * A position in protobuf wire bytes. Reads without copying and checks every bound; not thread-safe.
 *
 * <p>Format: https://protobuf.dev/programming-guides/encoding/.
 */
final class WireCursor {
  static final int VARINT = 0;
  static final int FIXED64 = 1;
  static final int LENGTH_DELIMITED = 2;
  static final int START_GROUP = 3;
  static final int END_GROUP = 4;
  static final int FIXED32 = 5;

  /** As protobuf-java's own limit on nesting. */
  private static final int MAX_GROUP_DEPTH = 100;

  private static final VarHandle LONG_LE =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT_LE =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  /** Bytes that end early or hold something that no protobuf writer writes. */
  static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1;

    MalformedException(String message) {
      super(message, null, false, false);
    }
  }

  final byte[] bytes;
  int position;
  int limit;

  WireCursor(byte[] bytes) {
    this.bytes = bytes;
    this.limit = bytes.length;
  }

  boolean atEnd() {
    return position >= limit;
  }

  /** Reads a tag: field number times eight plus the wire type. */
  int readTag() throws MalformedException {
    long tag = readVarint();
    if (tag >>> 3 == 0 || tag > 0xFFFFFFFFL) {
      throw new MalformedException("byte " + position + " holds no field tag");
    }
    return (int) tag;
  }

  long readVarint() throws MalformedException {
    int p = position;
    if (p < limit && bytes[p] >= 0) {
      position = p + 1;
      return bytes[p];
    }
    long value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (p >= limit) {
        throw truncated();
      }
      byte b = bytes[p++];
      value |= (long) (b & 0x7F) << shift;
      if (b >= 0) {
        position = p;
        return value;
      }
    }
    throw new MalformedException("a varint at byte " + position + " is longer than ten bytes");
  }

  long readFixed64() throws MalformedException {
    require(8);
    long value = longAt(bytes, position);
    position += 8;
    return value;
  }

  /** Reads the length of a delimited field and checks that so many bytes follow. */
  int readLength() throws MalformedException {
    long length = readVarint();
    if (length < 0 || length > limit - position) {
      throw new MalformedException(
          "a field of "
              + length
              + " bytes at byte "
              + position
              + " goes past the end of the message");
    }
    return (int) length;
  }

  /**
   * Enters a delimited field: from now on the end is the field's.
   *
   * @return the limit to set when it is left
   */
  int enter() throws MalformedException {
    int length = readLength();
    int outer = limit;
    limit = position + length;
    return outer;
  }

  void skip(int tag) throws MalformedException {
    skip(tag, 0);
  }

  private void skip(int tag, int depth) throws MalformedException {
    switch (tag & 7) {
      case VARINT -> readVarint();
      case FIXED64 -> advance(8);
      case LENGTH_DELIMITED -> advance(readLength());
      case START_GROUP -> {
        if (depth >= MAX_GROUP_DEPTH) {
          throw new MalformedException("groups are nested more than " + MAX_GROUP_DEPTH + " deep");
        }
        while (true) {
          int inner = readTag();
          if ((inner & 7) == END_GROUP) {
            if (inner >>> 3 != tag >>> 3) {
              throw new MalformedException(
                  "a group at byte " + position + " ends with another's tag");
            }
            return;
          }
          skip(inner, depth + 1);
        }
      }
      case FIXED32 -> advance(4);
      default ->
          throw new MalformedException(
              "wire type " + (tag & 7) + " at byte " + position + " is unknown");
    }
  }

  private void advance(int count) throws MalformedException {
    require(count);
    position += count;
  }

  private void require(int count) throws MalformedException {
    if (count > limit - position) {
      throw truncated();
    }
  }

  private MalformedException truncated() {
    return new MalformedException("the message ends inside a field at byte " + limit);
  }

  static long longAt(byte[] bytes, int position) {
    return (long) LONG_LE.get(bytes, position);
  }

  static int intAt(byte[] bytes, int position) {
    return (int) INT_LE.get(bytes, position);
  }

  static long zigZag(long value) {
    return (value >>> 1) ^ -(value & 1);
  }
}
