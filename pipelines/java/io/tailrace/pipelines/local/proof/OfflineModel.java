package io.tailrace.pipelines.local.proof;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;
import io.tailrace.pipelines.local.proof.ExpectedFeature.Kind;
import io.tailrace.pipelines.local.proof.ExpectedFeature.Observation;
import io.tailrace.pipelines.local.proof.ExpectedFeature.Operation;
import io.tailrace.pipelines.local.proof.ExpectedTable.Field;
import io.tailrace.pipelines.local.proof.ExpectedTable.Row;
import io.tailrace.v1.Column;
import io.tailrace.v1.Column.CacheDefaults;
import io.tailrace.v1.Column.Origin;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What the offline store must hold after a number of results, worked out from the results alone and
 * in the plainest way, so that it errs in other places than the writers, if at all: it shares no
 * code with them.
 *
 * <p>Each value or null that was computed, and is not kept out of the store, is a row in the table
 * of its feature; each deletion is a row in the tables of the features that it names, or in the
 * table of its namespace when it names none; each query is a row in the log of queries. Of rows
 * with the same id one stands: a deletion before a null before a value; then the one whose encoded
 * bytes are greater.
 *
 * <p>What only some stores can't hold, such as a NUL in PostgreSQL's text, is expected of all.
 *
 * <p>The order in which results are added does not matter, nor does adding them twice. A row costs
 * about 200 bytes, so that half a million of them need 100 MB. Not thread-safe.
 */
public final class OfflineModel {
  /** How far after its publication an observation may be, by the writer's default. */
  private static final long MAX_CLOCK_SKEW = micros(Duration.ofMinutes(5));

  private static final String QUERY_LOG = "query_log";

  private static final List<Field> QUERY_FIELDS =
      List.of(
          new Field("operation_id", StoredType.STRING),
          new Field("environment_id", StoredType.STRING),
          new Field("deployment_id", StoredType.STRING),
          new Field("operation_kind", StoredType.STRING),
          new Field("query_timestamp", StoredType.TIMESTAMP),
          new Field("execution_started_at", StoredType.TIMESTAMP),
          new Field("execution_finished_at", StoredType.TIMESTAMP),
          new Field("query_status", StoredType.STRING),
          new Field("query_name", StoredType.STRING),
          new Field("query_name_version", StoredType.STRING),
          new Field("branch_name", StoredType.STRING),
          new Field("correlation_id", StoredType.STRING),
          new Field("trace_id", StoredType.STRING),
          new Field("agent_id", StoredType.STRING),
          new Field("query_plan_id", StoredType.STRING),
          new Field("meta_query_hash", StoredType.STRING),
          new Field("value_tables", StoredType.TEXTS));

  private record Query(List<@Nullable Object> head, Set<String> valueTables) implements Row {
    @Override
    public List<@Nullable Object> cells() {
      List<@Nullable Object> cells = new ArrayList<>(head);
      cells.add(valueTables);
      return cells;
    }
  }

  private static final class Environment {
    /** By their tables. */
    final Map<String, ExpectedFeature> features = new TreeMap<>();

    final Map<String, Query> queries = new HashMap<>();

    ExpectedFeature feature(String table, String name, Observation first) {
      return features.computeIfAbsent(
          table, unused -> new ExpectedFeature(name, first.key() instanceof String));
    }

    Map<String, ExpectedTable> tables() {
      Map<String, ExpectedTable> tables = new TreeMap<>();
      if (!queries.isEmpty()) {
        tables.put(QUERY_LOG, new ExpectedTable(QUERY_FIELDS, queries));
      }
      features.forEach(
          (table, feature) -> tables.put(table, new ExpectedTable(feature.fields(), feature.rows)));
      return tables;
    }
  }

  /**
   * Something that is not as it must be.
   *
   * @param table with its schema
   * @param row what identifies the row; for a column {@code column} and its name; empty for the
   *     table itself
   * @param expected what must be there, in words
   * @param found what is there, in words
   */
  record Difference(String table, String row, String expected, String found) {
    @Override
    public String toString() {
      return table
          + (row.isEmpty() ? "" : " " + row)
          + ": expected "
          + expected
          + ", found "
          + found;
    }
  }

  /**
   * The store beside the model.
   *
   * @param tablesExpected how many tables must be there
   * @param tablesFound how many tables are there
   * @param rows how many rows must be there or are
   * @param departures how many of tables, columns and rows are not as they must be, and how
   * @param first the first differences
   */
  record Comparison(
      int tablesExpected,
      int tablesFound,
      long rows,
      Map<Departure, Long> departures,
      List<Difference> first) {
    long differences() {
      return Departure.total(departures);
    }
  }

  private final Map<String, Environment> environments = new TreeMap<>();
  private final MessageDigest md5 = ExpectedNames.md5();

