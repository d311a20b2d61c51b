package io.tailrace.testing;

import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.parquet.WideMapping;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Kind;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.parquet.WideMapping.Time;
import io.tailrace.result.ValueType;
import java.util.List;

/** Results of one feature, the ages of users, for tests of what becomes of files. */
public final class AgeResults {
  private AgeResults() {}

  /** Returns what files of an execution hold. */
  public static Contents of(String operation) {
    return new Contents(
        operation,
        "prod",
        "",
        new WideMapping(
            "id",
            new Time("at", 0),
            List.of(
                new FeatureColumn(
                    "user",
                    "user.age",
                    "age",
                    new Kind(ValueType.INT64, Nulls.NOT_COMPUTED),
                    ""))));
  }
}
