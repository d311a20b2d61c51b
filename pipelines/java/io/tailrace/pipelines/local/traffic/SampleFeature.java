package io.tailrace.pipelines.local.traffic;

import io.tailrace.v1.Column;
import io.tailrace.v1.Column.CacheNulls;
import java.util.SplittableRandom;

/**
 * A feature of the sample feature store.
 *
 * @param namespace the namespace
 * @param name the name within the namespace
 * @param type the type of its values
 * @param maxStaleness in microseconds; zero: never online
 * @param nulls what a null does online
 * @param nullShare how many of its values are null, from 0 to 1
 * @param skipOnline whether it is kept out of the online store
 * @param values makes its values
 */
record SampleFeature(
    String namespace,
    String name,
    Column.Type type,
    long maxStaleness,
    CacheNulls nulls,
    double nullShare,
    boolean skipOnline,
    Values values) {

  /** Adds a random value to a column, of the type that the feature has. */
  interface Values {
    void add(Column.Builder column, SplittableRandom random, long nowMicros);
  }

  String qualifiedName() {
    return namespace + "." + name;
  }

  /** Returns whether its values are stored online. */
  boolean isStoredOnline() {
    return !skipOnline && maxStaleness > 0;
  }
}
