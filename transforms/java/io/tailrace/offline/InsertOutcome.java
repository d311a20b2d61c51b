package io.tailrace.offline;

import java.io.Serializable;
import org.apache.beam.sdk.coders.DefaultCoder;
import org.apache.beam.sdk.coders.SerializableCoder;

/**
 * What became of a file, once its rows are in the store. Immutable.
 *
 * @param rows how many rows the file has
 * @param publishedAt when it was published, in microseconds since the epoch
 * @param publishedFrom when the oldest result in it was published; zero when it does not say
 * @param insertedAt when its rows were readable, by the worker's clock
 */
@DefaultCoder(SerializableCoder.class)
public record InsertOutcome(long rows, long publishedAt, long publishedFrom, long insertedAt)
    implements Serializable {
  private static final long serialVersionUID = 1;
}
