package io.tailrace.endpoint;

import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The place of a secret, {@code env:VARIABLE} or {@code file:PATH}; never the secret itself, which
 * is read where and when it is needed and is not kept. Immutable.
 */
public final class Secret implements Serializable {
  private static final long serialVersionUID = 1;

  private final String kind;
  private final String name;

  private Secret(String kind, String name) {
    this.kind = kind;
    this.name = name;
  }

  /** Returns the place that a text names; empty when it names none. */
  public static Optional<Secret> parse(String text) {
    int colon = text.indexOf(':');
    if (colon < 0 || colon == text.length() - 1) {
      return Optional.empty();
    }
    String kind = text.substring(0, colon);
    return kind.equals("env") || kind.equals("file")
        ? Optional.of(new Secret(kind, text.substring(colon + 1)))
        : Optional.empty();
  }

  /**
   * Reads the secret. A file's last line break is not part of it.
   *
   * @throws IllegalStateException if it is not there; the message names the place
   */
  public String read() {
    if (kind.equals("env")) {
      String value = System.getenv(name);
      if (value == null) {
        throw new IllegalStateException("the environment variable " + name + " is not set");
      }
      return value;
    }
    try {
      return Files.readString(Path.of(name)).replaceFirst("\\R$", "");
    } catch (IOException e) {
      throw new IllegalStateException("the secret file " + name + " can't be read", e);
    }
  }

  /** Names the place. */
  @Override
  public String toString() {
    return kind + ":" + name;
  }
}
