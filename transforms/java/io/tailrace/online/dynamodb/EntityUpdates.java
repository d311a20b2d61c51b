package io.tailrace.online.dynamodb;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.EntityKey;
import io.tailrace.online.EntityWrite;
import io.tailrace.online.EntityWrite.CellOutcome;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.ConsumedCapacity;
import software.amazon.awssdk.services.dynamodb.model.ReturnConsumedCapacity;
import software.amazon.awssdk.services.dynamodb.model.ReturnValuesOnConditionCheckFailure;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemRequest;

/**
 * Writes entities, each by one update without having read it where that may do, and else by
 * replacing the item that was seen with the one that it merges into, as long as nobody else has
 * replaced it first. Thread-safe.
 */
final class EntityUpdates {
  private static final int MAX_ID_BYTES = 2_048;
  private static final int MAX_NAMESPACE_BYTES = 1_024;

  /** From this many conflicts over one entity on, a pause lets the others end. */
  private static final int MANY_CONFLICTS = 3;

  private static final int LONGEST_PAUSE_MILLIS = 50;

  /**
   * What is taken off when DynamoDB, which counts a little differently, finds an item too large.
   */
  private static final int LESS_BYTES = 512;

  /** Kinds of entities of which it is known whether they are kept longer than what is written. */
  private static final int MAX_HINTS = 10_000;

  private final DynamoDbAddress address;
  private final DynamoDbServer server;
  private final Charges charges;
  private final Map<String, Boolean> keptLonger = new ConcurrentHashMap<>();

  EntityUpdates(DynamoDbAddress address, DynamoDbServer server, Charges charges) {
    this.address = address;
    this.server = server;
    this.charges = charges;
  }

  /**
   * Writes an entity and settles all of it.
   *
   * @param known what the table holds of it, if that was read before
   * @return whether something in the table was greater, or over, or another writer was first
   */
  boolean write(EntityWrite write, ItemMerge.Clock clock, Optional<EntityItem> known)
      throws UnavailableException {
    if (write.count() == 0 && write.fence() == EntityWrite.NO_FENCE) {
      return false;
    }
    String tooLong = tooLong(write.key());
    if (!tooLong.isEmpty()) {
      reject(write, tooLong);
      return false;
    }
    try {
      if (known.isPresent()) {
        return merge(write, clock, known.get());
      }
      Optional<EntityItem> seen = blind(write, clock);
      if (seen.isEmpty()) {
        return false;
      }
      boolean unused = merge(write, clock, seen.get());
      return true;
    } catch (AwsServiceException e) {
      if (DynamoDbServer.isForContent(e)) {
        reject(write, "the store refuses it: " + DynamoDbServer.problem(e));
        return false;
      }
      throw new UnavailableException(
          address.text() + ": " + DynamoDbCheck.correction(e, table(write)), e);
    }
  }

  /** Returns whether DynamoDB has items with such a key. */
  static boolean hasPlace(EntityKey key) {
    return tooLong(key).isEmpty();
  }

  private static String tooLong(EntityKey key) {
    int id = Attributes.bytes(key.primaryKey());
    int namespace = Attributes.bytes(key.namespace());
    return id > MAX_ID_BYTES
        ? "a primary key has at most " + MAX_ID_BYTES + " bytes in DynamoDB, this one has " + id
        : namespace > MAX_NAMESPACE_BYTES
            ? "a namespace has at most "
                + MAX_NAMESPACE_BYTES
                + " bytes in DynamoDB, this one has "
                + namespace
            : "";
  }

  /** Notes that nothing of an entity will be taken, and why. */
  static void reject(EntityWrite write, String why) {
    for (int i = 0; i < write.count(); i++) {
      write.reject(i, why);
    }
    write.rejectFence(why);
  }

  private String table(EntityWrite write) {
    return address.table(write.key().environment());
  }

  /** Writes without having read; returns what is in the way. */
  private Optional<EntityItem> blind(EntityWrite write, ItemMerge.Clock clock)
      throws UnavailableException {
    String kind = write.key().namespace() + '\0' + write.name(0);
    boolean hint = keptLonger.getOrDefault(kind, false);
    UpdateItemRequest request = BlindUpdate.of(write, table(write), clock, hint);
    Map<String, AttributeValue> found;
    try {
      charges.wrote(server.send(client -> client.updateItem(request)).consumedCapacity());
      for (int i = 0; i < write.count(); i++) {
        write.settle(i, CellOutcome.WRITTEN);
      }
      return Optional.empty();
    } catch (ConditionalCheckFailedException e) {
      found = e.item();
    } catch (AwsServiceException e) {
      if (!isTooLarge(e)) {
        throw e;
      }
      found = read(write);
    }
    charges.conflict(ItemSizes.writeUnits(found));
    EntityItem seen = EntityItem.of(found);
    if (keptLonger.size() < MAX_HINTS) {
      keptLonger.put(kind, isKeptLonger(write, clock, seen));
    }
    return Optional.of(seen);
  }

