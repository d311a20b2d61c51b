package io.tailrace.metrics;

import io.tailrace.v1.FeatureSummary;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.QuerySummary;
import java.io.DataInput;
import java.io.DataInputStream;
import java.io.DataOutput;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.coders.DefaultCoder;
import org.apache.beam.sdk.values.TypeDescriptor;
import org.jspecify.annotations.Nullable;

/**
 * What has been counted of a series so far: sums that can be added to others in any order, with the
 * same outcome (but for what a sketch leaves to chance). Not thread-safe while it is counted into;
 * after {@link #settle} it no longer changes.
 */
@DefaultCoder(Tally.TallyCoder.class)
final class Tally {
  /** What is counted; the meanings are those of the message's fields. Part of jobs' state. */
  enum Count {
    COMPUTED(0),
    NULLS(1),
    SERVED_ONLINE(2),
    SERVED_OFFLINE(3),
    NON_FINITE(4),
    EXECUTIONS(5),
    FAILURES(6),
    PARTIAL(7),
    PUBLISHED(8),
    ZEROS(9),
    DEFAULTS_USED(10),
    GIVEN(11);

    private static final int ALL = 12;
    private final int place;

    Count(int place) {
      this.place = place;
    }
  }

  private final long[] counts = new long[Count.ALL];
  // The least and the greatest number of a publisher's results; meaningless where there are none.
  private long least = Long.MAX_VALUE;
  private long greatest = Long.MIN_VALUE;
  // Of the state that this is a part of; zero before it is one.
  private long epoch;
  // Values of a feature.
  private @Nullable Distribution values;
  // Staleness of a feature's values, or latency of a query, in milliseconds.
  private @Nullable Distribution millis;

  void count(Count what, long many) {
    counts[what.place] += many;
  }

  /** Counts a result that its publisher gave a number. */
  void countPublished(long sequence) {
    count(Count.PUBLISHED, 1);
    least = Math.min(least, sequence);
    greatest = Math.max(greatest, sequence);
  }

  long counted(Count what) {
    return counts[what.place];
  }

  /** Returns how many values, executions or numbered results this says anything of. */
  long observations() {
    return valuesOfFeatures() + counted(Count.EXECUTIONS) + counted(Count.PUBLISHED);
  }

  /** Returns how many of them are values of features. */
  long valuesOfFeatures() {
    return counted(Count.COMPUTED)
        + counted(Count.SERVED_ONLINE)
        + counted(Count.SERVED_OFFLINE)
        + counted(Count.DEFAULTS_USED)
        + counted(Count.GIVEN);
  }

  Distribution values() {
    if (values == null) {
      values = new Distribution();
    }
    return values;
  }

  Distribution millis() {
    if (millis == null) {
      millis = new Distribution();
    }
    return millis;
  }

  /** Returns a tally of what both have counted, which stay as they are. */
  Tally plus(Tally other) {
    Tally both = new Tally();
    for (int i = 0; i < counts.length; i++) {
      both.counts[i] = counts[i] + other.counts[i];
    }
    both.least = Math.min(least, other.least);
    both.greatest = Math.max(greatest, other.greatest);
    // All of a state have the same.
    both.epoch = Math.max(epoch, other.epoch);
    both.values = plus(values, other.values);
    both.millis = plus(millis, other.millis);
    return both;
  }

  private static @Nullable Distribution plus(
      @Nullable Distribution one, @Nullable Distribution other) {
    if (one == null || other == null) {
      return one == null ? other : one;
    }
    return one.plus(other);
  }

  /**
   * Ends counting: from now on, several threads can read it. State on a heap is written to a
   * checkpoint while a job goes on.
   */
  void settle() {
    if (values != null) {
      values.settle();
    }
    if (millis != null) {
      millis.settle();
    }
  }

  /** Returns the same tally as a part of the state of an epoch. */
  Tally inEpoch(long began) {
    Tally part = withoutDistributions();
    part.epoch = began;
    part.values = values;
    part.millis = millis;
    return part;
  }

  /** Returns only what can be added up over different features or queries. */
  Tally withoutDistributions() {
    Tally fewer = new Tally();
    System.arraycopy(counts, 0, fewer.counts, 0, counts.length);
    fewer.least = least;
    fewer.greatest = greatest;
    fewer.epoch = epoch;
    return fewer;
  }

