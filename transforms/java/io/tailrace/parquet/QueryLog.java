package io.tailrace.parquet;

import static org.apache.parquet.schema.LogicalTypeAnnotation.stringType;
import static org.apache.parquet.schema.LogicalTypeAnnotation.timestampType;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.BINARY;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.INT64;

import io.tailrace.parquet.ObservationEncoder.Query;
import io.tailrace.v1.QueryResult;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type.Repetition;
import org.apache.parquet.schema.Types;

/**
 * The columns of the log of queries, declared once: the schema of files, their encoder and decoder,
 * and the tables of every store follow this list, in its order.
 *
 * <p>A later version adds a column by one line in {@link #CURRENT}, and the column is optional: in
 * a file without it it is null, and a table without it gets it. A file with columns that a version
 * does not know is read without them. What the list should be is a value, so that one program can
 * be both versions. Immutable.
 */
public final class QueryLog implements Serializable {
  private static final long serialVersionUID = 1;

  /** The key of the log: the operation's id. */
  public static final String KEY = "operation_id";

  static final String ENVIRONMENT = "environment_id";
  static final String TIME = "query_timestamp";
  static final String TABLES = "value_tables";

  /** The columns that this version knows. */
  public static final QueryLog CURRENT =
      new QueryLog(
          List.of(
              Column.text(KEY, query -> query.result().operationId()).asRequired(),
              Column.text(ENVIRONMENT, query -> query.result().environmentId()).asRequired(),
              Column.text("deployment_id", QueryResult.DEPLOYMENT_ID_FIELD_NUMBER),
              Column.text("operation_kind", query -> query.result().operationKindName())
                  .asRequired(),
              Column.time(TIME, query -> OptionalLong.of(query.result().queryTimestamp()))
                  .asRequired(),
              Column.time(
                  "execution_started_at", query -> unlessZero(query.result().executionStartedAt())),
              Column.time(
                  "execution_finished_at",
                  query -> unlessZero(query.result().executionFinishedAt())),
              Column.text("query_status", query -> query.result().statusName()).asRequired(),
              Column.text("query_name", QueryResult.QUERY_NAME_FIELD_NUMBER),
              Column.text("query_name_version", QueryResult.QUERY_NAME_VERSION_FIELD_NUMBER),
              Column.text("branch_name", QueryResult.BRANCH_NAME_FIELD_NUMBER),
              Column.text("correlation_id", QueryResult.CORRELATION_ID_FIELD_NUMBER),
              Column.text("trace_id", QueryResult.TRACE_ID_FIELD_NUMBER),
              Column.text("agent_id", QueryResult.AGENT_ID_FIELD_NUMBER),
              Column.text("query_plan_id", QueryResult.QUERY_PLAN_ID_FIELD_NUMBER),
              Column.text("meta_query_hash", QueryResult.META_QUERY_HASH_FIELD_NUMBER),
              Column.texts(TABLES, Query::tables).asRequired()));

  /** What a column holds; a store has a type of its own for each. */
  public enum Type {
    /** A text; an empty one is null where the column is optional. */
    TEXT,
    /** A time in microseconds since the epoch, UTC. */
    TIMESTAMP,
    /** A list of texts, none of them null. */
    TEXTS
  }

  /** How a column comes by its value. */
  public interface Source<T> extends Function<Query, T>, Serializable {}

  /**
   * A column of the log. Immutable.
   *
   * @param name its name in files and in tables
   * @param type what it holds
   * @param required whether every row has a value in it; otherwise it may be null, or absent
   * @param source how it comes by its value, an object as its type says
   */
  public record Column(String name, Type type, boolean required, Source<?> source)
      implements Serializable {
    private static final long serialVersionUID = 1;

    /** Returns an optional column of texts; the source gives an empty one for null. */
    public static Column text(String name, Source<String> source) {
      return new Column(name, Type.TEXT, false, source);
    }

    /**
     * Returns an optional column of texts that results have.
     *
     * @param field the number of a field of {@code QueryResult} that is a text
     */
    public static Column text(String name, int field) {
      return text(name, query -> query.result().text(field));
    }

    /** Returns an optional column of times. */
    public static Column time(String name, Source<OptionalLong> source) {
      return new Column(name, Type.TIMESTAMP, false, source);
    }

    /** Returns an optional column of lists of texts. */
    public static Column texts(String name, Source<List<String>> source) {
      return new Column(name, Type.TEXTS, false, source);
    }

    /** Returns the same as a column in which no row may be without a value. */
    public Column asRequired() {
      return new Column(name, type, true, source);
    }

    /** Returns the text that a row has in this column. */
    public Optional<String> text(QueryRow row) {
      return Optional.ofNullable(row.texts().get(name));
    }

    /** Returns the time that a row has in this column. */
    public OptionalLong time(QueryRow row) {
      Long time = row.times().get(name);
      return time == null ? OptionalLong.empty() : OptionalLong.of(time);
    }

    /** Returns the list that a row has in this column. */
    public Optional<List<String>> texts(QueryRow row) {
      return Optional.ofNullable(row.lists().get(name));
    }

    String textOf(Query query) {
      return (String) source.apply(query);
    }

    OptionalLong timeOf(Query query) {
      return (OptionalLong) source.apply(query);
    }

    @SuppressWarnings("unchecked") // The factories see to it.
    List<String> textsOf(Query query) {
      return (List<String>) source.apply(query);
    }
  }

  private final List<Column> columns;

  private QueryLog(List<Column> columns) {
    this.columns = columns;
  }

  /** Returns the columns, in order. */
  public List<Column> columns() {
    return columns;
  }

  /** Returns the list of a later version, with one column more. */
  public QueryLog with(Column column) {
    List<Column> more = new ArrayList<>(columns);
    more.add(column);
    return new QueryLog(List.copyOf(more));
  }

  /** Returns the schema of a file. */
  public MessageType schema() {
    return new MessageType("query_log", columns.stream().map(QueryLog::type).toList());
  }

  private static org.apache.parquet.schema.Type type(Column column) {
    Repetition repetition = column.required() ? Repetition.REQUIRED : Repetition.OPTIONAL;
    return switch (column.type()) {
      case TEXT -> Types.primitive(BINARY, repetition).as(stringType()).named(column.name());
      case TIMESTAMP ->
          Types.primitive(INT64, repetition)
              .as(timestampType(true, TimeUnit.MICROS))
              .named(column.name());
      case TEXTS ->
          Types.list(repetition)
              .element(Types.required(BINARY).as(stringType()).named("element"))
              .named(column.name());
    };
  }

  private static OptionalLong unlessZero(long micros) {
    return micros == 0 ? OptionalLong.empty() : OptionalLong.of(micros);
  }
}
