package io.tailrace.testing;

import com.google.protobuf.ByteString;
import io.tailrace.v1.Column;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.util.List;

/** Makes small results of the namespace {@code user} for tests that have one in sight. */
public final class Results {
  /** The environment of every result. */
  public static final String ENVIRONMENT = "production";

  private static final String NAMESPACE = "user";

  private Results() {}

  /** Returns a result of values. */
  public static QueryResult of(Frame... frames) {
    return named("op").addAllFrames(List.of(frames)).build();
  }

  /** Returns a result of deletions. */
  public static QueryResult of(Deletion... deletions) {
    return named("op").addAllDeletions(List.of(deletions)).build();
  }

  /** Begins a result. */
  public static QueryResult.Builder named(String operationId) {
    return QueryResult.newBuilder()
        .setOperationId(operationId)
        .setEnvironmentId(ENVIRONMENT)
        .setQueryTimestamp(RandomResults.START);
  }

  /** Returns a frame with one row. */
  public static Frame user(String key, Column... columns) {
    return users(List.of(key), columns);
  }

  /** Returns a frame. */
  public static Frame users(List<String> keys, Column... columns) {
    return Frame.newBuilder()
        .setNamespace(NAMESPACE)
        .addAllStringKeys(keys)
        .addAllColumns(List.of(columns))
        .build();
  }

  /** Returns integers that never expire, one for each row. */
  public static Column int64(String name, long observedAt, long... values) {
    Column.Builder column =
        column(name, observedAt).setType(Column.Type.INT64).setMaxStaleness(Long.MAX_VALUE);
    for (long value : values) {
      column.addInt64Values(value);
    }
    return column.build();
  }

  /** Returns an integer that expires. */
  public static Column expiring(String name, long observedAt, long maxStaleness, long value) {
    return int64(name, observedAt, value).toBuilder().setMaxStaleness(maxStaleness).build();
  }

  /** Returns a text that never expires. */
  public static Column string(String name, long observedAt, String value) {
    return column(name, observedAt)
        .setType(Column.Type.STRING)
        .setMaxStaleness(Long.MAX_VALUE)
        .addStringValues(value)
        .build();
  }

  /** Returns the null of one row. */
  public static Column nothing(String name, long observedAt, Column.CacheNulls handling) {
    return column(name, observedAt)
        .setType(Column.Type.INT64)
        .setMaxStaleness(Long.MAX_VALUE)
        .setCacheNulls(handling)
        .setNulls(ByteString.copyFrom(new byte[] {1}))
        .build();
  }

  private static Column.Builder column(String name, long observedAt) {
    return Column.newBuilder().setFeature(NAMESPACE + "." + name).addObservedAt(observedAt);
  }

  /** Returns the deletion of features, or, if none is named, of the whole entity. */
  public static Deletion deletion(String key, long observedAt, String... names) {
    Deletion.Builder deletion =
        Deletion.newBuilder().setNamespace(NAMESPACE).addStringKeys(key).setObservedAt(observedAt);
    for (String name : names) {
      deletion.addFeatures(NAMESPACE + "." + name);
    }
    return deletion.build();
  }
}
