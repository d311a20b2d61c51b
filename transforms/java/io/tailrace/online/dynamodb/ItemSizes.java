package io.tailrace.online.dynamodb;

import java.util.Map;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/**
 * How large items are, as DynamoDB counts: names and values, texts in UTF-8, and a byte for two
 * digits. Stateless and thread-safe.
 */
final class ItemSizes {
  /** What a write unit pays for. */
  private static final int WRITE_UNIT = 1 << 10;

  private ItemSizes() {}

  static long of(Map<String, AttributeValue> item) {
    long size = 0;
    for (Map.Entry<String, AttributeValue> each : item.entrySet()) {
      size += Attributes.bytes(each.getKey()) + of(each.getValue());
    }
    return size;
  }

  private static long of(AttributeValue value) {
    return switch (value.type()) {
      case B -> value.b().asByteArrayUnsafe().length;
      case S -> Attributes.bytes(value.s());
      case N -> number(value.n());
      case BS -> value.bs().stream().mapToLong(each -> each.asByteArrayUnsafe().length).sum();
      case SS -> value.ss().stream().mapToLong(Attributes::bytes).sum();
      case NS -> value.ns().stream().mapToLong(ItemSizes::number).sum();
      case L -> 3 + value.l().stream().mapToLong(each -> 1 + of(each)).sum();
      case M -> 3 + value.m().size() + of(value.m());
      default -> 1;
    };
  }

  private static long number(String digits) {
    return 1L + (digits.length() + 1) / 2;
  }

  /** Returns the write units of a write that changes nothing of an item, as it fails. */
  static long writeUnits(Map<String, AttributeValue> item) {
    return Math.max(1, (of(item) + WRITE_UNIT - 1) / WRITE_UNIT);
  }
}
