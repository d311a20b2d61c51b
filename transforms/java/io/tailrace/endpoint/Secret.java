package io.tailrace.endpoint;

import java.io.Serializable;
import java.util.Optional;

/**
 * The name of a secret in one of the places of {@link Secrets#ALL}, such as {@code env:VARIABLE} or
 * {@code file:PATH}; never the secret itself, which is read where and when it is needed and is not
 * kept. Immutable.
 */
public final class Secret implements Serializable {
  private static final long serialVersionUID = 1;

  private final String kind;
  private final String name;

  private Secret(String kind, String name) {
    this.kind = kind;
    this.name = name;
  }

  /** Returns the secret that a text names; empty when it names none. */
  public static Optional<Secret> parse(String text) {
    int colon = text.indexOf(':');
    if (colon < 0 || colon == text.length() - 1) {
      return Optional.empty();
    }
    return Secrets.place(text.substring(0, colon))
        .map(place -> new Secret(place.scheme(), text.substring(colon + 1)));
  }

  /**
   * Reads the secret, anew each time.
   *
   * @throws IllegalStateException if it is not there; the message names the place
   */
  public String read() {
    return Secrets.place(kind)
        .orElseThrow(() -> new IllegalStateException(kind + " is no place of secrets"))
        .reader()
        .read(name);
  }

  /** Names the place. */
  @Override
  public String toString() {
    return kind + ":" + name;
  }
}
