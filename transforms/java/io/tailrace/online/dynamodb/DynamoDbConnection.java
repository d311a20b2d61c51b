package io.tailrace.online.dynamodb;

import static java.util.Objects.requireNonNull;

import com.google.common.base.Throwables;
import com.google.common.collect.Iterables;
import com.google.common.util.concurrent.ThreadFactoryBuilder;
import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.Cell;
import io.tailrace.online.EntityKey;
import io.tailrace.online.EntityWrite;
import io.tailrace.online.OnlineStore;
import io.tailrace.online.StoreCosts;
import io.tailrace.online.WriteRate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BatchGetItemRequest;
import software.amazon.awssdk.services.dynamodb.model.BatchGetItemResponse;
import software.amazon.awssdk.services.dynamodb.model.KeysAndAttributes;
import software.amazon.awssdk.services.dynamodb.model.ReturnConsumedCapacity;

/**
 * Writes to and reads from tables, many entities at once, each by requests of its own. Entities are
 * read first where that costs less: deletions and what has expired must know what is stored, and
 * where most of the batch before met something greater, as in a replay, a read costs a fraction of
 * a write that fails. Not thread-safe.
 */
final class DynamoDbConnection implements OnlineStore.Connection {
  private static final Logger LOG = LoggerFactory.getLogger(DynamoDbConnection.class);

  /** Keys of one read; DynamoDB takes no more. */
  private static final int MAX_KEYS = 100;

  /** So many entities of a batch that their luck says something of the next one's. */
  private static final int ENOUGH_CONTESTED = 16;

  private static final ThreadFactory THREADS =
      new ThreadFactoryBuilder().setDaemon(true).setNameFormat("dynamodb-%d").build();

  private final DynamoDbAddress address;
  private final Charges charges = new Charges();
  private final DynamoDbServer server;
  private final EntityUpdates updates;
  private final DynamoDbTables tables;
  private final ExecutorService threads;
  private final WriteRate rate;
  private boolean readsFirst;

  DynamoDbConnection(DynamoDbAddress address) {
    this.address = address;
    this.server = new DynamoDbServer(address, charges);
    this.tables = new DynamoDbTables(address, server);
    this.updates = new EntityUpdates(address, server, charges);
    this.rate = WriteRate.of(address.writing().maxPerSecond());
    this.threads = Executors.newFixedThreadPool(address.writing().connections(), THREADS);
  }

  @Override
  public void write(List<EntityWrite> writes, long nowMicros) throws UnavailableException {
    boolean complete = false;
    try {
      writeAll(writes, new ItemMerge.Clock(nowMicros, address.writing().graceMicros()));
      complete = true;
    } finally {
      if (!complete) {
        disconnect();
      }
    }
  }

  private void writeAll(List<EntityWrite> writes, ItemMerge.Clock clock)
      throws UnavailableException {
    List<EntityKey> unsure = new ArrayList<>();
    List<EntityWrite> usable = usable(writes);
    for (EntityWrite write : usable) {
      if (EntityUpdates.hasPlace(write.key()) && (readsFirst || !BlindUpdate.suits(write, clock))) {
        unsure.add(write.key());
      }
    }
    Map<EntityKey, Map<String, AttributeValue>> found = find(unsure);
    List<Callable<Boolean>> tasks = new ArrayList<>(usable.size());
    for (EntityWrite write : usable) {
      Optional<EntityItem> known =
          Optional.ofNullable(found.get(place(write.key()))).map(EntityItem::of);
      tasks.add(
          () -> {
            rate.await(1);
            return updates.write(write, clock, known);
          });
    }
    long contested = all(tasks).stream().filter(each -> each).count();
    readsFirst = contested >= ENOUGH_CONTESTED && 2 * contested > usable.size();
  }

  /** Returns the entities whose tables can be used; of the others nothing is taken. */
  private List<EntityWrite> usable(List<EntityWrite> writes) throws UnavailableException {
    Set<String> used = new LinkedHashSet<>();
    for (EntityWrite write : writes) {
      used.add(address.table(write.key().environment()));
    }
    Map<String, String> unusable = tables.use(used);
    if (unusable.isEmpty()) {
      return writes;
    }
    List<EntityWrite> usable = new ArrayList<>(writes.size());
    for (EntityWrite write : writes) {
      String why = unusable.get(address.table(write.key().environment()));
      if (why == null) {
        usable.add(write);
      } else {
        EntityUpdates.reject(write, why);
      }
    }
    return usable;
  }

  @Override
  public List<Map<String, Cell>> read(List<EntityKey> keys) throws UnavailableException {
    boolean complete = false;
    try {
      List<EntityKey> sound = keys.stream().filter(EntityUpdates::hasPlace).toList();
      Map<EntityKey, Map<String, AttributeValue>> found = find(sound);
      List<Map<String, Cell>> entities = new ArrayList<>(keys.size());
      for (EntityKey key : keys) {
        entities.add(cells(key, EntityItem.of(found.getOrDefault(place(key), Map.of()))));
      }
      complete = true;
      return entities;
    } finally {
      if (!complete) {
        disconnect();
      }
    }
  }

