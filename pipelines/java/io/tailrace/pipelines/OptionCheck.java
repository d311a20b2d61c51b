package io.tailrace.pipelines;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusFacts;
import io.tailrace.bus.Buses;
import io.tailrace.endpoint.Endpoint;
import io.tailrace.endpoint.Kinds;
import io.tailrace.endpoint.UnavailableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Looks at a writer's options and gathers everything that is wrong with them, to be said at once:
 * first the texts, then, when those are right, what the buses and stores answer. What is wrong or
 * missing comes back empty, so that the others can be looked at too. Not thread-safe.
 */
public final class OptionCheck {
  /** A question to a store of some sort. */
  public interface Asked<E extends Endpoint> {
    /**
     * Asks the store.
     *
     * @throws UnavailableException with one sentence that names it and the correction
     */
    void ask(E store) throws UnavailableException;
  }

  /** A question to a bus, a store or another place. */
  interface Question {
    void ask() throws UnavailableException;
  }

  private final Map<String, Kinds<?>> endpoints = new LinkedHashMap<>();
  private final Map<String, TextForm<?>> forms = new LinkedHashMap<>();
  private final Map<String, Question> questions = new LinkedHashMap<>();
  private final Map<String, BusFacts> facts = new HashMap<>();
  // What the writer writes to.
  private final Map<String, Endpoint> targets = new TreeMap<>();
  private final List<String> problems = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();

  OptionCheck() {}

  /**
   * Parses the URI of a bus that the writer reads.
   *
   * @param group its consumer group
   */
  Optional<Bus> readable(String name, @Nullable String text, String group) {
    Optional<Bus> bus = parse(name, text, Buses.KINDS);
    bus.ifPresent(it -> questions.put(name, () -> facts.put(name, it.checkReadable(group))));
    return bus;
  }

  /** Parses the URI of a bus to publish to. What it says of itself is in its {@link #facts}. */
  public Optional<Bus> writable(String name, @Nullable String text) {
    Optional<Bus> bus = parse(name, text, Buses.KINDS);
    bus.ifPresent(it -> questions.put(name, () -> facts.put(name, it.checkWritable())));
    bus.ifPresent(it -> targets.put(name, it));
    return bus;
  }

  /** Parses the URI of a store, which is checked when all texts are right. */
  public <E extends Endpoint> Optional<E> endpoint(
      String name, @Nullable String text, Kinds<E> kinds) {
    return endpoint(name, text, kinds, Endpoint::check);
  }

  /**
   * Parses the URI of a store.
   *
   * @param asked when all texts are right, to find out whether the store can be used
   */
  public <E extends Endpoint> Optional<E> endpoint(
      String name, @Nullable String text, Kinds<E> kinds, Asked<E> asked) {
    Optional<E> endpoint = parse(name, text, kinds);
    endpoint.ifPresent(it -> questions.put(name, () -> asked.ask(it)));
    endpoint.ifPresent(it -> targets.put(name, it));
    return endpoint;
  }

  /** Has another be checked and known as what an option names, as it was told more of its use. */
  <E extends Endpoint> E instead(String name, E endpoint) {
    questions.put(name, endpoint::check);
    targets.put(name, endpoint);
    return endpoint;
  }

  private <E extends Endpoint> Optional<E> parse(
      String name, @Nullable String text, Kinds<E> kinds) {
    endpoints.put(name, kinds);
    if (text == null || text.isBlank()) {
      problem("--" + name + " is missing. " + examples(kinds));
      return Optional.empty();
    }
    return optional(name, text, kinds::at);
  }

  /** Shows correct URIs. */
  static String examples(Kinds<?> kinds) {
    return (kinds.all().size() == 1 ? "Example: " : "Examples: ") + kinds.examples();
  }

  /** Parses an option that has a default, so that it can be wrong but not missing. */
  public <T> Optional<T> required(String name, String text, Function<String, T> parser) {
    if (text.isBlank()) {
      problem("--" + name + " is empty");
    }
    return optional(name, text, parser);
  }

  /** Parses an option of a form that has a default. */
  public <T> Optional<T> required(String name, String text, TextForm<T> form) {
    forms.put(name, form);
    return required(name, text, form.parser());
  }

  /** Parses an option of a form that may be left out. */
  public <T> Optional<T> optional(String name, @Nullable String text, TextForm<T> form) {
    forms.put(name, form);
    return optional(name, text, form.parser());
  }

  /** Parses an option that may be left out. */
  public <T> Optional<T> optional(String name, @Nullable String text, Function<String, T> parser) {
    if (text == null || text.isBlank()) {
      return Optional.empty();
    }
    try {
      return Optional.of(parser.apply(text));
    } catch (IllegalArgumentException | IllegalStateException e) {
      problem("--" + name + ": " + e.getMessage());
      return Optional.empty();
    }
  }

  /** Parses a duration above zero that has a default. */
  public Optional<Duration> duration(String name, String text) {
    return required(name, text, TextForm.DURATION);
  }

  /** Adds a problem, in one sentence that names the option. */
  public void problem(String problem) {
    problems.add(problem);
  }

  /** Adds what the writer can be started with, but somebody should know, in one sentence. */
  public void warning(String warning) {
    warnings.add(warning);
  }

  /** Returns the warnings so far. */
  List<String> warnings() {
    return List.copyOf(warnings);
  }

  /** Adds a question about an option, to be asked when all texts are right. */
  void question(String name, Question question) {
    questions.put(name, question);
  }

  /** Returns what a bus said of itself; empty before it was asked, and if it did not answer. */
  public Optional<BusFacts> facts(String name) {
    return Optional.ofNullable(facts.get(name));
  }

  /**
   * Returns an id of all that the writer writes to, but for one option; empty where nothing of it
   * has one.
   *
   * @throws UnavailableException if one does not answer
   */
  String identity(String exceptFor) throws UnavailableException {
    List<String> identities = new ArrayList<>();
    for (Map.Entry<String, Endpoint> each : targets.entrySet()) {
      String identity = each.getKey().equals(exceptFor) ? "" : each.getValue().identity();
      if (!identity.isEmpty()) {
        identities.add(identity);
      }
    }
    return String.join("+", identities);
  }

  /** Returns whether something is wrong so far. */
  boolean hasProblems() {
    return !problems.isEmpty();
  }

  /** Returns which options name a bus or a store, in the order in which they were looked at. */
  Map<String, Kinds<?>> endpoints() {
    return Collections.unmodifiableMap(endpoints);
  }

  /** Returns the forms of the options that have one and name neither bus nor store. */
  Map<String, TextForm<?>> forms() {
    return Collections.unmodifiableMap(forms);
  }

  /** Asks every bus and every store. */
  void ask() {
    questions.forEach(
        (name, question) -> {
          try {
            question.ask();
          } catch (IllegalStateException | UnavailableException e) {
            problem("--" + name + ": " + e.getMessage());
          }
        });
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
