package io.tailrace.parquet;

import com.google.common.collect.ImmutableList;
import io.tailrace.result.ValueType;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What the columns of a wide file are, which has a row for each entity (and time) and a column for
 * each feature. Immutable.
 *
 * @param keyColumn the column with the primary keys
 * @param time when the rows were observed
 * @param features at least one
 */
public record WideMapping(String keyColumn, Time time, List<FeatureColumn> features)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /** What a null in a column stands for. */
  public enum Nulls {
    /** No value. */
    NOT_COMPUTED,
    /** A null that was computed. */
    COMPUTED
  }

  /**
   * When rows were observed: a column says it, or they have one time.
   *
   * @param column its name; empty: all rows have the constant
   * @param constant microseconds since the epoch
   */
  public record Time(String column, long constant) implements Serializable {
    private static final long serialVersionUID = 1;

    /** Returns the column's name; empty: all rows have the constant. */
    public Optional<String> named() {
      return Optional.of(column).filter(it -> !it.isEmpty());
    }
  }

  /**
   * A feature and its column.
   *
   * @param namespace of the feature
   * @param feature fully qualified
   * @param resolverFqn what computed it; empty: not known
   */
  public record FeatureColumn(
      String namespace, String feature, String column, Kind kind, String resolverFqn)
      implements Serializable {
    private static final long serialVersionUID = 1;
  }

  /** What a column has. */
  public record Kind(ValueType type, Nulls nulls) implements Serializable {
    private static final long serialVersionUID = 1;
  }

  /** Copies the list. */
  public WideMapping {
    features = ImmutableList.copyOf(features);
  }

  /** Returns the names of all columns that it names. */
  public Set<String> columns() {
    Set<String> columns = new LinkedHashSet<>();
    columns.add(keyColumn);
    time.named().ifPresent(columns::add);
    features.forEach(feature -> columns.add(feature.column()));
    return columns;
  }

  /** Returns 32 hexadecimal digits that another mapping does not have. */
  public String hash() {
    try {
      MessageDigest md5 = MessageDigest.getInstance("MD5");
      put(md5, keyColumn);
      put(md5, time.column());
      put(md5, Long.toString(time.constant()));
      for (FeatureColumn each : features) {
        put(md5, each.namespace());
        put(md5, each.feature());
        put(md5, each.column());
        put(md5, each.kind().type().name());
        put(md5, each.kind().nulls().name());
        put(md5, each.resolverFqn());
      }
      return HexFormat.of().formatHex(md5.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has MD5", e);
    }
  }

  private static void put(MessageDigest md5, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    md5.update((bytes.length + ":").getBytes(StandardCharsets.US_ASCII));
    md5.update(bytes);
  }
}
