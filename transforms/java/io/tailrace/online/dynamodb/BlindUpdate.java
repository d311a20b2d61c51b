package io.tailrace.online.dynamodb;

import io.tailrace.online.Cell;
import io.tailrace.online.EntityWrite;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ReturnConsumedCapacity;
import software.amazon.awssdk.services.dynamodb.model.ReturnValuesOnConditionCheckFailure;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemRequest;

/**
 * Writes an entity without having read it: an update whose condition guards every cell that it
 * writes, the fence and the times. Where it fails something in the table is greater, or over, and
 * the answer has the item. Not thread-safe.
 */
final class BlindUpdate {
  /**
   * Features of one update: an expression has at most 4,096 bytes, of which the condition of a
   * feature takes 47, and 300 operators, of which it takes four.
   */
  static final int MAX_FEATURES = 64;

  /** Far enough below what an item has room for: with more, what is stored must be known. */
  private static final int MAX_BYTES = EntityItem.MAX_BYTES / 2;

  private final Map<String, String> names = new HashMap<>();
  private final Map<String, AttributeValue> values = new HashMap<>();
  private final List<String> sets = new ArrayList<>();
  private final List<String> conditions = new ArrayList<>();

  private BlindUpdate() {}

  /** Returns whether an entity may be written so: no deletion, nothing that has expired. */
  static boolean suits(EntityWrite write, ItemMerge.Clock clock) {
    if (write.count() == 0
        || write.count() > MAX_FEATURES
        || write.fence() != EntityWrite.NO_FENCE
        || write.rememberedUntil() != EntityWrite.NOTHING) {
      return false;
    }
    long bytes = 0;
    for (int i = 0; i < write.count(); i++) {
      bytes += write.cell(i).length + Attributes.bytes(write.name(i));
      if (clock.isExpired(write.cell(i))
          || Cell.isTombstone(write.cell(i))
          || Attributes.bytes(Attributes.of(write.name(i))) > ItemMerge.MAX_NAME_BYTES) {
        return false;
      }
    }
    return bytes <= MAX_BYTES;
  }

  /**
   * Makes the request.
   *
   * @param keptLonger whether the item is taken to be kept for as long already, so that its time is
   *     left as it is
   */
  static UpdateItemRequest of(
      EntityWrite write, String table, ItemMerge.Clock clock, boolean keptLonger) {
    BlindUpdate update = new BlindUpdate();
    update.own();
    update.cells(write);
    update.times(write, clock, keptLonger);
    return UpdateItemRequest.builder()
        .tableName(table)
        .key(EntityItem.key(write.key()))
        .updateExpression("SET " + String.join(", ", update.sets))
        .conditionExpression(String.join(" AND ", update.conditions))
        .expressionAttributeNames(update.names)
        .expressionAttributeValues(update.values)
        .returnValuesOnConditionCheckFailure(ReturnValuesOnConditionCheckFailure.ALL_OLD)
        .returnConsumedCapacity(ReturnConsumedCapacity.TOTAL)
        .build();
  }

  /** Somebody else's item is not touched. */
  private void own() {
    names.put("#i", Attributes.ID);
    names.put("#v", Attributes.VERSION);
    values.put(":v", AttributeValue.fromB(EntityItem.newVersion()));
    sets.add("#v = :v");
    conditions.add("(attribute_not_exists(#i) OR attribute_exists(#v))");
  }

  private void cells(EntityWrite write) {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < write.count(); i++) {
      String number = Integer.toString(i, Character.MAX_RADIX);
      byte[] cell = write.cell(i);
      String name = "#c" + number;
      String value = ":c" + number;
      names.put(name, Attributes.of(write.name(i)));
      values.put(value, AttributeValue.fromB(SdkBytes.fromByteArrayUnsafe(cell)));
      sets.add(name + " = " + value);
      conditions.add("(attribute_not_exists(" + name + ") OR " + name + " < " + value + ")");
      least = Math.min(least, Cell.observedAt(cell));
    }
    names.put("#f", Attributes.FENCE);
    values.put(":f", EntityItem.time(least));
    conditions.add("(attribute_not_exists(#f) OR #f < :f)");
  }

  private void times(EntityWrite write, ItemMerge.Clock clock, boolean keptLonger) {
    Lifetimes lifetimes = new Lifetimes(clock.graceMicros());
    for (int i = 0; i < write.count(); i++) {
      lifetimes.add(write.cell(i));
    }
    names.put("#d", Attributes.DUE);
    values.put(":n", EntityItem.number(clock.nowSeconds() + 1));
    if (lifetimes.due() == Lifetimes.NEVER) {
      conditions.add("(attribute_not_exists(#d) OR #d >= :n)");
    } else {
      values.put(":d", EntityItem.number(lifetimes.due()));
      sets.add("#d = if_not_exists(#d, :d)");
      conditions.add("(attribute_not_exists(#d) OR #d BETWEEN :n AND :d)");
    }
    names.put("#x", Attributes.EXPIRY);
    values.put(":x", EntityItem.keptUntil(lifetimes.keptUntil()));
    if (lifetimes.keptUntil() == Lifetimes.NEVER) {
      sets.add("#x = :x");
    } else if (keptLonger) {
      values.put(":t", AttributeValue.fromS("NULL"));
      sets.add("#x = if_not_exists(#x, :x)");
      conditions.add("(attribute_not_exists(#x) OR #x >= :x OR attribute_type(#x, :t))");
    } else {
      sets.add("#x = :x");
      conditions.add("(attribute_not_exists(#x) OR #x <= :x)");
    }
  }
}
