package io.tailrace.parquet;

import static org.apache.parquet.schema.LogicalTypeAnnotation.dateType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.jsonType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.stringType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.timestampType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.uuidType;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.BINARY;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.BOOLEAN;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.DOUBLE;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.FIXED_LEN_BYTE_ARRAY;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.FLOAT;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.INT32;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.INT64;

import com.google.common.collect.Sets;
import io.tailrace.result.ValueType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;

/**
 * The columns of the Parquet files on the streaming-insert bus, and what their footers say: the one
 * place that knows them. Stateless and thread-safe.
 */
public final class ObservationSchema {
  /** Footer: what the file holds, {@link #OBSERVATIONS} or {@link #QUERIES}. */
  public static final String KIND = "tailrace.kind";

  /** Footer: the type of the values, by the name of a {@link ValueType}; absent: deletions. */
  public static final String VALUE_TYPE = "tailrace.value_type";

  /** Footer: the environment of all rows. */
  public static final String ENVIRONMENT_ID = "tailrace.environment_id";

  /** Footer: the version of this layout, {@link #VERSION}. */
  public static final String SCHEMA_VERSION = "tailrace.schema_version";

  /**
   * Footer, optional: when the oldest of the results in the file was published, in microseconds
   * since the epoch.
   */
  public static final String PUBLISHED_FROM = "tailrace.published_from";

  /**
   * Footer, optional: the CRC-32C of the whole file, as eight hexadecimal digits that count as
   * {@code 00000000} themselves.
   */
  public static final String CHECKSUM = "tailrace.crc32c";

  /** A {@link #KIND}: observations of features. */
  public static final String OBSERVATIONS = "observations";

  /** A {@link #KIND}: rows of the log of queries. */
  public static final String QUERIES = "query_log";

  /** The current {@link #SCHEMA_VERSION}. */
  public static final String VERSION = "1";

  /** The column with the whole names of features. */
  public static final String FEATURE = "feature";

  static final String NAMESPACE = "namespace";
  static final String OBSERVATION_ID = "observation_id";
  static final String PKEY = "pkey";
  static final String VALUE = "value";
  static final String OBSERVED_AT = "observed_at";
  static final String RESOLVER_FQN = "resolver_fqn";
  static final String DEPLOYMENT_ID = "deployment_id";
  static final String OPERATION_ID = "operation_id";
  static final String DELETED = "deleted";

  /** The columns of a file with observations: a file of another publisher may have more. */
  public static final Set<String> COLUMNS =
      Set.of(
          FEATURE,
          NAMESPACE,
          OBSERVATION_ID,
          PKEY,
          VALUE,
          OBSERVED_AT,
          RESOLVER_FQN,
          DEPLOYMENT_ID,
          OPERATION_ID,
          DELETED);

  /**
   * Columns that a file of another publisher may lack: the id is computed, the namespace is what
   * stands before the dot, values are not deleted, and the others are not known.
   */
  private static final Set<String> MAY_BE_ABSENT =
      Set.of(NAMESPACE, OBSERVATION_ID, RESOLVER_FQN, DEPLOYMENT_ID, DELETED);

  private static final LogicalTypeAnnotation UTC_MICROS = timestampType(true, TimeUnit.MICROS);

  private ObservationSchema() {}

  /**
   * Returns why a feature in a namespace can have no values, as the rest of a sentence; empty if it
   * can.
   *
   * @param feature fully qualified
   */
  public static String whyNoFeature(String namespace, String feature) {
    return RowCheck.whyNoFeature(namespace, feature, true);
  }

  /** Returns whether a time in microseconds since the epoch lies in the years 1 to 9999. */
  public static boolean isTime(long micros) {
    return RowCheck.isTime(micros);
  }

  /** Returns the columns that a file of another publisher may lack. */
  static Set<String> mayBeAbsent(Optional<ValueType> valueType) {
    // Nobody deletes by leaving something out.
    return valueType.isPresent() ? MAY_BE_ABSENT : Sets.difference(MAY_BE_ABSENT, Set.of(DELETED));
  }

  /**
   * Returns the columns of a file with observations.
   *
   * @param stringKeys whether primary keys are strings; otherwise they are integers
   * @param valueType the type of the values; empty for a file of deletions, which has none
   */
  public static MessageType observations(boolean stringKeys, Optional<ValueType> valueType) {
    List<Type> columns = new ArrayList<>();
    columns.add(Types.required(BINARY).as(stringType()).named(FEATURE));
    columns.add(Types.required(BINARY).as(stringType()).named(NAMESPACE));
    columns.add(
        Types.required(FIXED_LEN_BYTE_ARRAY)
            .length(ObservationIds.LENGTH)
            .as(uuidType())
            .named(OBSERVATION_ID));
    columns.add(
        stringKeys
            ? Types.required(BINARY).as(stringType()).named(PKEY)
            : Types.required(INT64).named(PKEY));
    valueType.ifPresent(type -> columns.add(value(type, VALUE)));
    columns.add(Types.required(INT64).as(UTC_MICROS).named(OBSERVED_AT));
    columns.add(Types.optional(BINARY).as(stringType()).named(RESOLVER_FQN));
    columns.add(Types.optional(BINARY).as(stringType()).named(DEPLOYMENT_ID));
    columns.add(Types.required(BINARY).as(stringType()).named(OPERATION_ID));
    columns.add(Types.required(BOOLEAN).named(DELETED));
    return new MessageType("observations", columns);
  }

  /** Returns the column of values of a type. */
  static Type value(ValueType type, String name) {
    return switch (type) {
      case INT64 -> Types.optional(INT64).named(name);
      case FLOAT64 -> Types.optional(DOUBLE).named(name);
      case BOOL -> Types.optional(BOOLEAN).named(name);
      case STRING -> Types.optional(BINARY).as(stringType()).named(name);
      case BYTES -> Types.optional(BINARY).named(name);
      case TIMESTAMP -> Types.optional(INT64).as(UTC_MICROS).named(name);
      case DATE -> Types.optional(INT32).as(dateType()).named(name);
      case VECTOR ->
          Types.optionalList().element(Types.required(FLOAT).named("element")).named(name);
      case JSON -> Types.optional(BINARY).as(jsonType()).named(name);
    };
  }
}
