package io.tailrace.result;

import io.tailrace.result.ColumnSpec.DefaultHandling;
import io.tailrace.stage.InvalidMessageException;
import org.jspecify.annotations.Nullable;

/** A column's head: its bytes, what they mean, and what followed it last time. Not thread-safe. */
final class ColumnHead {
  private static final DefaultHandling[] DEFAULT_HANDLINGS = {
    DefaultHandling.SKIP, DefaultHandling.WRITE, DefaultHandling.SKIP, DefaultHandling.EVICT
  };

  final byte[] bytes;
  final ColumnSpec spec;
  // Fields of the head stand between or behind the values: there are no bytes to recognise it by.
  final boolean scattered;
  @Nullable ColumnHead next;
  // The last one that is not the head's own.
  private @Nullable ColumnSpec withDefaults;

  ColumnHead(byte[] bytes, ColumnSpec spec, boolean scattered) {
    this.bytes = bytes;
    this.spec = spec;
    this.scattered = scattered;
  }

  /**
   * Returns what the column says of its feature.
   *
   * @param cacheDefaults what it says of defaults, behind its values; mostly nothing, zero
   */
  ColumnSpec spec(int cacheDefaults, ColumnPlace place) throws InvalidMessageException {
    if (cacheDefaults == 0) {
      return spec;
    }
    if (cacheDefaults < 0 || cacheDefaults >= DEFAULT_HANDLINGS.length) {
      throw ResultRules.unknown(
          place.path() + "cache_defaults",
          spec.feature(),
          "has the unknown handling of defaults " + cacheDefaults);
    }
    DefaultHandling handling = DEFAULT_HANDLINGS[cacheDefaults];
    if (handling == spec.defaultHandling()) {
      return spec;
    }
    ColumnSpec known = withDefaults;
    if (known == null || known.defaultHandling() != handling) {
      known = spec.with(handling);
      withDefaults = known;
    }
    return known;
  }
}
