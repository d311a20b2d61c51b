package io.tailrace.offline;

import io.tailrace.parquet.TableNames;
import io.tailrace.result.ValueType;
import java.io.Serializable;
import java.util.Optional;

/**
 * The table that holds the observations of one feature, as somebody wants it to be. Immutable.
 *
 * @param feature fully qualified, such as {@code user.age}; ends with a dot for the entities
 *     themselves, whose table only records deletions
 * @param stringKeys whether primary keys are strings; otherwise they are integers
 * @param valueType the type of the values; empty when only deletions are to be recorded, which need
 *     no values
 */
public record FeatureTable(String feature, boolean stringKeys, Optional<ValueType> valueType)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /** Returns the name of the table, within the environment's schema. */
  public String table() {
    return TableNames.ofFeature(feature);
  }
}
