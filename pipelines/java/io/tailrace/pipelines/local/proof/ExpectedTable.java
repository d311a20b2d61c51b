package io.tailrace.pipelines.local.proof;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A table that must be there.
 *
 * @param fields its columns; the first one identifies a row
 * @param rows by what identifies them
 */
record ExpectedTable(List<Field> fields, Map<?, ? extends Row> rows) {
  /** A column. */
  record Field(String name, StoredType type) {}

  /** A row without its id, which it is stored under. */
  interface Row {
    /** Returns what the columns hold, in their order. */
    List<@Nullable Object> cells();
  }
}
