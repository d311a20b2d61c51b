package io.tailrace.pipelines.local.traffic;

import com.google.protobuf.ByteString;
import io.tailrace.online.EntityKey;
import io.tailrace.pipelines.local.traffic.SampleFeatures.Namespace;
import io.tailrace.pipelines.local.traffic.SampleFeatures.Query;
import io.tailrace.pipelines.local.traffic.SampleFeatures.Shape;
import io.tailrace.pipelines.local.traffic.SampleMessage.Sighting;
import io.tailrace.v1.Column;
import io.tailrace.v1.Column.CacheDefaults;
import io.tailrace.v1.Column.Origin;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryError;
import io.tailrace.v1.QueryResult;
import io.tailrace.v1.QueryResult.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;

/**
 * What a feature engine might publish: results of {@link SampleFeatures}' queries, most of them
 * computed just now, and among them what makes life hard for a writer: late results and results
 * computed weeks ago, duplicates, several values for the same time, point-in-time results that name
 * an entity repeatedly, results served from a cache, failed queries, deletions of features and of
 * whole entities, and now and then a message that is broken.
 *
 * <p>Some entities are asked for much more often than others. The number of entities is bounded, so
 * the store does not grow for ever.
 *
 * <p>The same seed and the same times give the same messages. A value was observed within the hour
 * before it is published or more than forty days before, and may be served for six hours to thirty
 * days or for ever; so within five hours after publication, nothing depends on when it is read. Not
 * thread-safe.
 */
public final class SampleTraffic {
  /** The environment of every result. */
  static final String ENVIRONMENT = "prod";

  /** One message in so many is broken. */
  static final int BROKEN_EVERY = 500;

  private static final List<Origin> NOT_COMPUTED =
      List.of(Origin.ONLINE_STORE, Origin.OFFLINE_STORE, Origin.DEFAULT, Origin.GIVEN);
  private static final List<CacheDefaults> CACHE_DEFAULTS =
      List.of(
          CacheDefaults.WRITE_DEFAULTS, CacheDefaults.SKIP_DEFAULTS, CacheDefaults.EVICT_DEFAULTS);
  private static final long SECOND = 1_000_000;
  private static final long HOUR = 3_600 * SECOND;
  private static final long DAY = 24 * HOUR;

  /** Longer ago than every staleness that is not for ever. */
  private static final long LONG_AGO = Duration.ofDays(40).toSeconds() * SECOND;

  /** How many of the last results are repeated, contradicted or deleted again. */
  private static final int REMEMBERED = 256;

  private final SampleFeatures features = new SampleFeatures();
  private final SplittableRandom random;
  private final List<SampleMessage> recent = new ArrayList<>(REMEMBERED);
  private long count;
  private final BrokenMessages broken = new BrokenMessages(features);

  public SampleTraffic(long seed) {
    random = new SplittableRandom(seed);
  }

  /**
   * Makes the next message.
   *
   * @param now when it is published, microseconds since the epoch
   */
  public SampleMessage next(long now) {
    count++;
    if (count % BROKEN_EVERY == 0) {
      return broken.next(query(features.query("device_seen"), now, now), now);
    }
    double dice = random.nextDouble();
    if (recent.size() == REMEMBERED) {
      if (dice < 0.02) {
        return again(anyRecent());
      }
      if (dice < 0.04) {
        return remember(message(contradict(anyRecent().result(), now)));
      }
      if (dice < 0.048) {
        return remember(message(deleteFeatures(anyRecent().result(), now)));
      }
      if (dice < 0.052) {
        return remember(message(deleteEntities(anyRecent().result(), now)));
      }
    }
    if (dice < 0.08) {
      return remember(message(query(now, now - random.nextLong(SECOND, HOUR))));
    }
    if (dice < 0.09) {
      return remember(message(query(now, now - LONG_AGO - random.nextLong(20 * DAY))));
    }
    if (dice < 0.10) {
      return message(failed(now));
    }
    if (dice < 0.12) {
      return message(notComputed(now));
    }
    if (dice < 0.13) {
      return remember(message(history(now)));
    }
    QueryResult result = query(now, now - random.nextLong(1_000));
    return remember(message(result, sighting(result)));
  }

  private SampleMessage anyRecent() {
    return recent.get(random.nextInt(recent.size()));
  }

  private SampleMessage remember(SampleMessage message) {
    if (recent.size() < REMEMBERED) {
      recent.add(message);
    } else {
      recent.set((int) (count % REMEMBERED), message);
    }
    return message;
  }

