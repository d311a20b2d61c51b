package io.tailrace.result;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.WireFormat;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Writes a message in one of the many ways that mean the same to protobuf: fields in another order,
 * numbers packed, unpacked or in several packed runs, singular fields more than once (the last one
 * counts), defaults written out, varints longer than need be, and fields in between that no reader
 * knows.
 */
final class WireScrambler {
  /** A tenth byte is the sign to protobuf-java, whatever is in it. */
  private static final int MAX_LONGER_VARINT_BYTES = 9;

  private static final int UNKNOWN_FIELDS = 1_000;

  private static final int[] UNKNOWN_TYPES = {
    WireFormat.WIRETYPE_VARINT,
    WireFormat.WIRETYPE_FIXED64,
    WireFormat.WIRETYPE_LENGTH_DELIMITED,
    WireFormat.WIRETYPE_START_GROUP,
    WireFormat.WIRETYPE_FIXED32
  };

  private final Random random;

  WireScrambler(Random random) {
    this.random = random;
  }

  byte[] write(Message message) {
    List<List<byte[]>> fields = new ArrayList<>();
    for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
      fields.add(field.isRepeated() ? repeated(message, field) : singular(message, field));
    }
    while (chance(0.3)) {
      fields.add(List.of(unknown(message)));
    }
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < fields.size(); i++) {
      order.addAll(Collections.nCopies(fields.get(i).size(), i));
    }
    if (chance(0.5)) {
      Collections.shuffle(order, random);
    }
    int[] next = new int[fields.size()];
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int field : order) {
      out.writeBytes(fields.get(field).get(next[field]++));
    }
    return out.toByteArray();
  }

  private List<byte[]> singular(Message message, FieldDescriptor field) {
    Object value = message.getField(field);
    if (value.equals(field.getDefaultValue()) && chance(0.8)) {
      return List.of();
    }
    List<byte[]> pieces = new ArrayList<>();
    while (chance(0.1)) {
      pieces.add(tagged(field, other(field)));
    }
    pieces.add(tagged(field, value));
    return pieces;
  }

  /** Returns another value for a field, allowed or not: a later one replaces it. */
  private Object other(FieldDescriptor field) {
    return switch (field.getJavaType()) {
      case INT -> random.nextInt();
      case LONG -> random.nextLong();
      case BOOLEAN -> random.nextBoolean();
      case STRING -> chance(0.5) ? "" : "other";
      case BYTE_STRING -> ByteString.copyFromUtf8("other bytes");
      case ENUM -> field.getEnumType().findValueByNumberCreatingIfUnknown(random.nextInt(12) - 1);
      default -> throw new AssertionError(field);
    };
  }

  private List<byte[]> repeated(Message message, FieldDescriptor field) {
    List<byte[]> pieces = new ArrayList<>();
    int count = message.getRepeatedFieldCount(field);
    if (!field.isPackable()) {
      for (int i = 0; i < count; i++) {
        pieces.add(tagged(field, message.getRepeatedField(field, i)));
      }
      return pieces;
    }
    boolean whole = chance(0.5);
    for (int i = 0; i < count; ) {
      if (!whole && chance(0.3)) {
        pieces.add(tagged(field, message.getRepeatedField(field, i++)));
      } else {
        int end = whole ? count : i + random.nextInt(count - i + 1);
        pieces.add(packed(message, field, i, end));
        i = end;
      }
    }
    if (chance(0.05)) {
      pieces.add(packed(message, field, 0, 0));
    }
    return pieces;
  }

  private byte[] packed(Message message, FieldDescriptor field, int from, int to) {
    ByteArrayOutputStream run = new ByteArrayOutputStream();
    for (int i = from; i < to; i++) {
      run.writeBytes(encoded(field, message.getRepeatedField(field, i)));
    }
    return delimited(field.getNumber(), run.toByteArray());
  }

  private byte[] tagged(FieldDescriptor field, Object value) {
    return switch (field.getJavaType()) {
      case STRING ->
          delimited(field.getNumber(), ((String) value).getBytes(StandardCharsets.UTF_8));
      case BYTE_STRING -> delimited(field.getNumber(), ((ByteString) value).toByteArray());
      case MESSAGE -> delimited(field.getNumber(), write((Message) value));
      default ->
          join(tag(field.getNumber(), field.getLiteType().getWireType()), encoded(field, value));
    };
  }

  private byte[] encoded(FieldDescriptor field, Object value) {
    return switch (field.getType()) {
      case BOOL -> varint((Boolean) value ? 1 + random.nextInt(3) : 0);
      case ENUM -> varint(((EnumValueDescriptor) value).getNumber());
      case INT64, UINT64 -> varint((Long) value);
      case UINT32 -> varint(Integer.toUnsignedLong((Integer) value));
      case SINT32 ->
          varint(Integer.toUnsignedLong(((Integer) value << 1) ^ ((Integer) value >> 31)));
      case SINT64 -> varint(((Long) value << 1) ^ ((Long) value >> 63));
      case SFIXED64 -> fixed64((Long) value);
      case DOUBLE -> fixed64(Double.doubleToRawLongBits((Double) value));
      case FLOAT -> fixed32(Float.floatToRawIntBits((Float) value));
      default -> throw new AssertionError(field);
    };
  }

  /** Writes a field that no reader knows, by its number or because of its wire type. */
  private byte[] unknown(Message message) {
    int number = 25 + random.nextInt(UNKNOWN_FIELDS);
    int type = UNKNOWN_TYPES[random.nextInt(UNKNOWN_TYPES.length)];
    if (chance(0.3)) {
      List<FieldDescriptor> fields = message.getDescriptorForType().getFields();
      FieldDescriptor known = fields.get(random.nextInt(fields.size()));
      boolean isKnownType =
          type == known.getLiteType().getWireType()
              || (known.isPackable() && type == WireFormat.WIRETYPE_LENGTH_DELIMITED);
      number = isKnownType ? number : known.getNumber();
    }
    return switch (type) {
      case WireFormat.WIRETYPE_VARINT -> join(tag(number, type), varint(random.nextLong()));
      case WireFormat.WIRETYPE_FIXED64 -> join(tag(number, type), fixed64(random.nextLong()));
      case WireFormat.WIRETYPE_FIXED32 -> join(tag(number, type), fixed32(random.nextInt()));
      case WireFormat.WIRETYPE_START_GROUP -> {
        byte[] group = tag(number, type);
        while (chance(0.4)) {
          group = join(group, unknown(message));
        }
        yield join(group, tag(number, WireFormat.WIRETYPE_END_GROUP));
      }
      default -> {
        byte[] bytes = new byte[random.nextInt(20)];
        random.nextBytes(bytes);
        yield delimited(number, bytes);
      }
    };
  }

  private byte[] delimited(int number, byte[] bytes) {
    return join(
        join(tag(number, WireFormat.WIRETYPE_LENGTH_DELIMITED), varint(bytes.length)), bytes);
  }

  private byte[] tag(int number, int wireType) {
    return varint((long) number << 3 | wireType);
  }

  private byte[] varint(long value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    long rest = value;
    for (; rest >>> 7 != 0; rest >>>= 7) {
      out.write((int) (rest & 0x7F) | 0x80);
    }
    int room = MAX_LONGER_VARINT_BYTES - out.size();
    int longer = room > 0 && chance(0.05) ? random.nextInt(room) : 0;
    out.write((int) rest | (longer > 0 ? 0x80 : 0));
    for (int i = longer; i > 0; i--) {
      out.write(i > 1 ? 0x80 : 0);
    }
    return out.toByteArray();
  }

  private static byte[] fixed64(long value) {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
  }

  private static byte[] fixed32(int value) {
    return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
  }

  private static byte[] join(byte[] first, byte[] second) {
    return ByteBuffer.allocate(first.length + second.length).put(first).put(second).array();
  }

  private boolean chance(double probability) {
    return random.nextDouble() < probability;
  }
}
