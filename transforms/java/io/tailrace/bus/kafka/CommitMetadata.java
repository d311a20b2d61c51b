package io.tailrace.bus.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a commit says beside the offset: whose it is. Immutable.
 *
 * @param writer what has read
 * @param store the identity of what it writes to; empty where that is not known
 * @param topicId the brokers' id of the topic; empty where they give none
 * @param job one id from a start without state on, kept by what is restored from it
 * @param everyMillis how often it commits, as far as it has seen
 * @param atMillis when it did, in milliseconds since the epoch
 */
record CommitMetadata(
    String writer, String store, String topicId, String job, long everyMillis, long atMillis) {
  /** What nobody else's metadata begin with. */
  private static final String MARK = "tailrace;";

  /** Brokers take 4,096 bytes unless they are told otherwise. */
  private static final int MAX_VALUE = 400;

  /** Reads what a commit says; empty where that is nothing, or nothing of ours. */
  static Optional<CommitMetadata> parse(String text) {
    if (!text.startsWith(MARK)) {
      return Optional.empty();
    }
    try {
      Map<String, String> values =
          Arrays.stream(text.substring(MARK.length()).split(";", -1))
              .filter(part -> part.indexOf('=') > 0)
              .collect(
                  Collectors.toMap(
                      part -> part.substring(0, part.indexOf('=')),
                      part -> URLDecoder.decode(part.substring(part.indexOf('=') + 1), UTF_8),
                      (one, more) -> more));
      return Optional.of(
          new CommitMetadata(
              values.getOrDefault("writer", ""),
              values.getOrDefault("store", ""),
              values.getOrDefault("topic", ""),
              values.getOrDefault("job", ""),
              Long.parseLong(values.getOrDefault("every", "0")),
              Long.parseLong(values.getOrDefault("at", "0"))));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  String text() {
    return MARK
        + "writer="
        + encode(writer)
        + ";store="
        + encode(store)
        + ";topic="
        + encode(topicId)
        + ";job="
        + encode(job)
        + ";every="
        + everyMillis
        + ";at="
        + atMillis;
  }

  private static String encode(String value) {
    String encoded = URLEncoder.encode(value, UTF_8);
    return encoded.length() <= MAX_VALUE ? encoded : Integer.toHexString(value.hashCode());
  }

  /**
   * Says why a reader must not go on where this one was, if it must not.
   *
   * @param what has this metadata, as the sentence begins
   */
  Optional<String> conflict(String what, String otherWriter, String otherStore) {
    String whose;
    if (differ(writer, otherWriter)) {
      whose = "that of " + writer + ", and this is " + otherWriter;
    } else if (differ(store, otherStore)) {
      whose = "of a writer to the store " + store + ", and this one writes to " + otherStore;
    } else {
      return Optional.empty();
    }
    return Optional.of(
        what
            + " is "
            + whose
            + ": each would take for done what the other has done. Give this one a group of its"
            + " own, with group=NAME in the URI, and start it without the other's state; or, if it"
            + " takes the other's place for good, start it once with --adoptGroup");
  }

  private static boolean differ(String one, String other) {
    return !one.isEmpty() && !other.isEmpty() && !one.equals(other);
  }
}
