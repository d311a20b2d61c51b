package io.tailrace.bus;

import java.util.Objects;

/**
 * Where a message is on its bus: partition and offset where the bus numbers its messages, an id
 * where it names them. Immutable.
 *
 * @param topic the topic or subscription
 * @param topicId the bus's own id of the topic, which a topic that is made anew under the same name
 *     does not share; empty where it is not known
 * @param partition -1 where a bus has none
 * @param offset the offset in the partition, -1 where a bus has none
 * @param messageId the bus's id of the message; empty where it numbers its messages
 */
public record Place(String topic, String topicId, int partition, long offset, String messageId) {
  /** Checks that nothing is null. */
  public Place {
    Objects.requireNonNull(topic);
    Objects.requireNonNull(topicId);
    Objects.requireNonNull(messageId);
  }

  /** Returns a place on a bus that numbers its messages, in a topic whose id is not known. */
  public static Place numbered(String topic, int partition, long offset) {
    return new Place(topic, "", partition, offset, "");
  }

  /** Returns a place on a bus that gives its messages ids. */
  public static Place identified(String topic, String messageId) {
    return new Place(topic, "", -1, -1, messageId);
  }

  @Override
  public String toString() {
    return topic + (messageId.isEmpty() ? "[" + partition + "]@" + offset : " " + messageId);
  }
}
