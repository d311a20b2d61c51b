package io.tailrace.pipelines.local.servers.dynamodb;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Base64;
import java.util.Iterator;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Values of attributes, as they stand in messages: one type and what it holds. Stateless. */
final class Values {
  private Values() {}

  static String type(JsonNode value) {
    return value.fieldNames().next();
  }

  private static JsonNode content(JsonNode value) {
    return value.elements().next();
  }

  static byte[] binary(JsonNode value) {
    return Base64.getDecoder().decode(content(value).asText());
  }

  static BigDecimal number(JsonNode value) {
    return new BigDecimal(content(value).asText());
  }

  /** Orders two values of one type; empty: they have no order, or there is one of them only. */
  static OptionalInt compare(@Nullable JsonNode a, @Nullable JsonNode b) {
    if (a == null || b == null || !type(a).equals(type(b))) {
      return OptionalInt.empty();
    }
    return switch (type(a)) {
      case "N" -> OptionalInt.of(number(a).compareTo(number(b)));
      case "B" -> OptionalInt.of(Arrays.compareUnsigned(binary(a), binary(b)));
      case "S" ->
          OptionalInt.of(
              Arrays.compareUnsigned(
                  content(a).asText().getBytes(UTF_8), content(b).asText().getBytes(UTF_8)));
      default -> OptionalInt.empty();
    };
  }

  static boolean areEqual(@Nullable JsonNode a, @Nullable JsonNode b) {
    OptionalInt order = compare(a, b);
    return order.isPresent() ? order.getAsInt() == 0 : a != null && a.equals(b);
  }

  /** Returns how large an item is: names and values. */
  static long size(ObjectNode item) {
    long size = 0;
    Iterator<Map.Entry<String, JsonNode>> attributes = item.fields();
    while (attributes.hasNext()) {
      Map.Entry<String, JsonNode> each = attributes.next();
      size += each.getKey().getBytes(UTF_8).length + size(each.getValue());
    }
    return size;
  }

  private static long size(JsonNode value) {
    JsonNode content = content(value);
    return switch (type(value)) {
      case "B" -> binary(value).length;
      case "S" -> content.asText().getBytes(UTF_8).length;
      case "N" -> 1 + (number(value).stripTrailingZeros().precision() + 1) / 2;
      case "M" -> 3 + content.size() + size((ObjectNode) content);
      case "L" -> {
        long size = 3;
        for (JsonNode each : content) {
          size += 1 + size(each);
        }
        yield size;
      }
      case "BS", "SS", "NS" -> content.toString().length();
      default -> 1;
    };
  }
}