  // The same few come with every result: each is kept, or worked out, once.
  private final Map<String, String> texts = new HashMap<>();
  private final Map<String, Map<String, String>> tableNames = new HashMap<>();
  private final Map<Set<String>, Set<String>> tableSets = new HashMap<>();

  /**
   * Adds a result that was published.
   *
   * @param publishedAt microseconds since the epoch
   * @throws IllegalArgumentException if a feature has values or keys of two types, or parts of the
   *     same result differ in more than their values: what stands then, the contract does not say
   */
  public void add(QueryResult result, long publishedAt) {
    log(environment(result.getEnvironmentId()), result, addLoaded(result, publishedAt));
  }

  /**
   * Adds a result whose rows come from files: the log of queries does not tell of it.
   *
   * @return the tables that it has values in
   */
  public Set<String> addLoaded(QueryResult result, long publishedAt) {
    Environment environment = environment(result.getEnvironmentId());
    Operation operation = new Operation(result.getOperationId(), text(result.getDeploymentId()));
    Set<String> valueTables = new TreeSet<>();
    for (Frame frame : result.getFramesList()) {
      List<Object> keys = keys(frame.getStringKeysList(), frame.getInt64KeysList());
      for (Column column : frame.getColumnsList()) {
        if (!isKept(column)) {
          continue;
        }
        for (int row = 0; row < keys.size(); row++) {
          long observedAt = column.getObservedAt(column.getObservedAtCount() == 1 ? 0 : row);
          if (isStored(keys.get(row), observedAt, publishedAt)) {
            Observation observation =
                observation(column, row, keys.get(row), observedAt, operation);
            String feature = column.getFeature();
            String table = table(frame.getNamespace(), feature);
            valueTables.add(table);
            environment
                .feature(table, feature, observation)
                .add(id(feature, observation), observation, column.getType());
          }
        }
      }
    }
    for (Deletion deletion : result.getDeletionsList()) {
      List<String> features =
          deletion.getFeaturesCount() == 0
              ? List.of(deletion.getNamespace() + ".")
              : deletion.getFeaturesList();
      long observedAt = deletion.getObservedAt();
      for (Object key : keys(deletion.getStringKeysList(), deletion.getInt64KeysList())) {
        if (isStored(key, observedAt, publishedAt)) {
          for (String feature : features) {
            Observation observation =
                new Observation(key, Kind.DELETED, null, observedAt, null, operation);
            String table = table(deletion.getNamespace(), feature);
            valueTables.add(table);
            environment
                .feature(table, feature, observation)
                .add(id(feature, observation), observation, null);
          }
        }
      }
    }
    return valueTables;
  }

  private static boolean isKept(Column column) {
    return !column.getSkipOffline()
        && (column.getOrigin() == Origin.COMPUTED
            || (column.getOrigin() == Origin.DEFAULT
                && column.getCacheDefaults() == CacheDefaults.WRITE_DEFAULTS));
  }

  private String table(String namespace, String feature) {
    return tableNames
        .computeIfAbsent(namespace, unused -> new HashMap<>())
        .computeIfAbsent(
            feature, it -> ExpectedNames.tableOf(namespace, it.substring(namespace.length() + 1)));
  }

  private UUID id(String feature, Observation observation) {
    String operation = observation.operation().id();
    String key = observation.key().toString();
    String observedAt = Long.toString(observation.observedAt());
    return observation.kind() == Kind.DELETED
        ? id(operation, feature, key, observedAt, "deleted")
        : id(operation, feature, key, observedAt);
  }

  /** A result may come twice, or in parts: then its row has the tables of all of them. */
  private void log(Environment environment, QueryResult result, Set<String> valueTables) {
    String id = result.getOperationId();
    List<@Nullable Object> head = head(result);
    Query before = environment.queries.get(id);
    if (before != null) {
      if (!before.head().equals(head)) {
        throw new IllegalArgumentException(
            "The parts of " + id + " differ in " + before.head() + " and " + head);
      }
      valueTables.addAll(before.valueTables());
    }
    environment.queries.put(
        id, new Query(head, tableSets.computeIfAbsent(valueTables, tables -> tables)));
  }

  /**
   * Adds a result that must be refused: its environment is looked at, and nothing of it may be
   * there.
   */
  public void addRefused(QueryResult result) {
    if (!result.getEnvironmentId().isEmpty()) {
      var unused = environment(result.getEnvironmentId());
    }
  }

  private Environment environment(String name) {
    return environments.computeIfAbsent(name, unused -> new Environment());
  }

  private static boolean isStored(Object key, long observedAt, long publishedAt) {
    return !key.equals("") && observedAt <= publishedAt + MAX_CLOCK_SKEW;
  }

