package io.tailrace.parquet;

import io.tailrace.parquet.ObservationRows.Origins;
import io.tailrace.parquet.ObservationRows.Texts;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Says of the rows of a wide file where they come from. Stateless and thread-safe. */
final class WideOrigins {
  private WideOrigins() {}

  /**
   * Returns where rows come from.
   *
   * @param columns features
   * @param feature which of them each row is of
   */
  static Origins of(WideRows.Operation operation, List<FeatureColumn> columns, int[] feature) {
    return new Origins(
        resolvers(columns, feature),
        constant(operation.deployment(), feature.length),
        constant(operation.id(), feature.length));
  }

  private static Texts resolvers(List<FeatureColumn> columns, int[] feature) {
    List<byte[]> distinct = new ArrayList<>();
    int[] ofColumn = new int[columns.size()];
    Map<String, Integer> known = new LinkedHashMap<>();
    for (int i = 0; i < ofColumn.length; i++) {
      String resolver = columns.get(i).resolverFqn();
      ofColumn[i] =
          resolver.isEmpty()
              ? -1
              : known.computeIfAbsent(
                  resolver,
                  text -> {
                    distinct.add(text.getBytes(StandardCharsets.UTF_8));
                    return distinct.size() - 1;
                  });
    }
    int[] index = new int[feature.length];
    for (int at = 0; at < index.length; at++) {
      index[at] = ofColumn[feature[at]];
    }
    return new Texts(distinct, index);
  }

  private static Texts constant(String text, int count) {
    int[] index = new int[count];
    if (text.isEmpty()) {
      Arrays.fill(index, -1);
      return new Texts(List.of(), index);
    }
    return new Texts(List.of(text.getBytes(StandardCharsets.UTF_8)), index);
  }
}
