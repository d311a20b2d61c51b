package io.tailrace.pipelines;

import io.tailrace.bus.BusException;
import io.tailrace.metrics.MetricsStoreException;
import io.tailrace.offline.OfflineStoreException;
import io.tailrace.online.OnlineStoreException;
import io.tailrace.endpoint.ResourceUri;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Looks at options and gathers everything that is wrong with them, to be said at once. Not
 * thread-safe.
 */
final class OptionCheck {
  /** Turns an option's text into what it means. */
  interface Parser<T> {
    T parse(String text)
        throws BusException, OnlineStoreException, OfflineStoreException, MetricsStoreException;
  }

  private final List<String> problems = new ArrayList<>();

  /** Parses an option that must be given; empty if it is missing or wrong. */
  <T> Optional<T> required(String name, @Nullable String text, Parser<T> parser) {
    if (text == null || text.isBlank()) {
      problems.add("--" + name + " is missing");
      return Optional.empty();
    }
    return optional(name, text, parser);
  }

  /** Parses an option that may be left out; empty if it is, or is wrong. */
  <T> Optional<T> optional(String name, @Nullable String text, Parser<T> parser) {
    if (text == null || text.isBlank()) {
      return Optional.empty();
    }
    try {
      return Optional.of(parser.parse(text));
    } catch (IllegalArgumentException
        | IllegalStateException
        | BusException
        | OnlineStoreException
        | OfflineStoreException
        | MetricsStoreException e) {
      problems.add("--" + name + ": " + e.getMessage());
      return Optional.empty();
    }
  }

  /** Parses a duration above zero. */
  Duration duration(String name, String text) {
    return optional(
            name,
            text,
            value -> {
              Duration duration = ResourceUri.parseDuration(value);
              if (duration.isZero()) {
                throw new IllegalArgumentException("it must be above zero");
              }
              return duration;
            })
        .orElse(Duration.ofSeconds(1));
  }

  /** Adds a problem. */
  void problem(String problem) {
    problems.add(problem);
  }

  /** Returns whether nothing is wrong so far. */
  boolean isClean() {
    return problems.isEmpty();
  }

  /**
   * Ends a round of checks.
   *
   * @throws CommandException listing everything that was wrong
   */
  void finish() throws CommandException {
    if (!problems.isEmpty()) {
      throw new CommandException(String.join(System.lineSeparator(), problems));
    }
  }
}
