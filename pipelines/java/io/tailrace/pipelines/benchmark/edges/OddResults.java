package io.tailrace.pipelines.benchmark.edges;

import com.google.protobuf.ByteString;
import io.tailrace.pipelines.local.traffic.SampleMessage;
import io.tailrace.result.MessageKey;
import io.tailrace.v1.Column;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import io.tailrace.v1.QueryResult.OperationKind;
import io.tailrace.v1.QueryResult.Status;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;

/**
 * Makes results that are sound and seldom: large, long, empty, or with names and keys that mean
 * something elsewhere. All of each must be stored, but for the cells that a clock a year ahead has
 * stamped. Not thread-safe.
 */
final class OddResults {
  private static final long YEAR = 365L * 86_400_000_000L;
  private static final long STALENESS = 30L * 86_400_000_000L;
  private static final int ENTITIES = 50;
  private static final List<String> PREFIXES =
      List.of("a:b", "a%3Ab", "{prod}", "größe", "日本", "😀", " ", "'", "\"", "\\", "%", "x\ny");

  private enum Kind {
    MANY_ROWS_OF_ONE_ENTITY,
    TEXT_OF_200_KB,
    BYTES_OF_EVERY_VALUE,
    LONG_VECTOR,
    DEEP_JSON,
    KEYS_THAT_MEAN_SOMETHING,
    NAMES_THAT_MEAN_SOMETHING,
    NO_FRAMES,
    FRAME_WITHOUT_ROWS,
    DELETION_ALONE,
    ONE_CELL_A_YEAR_AHEAD
  }

  private final SplittableRandom random;
  private int count;

  OddResults(long seed) {
    this.random = new SplittableRandom(seed);
  }

  /**
   * Makes the next one.
   *
   * @param now microseconds since the epoch
   */
  SampleMessage next(long now) {
    Kind kind = Kind.values()[count++ % Kind.values().length];
    QueryResult.Builder result =
        QueryResult.newBuilder()
            .setOperationId(UUID.randomUUID().toString())
            .setEnvironmentId("prod")
            .setOperationKind(OperationKind.ONLINE_QUERY)
            .setStatus(Status.SUCCEEDED)
            .setQueryName("odd")
            .setQueryTimestamp(now)
            .setExecutionStartedAt(now)
            .setExecutionFinishedAt(now);
    fill(result, kind, now);
    QueryResult made = result.build();
    return new SampleMessage(
        ByteString.copyFrom(MessageKey.of(made)),
        made.toByteString(),
        made,
        kind == Kind.ONE_CELL_A_YEAR_AHEAD
            ? Optional.of(Reason.OBSERVED_IN_FUTURE)
            : Optional.empty(),
        true,
        Optional.empty());
  }

  private void fill(QueryResult.Builder result, Kind kind, long now) {
    switch (kind) {
      case MANY_ROWS_OF_ONE_ENTITY -> {
        Column.Builder column = column("odd.count", Column.Type.INT64).clearObservedAt();
        Frame.Builder frame = Frame.newBuilder().setNamespace("odd");
        String entity = entity();
        for (int row = 0; row < 2_000; row++) {
          frame.addStringKeys(entity);
          column.addObservedAt(now - random.nextLong(1_000_000)).addInt64Values(row);
        }
        // Two rows of one entity and moment are one: which stands, the values decide.
        result.addFrames(frame.addColumns(column));
      }
      case TEXT_OF_200_KB ->
          result.addFrames(
              one(
                  column("odd.text", Column.Type.STRING).addStringValues("ab".repeat(100_000)),
                  now));
      case BYTES_OF_EVERY_VALUE -> {
        byte[] all = new byte[256];
        for (int i = 0; i < all.length; i++) {
          all[i] = (byte) i;
        }
        result.addFrames(
            one(
                column("odd.bytes", Column.Type.BYTES).addBytesValues(ByteString.copyFrom(all)),
                now));
      }
      case LONG_VECTOR -> {
        Column.Builder column = column("odd.vector", Column.Type.VECTOR).setVectorDimension(4_096);
        for (int i = 0; i < 4_096; i++) {
          column.addVectorValues(i / 8f);
        }
        result.addFrames(one(column, now));
      }
      case DEEP_JSON ->
          result.addFrames(
              one(
                  column("odd.json", Column.Type.JSON)
                      .addJsonValues("[".repeat(200) + "]".repeat(200)),
                  now));
      case KEYS_THAT_MEAN_SOMETHING -> {
        Frame.Builder frame = Frame.newBuilder().setNamespace("odd");
        Column.Builder column = column("odd.count", Column.Type.INT64).addObservedAt(now);
        for (String prefix : PREFIXES) {
          frame.addStringKeys(prefix + random.nextInt(ENTITIES));
          column.addInt64Values(random.nextInt());
        }
        result.addFrames(frame.addColumns(column));
      }
      case NAMES_THAT_MEAN_SOMETHING ->
          result.addFrames(
              Frame.newBuilder()
                  .setNamespace("{odd}:%ä")
                  .addStringKeys(entity())
                  .addColumns(
                      column("{odd}:%ä.Größe__x'\"", Column.Type.BOOL)
                          .addObservedAt(now)
                          .addBoolValues(random.nextBoolean())));
      case NO_FRAMES -> result.setStatus(Status.FAILED);
      case FRAME_WITHOUT_ROWS ->
          result.addFrames(
              Frame.newBuilder()
                  .setNamespace("odd")
                  .addColumns(column("odd.count", Column.Type.INT64).addObservedAt(now)));
      case DELETION_ALONE ->
          result.addDeletions(
              Deletion.newBuilder()
                  .setNamespace("odd")
                  .addStringKeys(entity())
                  .addFeatures("odd.count")
                  .setObservedAt(now));
      case ONE_CELL_A_YEAR_AHEAD ->
          result.addFrames(
              Frame.newBuilder()
                  .setNamespace("odd")
                  .addStringKeys(entity())
                  .addStringKeys(entity() + "'s twin")
                  .addColumns(
                      column("odd.count", Column.Type.INT64)
                          .addObservedAt(now + YEAR)
                          .addObservedAt(now)
                          .addInt64Values(1)
                          .addInt64Values(2)));
    }
  }

  private Frame.Builder one(Column.Builder column, long now) {
    return Frame.newBuilder()
        .setNamespace("odd")
        .addStringKeys(entity())
        .addColumns(column.addObservedAt(now));
  }

  private String entity() {
    return "e" + random.nextInt(ENTITIES);
  }

  private static Column.Builder column(String feature, Column.Type type) {
    return Column.newBuilder()
        .setFeature(feature)
        .setType(type)
        .setResolverFqn("odd.resolver")
        .setMaxStaleness(STALENESS);
  }
}
