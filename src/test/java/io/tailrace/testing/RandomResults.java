package io.tailrace.testing;

import com.google.protobuf.ByteString;
import io.tailrace.v1.Column;
import io.tailrace.v1.Column.CacheDefaults;
import io.tailrace.v1.Column.CacheNulls;
import io.tailrace.v1.Column.Origin;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryError;
import io.tailrace.v1.QueryResult;
import io.tailrace.v1.QueryResult.OperationKind;
import io.tailrace.v1.QueryResult.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Makes valid query results at random; the same seed and options make the same results.
 *
 * <pre>{@code
 * RandomResults results = RandomResults.seeded(seed).ofEntities(3).between(t0, t0 + 5);
 * QueryResult one = results.next();
 * }</pre>
 *
 * <p>Results have every value type, nulls, columns that are all null, several frames (the same
 * namespace twice among them), no rows, repeated entities, times for a column or for each row, and
 * deletions. Many follow one of a few shapes, as results of the same query do. A feature's type
 * never changes. A narrow range of times makes ties. Names and keys have characters that separate
 * parts elsewhere; none is empty.
 *
 * <p>Options are to be set before the first {@link #next()}. Not thread-safe.
 */
public final class RandomResults {
  /** 2026-01-01T00:00:00Z, from which on results are observed unless {@link #between} says so. */
  public static final long START = 1_767_225_600_000_000L;

  /** The environment of every result unless {@link #inEnvironment} says so. */
  public static final String ENVIRONMENT = "production";

  private static final long HOUR = 3_600_000_000L;
  private static final int SHAPES = 8;
  private static final int REPEATABLE = 50;
  private static final int HOT_TIMES = 4;
  private static final List<String> STRING_KEYED = List.of("user", "user.card", "a:b%");
  private static final String INTEGER_KEYED = "item";
  private static final long[] MAX_STALENESS = {1, 1_000_000, HOUR, HOUR, Long.MAX_VALUE - 1};
  private static final String[] TEXTS = {
    "", "a", "ab", "a:b", "a%3Ab", "\u0000", "größe", "日本", "😀", "\uFFFF", "line\nbreak"
  };
  private static final String[] JSON = {
    "null", "{}", "[]", "[1,2]", "{\"a\":\"ü\"}", "[{\"n\":null}]"
  };
  private static final long[] INTEGERS = {
    0, 1, -1, 63, 64, -65, Integer.MAX_VALUE, Integer.MIN_VALUE, Long.MAX_VALUE, Long.MIN_VALUE
  };
  private static final double[] DOUBLES = {
    0.0,
    -0.0,
    1.5,
    Double.NaN,
    Double.longBitsToDouble(0xFFF8_0000_0000_0123L),
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY,
    Double.MIN_VALUE,
    -Double.MAX_VALUE
  };
  private static final float[] FLOATS = {
    0f, -0f, 1.5f, Float.NaN, Float.intBitsToFloat(0xFFC0_0123), Float.NEGATIVE_INFINITY
  };

  private final long seed;
  private final Random random;
  private final List<QueryResult> shapes = new ArrayList<>();
  private final List<QueryResult> repeatable = new ArrayList<>();
  private String environment = ENVIRONMENT;
  private int entities = 6;
  private int features = 12;
  private int maxRows = 6;
  private long from = START;
  private long to = START + HOUR;
  private double duplicates = 0;
  private double deletions = 0.1;
  private boolean onlyStored;
  private int made;

  private RandomResults(long seed) {
    this.seed = seed;
    this.random = new Random(seed);
  }

  /** Makes the results of a seed. */
  public static RandomResults seeded(long seed) {
    return new RandomResults(seed);
  }

  /** Names the environment of the results. */
  public RandomResults inEnvironment(String name) {
    environment = name;
    return this;
  }

  /** Bounds how many entities each namespace has; 6 unless set. */
  public RandomResults ofEntities(int count) {
    entities = count;
    return this;
  }

  /** Bounds how many features each namespace has; 12 unless set, 9 have every type. */
  public RandomResults ofFeatures(int count) {
    features = count;
    return this;
  }

  /** Bounds the rows of a frame; 6 unless set. */
  public RandomResults withRowsUpTo(int count) {
    maxRows = count;
    return this;
  }

  /** Observes and deletes between two times, in microseconds, both included. */
  public RandomResults between(long earliest, long latest) {
    from = earliest;
    to = latest;
    return this;
  }

  /** Gives out an earlier result once more with a probability; 0 unless set. */
  public RandomResults withDuplicates(double probability) {
    duplicates = probability;
    return this;
  }

  /** Adds deletions to a result with a probability; 0.1 unless set. */
  public RandomResults withDeletions(double probability) {
    deletions = probability;
    return this;
  }

  /**
   * Has every column computed and stored online; otherwise some are served, skipped or not kept.
   */
  public RandomResults onlyStored() {
    onlyStored = true;
    return this;
  }

  /** Makes the next result. */
  public QueryResult next() {
    if (!repeatable.isEmpty() && chance(duplicates)) {
      return any(repeatable);
    }
    QueryResult shape;
    if (shapes.size() < SHAPES || chance(0.1)) {
      shape = shape();
      if (shapes.size() < SHAPES) {
        shapes.add(shape);
      } else {
        shapes.set(random.nextInt(SHAPES), shape);
      }
    } else {
      shape = any(shapes);
    }
    QueryResult result = fill(shape);
    if (repeatable.size() < REPEATABLE) {
      repeatable.add(result);
    } else {
      repeatable.set(random.nextInt(REPEATABLE), result);
    }
    return result;
  }

  /**
   * Makes what results of the same query share: namespaces, and columns without times and values.
   */
  private QueryResult shape() {
    QueryResult.Builder shape =
        QueryResult.newBuilder().setEnvironmentId(environment).setOperationKind(operationKind());
    if (chance(0.7)) {
      shape.setDeploymentId("deployment").setQueryName("query " + random.nextInt(100));
    }
    int frames = chance(0.1) ? 0 : 1 + random.nextInt(3);
    for (int i = 0; i < frames; i++) {
      String namespace = namespace();
      Frame.Builder frame = Frame.newBuilder().setNamespace(namespace);
      for (int feature = 0; feature < features; feature++) {
        if (chance(0.6)) {
          frame.addColumns(head(namespace, feature));
        }
      }
      shape.addFrames(frame);
    }
    return shape.build();
  }

  private OperationKind operationKind() {
    return OperationKind.forNumber(random.nextInt(5));
  }

  private String namespace() {
    int i = random.nextInt(STRING_KEYED.size() + 1);
    return i < STRING_KEYED.size() ? STRING_KEYED.get(i) : INTEGER_KEYED;
  }

  private static String feature(String namespace, int i) {
    String name = i % 5 == 4 ? "f" + i + ".part" : i % 7 == 6 ? "größe:" + i : "f" + i;
    return namespace + "." + name;
  }

  private Column head(String namespace, int feature) {
    Column.Builder head =
        Column.newBuilder()
            .setFeature(feature(namespace, feature))
            .setType(Column.Type.forNumber(1 + feature % 9))
            .setCacheNulls(CacheNulls.forNumber(random.nextInt(4)))
            .setSkipOffline(chance(0.1));
    if (chance(0.5)) {
      head.setResolverFqn("resolvers.r" + random.nextInt(3));
    }
    if (onlyStored || chance(0.9)) {
      head.setMaxStaleness(
          chance(0.3) ? Long.MAX_VALUE : MAX_STALENESS[random.nextInt(MAX_STALENESS.length)]);
    }
    if (!onlyStored) {
      head.setSkipOnline(chance(0.1));
      if (chance(0.2)) {
        head.setOrigin(Origin.forNumber(random.nextInt(5)))
            .setCacheDefaults(CacheDefaults.forNumber(random.nextInt(4)));
      }
    }
    return head.build();
  }

  private QueryResult fill(QueryResult shape) {
    QueryResult.Builder result =
        shape.toBuilder()
            .clearFrames()
            .setOperationId("op-" + seed + "-" + made++)
            .setQueryTimestamp(time())
            .setStatus(Status.forNumber(random.nextInt(4)));
    if (chance(0.5)) {
      result
          .setExecutionStartedAt(time())
          .setExecutionFinishedAt(time())
          .setCorrelationId(any(TEXTS))
          .setTraceId("trace");
    }
    if (chance(0.2)) {
      result.setQueryNameVersion("2").setBranchName("b").setAgentId("me").setQueryPlanId("plan");
    }
    if (chance(0.1)) {
      result.setMetaQueryHash("hash").setParts(3).setPart(random.nextInt(3));
    }
    if (chance(0.1)) {
      result.addErrors(QueryError.newBuilder().setCode("TIMEOUT").setMessage(any(TEXTS)));
    }
    for (Frame each : shape.getFramesList()) {
      result.addFrames(fill(each));
    }
    if (chance(deletions)) {
      for (int i = 1 + random.nextInt(2); i > 0; i--) {
        result.addDeletions(deletion());
      }
    }
    return result.build();
  }

  private Frame fill(Frame shape) {
    Frame.Builder frame = Frame.newBuilder().setNamespace(shape.getNamespace());
    int rows = chance(0.05) ? 0 : 1 + random.nextInt(maxRows);
    for (int row = 0; row < rows; row++) {
      if (shape.getNamespace().equals(INTEGER_KEYED)) {
        frame.addInt64Keys(integerKey());
      } else {
        frame.addStringKeys(stringKey());
      }
    }
    for (Column head : shape.getColumnsList()) {
      frame.addColumns(fill(head, rows));
    }
    return frame.build();
  }

  private String stringKey() {
    int i = random.nextInt(entities);
    return switch (i % 4) {
      case 0 -> "e" + i;
      case 1 -> "e:" + i;
      case 2 -> "e%3A" + (i - 1);
      default -> "\u0000😀" + i;
    };
  }

  private long integerKey() {
    int i = random.nextInt(entities);
    return i % 4 == 3 ? Long.MIN_VALUE + i : i % 4 == 2 ? -i : i;
  }

  private Column fill(Column head, int rows) {
    Column.Builder column = head.toBuilder();
    int times = chance(0.5) ? rows : Math.min(1, rows);
    for (int i = 0; i < times; i++) {
      column.addObservedAt(time());
    }
    int nulls = random.nextInt(8);
    if (nulls >= 4) {
      byte[] bitmap = new byte[(rows + 7) / 8];
      for (int row = 0; row < rows; row++) {
        if (nulls >= 6 || random.nextBoolean()) {
          bitmap[row / 8] |= (byte) (1 << row % 8);
        }
      }
      column.setNulls(ByteString.copyFrom(bitmap));
    }
    if (nulls != 7) {
      addValues(column, rows);
    } else if (rows == 0) {
      column.clearNulls();
    }
    return column.build();
  }

  private void addValues(Column.Builder column, int rows) {
    int dimension = 1 + random.nextInt(4);
    if (column.getType() == Column.Type.VECTOR) {
      column.setVectorDimension(dimension);
    }
    for (int row = 0; row < rows; row++) {
      switch (column.getType()) {
        case INT64 -> column.addInt64Values(integer());
        case FLOAT64 ->
            column.addFloat64Values(
                chance(0.5) ? DOUBLES[random.nextInt(DOUBLES.length)] : random.nextGaussian());
        case BOOL -> column.addBoolValues(random.nextBoolean());
        case STRING -> column.addStringValues(any(TEXTS));
        case BYTES -> {
          byte[] bytes = new byte[random.nextInt(12)];
          random.nextBytes(bytes);
          column.addBytesValues(ByteString.copyFrom(bytes));
        }
        case TIMESTAMP -> column.addTimestampValues(integer());
        case DATE -> column.addDateValues((int) integer());
        case VECTOR -> {
          for (int i = 0; i < dimension; i++) {
            column.addVectorValues(
                chance(0.3) ? FLOATS[random.nextInt(FLOATS.length)] : random.nextFloat());
          }
        }
        case JSON -> column.addJsonValues(any(JSON));
        default -> throw new AssertionError(column.getType());
      }
    }
  }

  private long integer() {
    return chance(0.5) ? INTEGERS[random.nextInt(INTEGERS.length)] : random.nextInt(1_000) - 500;
  }

  private Deletion deletion() {
    String namespace = namespace();
    Deletion.Builder deletion = Deletion.newBuilder().setNamespace(namespace).setObservedAt(time());
    for (int i = 1 + random.nextInt(2); i > 0; i--) {
      if (namespace.equals(INTEGER_KEYED)) {
        deletion.addInt64Keys(integerKey());
      } else {
        deletion.addStringKeys(stringKey());
      }
    }
    if (chance(0.5)) {
      for (int i = 1 + random.nextInt(3); i > 0; i--) {
        deletion.addFeatures(feature(namespace, random.nextInt(features)));
      }
    }
    return deletion.build();
  }

  /** Returns a time in the range; one in three is one of a few that come again. */
  private long time() {
    long span = to - from;
    if (chance(0.33)) {
      return from + span / HOT_TIMES * random.nextInt(HOT_TIMES);
    }
    return from + random.nextLong(span + 1);
  }

  private boolean chance(double probability) {
    return random.nextDouble() < probability;
  }

  private <T> T any(List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }

  private String any(String[] choices) {
    return choices[random.nextInt(choices.length)];
  }
}
