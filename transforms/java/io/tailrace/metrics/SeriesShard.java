package io.tailrace.metrics;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.coders.VarIntCoder;

/**
 * A part of an environment's series within which their number is limited. Immutable.
 *
 * @param environment the environment
 * @param kind of the series
 * @param number of the part, from 0
 * @param limit how many series it may have in a minute
 */
record SeriesShard(String environment, SeriesKey.Kind kind, int number, int limit) {
  /** Series that are limited in one place, by one worker: more are divided. */
  static final int CAPACITY = 2_048;

  private static final int MAX_SHARDS = 64;

  /** Into how many parts the state of all shards is divided; at least as many as workers. */
  static final int SLOTS = 64;

  /** Returns the part that a series belongs to, where there may be so many in all. */
  static SeriesShard of(SeriesKey key, int maxSeries) {
    int shards = Math.min(MAX_SHARDS, (maxSeries + CAPACITY - 1) / CAPACITY);
    int hash =
        (key.name().hashCode() * 31 + key.resolver().hashCode()) * 31 + key.deployment().hashCode();
    int number = Math.floorMod(hash, shards);
    // The first parts take what can't be divided.
    int limit = maxSeries / shards + (number < maxSeries % shards ? 1 : 0);
    return new SeriesShard(key.environment(), key.kind(), number, limit);
  }

  /** Returns the part of the state that the shard is in. */
  int slot() {
    return Math.floorMod((environment + kind.name()).hashCode() * 31 + number, SLOTS);
  }

  /** Encodes a {@link SeriesShard}; part of the state of jobs. */
  static final class ShardCoder extends AtomicCoder<SeriesShard> {
    private static final long serialVersionUID = 1;
    private static final ShardCoder INSTANCE = new ShardCoder();

    private ShardCoder() {}

    /** Returns the coder. */
    static ShardCoder of() {
      return INSTANCE;
    }

    @Override
    public void encode(SeriesShard shard, OutputStream out) throws IOException {
      StringUtf8Coder.of().encode(shard.environment, out);
      shard.kind.encode(out);
      VarIntCoder.of().encode(shard.number, out);
      VarIntCoder.of().encode(shard.limit, out);
    }

    @Override
    public SeriesShard decode(InputStream in) throws IOException {
      return new SeriesShard(
          StringUtf8Coder.of().decode(in),
          SeriesKey.Kind.decode(in),
          VarIntCoder.of().decode(in),
          VarIntCoder.of().decode(in));
    }

    @Override
    public void verifyDeterministic() {}

    @Override
    public boolean consistentWithEquals() {
      return true;
    }
  }
}
