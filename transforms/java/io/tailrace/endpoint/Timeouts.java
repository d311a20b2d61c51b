package io.tailrace.endpoint;

import java.io.Serializable;
import java.time.Duration;

/**
 * For how long a server is waited for. Immutable.
 *
 * @param connect for opening a connection
 * @param reply for an answer
 * @param retryFor for how long a server that is down is tried again before the bundle fails,
 *     counted from the first failure; zero: not at all
 */
public record Timeouts(Duration connect, Duration reply, Duration retryFor)
    implements Serializable {
  private static final long serialVersionUID = 1;

  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final Duration RETRY_FOR = Duration.ofSeconds(30);

  /**
   * Takes {@code connectTimeout} (default 5 s), {@code timeout} and {@code retryFor} (default 30 s)
   * out of a URI.
   *
   * @param reply the default of {@code timeout}
   */
  public static Timeouts of(EndpointUri uri, Duration reply) {
    return new Timeouts(
        uri.takeDuration("connectTimeout").orElse(CONNECT),
        uri.takeDuration("timeout").orElse(reply),
        uri.takeDurationOrZero("retryFor").orElse(RETRY_FOR));
  }
}
