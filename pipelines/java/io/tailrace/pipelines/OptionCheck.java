package io.tailrace.pipelines;

import io.tailrace.endpoint.Endpoint;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
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
    T parse(String text) throws UnavailableException;
  }

  /** A question to a bus or a store. */
  interface Question<T> {
    T ask() throws UnavailableException;
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
    } catch (IllegalArgumentException | IllegalStateException | UnavailableException e) {
      problems.add("--" + name + ": " + e.getMessage());
      return Optional.empty();
    }
  }

  /** Asks a bus or a store; empty if it can't be used. */
  <T> Optional<T> ask(String name, Question<T> question) {
    try {
      return Optional.of(question.ask());
    } catch (IllegalStateException | UnavailableException e) {
      problems.add("--" + name + ": " + e.getMessage());
      return Optional.empty();
    }
  }

  /** Checks a bus or a store, if the option named one. */
  void ask(String name, Optional<? extends Endpoint> endpoint) {
    endpoint.ifPresent(
        it -> {
          var unused =
              ask(
                  name,
                  () -> {
                    it.check();
                    return it;
                  });
        });
  }

  /** Parses a duration above zero. */
  Duration duration(String name, String text) {
    return optional(
            name,
            text,
            value -> {
              Duration duration = EndpointUri.parseDuration(value);
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
