package io.tailrace.offline;

import io.tailrace.parquet.ObservationFile.FeatureRows;
import io.tailrace.parquet.TableNames;
import java.io.Serializable;
import java.util.Comparator;

/**
 * A feature, by the names that it was published with. Both may have dots, so that {@code user.a.b}
 * alone does not tell which feature it is. Sorted as the rows of a file are. Immutable.
 *
 * @param namespace such as {@code user}
 * @param text fully qualified, such as {@code user.age}; ends with the dot behind the namespace for
 *     the entities themselves
 */
public record Feature(String namespace, String text) implements Serializable, Comparable<Feature> {
  private static final long serialVersionUID = 1;

  private static final Comparator<Feature> ORDER =
      Comparator.comparing(Feature::text).thenComparing(Feature::namespace);

  /** Checks the names. */
  public Feature {
    if (!text.startsWith(namespace + ".")) {
      throw new IllegalArgumentException(
          "'" + text + "' is no feature of the namespace '" + namespace + "'");
    }
  }

  /** Returns the feature of rows. */
  public static Feature of(FeatureRows rows) {
    return new Feature(rows.namespace(), rows.feature());
  }

  /** Returns the feature of a name within a namespace; empty for the entities themselves. */
  public static Feature named(String namespace, String name) {
    return new Feature(namespace, namespace + "." + name);
  }

  /** Returns the name within the namespace; empty for the entities themselves. */
  public String name() {
    return text.substring(namespace.length() + 1);
  }

  /** Returns the name of its table. */
  public String table() {
    return TableNames.ofFeature(namespace, name());
  }

  @Override
  public int compareTo(Feature other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return text;
  }
}