  private static boolean isKeptLonger(EntityWrite write, ItemMerge.Clock clock, EntityItem seen) {
    Lifetimes lifetimes = new Lifetimes(clock.graceMicros());
    for (int i = 0; i < write.count(); i++) {
      lifetimes.add(write.cell(i));
    }
    return seen.times().keptUntil() > lifetimes.keptUntil();
  }

  private Map<String, AttributeValue> read(EntityWrite write) throws UnavailableException {
    var answer =
        server.send(
            client ->
                client.getItem(
                    get ->
                        get.tableName(table(write))
                            .key(EntityItem.key(write.key()))
                            .consistentRead(true)
                            .returnConsumedCapacity(ReturnConsumedCapacity.TOTAL)));
    charges.read(answer.consumedCapacity());
    return answer.item();
  }

  private static boolean isTooLarge(AwsServiceException e) {
    return DynamoDbServer.isForContent(e)
        && DynamoDbServer.problem(e).contains("size")
        && DynamoDbServer.problem(e).contains("exceeded");
  }

  /**
   * Merges into what was seen until that is what is replaced.
   *
   * @return whether something was greater, or another writer was first
   */
  private boolean merge(EntityWrite write, ItemMerge.Clock clock, EntityItem first)
      throws UnavailableException {
    EntityItem seen = first;
    long room = EntityItem.MAX_BYTES;
    int conflicts = 0;
    while (true) {
      if (seen.isForeign()) {
        reject(
            write,
            "the item of the entity is one that Tailrace did not write: it lacks "
                + Attributes.VERSION);
        return true;
      }
      ItemMerge merge = new ItemMerge(seen, write, clock, room);
      if (!merge.changes()) {
        merge.settle();
        return true;
      }
      try {
        charges.wrote(replace(write, seen, merge));
        merge.settle();
        return conflicts > 0 || !merge.winsAll();
      } catch (ConditionalCheckFailedException e) {
        conflicts++;
        charges.conflict(ItemSizes.writeUnits(e.item()));
        seen = EntityItem.of(e.item());
        pause(conflicts);
      } catch (AwsServiceException e) {
        if (!isTooLarge(e) || room <= LESS_BYTES) {
          throw e;
        }
        room = Math.min(room, merge.bytes()) - LESS_BYTES;
      }
    }
  }

  private ConsumedCapacity replace(EntityWrite write, EntityItem seen, ItemMerge merge)
      throws UnavailableException {
    Map<String, String> names = Map.of("#v", seen.isAbsent() ? Attributes.ID : Attributes.VERSION);
    String condition = seen.isAbsent() ? "attribute_not_exists(#v)" : "#v = :v";
    @Nullable Map<String, AttributeValue> values =
        seen.version().map(it -> Map.of(":v", AttributeValue.fromB(it))).orElse(null);
    if (merge.isEmpty()) {
      return server
          .send(
              client ->
                  client.deleteItem(
                      delete ->
                          delete
                              .tableName(table(write))
                              .key(EntityItem.key(write.key()))
                              .conditionExpression(condition)
                              .expressionAttributeNames(names)
                              .expressionAttributeValues(values)
                              .returnValuesOnConditionCheckFailure(
                                  ReturnValuesOnConditionCheckFailure.ALL_OLD)
                              .returnConsumedCapacity(ReturnConsumedCapacity.TOTAL)))
          .consumedCapacity();
    }
    return server
        .send(
            client ->
                client.putItem(
                    put ->
                        put.tableName(table(write))
                            .item(merge.next().attributes(write.key()))
                            .conditionExpression(condition)
                            .expressionAttributeNames(names)
                            .expressionAttributeValues(values)
                            .returnValuesOnConditionCheckFailure(
                                ReturnValuesOnConditionCheckFailure.ALL_OLD)
                            .returnConsumedCapacity(ReturnConsumedCapacity.TOTAL)))
        .consumedCapacity();
  }

  private void pause(int conflicts) throws UnavailableException {
    if (conflicts < MANY_CONFLICTS) {
      return;
    }
    try {
      Thread.sleep(
          ThreadLocalRandom.current().nextInt(Math.min(LONGEST_PAUSE_MILLIS, 2 * conflicts)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(address.text() + ": interrupted", e);
    }
  }
}