  private static List<Object> keys(List<String> strings, List<Long> integers) {
    List<Object> keys = new ArrayList<>(strings);
    keys.addAll(integers);
    return keys;
  }

  private Observation observation(
      Column column, int row, Object key, long observedAt, Operation operation) {
    boolean isNull =
        row / 8 < column.getNulls().size()
            && (column.getNulls().byteAt(row / 8) >> row % 8 & 1) == 1;
    return new Observation(
        key,
        isNull ? Kind.NULL : Kind.VALUE,
        isNull ? null : value(column, row),
        observedAt,
        text(column.getResolverFqn()),
        operation);
  }

  private static Object value(Column column, int row) {
    return switch (column.getType()) {
      case INT64 -> column.getInt64Values(row);
      case FLOAT64 -> column.getFloat64Values(row) == 0 ? 0.0 : column.getFloat64Values(row);
      case BOOL -> column.getBoolValues(row);
      case STRING -> column.getStringValues(row);
      case BYTES -> column.getBytesValues(row).toByteArray();
      case TIMESTAMP -> instant(column.getTimestampValues(row));
      case DATE -> LocalDate.ofEpochDay(column.getDateValues(row));
      case VECTOR -> {
        float[] numbers = new float[column.getVectorDimension()];
        for (int i = 0; i < numbers.length; i++) {
          float number = column.getVectorValues(row * numbers.length + i);
          numbers[i] = number == 0 ? 0.0f : number;
        }
        yield numbers;
      }
      case JSON -> column.getJsonValues(row);
      case TYPE_UNSPECIFIED, UNRECOGNIZED ->
          throw new IllegalArgumentException(column.getFeature() + " has no known type");
    };
  }

  /** Returns all of {@link #QUERY_FIELDS} between the first and the last. */
  private List<@Nullable Object> head(QueryResult result) {
    return Arrays.asList(
        text(result.getEnvironmentId()),
        text(result.getDeploymentId()),
        result.getOperationKind().name(),
        instant(result.getQueryTimestamp()),
        result.getExecutionStartedAt() == 0 ? null : instant(result.getExecutionStartedAt()),
        result.getExecutionFinishedAt() == 0 ? null : instant(result.getExecutionFinishedAt()),
        result.getStatus().name(),
        text(result.getQueryName()),
        text(result.getQueryNameVersion()),
        text(result.getBranchName()),
        text(result.getCorrelationId()),
        text(result.getTraceId()),
        text(result.getAgentId()),
        text(result.getQueryPlanId()),
        text(result.getMetaQueryHash()));
  }

  private @Nullable String text(String text) {
    return text.isEmpty() ? null : texts.computeIfAbsent(text, it -> it);
  }

  /** Returns the name of the table of a feature. */
  public static String tableOf(String feature) {
    return ExpectedNames.tableOf(feature);
  }

  private UUID id(String... texts) {
    ExpectedNames.update(md5, texts);
    ByteBuffer id = ByteBuffer.wrap(md5.digest());
    return new UUID(id.getLong(), id.getLong());
  }

  /** Returns how many tables there must be. */
  public int tableCount() {
    return environments.values().stream().mapToInt(it -> it.tables().size()).sum();
  }

  /** Returns how many rows there must be. */
  public long rowCount() {
    return environments.values().stream()
        .flatMap(it -> it.tables().values().stream())
        .mapToLong(it -> it.rows().size())
        .sum();
  }

  /**
   * Reads every table of every environment back in full and compares.
   *
   * @param schema gives the schema of an environment
   * @throws IllegalArgumentException if it is no store that the model can read, or several
   *     environments have the same schema
   * @throws UnavailableException if the store can't be read now
   */
  public Comparison compare(OfflineReader store, UnaryOperator<String> schema)
      throws UnavailableException {
    Map<String, Map<String, ExpectedTable>> schemas = new TreeMap<>();
    environments.forEach(
        (name, environment) ->
            schemas.merge(schema.apply(name), environment.tables(), OfflineModel::onlyOne));
    StoreReading reading = new StoreReading(store);
    for (Map.Entry<String, Map<String, ExpectedTable>> entry : schemas.entrySet()) {
      reading.compare(entry.getKey(), entry.getValue());
    }
    return reading.comparison();
  }

  /** A schema may be that of an environment of which nothing may be there, and of another one. */
  private static Map<String, ExpectedTable> onlyOne(
      Map<String, ExpectedTable> a, Map<String, ExpectedTable> b) {
    if (!a.isEmpty() && !b.isEmpty()) {
      throw new IllegalArgumentException("several environments have the same schema");
    }
    return a.isEmpty() ? b : a;
  }

  private static Instant instant(long micros) {
    return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
  }

  private static long micros(Duration duration) {
    return duration.toMillis() * 1_000;
  }
}