  private static Map<String, Cell> cells(EntityKey key, EntityItem item) {
    Map<String, Cell> cells = new TreeMap<>();
    if (item.isForeign()) {
      return cells;
    }
    item.content()
        .cells()
        .forEach(
            (name, bytes) -> {
              try {
                Cell cell = Cell.of(bytes);
                if (item.fence() == EntityWrite.NO_FENCE || cell.observedAt() > item.fence()) {
                  cells.put(name, cell);
                }
              } catch (IllegalArgumentException e) {
                LOG.debug("'{}' of {} was not written by Tailrace: {}", name, key, e.getMessage());
              }
            });
    return cells;
  }

  /** Returns where an entity is: its table stands for the environment. */
  private EntityKey place(EntityKey key) {
    return new EntityKey(address.table(key.environment()), key.namespace(), key.primaryKey());
  }

  /** Reads items by their places; one that is not there is empty. */
  private Map<EntityKey, Map<String, AttributeValue>> find(Collection<EntityKey> keys)
      throws UnavailableException {
    Map<String, Set<EntityKey>> byTable = new LinkedHashMap<>();
    for (EntityKey key : keys) {
      EntityKey place = place(key);
      byTable.computeIfAbsent(place.environment(), any -> new LinkedHashSet<>()).add(place);
    }
    List<Callable<Map<EntityKey, Map<String, AttributeValue>>>> tasks = new ArrayList<>();
    byTable.forEach(
        (table, places) ->
            Iterables.partition(places, MAX_KEYS)
                .forEach(some -> tasks.add(() -> readSome(table, some))));
    Map<EntityKey, Map<String, AttributeValue>> found = new HashMap<>();
    all(tasks).forEach(found::putAll);
    return found;
  }

  private Map<EntityKey, Map<String, AttributeValue>> readSome(String table, List<EntityKey> places)
      throws UnavailableException {
    Map<EntityKey, Map<String, AttributeValue>> found = new HashMap<>();
    places.forEach(place -> found.put(place, Map.of()));
    Map<String, KeysAndAttributes> open =
        Map.of(
            table,
            KeysAndAttributes.builder()
                .keys(places.stream().map(EntityItem::key).toList())
                // What was written is readable.
                .consistentRead(true)
                .build());
    Retry retry = Retry.of(address.text(), address.timeouts().retryFor());
    while (!open.isEmpty()) {
      BatchGetItemRequest request =
          BatchGetItemRequest.builder()
              .requestItems(open)
              .returnConsumedCapacity(ReturnConsumedCapacity.TOTAL)
              .build();
      BatchGetItemResponse answer;
      try {
        answer = server.send(client -> client.batchGetItem(request));
      } catch (AwsServiceException e) {
        if (DynamoDbTables.isMissing(e) && address.writing().create()) {
          // It comes with the first write.
          return found;
        }
        throw new UnavailableException(
            address.text() + ": " + DynamoDbCheck.correction(e, table), e);
      }
      answer.consumedCapacity().forEach(charges::read);
      for (Map<String, AttributeValue> item : answer.responses().getOrDefault(table, List.of())) {
        found.put(
            new EntityKey(
                table,
                requireNonNull(item.get(Attributes.NAMESPACE)).s(),
                requireNonNull(item.get(Attributes.ID)).s()),
            item);
      }
      int before = size(open, table);
      open = answer.unprocessedKeys();
      // An answer has 16 MB at most: as long as there is progress, that is no trouble.
      if (!open.isEmpty() && size(open, table) == before) {
        charges.retry();
        retry.pause("no key was read of " + before);
      }
    }
    return found;
  }

  private static int size(Map<String, KeysAndAttributes> keys, String table) {
    KeysAndAttributes ofTable = keys.get(table);
    return ofTable == null ? 0 : ofTable.keys().size();
  }

  /** Runs tasks at once, and returns what they return when all have ended. */
  private <T> List<T> all(List<Callable<T>> tasks) throws UnavailableException {
    List<Future<T>> running = new ArrayList<>(tasks.size());
    List<T> results = new ArrayList<>(tasks.size());
    for (Callable<T> task : tasks) {
      running.add(threads.submit(task));
    }
    try {
      for (Future<T> each : running) {
        results.add(each.get());
      }
      return results;
    } catch (ExecutionException e) {
      Throwables.throwIfInstanceOf(e.getCause(), UnavailableException.class);
      Throwables.throwIfUnchecked(e.getCause());
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(address.text() + ": interrupted", e);
    } finally {
      // After a failure: the others need not try on.
      running.forEach(each -> each.cancel(true));
    }
  }

  @Override
  public Instant now() throws UnavailableException {
    boolean complete = false;
    try {
      Instant now = tables.now();
      complete = true;
      return now;
    } finally {
      if (!complete) {
        disconnect();
      }
    }
  }

  @Override
  public StoreCosts drainCosts() {
    return charges.drain();
  }

  /** The next request opens another connection, by keys that are read anew. */
  private void disconnect() {
    server.close();
    tables.forget();
  }

  @Override
  public void close() {
    threads.shutdownNow();
    server.close();
  }
}
