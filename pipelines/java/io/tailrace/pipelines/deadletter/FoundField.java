package io.tailrace.pipelines.deadletter;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.tailrace.endpoint.Micros;
import io.tailrace.pipelines.TerminalText;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a message of protobuf has at the path of a field, such as {@code frames[0].columns[1].type}.
 * Immutable.
 *
 * @param words what is there, as people read it
 * @param expected what may be there, where the field itself tells; may be empty
 */
record FoundField(String words, String expected) {
  private static final Pattern STEP = Pattern.compile("(\\w+)(?:\\[(\\d{1,9})\\])?");
  private static final int MAX_WORDS = 200;
  private static final int MAX_ENTRIES = 5;
  private static final int MAX_BYTES = 32;

  /** Looks for a field; empty if the path leads nowhere. */
  static Optional<FoundField> in(Message message, String path) {
    Message at = message;
    String[] steps = path.split("\\.", -1);
    for (int i = 0; i < steps.length; i++) {
      Matcher step = STEP.matcher(steps[i]);
      FieldDescriptor field =
          step.matches() ? at.getDescriptorForType().findFieldByName(step.group(1)) : null;
      if (field == null) {
        return Optional.empty();
      }
      @Nullable Object value = value(at, field, step.group(2));
      if (i == steps.length - 1) {
        return Optional.of(
            new FoundField(
                value == null ? "nothing" : TerminalText.cut(words(field, value), MAX_WORDS),
                expected(field)));
      }
      if (!(value instanceof Message inner)) {
        return Optional.empty();
      }
      at = inner;
    }
    return Optional.empty();
  }

  private static @Nullable Object value(
      Message message, FieldDescriptor field, @Nullable String index) {
    if (!field.isRepeated()) {
      return field.hasPresence() && !message.hasField(field) ? null : message.getField(field);
    }
    if (index == null) {
      return message.getField(field);
    }
    int number = Integer.parseInt(index);
    return number < message.getRepeatedFieldCount(field)
        ? message.getRepeatedField(field, number)
        : null;
  }

  private static String words(FieldDescriptor field, Object value) {
    if (value instanceof List<?> entries) {
      String first =
          entries.stream()
              .limit(MAX_ENTRIES)
              .map(each -> words(field, each))
              .collect(Collectors.joining(", "));
      return TerminalText.count(entries.size(), "entr")
              .replaceFirst("entrs?$", ending(entries.size()))
          + (entries.isEmpty() ? "" : ": " + first)
          + (entries.size() > MAX_ENTRIES ? ", …" : "");
    }
    if (value instanceof String text) {
      return '"' + TerminalText.safe(text) + '"';
    }
    if (value instanceof ByteString bytes) {
      return bytes.size()
          + " bytes"
          + (bytes.isEmpty()
              ? ""
              : ": 0x"
                  + HexFormat.of()
                      .formatHex(
                          bytes.substring(0, Math.min(MAX_BYTES, bytes.size())).toByteArray()));
    }
    if (value instanceof EnumValueDescriptor constant) {
      return constant.getIndex() < 0
          ? Integer.toString(constant.getNumber())
          : constant.getName() + " (" + constant.getNumber() + ")";
    }
    if (value instanceof Long number && field.getType() == FieldDescriptor.Type.SFIXED64) {
      return number + " (" + Micros.instant(number) + ")";
    }
    return value instanceof Message ? "a " + field.getMessageType().getName() : value.toString();
  }

  private static String ending(int count) {
    return count == 1 ? "entry" : "entries";
  }

  /** An enum tells what it knows. */
  private static String expected(FieldDescriptor field) {
    return field.getJavaType() == FieldDescriptor.JavaType.ENUM
        ? field.getEnumType().getValues().stream()
            .filter(constant -> !constant.getName().endsWith("UNSPECIFIED"))
            .map(EnumValueDescriptor::getName)
            .collect(Collectors.joining(", ", "one of ", ""))
        : "";
  }
}
