package io.tailrace.result;

import io.tailrace.result.ColumnSpec.DefaultHandling;
import io.tailrace.result.ColumnSpec.NullHandling;
import io.tailrace.result.ColumnSpec.Origin;
import io.tailrace.result.WireCursor.MalformedException;
import io.tailrace.stage.InvalidMessageException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads what columns say of their features, and remembers it: it is the same in every result of a
 * query, so it is recognised by comparing its bytes with those that followed the same column last
 * time, and not parsed again. Not thread-safe.
 */
final class ColumnHeads {
  /**
   * The last field of a column's head; values come behind it, and behind them {@code
   * cache_defaults}, which is newer.
   */
  static final int LAST_FIELD = 8;

  /**
   * Bytes of the columns that are remembered: about 20,000, more than a feature store has live
   * features a worker; fewer in a small heap. Where they vary with each execution, they are
   * forgotten again and again.
   */
  static final long MAX_REMEMBERED_BYTES =
      Math.min(8L << 20, Runtime.getRuntime().maxMemory() / 64);

  /** What a column takes that is remembered, beside its head, in bytes, roughly. */
  private static final int REMEMBERED_OVERHEAD = 300;

  private static final Origin[] ORIGINS = Origin.values();

  private static final NullHandling[] NULL_HANDLINGS = {
    NullHandling.WRITE, NullHandling.WRITE, NullHandling.SKIP, NullHandling.EVICT
  };

  private static final byte[] NO_BYTES = {};

  private record HeadKey(byte[] bytes, String namespace) {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof HeadKey that
          && namespace.equals(that.namespace)
          && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
      return 31 * namespace.hashCode() + Arrays.hashCode(bytes);
    }
  }

  private final Map<HeadKey, ColumnHead> remembered = new HashMap<>();
  private final Map<String, ColumnHead> firsts = new HashMap<>();
  private long rememberedBytes;

  /**
   * Returns the head that is expected here if its bytes are here, and moves behind it.
   *
   * @param previous the head of the column before, in this frame
   */
  @Nullable ColumnHead recognise(WireCursor in, String namespace, @Nullable ColumnHead previous) {
    ColumnHead expected = previous != null ? previous.next : firsts.get(namespace);
    if (expected == null) {
      return null;
    }
    int start = in.position;
    int end = start + expected.bytes.length;
    if (end < in.limit
        && Arrays.equals(in.bytes, start, end, expected.bytes, 0, expected.bytes.length)
        && startsValue(in.bytes[end], end + 1 < in.limit ? in.bytes[end + 1] : 0)) {
      in.position = end;
      return expected;
    }
    return null;
  }

  /** Whether a tag that begins with these bytes belongs to a field behind the column's head. */
  private static boolean startsValue(byte first, byte second) {
    return first < 0 ? second > 0 : first >>> 3 > LAST_FIELD;
  }

  /** Returns how many bytes are remembered, roughly. */
  long rememberedBytes() {
    return rememberedBytes;
  }

  /** Expects a head, when it comes again, where it was parsed this time. */
  void expect(ColumnHead head, String namespace, @Nullable ColumnHead previous) {
    if (head.scattered) {
      return;
    }
    if (previous != null) {
      previous.next = head;
    } else {
      firsts.put(namespace, head);
    }
  }

  /** Reads the head, wherever its fields stand, and moves to the first value. */
  ColumnHead parse(WireCursor in, String namespace, ColumnPlace place)
      throws MalformedException, InvalidMessageException {
    String path = place.path();
    int start = in.position;
    String feature = "";
    String resolver = "";
    long type = 0;
    long origin = 0;
    long maxStaleness = 0;
    long cacheNulls = 0;
    boolean skipOnline = false;
    boolean skipOffline = false;
    int headEnd = -1;
    boolean scattered = false;
    while (!in.atEnd()) {
      int before = in.position;
      int tag = in.readTag();
      if (tag >>> 3 > LAST_FIELD) {
        headEnd = headEnd < 0 ? before : headEnd;
        in.skip(tag);
        continue;
      }
      scattered |= headEnd >= 0;
      switch (tag) {
        case 1 << 3 | WireCursor.LENGTH_DELIMITED ->
            feature = ResultRules.text(in, path, "feature");
        case 2 << 3 | WireCursor.VARINT -> type = (int) in.readVarint();
        case 3 << 3 | WireCursor.LENGTH_DELIMITED ->
            resolver = ResultRules.text(in, path, "resolver_fqn");
        case 4 << 3 | WireCursor.VARINT -> origin = (int) in.readVarint();
        case 5 << 3 | WireCursor.VARINT -> maxStaleness = in.readVarint();
        case 6 << 3 | WireCursor.VARINT -> skipOnline = in.readVarint() != 0;
        case 7 << 3 | WireCursor.VARINT -> skipOffline = in.readVarint() != 0;
        case 8 << 3 | WireCursor.VARINT -> cacheNulls = (int) in.readVarint();
        default -> in.skip(tag);
      }
    }
    headEnd = headEnd < 0 ? in.limit : headEnd;
    in.position = headEnd;
    byte[] bytes = scattered ? NO_BYTES : Arrays.copyOfRange(in.bytes, start, headEnd);
    HeadKey key = new HeadKey(bytes, namespace);
    ColumnHead known = scattered ? null : remembered.get(key);
    if (known != null) {
      return known;
    }
    if (feature.isEmpty()) {
      throw ResultRules.missing(path + "feature", "a column needs the name of its feature");
    }
    if (!feature.startsWith(namespace)
        || feature.length() < namespace.length() + 2
        || feature.charAt(namespace.length()) != '.') {
      throw ResultRules.invalid(
          path + "feature",
          "'" + feature + "' is not in the frame's namespace; expected '" + namespace + ".<name>'");
    }
    ResultRules.checkName(path + "feature", namespace, feature);
    if (!ValueType.isKnown(type)) {
      throw ResultRules.unknown(
          path + "type", feature, type == 0 ? "has no type" : "has the unknown type " + type);
    }
    if (origin < 0 || origin >= ORIGINS.length) {
      throw ResultRules.unknown(path + "origin", feature, "has the unknown origin " + origin);
    }
    if (cacheNulls < 0 || cacheNulls >= NULL_HANDLINGS.length) {
      throw ResultRules.unknown(
          path + "cache_nulls", feature, "has the unknown null handling " + cacheNulls);
    }
    if (maxStaleness < 0) {
      throw ResultRules.invalid(
          path + "max_staleness",
          "'" + feature + "' has a max_staleness of " + maxStaleness + " microseconds, below zero");
    }
    ColumnSpec spec =
        new ColumnSpec(
            feature,
            feature.substring(namespace.length() + 1),
            ValueType.ofCode(type),
            new ColumnSpec.Source(resolver, ORIGINS[(int) origin]),
            new ColumnSpec.Persistence(
                maxStaleness,
                skipOnline,
                skipOffline,
                NULL_HANDLINGS[(int) cacheNulls],
                DefaultHandling.SKIP));
    ColumnHead fresh = new ColumnHead(bytes, spec, scattered);
    if (!scattered) {
      // The head once as it came, and its names once more as texts.
      long size = 3L * bytes.length + namespace.length() + REMEMBERED_OVERHEAD;
      if (rememberedBytes + size > MAX_REMEMBERED_BYTES) {
        remembered.clear();
        firsts.clear();
        rememberedBytes = 0;
      }
      remembered.put(key, fresh);
      rememberedBytes += size;
    }
    return fresh;
  }
}