  /** Describes a series, as far as it and its counts say. */
  MetricsSummary.Builder summary(SeriesKey key) {
    MetricsSummary.Builder summary =
        MetricsSummary.newBuilder().setEnvironmentId(key.environment()).setEpoch(epoch);
    switch (key.kind()) {
      case FEATURE, OTHER_FEATURES -> {
        FeatureSummary.Builder feature =
            summary
                .getFeatureBuilder()
                .setDeploymentId(key.deployment())
                .setFeature(key.name())
                .setResolverFqn(key.resolver())
                .setOverflow(key.kind().isOverflow())
                .setComputed(counted(Count.COMPUTED))
                .setNulls(counted(Count.NULLS))
                .setServedOnline(counted(Count.SERVED_ONLINE))
                .setServedOffline(counted(Count.SERVED_OFFLINE))
                .setNonFinite(counted(Count.NON_FINITE))
                .setZeros(counted(Count.ZEROS))
                .setDefaultsUsed(counted(Count.DEFAULTS_USED))
                .setGiven(counted(Count.GIVEN));
        if (values != null) {
          feature.setValues(values.numbers());
        }
        if (millis != null) {
          feature.setStalenessMillis(millis.numbers());
        }
      }
      case QUERY, OTHER_QUERIES -> {
        QuerySummary.Builder query =
            summary
                .getQueryBuilder()
                .setQueryName(key.name())
                .setOverflow(key.kind().isOverflow())
                .setExecutions(counted(Count.EXECUTIONS))
                .setFailures(counted(Count.FAILURES))
                .setPartial(counted(Count.PARTIAL));
        if (millis != null) {
          query.setLatencyMillis(millis.numbers());
        }
      }
      case PUBLISHER, OTHER_PUBLISHERS -> {
        var unused =
            summary
                .getPublisherBuilder()
                .setPublisherId(key.name())
                .setOverflow(key.kind().isOverflow())
                .setResults(counted(Count.PUBLISHED))
                .setLeast(least)
                .setGreatest(greatest);
      }
    }
    return summary;
  }

  private void encode(DataOutput out) throws IOException {
    int present = 0;
    for (int i = 0; i < counts.length; i++) {
      present |= counts[i] == 0 ? 0 : 1 << i;
    }
    out.writeByte((values == null ? 0 : 1) | (millis == null ? 0 : 2));
    out.writeShort(present);
    out.writeLong(epoch);
    for (long count : counts) {
      if (count != 0) {
        out.writeLong(count);
      }
    }
    if (counts[Count.PUBLISHED.place] != 0) {
      out.writeLong(least);
      out.writeLong(greatest);
    }
    if (values != null) {
      values.encode(out);
    }
    if (millis != null) {
      millis.encode(out);
    }
  }

  private static Tally decode(DataInput in) throws IOException {
    Tally tally = new Tally();
    int distributions = in.readUnsignedByte();
    int present = in.readUnsignedShort();
    tally.epoch = in.readLong();
    for (int i = 0; i < tally.counts.length; i++) {
      if ((present & 1 << i) != 0) {
        tally.counts[i] = in.readLong();
      }
    }
    if (tally.counts[Count.PUBLISHED.place] != 0) {
      tally.least = in.readLong();
      tally.greatest = in.readLong();
    }
    if ((distributions & 1) != 0) {
      tally.values = Distribution.decode(in);
    }
    if ((distributions & 2) != 0) {
      tally.millis = Distribution.decode(in);
    }
    return tally;
  }

  /** Encodes a {@link Tally}; part of the state of jobs. */
  static final class TallyCoder extends AtomicCoder<Tally> {
    private static final long serialVersionUID = 1;
    private static final TallyCoder INSTANCE = new TallyCoder();

    private TallyCoder() {}

    /** Lets Beam find the coder. */
    public static CoderProvider getCoderProvider() {
      return CoderProviders.forCoder(TypeDescriptor.of(Tally.class), INSTANCE);
    }

    /** Returns the coder. */
    public static TallyCoder of() {
      return INSTANCE;
    }

    @Override
    public void encode(Tally tally, OutputStream out) throws IOException {
      DataOutputStream data = new DataOutputStream(out);
      tally.encode(data);
      data.flush();
    }

    @Override
    public Tally decode(InputStream in) throws IOException {
      return Tally.decode(new DataInputStream(in));
    }

    @Override
    public void verifyDeterministic() throws NonDeterministicException {
      throw new NonDeterministicException(this, "a sketch throws dice");
    }
  }
}
