package io.tailrace.result;

import java.util.Objects;

/**
 * What a column says of its feature, apart from values: the same for every result of a query, so
 * that one instance is shared by many results and can be compared by identity first. Immutable.
 */
public final class ColumnSpec {
  /** The {@link #maxStaleness()} of a feature that never expires. */
  public static final long NEVER_STALE = Long.MAX_VALUE;

  /** Where a value came from. */
  public enum Origin {
    /** Computed by the execution that published it. */
    COMPUTED,
    /** Served from the online store. */
    ONLINE_STORE,
    /** Served from the offline store. */
    OFFLINE_STORE,
    /** The feature's default, as nothing could be computed. */
    DEFAULT,
    /** Given by the caller of the query. */
    GIVEN
  }

  /** What a null does to the online store. */
  public enum NullHandling {
    /** It is stored, as a null. */
    WRITE,
    /** It leaves the store as it is. */
    SKIP,
    /** It removes what is older. */
    EVICT
  }

  /** What becomes of a value that is only a default. */
  public enum DefaultHandling {
    /** It is stored nowhere. */
    SKIP,
    /** It is stored as if it had been computed. */
    WRITE,
    /** It removes what is older from the online store. */
    EVICT
  }

  /**
   * Where the values came from.
   *
   * @param resolverFqn name of the resolver that computed them; may be empty
   * @param origin how they came to be in the result
   */
  record Source(String resolverFqn, Origin origin) {}

  /**
   * What is to be kept, and for how long.
   *
   * @param maxStaleness for how many microseconds a value may be served; zero: not at all
   * @param skipOnline whether the values are kept out of the online store
   * @param skipOffline whether the values are kept out of the offline store
   * @param nullHandling what a null does to the online store
   * @param defaultHandling what becomes of defaults
   */
  record Persistence(
      long maxStaleness,
      boolean skipOnline,
      boolean skipOffline,
      NullHandling nullHandling,
      DefaultHandling defaultHandling) {}

  private final String feature;
  private final String name;
  private final ValueType type;
  private final String resolverFqn;
  private final Origin origin;
  private final long maxStaleness;
  private final boolean skipOnline;
  private final boolean skipOffline;
  private final NullHandling nullHandling;
  private final DefaultHandling defaultHandling;

  ColumnSpec(String feature, String name, ValueType type, Source source, Persistence persistence) {
    this.feature = Objects.requireNonNull(feature);
    this.name = Objects.requireNonNull(name);
    this.type = Objects.requireNonNull(type);
    this.resolverFqn = Objects.requireNonNull(source.resolverFqn);
    this.origin = Objects.requireNonNull(source.origin);
    this.maxStaleness = persistence.maxStaleness;
    this.skipOnline = persistence.skipOnline;
    this.skipOffline = persistence.skipOffline;
    this.nullHandling = Objects.requireNonNull(persistence.nullHandling);
    this.defaultHandling = Objects.requireNonNull(persistence.defaultHandling);
  }

  /** Returns the same with defaults handled otherwise. */
  ColumnSpec with(DefaultHandling defaults) {
    return new ColumnSpec(
        feature,
        name,
        type,
        new Source(resolverFqn, origin),
        new Persistence(maxStaleness, skipOnline, skipOffline, nullHandling, defaults));
  }

  /** Returns the fully qualified name, {@code user.age}. */
  public String feature() {
    return feature;
  }

  /** Returns the name within the namespace, {@code age}; never empty. */
  public String name() {
    return name;
  }

  /** Returns the type of the values. */
  public ValueType type() {
    return type;
  }

  /** Returns the name of the resolver that computed the values; may be empty. */
  public String resolverFqn() {
    return resolverFqn;
  }

  /** Returns where the values came from. */
  public Origin origin() {
    return origin;
  }

  /** Returns for how many microseconds a value may be served; zero: not at all. */
  public long maxStaleness() {
    return maxStaleness;
  }

  /** Returns whether the values are kept out of the online store. */
  public boolean skipOnline() {
    return skipOnline;
  }

  /** Returns whether the values are kept out of the offline store. */
  public boolean skipOffline() {
    return skipOffline;
  }

  /** Returns what a null does to the online store. */
  public NullHandling nullHandling() {
    return nullHandling;
  }

  /** Returns what becomes of the values if they are defaults. */
  public DefaultHandling defaultHandling() {
    return defaultHandling;
  }

  @Override
  public String toString() {
    return feature + " " + type;
  }
}