  private static SampleMessage again(SampleMessage message) {
    return new SampleMessage(
        message.key(),
        message.payload(),
        message.result(),
        message.deadLetter(),
        message.decodable(),
        Optional.empty());
  }

  private static SampleMessage message(QueryResult result) {
    return message(result, Optional.empty());
  }

  private static SampleMessage message(QueryResult result, Optional<Sighting> sighting) {
    return new SampleMessage(
        BrokenMessages.key(result),
        result.toByteString(),
        result,
        Optional.empty(),
        true,
        sighting);
  }

  /** A cell of the first row that is certainly stored, if there is one. */
  private Optional<Sighting> sighting(QueryResult result) {
    Frame frame = result.getFrames(0);
    for (Column column : frame.getColumnsList()) {
      SampleFeature feature = features.feature(column.getFeature());
      if (feature.isStoredOnline() && feature.nullShare() == 0) {
        String key =
            frame.getStringKeysCount() > 0
                ? frame.getStringKeys(0)
                : Long.toString(frame.getInt64Keys(0));
        return Optional.of(
            new Sighting(
                new EntityKey(ENVIRONMENT, frame.getNamespace(), key),
                feature.name(),
                column.getObservedAt(0)));
      }
    }
    return Optional.empty();
  }

  private QueryResult query(long now, long observedAt) {
    return query(features.anyQuery(random), now, observedAt);
  }

  private QueryResult query(Query query, long now, long observedAt) {
    QueryResult.Builder result = head(query, now);
    for (Shape shape : query.shapes()) {
      int rows = shape.maxRows() == 1 ? 1 : random.nextInt(1, shape.maxRows() + 1);
      int[] entities = new int[rows];
      Arrays.setAll(entities, row -> anyEntity(shape.namespace()));
      Frame.Builder frame = frame(shape.namespace(), entities);
      for (SampleFeature feature : shape.features()) {
        long[] times = new long[rows == 1 || random.nextBoolean() ? 1 : rows];
        Arrays.setAll(times, row -> observedAt - (row == 0 ? 0 : random.nextLong(1_000)));
        frame.addColumns(column(feature, rows, now, times));
      }
      result.addFrames(frame);
    }
    return result.build();
  }

  /** A training set wants to know what was known when: a user at several times, in any order. */
  private QueryResult history(long now) {
    Query query = features.query("user_profile");
    Shape shape = query.shapes().get(0);
    int rows = random.nextInt(2, 6);
    int[] entities = new int[rows];
    Arrays.fill(entities, anyEntity(shape.namespace()));
    long[] times = new long[rows];
    for (int row = 0; row < rows; row++) {
      times[row] =
          switch (random.nextInt(4)) {
            case 0 -> now - LONG_AGO - random.nextLong(20 * DAY);
            // Two rows for the same time: one of them stands.
            case 1 -> row == 0 ? now : times[row - 1];
            default -> now - random.nextLong(HOUR);
          };
    }
    QueryResult.Builder result = head(query, now);
    result.setOperationKind(QueryResult.OperationKind.OFFLINE_QUERY);
    Frame.Builder frame = frame(shape.namespace(), entities);
    for (SampleFeature feature : shape.features()) {
      frame.addColumns(column(feature, rows, now, times));
    }
    return result.addFrames(frame).build();
  }

  /**
   * Other values for the same entities and times: the tie must be broken the same way everywhere.
   */
  private QueryResult contradict(QueryResult of, long now) {
    QueryResult.Builder result = of.toBuilder().setOperationId(operationId());
    for (Frame.Builder frame : result.getFramesBuilderList()) {
      int rows = Math.max(frame.getStringKeysCount(), frame.getInt64KeysCount());
      for (int c = 0; c < frame.getColumnsCount(); c++) {
        Column before = frame.getColumns(c);
        long[] times = new long[before.getObservedAtCount()];
        Arrays.setAll(times, before::getObservedAt);
        frame.setColumns(c, column(features.feature(before.getFeature()), rows, now, times));
      }
    }
    return result.build();
  }

  private QueryResult deleteFeatures(QueryResult of, long now) {
    QueryResult.Builder result = deletingHead(now);
    for (Frame frame : of.getFramesList()) {
      Column column = frame.getColumns(random.nextInt(frame.getColumnsCount()));
      // At the time of the value itself, or now.
      long observedAt = random.nextBoolean() ? column.getObservedAt(0) : now;
      result.addDeletions(
          Deletion.newBuilder()
              .setNamespace(frame.getNamespace())
              .addAllStringKeys(frame.getStringKeysList())
              .addAllInt64Keys(frame.getInt64KeysList())
              .addFeatures(column.getFeature())
              .setObservedAt(observedAt));
    }
    return result.build();
  }

