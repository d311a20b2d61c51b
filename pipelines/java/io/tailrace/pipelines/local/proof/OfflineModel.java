package io.tailrace.pipelines.local.proof;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;
import io.tailrace.v1.Column;
import io.tailrace.v1.Column.Origin;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Supplier;
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

  /** What PostgreSQL allows for the name of a table. */
  private static final int LONGEST_NAME = 63;

  private static final int HASH_DIGITS = 8;

  /** Rows that are read back in one call: some 15 MB as text. */
  private static final int PAGE = 20_000;

  private static final int DIFFERENCES_LISTED = 10;

  /** Stands for every time that is not null, where the store chooses it. */
  private static final String A_TIME = "a time";

  private enum Kind {
    VALUE,
    NULL,
    DELETED
  }

  /** What sort of SQL a store understands. */
  private enum Dialect {
    DUCKDB("duckdb:", "data_type", ""),
    POSTGRESQL(
        "postgresql:",
        "udt_name",
        " AND (table_schema, table_name) NOT IN (SELECT nspname, relname FROM pg_catalog.pg_class"
            + " JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace"
            + " WHERE relispartition)");

    private final String scheme;
    // The column of information_schema.columns that tells types apart, those of elements too.
    private final String typeColumn;
    // What leaves out the parts that a table is stored in.
    private final String wholeTables;

    Dialect(String scheme, String typeColumn, String wholeTables) {
      this.scheme = scheme;
      this.typeColumn = typeColumn;
      this.wholeTables = wholeTables;
    }

    static Dialect of(OfflineReader store) {
      for (Dialect dialect : values()) {
        if (store.uri().startsWith(dialect.scheme)) {
          return dialect;
        }
      }
      throw new IllegalArgumentException(
          "The model can't read " + store.uri() + "; it knows duckdb: and postgresql:");
    }
  }

  /** Types of columns: their names in the stores, how SQL makes them text, and what that means. */
  private enum ColumnType {
    ID("UUID", "uuid"),
    INT64("BIGINT", "int8"),
    FLOAT64("DOUBLE", "float8"),
    BOOL("BOOLEAN", "bool"),
    STRING("VARCHAR", "text"),
    BYTES("BLOB", "bytea", "hex(%s)", "encode(%s, 'hex')"),
    // Before PostgreSQL 14 the epoch of a time that is no whole second is not exact.
    TIMESTAMP(
        "TIMESTAMP WITH TIME ZONE",
        "timestamptz",
        "epoch_us(%1$s)",
        "extract(epoch FROM date_trunc('second', %1$s))::bigint * 1000000"
            + " + extract(microseconds FROM %1$s)::bigint %% 1000000"),
    /** A time that the store chooses. */
    SOME_TIME(TIMESTAMP.inDuckDb, TIMESTAMP.inPostgres),
    DATE("DATE", "date", "%s - DATE '1970-01-01'", "%s - DATE '1970-01-01'"),
    VECTOR("FLOAT[]", "_float4"),
    JSON("JSON", "json"),
    /** Texts in any order, without commas. */
    TEXTS("VARCHAR[]", "_text", "array_to_string(%s, ',')", "array_to_string(%s, ',')"),
    /** Of a column that may have any type, or be absent, as it is null everywhere. */
    NOTHING("", "");

    private final String inDuckDb;
    private final String inPostgres;
    private final String duckDbText;
    private final String postgresText;

    ColumnType(String inDuckDb, String inPostgres) {
      this(inDuckDb, inPostgres, "%s", "%s");
    }

    ColumnType(String inDuckDb, String inPostgres, String duckDbText, String postgresText) {
      this.inDuckDb = inDuckDb;
      this.inPostgres = inPostgres;
      this.duckDbText = duckDbText;
      this.postgresText = postgresText;
    }

    String nameIn(Dialect dialect) {
      return dialect == Dialect.DUCKDB ? inDuckDb : inPostgres;
    }

    String asText(Dialect dialect, String column) {
      String expression = dialect == Dialect.DUCKDB ? duckDbText : postgresText;
      return "CAST(" + String.format(Locale.ROOT, expression, column) + " AS VARCHAR)";
    }

    /** Returns what a text means; the text itself where it means nothing. */
    @Nullable Object parse(@Nullable String text) {
      if (text == null) {
        return null;
      }
      try {
        return switch (this) {
          case ID -> UUID.fromString(text);
          case INT64 -> Long.valueOf(text);
          case FLOAT64 -> Double.valueOf(number(text));
          case BOOL -> Boolean.valueOf(text);
          case BYTES -> HexFormat.of().parseHex(text);
          case TIMESTAMP -> instant(Long.parseLong(text));
          case SOME_TIME -> A_TIME;
          case DATE -> LocalDate.ofEpochDay(Long.parseLong(text));
          case VECTOR -> numbers(text.substring(1, text.length() - 1));
          case TEXTS -> text.isEmpty() ? Set.of() : new TreeSet<>(Arrays.asList(text.split(",")));
          case STRING, JSON, NOTHING -> text;
        };
      } catch (IllegalArgumentException e) {
        return text;
      }
    }

    private static float[] numbers(String list) {
      String[] texts = list.isEmpty() ? new String[0] : list.split(",");
      float[] numbers = new float[texts.length];
      for (int i = 0; i < texts.length; i++) {
        numbers[i] = Float.parseFloat(number(texts[i].strip()));
      }
      return numbers;
    }

    /** DuckDB writes other words than Java for what is no finite number. */
    private static String number(String text) {
      return switch (text) {
        case "nan" -> "NaN";
        case "inf" -> "Infinity";
        case "-inf" -> "-Infinity";
        default -> text;
      };
    }
  }

  private record Field(String name, ColumnType type) {}

  private static final List<Field> QUERY_FIELDS =
      List.of(
          new Field("operation_id", ColumnType.STRING),
          new Field("environment_id", ColumnType.STRING),
          new Field("deployment_id", ColumnType.STRING),
          new Field("operation_kind", ColumnType.STRING),
          new Field("query_timestamp", ColumnType.TIMESTAMP),
          new Field("execution_started_at", ColumnType.TIMESTAMP),
          new Field("execution_finished_at", ColumnType.TIMESTAMP),
          new Field("query_status", ColumnType.STRING),
          new Field("query_name", ColumnType.STRING),
          new Field("query_name_version", ColumnType.STRING),
          new Field("branch_name", ColumnType.STRING),
          new Field("correlation_id", ColumnType.STRING),
          new Field("trace_id", ColumnType.STRING),
          new Field("agent_id", ColumnType.STRING),
          new Field("query_plan_id", ColumnType.STRING),
          new Field("meta_query_hash", ColumnType.STRING),
          new Field("value_tables", ColumnType.TEXTS));

  /** A row without its id, which it is stored under. */
  private interface Row {
    /** Returns what the columns hold, in their order. */
    List<@Nullable Object> cells();
  }

  /** What the observations of one result have in common. */
  private record Operation(String id, @Nullable String deployment) {}

  /** One observation of one feature; the value is null for a null and a deletion. */
  private record Observation(
      Object key,
      Kind kind,
      @Nullable Object value,
      long observedAt,
      @Nullable String resolver,
      Operation operation)
      implements Row {

    static final Comparator<Observation> ORDER =
        Comparator.comparing(Observation::kind)
            .thenComparing(Observation::encoded, Arrays::compareUnsigned);

    private byte[] encoded() {
      if (value instanceof Long number) {
        return ByteBuffer.allocate(8).putLong(number).array();
      } else if (value instanceof Double number) {
        return ByteBuffer.allocate(8).putLong(Double.doubleToLongBits(number)).array();
      } else if (value instanceof Boolean bool) {
        return new byte[] {(byte) (bool ? 1 : 0)};
      } else if (value instanceof String text) {
        return text.getBytes(StandardCharsets.UTF_8);
      } else if (value instanceof byte[] bytes) {
        return bytes;
      } else if (value instanceof Instant instant) {
        return ByteBuffer.allocate(8).putLong(sinceEpoch(instant)).array();
      } else if (value instanceof LocalDate date) {
        return ByteBuffer.allocate(4).putInt((int) date.toEpochDay()).array();
      } else if (value instanceof float[] numbers) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * numbers.length);
        for (float number : numbers) {
          bytes.putInt(Float.floatToIntBits(number));
        }
        return bytes.array();
      }
      return new byte[0];
    }

    @Override
    public List<@Nullable Object> cells() {
      return Arrays.asList(
          key,
          value,
          instant(observedAt),
          A_TIME,
          resolver,
          operation.deployment(),
          operation.id(),
          kind == Kind.DELETED);
    }
  }

  private record Query(List<@Nullable Object> head, Set<String> valueTables) implements Row {
    @Override
    public List<@Nullable Object> cells() {
      List<@Nullable Object> cells = new ArrayList<>(head);
      cells.add(valueTables);
      return cells;
    }
  }

  /** The table of one feature. */
  private static final class Feature {
    final Map<UUID, Observation> rows = new HashMap<>();
    private final String name;
    private final boolean stringKeys;
    private Column.@Nullable Type type;

    Feature(String name, boolean stringKeys) {
      this.name = name;
      this.stringKeys = stringKeys;
    }

    public void add(UUID id, Observation observation, Column.@Nullable Type observed) {
      if (stringKeys != observation.key() instanceof String) {
        throw new IllegalArgumentException(name + " has keys of two types");
      }
      if (type != null && observed != null && type != observed) {
        throw new IllegalArgumentException(name + " is " + type + " and " + observed);
      }
      type = type == null ? observed : type;
      rows.merge(id, observation, (a, b) -> Observation.ORDER.compare(a, b) >= 0 ? a : b);
    }

    List<Field> fields() {
      return List.of(
          new Field("observation_id", ColumnType.ID),
          new Field("pkey", stringKeys ? ColumnType.STRING : ColumnType.INT64),
          new Field("value", type == null ? ColumnType.NOTHING : ColumnType.valueOf(type.name())),
          new Field("observed_at", ColumnType.TIMESTAMP),
          new Field("inserted_at", ColumnType.SOME_TIME),
          new Field("resolver_fqn", ColumnType.STRING),
          new Field("deployment_id", ColumnType.STRING),
          new Field("operation_id", ColumnType.STRING),
          new Field("deleted", ColumnType.BOOL));
    }
  }

  private static final class Environment {
    final Map<String, Feature> features = new TreeMap<>();
    final Map<String, Query> queries = new HashMap<>();

    Feature feature(String name, Observation first) {
      return features.computeIfAbsent(name, it -> new Feature(it, first.key() instanceof String));
    }

    Map<String, Expected> tables() {
      Map<String, Expected> tables = new TreeMap<>();
      if (!queries.isEmpty()) {
        tables.put(QUERY_LOG, new Expected(QUERY_FIELDS, queries));
      }
      features.forEach(
          (name, feature) ->
              tables.put(tableOf(name), new Expected(feature.fields(), feature.rows)));
      return tables;
    }
  }

  /**
   * A table that must be there.
   *
   * @param fields its columns; the first one identifies a row
   * @param rows by what identifies them
   */
  private record Expected(List<Field> fields, Map<?, ? extends Row> rows) {}

  /**
   * A table that is there.
   *
   * @param catalog the database; a name without it can mean something else to DuckDB
   * @param columns their types by their names
   */
  private record Found(String catalog, Map<String, String> columns) {}

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
   * @param differences how many of tables, columns and rows are not as they must be
   * @param first the first differences
   */
  record Comparison(
      int tablesExpected, int tablesFound, long rows, long differences, List<Difference> first) {}

  private final Map<String, Environment> environments = new TreeMap<>();
  private final MessageDigest md5 = md5();

  // The same few come with every result: each is kept, or worked out, once.
  private final Map<String, String> texts = new HashMap<>();
  private final Map<String, String> tableNames = new HashMap<>();
  private final Map<Set<String>, Set<String>> tableSets = new HashMap<>();

  /**
   * Adds a result that was published.
   *
   * @param publishedAt microseconds since the epoch
   * @throws IllegalArgumentException if a feature has values or keys of two types, or parts of the
   *     same result differ in more than their values: what stands then, the contract does not say
   */
  public void add(QueryResult result, long publishedAt) {
    Environment environment = environment(result.getEnvironmentId());
    Operation operation = new Operation(result.getOperationId(), text(result.getDeploymentId()));
    Set<String> valueTables = new TreeSet<>();
    for (Frame frame : result.getFramesList()) {
      List<Object> keys = keys(frame.getStringKeysList(), frame.getInt64KeysList());
      for (Column column : frame.getColumnsList()) {
        if (column.getOrigin() != Origin.COMPUTED || column.getSkipOffline()) {
          continue;
        }
        valueTables.add(tableNames.computeIfAbsent(column.getFeature(), OfflineModel::tableOf));
        for (int row = 0; row < keys.size(); row++) {
          long observedAt = column.getObservedAt(column.getObservedAtCount() == 1 ? 0 : row);
          if (isStored(keys.get(row), observedAt, publishedAt)) {
            observe(
                environment,
                column.getFeature(),
                observation(column, row, keys.get(row), observedAt, operation),
                column.getType());
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
            observe(
                environment,
                feature,
                new Observation(key, Kind.DELETED, null, observedAt, null, operation),
                null);
          }
        }
      }
    }
    log(environment, result, valueTables);
  }

  private void observe(
      Environment environment,
      String feature,
      Observation observation,
      Column.@Nullable Type type) {
    String operation = observation.operation().id();
    String key = observation.key().toString();
    UUID id = id(operation, feature, key, Long.toString(observation.observedAt()));
    environment.feature(feature, observation).add(id, observation, type);
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
    int dot = feature.lastIndexOf('.');
    String namespace = dot < 0 ? "" : feature.substring(0, dot);
    String name = feature.substring(dot + 1);
    String table = plain(namespace) + "__" + plain(name);
    if (isUnmistakable(namespace) && isUnmistakable(name) && table.length() <= LONGEST_NAME) {
      return table;
    }
    String hash = HexFormat.of().formatHex(md5().digest(feature.getBytes(StandardCharsets.UTF_8)));
    int kept = Math.min(table.length(), LONGEST_NAME - 1 - HASH_DIGITS);
    return table.substring(0, kept) + "_" + hash.substring(0, HASH_DIGITS);
  }

  private static String plain(String part) {
    StringBuilder plain = new StringBuilder();
    part.toLowerCase(Locale.ROOT)
        .codePoints()
        .map(c -> (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '_')
        .forEach(plain::appendCodePoint);
    return plain.toString();
  }

  private static boolean isUnmistakable(String part) {
    return part.equals(plain(part))
        && !part.contains("__")
        && !part.startsWith("_")
        && !part.endsWith("_")
        && !endsLikeAHash(part);
  }

  private static boolean endsLikeAHash(String part) {
    int digits = part.length() - HASH_DIGITS;
    return digits >= 0
        && (digits == 0 || part.charAt(digits - 1) == '_')
        && part.substring(digits).chars().allMatch(c -> "0123456789abcdef".indexOf(c) >= 0);
  }

  private UUID id(String... texts) {
    for (String text : texts) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      md5.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8));
      md5.update(bytes);
    }
    ByteBuffer id = ByteBuffer.wrap(md5.digest());
    return new UUID(id.getLong(), id.getLong());
  }

  private static MessageDigest md5() {
    try {
      return MessageDigest.getInstance("MD5");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has MD5", e);
    }
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
    Map<String, Map<String, Expected>> schemas = new TreeMap<>();
    environments.forEach(
        (name, environment) ->
            schemas.merge(schema.apply(name), environment.tables(), OfflineModel::onlyOne));
    Reading reading = new Reading(store);
    for (Map.Entry<String, Map<String, Expected>> entry : schemas.entrySet()) {
      reading.compare(entry.getKey(), entry.getValue());
    }
    return reading.comparison();
  }

  /** A schema may be that of an environment of which nothing may be there, and of another one. */
  private static Map<String, Expected> onlyOne(Map<String, Expected> a, Map<String, Expected> b) {
    if (!a.isEmpty() && !b.isEmpty()) {
      throw new IllegalArgumentException("several environments have the same schema");
    }
    return a.isEmpty() ? b : a;
  }

  /** Reads a store and notes what is not as it must be. */
  private static final class Reading {
    private final OfflineReader store;
    private final Dialect dialect;
    private int tablesExpected;
    private int tablesFound;
    private long rows;
    private long differences;
    private final List<Difference> first = new ArrayList<>();

    Reading(OfflineReader store) {
      this.store = store;
      this.dialect = Dialect.of(store);
    }

    Comparison comparison() {
      return new Comparison(tablesExpected, tablesFound, rows, differences, List.copyOf(first));
    }

    public void compare(String schema, Map<String, Expected> expected) throws UnavailableException {
      Map<String, Found> found = tables(schema);
      tablesExpected += expected.size();
      tablesFound += found.size();
      Set<String> names = new TreeSet<>(expected.keySet());
      names.addAll(found.keySet());
      for (String name : names) {
        String table = schema + "." + name;
        Expected must = expected.get(name);
        Found is = found.get(name);
        if (must == null) {
          note(() -> new Difference(table, "", "no such table", "one"));
        } else if (is == null) {
          rows += must.rows().size();
          note(
              () ->
                  new Difference(table, "", "a table of " + must.rows().size() + " rows", "none"));
        } else if (hasItsColumns(table, must, is)) {
          compareRows(table, quoted(is.catalog(), schema, name), must, is);
        } else {
          rows += must.rows().size();
        }
      }
    }

    private Map<String, Found> tables(String schema) throws UnavailableException {
      Map<String, Found> tables = new TreeMap<>();
      String sql =
          "SELECT table_name, column_name, table_catalog, "
              + dialect.typeColumn
              + " FROM information_schema.columns"
              + " WHERE table_catalog = current_database() AND table_schema = '"
              + schema.replace("'", "''")
              + "'"
              + dialect.wholeTables;
      read(
          sql,
          row ->
              tables
                  .computeIfAbsent(row.get(0), name -> new Found(row.get(2), new HashMap<>()))
                  .columns()
                  .put(row.get(1), row.get(3)));
      return tables;
    }

    private boolean hasItsColumns(String table, Expected expected, Found found) {
      boolean all = true;
      for (Field field : expected.fields()) {
        String must = field.type().nameIn(dialect);
        String is = found.columns().getOrDefault(field.name(), "none");
        if (field.type() != ColumnType.NOTHING && !is.equals(must)) {
          all = false;
          note(() -> new Difference(table, "column " + field.name(), must, is));
        }
      }
      return all;
    }

    private void compareRows(String table, String quoted, Expected expected, Found found)
        throws UnavailableException {
      List<String> columns = new ArrayList<>();
      for (Field field : expected.fields()) {
        boolean isThere = found.columns().containsKey(field.name());
        columns.add(field.type().asText(dialect, isThere ? quoted(field.name()) : "NULL"));
      }
      Set<@Nullable Object> seen = new HashSet<>();
      read(
          "SELECT " + String.join(", ", columns) + " FROM " + quoted,
          row -> {
            rows++;
            compareRow(table, expected, row, seen);
          });
      expected
          .rows()
          .forEach(
              (id, row) -> {
                if (!seen.contains(id)) {
                  rows++;
                  note(
                      () ->
                          new Difference(
                              table, id.toString(), inWords(expected, row.cells()), "nothing"));
                }
              });
    }

    private void compareRow(
        String table, Expected expected, List<String> row, Set<@Nullable Object> seen) {
      List<@Nullable Object> is = new ArrayList<>();
      for (int i = 0; i < row.size(); i++) {
        is.add(expected.fields().get(i).type().parse(row.get(i)));
      }
      Object id = is.remove(0);
      Row must = expected.rows().get(id);
      if (must == null) {
        note(() -> new Difference(table, "" + id, "nothing", inWords(expected, is)));
      } else if (!seen.add(id)) {
        note(() -> new Difference(table, "" + id, "one row", "another: " + inWords(expected, is)));
      } else {
        List<@Nullable Object> cells = must.cells();
        List<Integer> wrong = new ArrayList<>();
        for (int i = 0; i < is.size(); i++) {
          if (!Objects.deepEquals(cells.get(i), is.get(i))) {
            wrong.add(i);
          }
        }
        if (!wrong.isEmpty()) {
          note(
              () ->
                  new Difference(
                      table,
                      "" + id,
                      inWords(expected, cells, wrong),
                      inWords(expected, is, wrong)));
        }
      }
    }

    private void note(Supplier<Difference> difference) {
      differences++;
      if (first.size() < DIFFERENCES_LISTED) {
        first.add(difference.get());
      }
    }

    private interface RowReader {
      void read(List<String> row);
    }

    /** Reads the rows of a statement whose first two columns order them. */
    private void read(String sql, RowReader reader) throws UnavailableException {
      List<List<String>> page;
      long offset = 0;
      do {
        page = store.query(sql + " ORDER BY 1, 2 LIMIT " + PAGE + " OFFSET " + offset, PAGE).rows();
        page.forEach(reader::read);
        offset += page.size();
      } while (page.size() == PAGE);
    }

    private static String quoted(String... names) {
      List<String> quoted = new ArrayList<>();
      for (String name : names) {
        quoted.add('"' + name.replace("\"", "\"\"") + '"');
      }
      return String.join(".", quoted);
    }

    private static String inWords(Expected expected, List<@Nullable Object> cells) {
      List<Integer> all = new ArrayList<>();
      for (int i = 0; i < cells.size(); i++) {
        all.add(i);
      }
      return inWords(expected, cells, all);
    }

    private static String inWords(
        Expected expected, List<@Nullable Object> cells, List<Integer> which) {
      List<String> words = new ArrayList<>();
      for (int i : which) {
        // Arrays.deepToString shows arrays of numbers as well, in one more pair of brackets.
        String text = Arrays.deepToString(new Object[] {cells.get(i)});
        words.add(expected.fields().get(i + 1).name() + " " + text.substring(1, text.length() - 1));
      }
      return String.join(", ", words);
    }
  }

  private static Instant instant(long micros) {
    return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
  }

  private static long sinceEpoch(Instant instant) {
    return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
  }

  private static long micros(Duration duration) {
    return duration.toMillis() * 1_000;
  }
}
