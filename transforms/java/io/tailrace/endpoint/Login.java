package io.tailrace.endpoint;

import java.io.Serializable;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Who logs in, and where the password is. Immutable.
 *
 * @param name empty where it is null: the server's default
 * @param secret the place of the password; null: none is sent
 */
public record Login(@Nullable String name, @Nullable Secret secret) implements Serializable {
  private static final long serialVersionUID = 1;

  /** Takes {@code user} and {@code password} out of a URI. */
  public static Login of(EndpointUri uri) {
    return new Login(uri.take("user").orElse(null), uri.takeSecret("password").orElse(null));
  }

  /** Returns the name; empty: the server's default. */
  public Optional<String> user() {
    return Optional.ofNullable(name);
  }

  /** Returns the place of the password; empty: none is sent. */
  public Optional<Secret> password() {
    return Optional.ofNullable(secret);
  }
}