  private QueryResult deleteEntities(QueryResult of, long now) {
    QueryResult.Builder result = deletingHead(now);
    for (Frame frame : of.getFramesList()) {
      // An hour ago, so that what was observed since then survives, or now.
      long observedAt = random.nextInt(3) == 0 ? now - random.nextLong(HOUR) : now;
      result.addDeletions(
          Deletion.newBuilder()
              .setNamespace(frame.getNamespace())
              .addAllStringKeys(frame.getStringKeysList())
              .addAllInt64Keys(frame.getInt64KeysList())
              .setObservedAt(observedAt));
    }
    return result.build();
  }

  private QueryResult failed(long now) {
    return head(features.anyQuery(random), now)
        .clearExecutionFinishedAt()
        .setStatus(Status.FAILED)
        .addErrors(
            QueryError.newBuilder()
                .setCode("RESOLVER_TIMED_OUT")
                .setMessage("no answer within 500 ms")
                .setResolver("payments.resolvers.score"))
        .build();
  }

  /** Nothing of it was computed: it comes from a store or the caller, or is the default. */
  private QueryResult notComputed(long now) {
    QueryResult.Builder result = query(now, now - random.nextLong(HOUR)).toBuilder();
    for (Frame.Builder frame : result.getFramesBuilderList()) {
      for (int i = 0; i < frame.getColumnsCount(); i++) {
        Column.Builder column = frame.getColumnsBuilder(i);
        column.setOrigin(NOT_COMPUTED.get(random.nextInt(NOT_COMPUTED.size())));
        if (column.getOrigin() == Origin.DEFAULT) {
          column.setCacheDefaults(CACHE_DEFAULTS.get(i % CACHE_DEFAULTS.size()));
        }
      }
    }
    return result.build();
  }

  private QueryResult.Builder deletingHead(long now) {
    return QueryResult.newBuilder()
        .setOperationId(operationId())
        .setEnvironmentId(ENVIRONMENT)
        .setOperationKind(QueryResult.OperationKind.STREAM)
        .setQueryName("forget")
        .setQueryTimestamp(now)
        .setStatus(Status.SUCCEEDED);
  }

  private QueryResult.Builder head(Query query, long now) {
    long took = random.nextLong(500, 80_000);
    return QueryResult.newBuilder()
        .setOperationId(operationId())
        .setEnvironmentId(ENVIRONMENT)
        .setDeploymentId("payments-2026-11")
        .setOperationKind(query.kind())
        .setQueryName(query.name())
        .setQueryNameVersion("3")
        .setQueryTimestamp(now - took - 100)
        .setExecutionStartedAt(now - took)
        .setExecutionFinishedAt(now)
        .setStatus(Status.SUCCEEDED);
  }

  private String operationId() {
    return new UUID(random.nextLong(), random.nextLong()).toString();
  }

  /** Of a hundred entities the first is asked for as often as the last fifty. */
  private int anyEntity(Namespace namespace) {
    double u = random.nextDouble();
    return (int) (namespace.population() * u * u);
  }

  private static Frame.Builder frame(Namespace namespace, int... entities) {
    Frame.Builder frame = Frame.newBuilder().setNamespace(namespace.name());
    for (int entity : entities) {
      String key = namespace.key(entity);
      if (namespace.integerKeys()) {
        frame.addInt64Keys(Long.parseLong(key));
      } else {
        frame.addStringKeys(key);
      }
    }
    return frame;
  }

  private Column column(SampleFeature feature, int rows, long now, long... observedAt) {
    Column.Builder column =
        Column.newBuilder()
            .setFeature(feature.qualifiedName())
            .setType(feature.type())
            .setResolverFqn("payments.resolvers." + feature.name())
            .setMaxStaleness(feature.maxStaleness())
            .setSkipOnline(feature.skipOnline())
            .setCacheNulls(feature.nulls());
    for (long time : observedAt) {
      column.addObservedAt(time);
    }
    byte[] nulls = new byte[(rows + 7) / 8];
    boolean anyNull = false;
    for (int row = 0; row < rows; row++) {
      feature.values().add(column, random, now);
      if (random.nextDouble() < feature.nullShare()) {
        nulls[row / 8] |= (byte) (1 << row % 8);
        anyNull = true;
      }
    }
    if (anyNull) {
      column.setNulls(ByteString.copyFrom(nulls));
    }
    return column.build();
  }
}
