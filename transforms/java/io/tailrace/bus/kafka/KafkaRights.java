package io.tailrace.bus.kafka;

import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;

/** Says which right is missing, and how it is given. Stateless and thread-safe. */
final class KafkaRights {
  private KafkaRights() {}

  /** Returns a sentence about a topic with which something may not be done. */
  static String notAllowed(AclOperation operation, String topic) {
    return "the user may not "
        + (operation == AclOperation.WRITE ? "publish to" : "read")
        + " the topic '"
        + topic
        + "': "
        + given(operation, "--topic " + topic);
  }

  private static String given(AclOperation operation, String what) {
    String name = operation.name();
    return "give it the right, as with kafka-acls.sh --add --allow-principal User:NAME --operation "
        + name.charAt(0)
        + name.substring(1).toLowerCase(Locale.ROOT)
        + " "
        + what;
  }

  /**
   * Returns what the brokers refuse to a user of a topic, and the correction; empty if it is
   * something else.
   *
   * @param topic where the brokers do not say which
   */
  static Optional<String> ofTopic(Throwable failure, AclOperation operation, String topic) {
    return cause(failure, TopicAuthorizationException.class)
        .map(TopicAuthorizationException::unauthorizedTopics)
        .map(topics -> topics.isEmpty() ? topic : new TreeSet<>(topics).first())
        .map(refused -> notAllowed(operation, refused));
  }

  /** The same of a group: one reads and commits as it, or describes what it has committed. */
  static Optional<String> ofGroup(Throwable failure, AclOperation operation, String group) {
    return cause(failure, GroupAuthorizationException.class)
        .map(
            e ->
                "the user may not "
                    + (operation == AclOperation.READ ? "read as" : "see the commits of")
                    + " the group '"
                    + group
                    + "': "
                    + given(operation, "--group " + group));
  }

  private static <T extends Throwable> Optional<T> cause(Throwable failure, Class<T> type) {
    if (type.isInstance(failure)) {
      return Optional.of(type.cast(failure));
    }
    return failure.getCause() == null ? Optional.empty() : cause(failure.getCause(), type);
  }
}
