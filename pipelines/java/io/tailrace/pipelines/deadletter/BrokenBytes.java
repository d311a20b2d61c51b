package io.tailrace.pipelines.deadletter;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Where bytes stop being a message of protobuf: what its parser says does not tell. Immutable.
 *
 * @param path of the field that can't be read; empty where not even its number can be
 * @param offset of the first byte of that field
 * @param why what is wrong with it
 */
record BrokenBytes(String path, int offset, String why) {
  private static final int CONTEXT = 16;

  /** How deep messages of the contract are, and some more. */
  private static final int MAX_DEPTH = 8;

  /** Looks for the place; empty if the bytes are such a message. */
  static Optional<BrokenBytes> in(byte[] bytes, Descriptor type) {
    return in(bytes, 0, bytes.length, type, "", 0);
  }

  private static Optional<BrokenBytes> in(
      byte[] bytes, int from, int length, Descriptor type, String parent, int depth) {
    CodedInputStream in = CodedInputStream.newInstance(bytes, from, length);
    int[] counts = new int[type.getFields().size()];
    int at = 0;
    String path = parent;
    try {
      while (!in.isAtEnd()) {
        at = in.getTotalBytesRead();
        path = parent;
        int tag = in.readTag();
        FieldDescriptor field = type.findFieldByNumber(WireFormat.getTagFieldNumber(tag));
        if (field == null) {
          path = parent + "(field " + WireFormat.getTagFieldNumber(tag) + ")";
          skip(in, tag);
          continue;
        }
        path = parent + field.getName();
        if (field.isRepeated()) {
          path += "[" + counts[field.getIndex()]++ + "]";
        }
        if (WireFormat.getTagWireType(tag) != WireFormat.WIRETYPE_LENGTH_DELIMITED) {
          skip(in, tag);
          continue;
        }
        int size = in.readRawVarint32();
        int start = from + in.getTotalBytesRead();
        int left = from + length - start;
        if (size < 0 || size > left) {
          return Optional.of(
              new BrokenBytes(
                  path,
                  from + at,
                  "it says that it has "
                      + Integer.toUnsignedString(size)
                      + " bytes, and "
                      + left
                      + " are left"));
        }
        in.skipRawBytes(size);
        Optional<BrokenBytes> inside = Optional.empty();
        if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE && depth < MAX_DEPTH) {
          inside = in(bytes, start, size, field.getMessageType(), path + ".", depth + 1);
        } else if (field.getJavaType() == FieldDescriptor.JavaType.STRING) {
          inside = text(bytes, start, size, path);
        }
        if (inside.isPresent()) {
          return inside;
        }
      }
      return Optional.empty();
    } catch (IOException e) {
      // Its parser says more, and guesses.
      String why =
          String.valueOf(e.getMessage())
              .replaceFirst("While parsing a protocol message, ", "")
              .replaceFirst("\\. .*", "");
      return Optional.of(new BrokenBytes(path, from + at, why));
    }
  }

  private static void skip(CodedInputStream in, int tag) throws IOException {
    if (!in.skipField(tag)) {
      throw new IOException("a group ends that has not begun");
    }
  }

  private static Optional<BrokenBytes> text(byte[] bytes, int start, int size, String path) {
    return com.google.protobuf.ByteString.copyFrom(bytes, start, size).isValidUtf8()
        ? Optional.empty()
        : Optional.of(new BrokenBytes(path, start, "the text is not UTF-8"));
  }

  /** Returns the bytes from there on, the first of them, in hexadecimal. */
  String context(byte[] bytes) {
    int to = Math.min(bytes.length, offset + CONTEXT);
    return offset >= to
        ? "nothing"
        : HexFormat.ofDelimiter(" ").formatHex(bytes, offset, to)
            + (to < bytes.length ? " …" : " and no more");
  }
}
