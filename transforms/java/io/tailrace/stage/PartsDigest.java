package io.tailrace.stage;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/**
 * A SHA-256 of several parts, each with its length, so that none runs into its neighbour. Not
 * thread-safe.
 */
public final class PartsDigest {
  private final MessageDigest digest;

  /** Creates that of nothing. */
  public PartsDigest() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** Adds a text. */
  public void add(String part) {
    add(part.getBytes(StandardCharsets.UTF_8));
  }

  /** Adds bytes; null, which is another part than none. */
  public void add(byte @Nullable [] part) {
    if (part == null) {
      digest.update((byte) '-');
      return;
    }
    digest.update((part.length + ":").getBytes(StandardCharsets.US_ASCII));
    digest.update(part);
  }

  /** Returns its 32 bytes, and begins anew. */
  public byte[] take() {
    return digest.digest();
  }
}
