package io.tailrace.bus.pubsub;

import io.tailrace.bus.BusReader;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Whose a subscription is, as two of its labels say: which writer reads it, and what that writes
 * to. Two owners would each take a part of the messages. Immutable.
 *
 * @param writer as a label has it
 * @param store a hash of the identity of what it writes to; empty where that is not known
 */
record SubscriptionOwner(String writer, String store) {
  static final String WRITER = "tailrace-writer";
  static final String STORE = "tailrace-store";

  /** What a label's value may have. */
  private static final int MAX_LABEL = 63;

  /** Enough of SHA-256 for no two ever to have the same. */
  private static final int HASH_DIGITS = 32;

  static SubscriptionOwner of(BusReader reader) {
    return new SubscriptionOwner(label(reader.writer()), hash(reader.store()));
  }

  static SubscriptionOwner of(PubSubResource subscription) {
    PubSubResource labels = subscription.in("labels");
    return new SubscriptionOwner(labels.text(WRITER), labels.text(STORE));
  }

  private static String label(String text) {
    String label = text.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9_-]", "_");
    return label.substring(0, Math.min(MAX_LABEL, label.length()));
  }

  private static String hash(String identity) {
    if (identity.isEmpty()) {
      return "";
    }
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(identity.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash).substring(0, HASH_DIGITS);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** Returns whether labels say nothing of an owner. */
  boolean isNobody() {
    return writer.isEmpty() && store.isEmpty();
  }

  /** Returns the same with the store of another, where this one's is not known. */
  SubscriptionOwner or(SubscriptionOwner other) {
    return store.isEmpty() ? new SubscriptionOwner(writer, other.store) : this;
  }

  /** Returns the labels of a subscription with these among them. */
  Map<String, String> among(Map<String, String> labels) {
    Map<String, String> all = new TreeMap<>(labels);
    all.put(WRITER, writer);
    if (store.isEmpty()) {
      all.remove(STORE);
    } else {
      all.put(STORE, store);
    }
    return all;
  }

  /**
   * Says why another must not read on where this one was, if it must not.
   *
   * @param what is this one's, as the sentence begins
   */
  Optional<String> conflict(String what, SubscriptionOwner other) {
    String whose;
    if (differ(writer, other.writer)) {
      whose = "that of " + writer + ", and this is " + other.writer;
    } else if (differ(store, other.store)) {
      whose =
          "of a writer to another store ("
              + STORE
              + "="
              + store
              + ", and this one's is "
              + other.store
              + ")";
    } else {
      return Optional.empty();
    }
    return Optional.of(
        what
            + " is "
            + whose
            + ": each would take messages that the other never gets. Give this one a subscription"
            + " of its own, and start it without the other's state; or, if it takes the other's"
            + " place for good, start it once with --adoptGroup");
  }

  private static boolean differ(String one, String other) {
    return !one.isEmpty() && !other.isEmpty() && !one.equals(other);
  }
}
