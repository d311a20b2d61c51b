package io.tailrace.endpoint;

/**
 * A place where secrets are kept, such as the files of a machine; one of {@link Secrets#ALL}. Each
 * secret in it is named by {@code scheme:name}. Immutable.
 *
 * @param scheme what its secrets' names begin with, in small letters
 * @param example the name of a secret, with the scheme, for people
 * @param reader reads a secret; thread-safe
 */
public record SecretPlace(String scheme, String example, Reader reader) {
  /** Reads secrets of a place. */
  @FunctionalInterface
  public interface Reader {
    /**
     * Reads a secret anew.
     *
     * @param name its name, without the scheme
     * @throws IllegalStateException if it is not there; the message names the place
     */
    String read(String name);
  }
}
