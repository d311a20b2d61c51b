package io.tailrace.pipelines.local.traffic;

import com.google.protobuf.ByteString;
import io.tailrace.online.EntityKey;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.QueryResult;
import java.util.Optional;

/**
 * A message of the sample traffic, and what must become of it. Immutable.
 *
 * @param key the message's key on the bus
 * @param payload the message's bytes
 * @param result what the bytes say, or would say if they were not broken
 * @param deadLetter the reason of the one dead letter that the message must cause, if it must
 * @param decodable whether the result can be decoded, so that all of it that is sound must be
 *     stored
 * @param sighting a cell that must be readable soon, unless the message only repeats what is old
 */
public record SampleMessage(
    ByteString key,
    ByteString payload,
    QueryResult result,
    Optional<Reason> deadLetter,
    boolean decodable,
    Optional<Sighting> sighting) {

  /**
   * A cell to look out for.
   *
   * @param name the feature's name within the namespace
   * @param observedAt microseconds since the epoch
   */
  public record Sighting(EntityKey entity, String name, long observedAt) {}
}
