package io.tailrace.metrics;

import java.io.Serializable;
import org.apache.beam.sdk.coders.DefaultCoder;
import org.apache.beam.sdk.coders.SerializableCoder;

/**
 * What became of a summary: it, or one that stands before it, is in the store. Immutable.
 *
 * @param minute the start of its minute, in microseconds since the epoch
 * @param publishedAt when it was published, in microseconds since the epoch
 * @param writtenAt when it was readable, by the worker's clock
 */
@DefaultCoder(SerializableCoder.class)
public record SummaryOutcome(long minute, long publishedAt, long writtenAt)
    implements Serializable {
  private static final long serialVersionUID = 1;
}
