package io.tailrace.metrics;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.beam.sdk.coders.AtomicCoder;

/**
 * What a bundle has counted of a series.
 *
 * @param shard within which the number of series is limited
 * @param key the series
 * @param tally what was counted
 */
record SeriesTally(SeriesShard shard, SeriesKey key, Tally tally) {
  /** Encodes a {@link SeriesTally}. */
  static final class SeriesTallyCoder extends AtomicCoder<SeriesTally> {
    private static final long serialVersionUID = 1;

    @Override
    public void encode(SeriesTally tally, OutputStream out) throws IOException {
      SeriesShard.ShardCoder.of().encode(tally.shard, out);
      SeriesKey.KeyCoder.of().encode(tally.key, out);
      Tally.TallyCoder.of().encode(tally.tally, out);
    }

    @Override
    public SeriesTally decode(InputStream in) throws IOException {
      return new SeriesTally(
          SeriesShard.ShardCoder.of().decode(in),
          SeriesKey.KeyCoder.of().decode(in),
          Tally.TallyCoder.of().decode(in));
    }

    @Override
    public void verifyDeterministic() throws NonDeterministicException {
      Tally.TallyCoder.of().verifyDeterministic();
    }
  }
}
