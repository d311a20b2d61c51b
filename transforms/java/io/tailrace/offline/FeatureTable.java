package io.tailrace.offline;

import io.tailrace.parquet.TableNames;
import io.tailrace.result.ValueType;
import java.io.Serializable;
import java.util.Optional;

/**
 * The table that holds the observations of one feature, as somebody wants it to be. Immutable.
 *
 * @param feature whose it is; the table of the entities themselves only records deletions
 * @param stringKeys whether primary keys are strings; otherwise they are integers
 * @param valueType the type of the values; empty when only deletions are to be recorded, which need
 *     no values
 * @param table its name, within the environment's schema
 */
public record FeatureTable(
    Feature feature, boolean stringKeys, Optional<ValueType> valueType, String table)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /** Stands for the log of queries, which has a table and is no feature's. */
  public static final FeatureTable LOG =
      new FeatureTable(Feature.named("", ""), false, Optional.empty(), TableNames.QUERY_LOG);

  /** Creates one that has the name that is the feature's. */
  public FeatureTable(Feature feature, boolean stringKeys, Optional<ValueType> valueType) {
    this(feature, stringKeys, valueType, feature.table());
  }
}
