package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.BusLog;
import io.tailrace.endpoint.Durations;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.Nearest;
import io.tailrace.pipelines.TerminalText;
import io.tailrace.stage.Letter;
import io.tailrace.v1.DeadLetter.Reason;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Which letters a command is about: those for which everything holds that is said. */
final class LetterChoice {
  private static final Pattern POSITION = Pattern.compile("\\d{1,9}@\\d{1,18}|\\d{1,30}");

  @Parameters(
      paramLabel = "POSITION",
      arity = "0..*",
      description =
          "Letters by their position on the dead-letter topic, such as 0@17; on Pub/Sub by their"
              + " id.")
  void setPositions(List<String> texts) {
    for (String text : texts) {
      // A converter's sentence would be lost: what it refuses is taken for no parameter.
      if (!POSITION.matcher(text).matches()) {
        throw new ParameterException(
            command.commandLine(),
            "'"
                + text
                + "' is no letter: name it by its position, such as 0@17, or on Pub/Sub by its id,"
                + " such as 11458523091. 'dead-letters list' shows one of each kind");
      }
    }
    positions = List.copyOf(texts);
  }

  private List<String> positions = List.of();

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command = CommandSpec.create();

  @Option(
      names = "--writer",
      paramLabel = "NAME",
      split = ",",
      converter = Name.class,
      description = "Letters of these writers, such as online-writer.")
  private Set<String> writers = new LinkedHashSet<>();

  @Option(
      names = "--group",
      paramLabel = "NAME",
      converter = Name.class,
      description = "Letters of writers that read as this consumer group.")
  private @Nullable String group;

  @Option(
      names = "--stage",
      paramLabel = "NAME",
      converter = Name.class,
      description = "Letters of this stage, such as DecodeResults.")
  private @Nullable String stage;

  @Option(
      names = "--reason",
      paramLabel = "CODE",
      split = ",",
      converter = Code.class,
      description =
          "Letters with these reasons, such as TYPE_CHANGED; also where it is that of one of"
              + " several cells.")
  private Set<String> reasons = new LinkedHashSet<>();

  @Option(
      names = "--topic",
      paramLabel = "NAME",
      converter = Name.class,
      description = "Letters of messages that came from this topic.")
  private @Nullable String topic;

  @Option(
      names = "--since",
      paramLabel = "TIME",
      converter = Time.class,
      description =
          "Letters that were written at this time or later: 2026-01-31T12:00:00Z, or how long ago"
              + " that is, such as 2h or 3d.")
  private @Nullable Instant since;

  @Option(
      names = "--until",
      paramLabel = "TIME",
      converter = Time.class,
      description = "Letters that were written before this time.")
  private @Nullable Instant until;

  @Option(
      names = "--feature",
      paramLabel = "NAME",
      converter = Name.class,
      description =
          "Letters about this feature, such as user.age: a cell of it was refused, or the whole of"
              + " a message that has it.")
  private @Nullable String feature;

  @Option(
      names = "--environment",
      paramLabel = "NAME",
      converter = Name.class,
      description = "Letters of messages of this environment.")
  private @Nullable String environment;

  @Option(
      names = "--maxAttempts",
      paramLabel = "N",
      description = "Letters whose message was tried at most this often.")
  private @Nullable Integer maxAttempts;

  /** Returns whether a letter is one of them. */
  boolean takes(StoredLetter stored, LetterContents contents) {
    Letter letter = stored.letter();
    return (positions.isEmpty() || positions.contains(stored.position()))
        && (writers.isEmpty() || writers.contains(letter.writer()))
        && is(group, letter.group())
        && is(stage, letter.stage())
        && is(topic, letter.text(Letter.TOPIC))
        && (reasons.isEmpty() || reasons.stream().anyMatch(each -> hasReason(stored, each)))
        && (since == null || !letter.failedAt().isBefore(since))
        && (until == null || letter.failedAt().isBefore(until))
        && (maxAttempts == null || letter.attempts() <= maxAttempts)
        && (environment == null || contents.environment(stored).equals(Optional.of(environment)))
        && (feature == null || contents.features(stored).contains(feature));
  }

  /**
   * Returns the letters that wait, of which this is a choice.
   *
   * @throws ParameterException if no letter could ever be chosen: nobody has heard of a writer or a
   *     stage, or no time is between two others
   * @throws CommandException if a letter that was named is not there
   */
  WaitingLetters waiting(BusLog log) throws UnavailableException, CommandException {
    checkTimes();
    KnownNames known = new KnownNames(positions);
    WaitingLetters letters = WaitingLetters.of(log, known::add);
    for (String writer : writers) {
      known.whyNoWriter(writer).ifPresent(this::refuse);
    }
    if (stage != null) {
      known.whyNoStage(stage).ifPresent(this::refuse);
    }
    List<String> unknown =
        known.notSeen().stream().filter(each -> !letters.settled().has(each)).toList();
    if (!unknown.isEmpty()) {
      throw new CommandException(known.absent(unknown));
    }
    return letters;
  }

  private void checkTimes() {
    if (maxAttempts != null && maxAttempts < 1) {
      refuse("--maxAttempts must be 1 or more, not " + maxAttempts);
    }
    if (since != null && until != null && !since.isBefore(until)) {
      refuse("--since must be before --until: " + since + " is not before " + until);
    }
    if (since != null && since.isAfter(Instant.now())) {
      refuse("--since is " + since + ", which is yet to come");
    }
  }

  private void refuse(String why) {
    throw new ParameterException(command.commandLine(), why);
  }

  /** Of an option by which letters are chosen: its value, and what letters have there. */
  private record Asked(
      String what, @Nullable String value, Function<StoredLetter, Collection<String>> names) {}

  /**
   * Returns sentences that say why it may be that no letter was chosen: how many others wait, and
   * what of theirs is written nearly as what was asked for.
   */
  List<String> whyNone(WaitingLetters letters, LetterContents contents)
      throws UnavailableException {
    List<Asked> asked =
        Stream.of(
                new Asked(
                    "came from the topic", topic, it -> List.of(it.letter().text(Letter.TOPIC))),
                new Asked("is of the group", group, it -> List.of(it.letter().group())),
                new Asked(
                    "is of the environment",
                    environment,
                    it -> contents.environment(it).stream().toList()),
                new Asked("is about the feature", feature, contents::features))
            .filter(each -> each.value != null)
            .toList();
    Map<Asked, Set<String>> found = new LinkedHashMap<>();
    long[] others = {0};
    letters.read(
        letter -> true,
        letter -> {
          others[0]++;
          for (Asked each : asked) {
            Set<String> names = found.computeIfAbsent(each, it -> new TreeSet<>());
            if (names.size() < KnownNames.MAX_NAMES) {
              names.addAll(each.names.apply(letter));
            }
          }
          return true;
        });
    List<String> why = new ArrayList<>();
    if (others[0] > 0) {
      why.add("Not chosen: " + TerminalText.count(others[0], "letter") + " more");
    }
    positions.stream()
        .filter(letters.settled()::has)
        .forEach(each -> why.add(each + " is settled already"));
    found.forEach(
        (each, names) -> {
          String value = String.valueOf(each.value);
          if (!names.contains(value)) {
            why.add(
                "None of these "
                    + each.what
                    + " '"
                    + TerminalText.safe(value)
                    + "'"
                    + TerminalText.safe(Nearest.question(value, names)));
          }
        });
    return why;
  }

  private static boolean is(@Nullable String wanted, String found) {
    return wanted == null || wanted.equals(found);
  }

  private static boolean hasReason(StoredLetter stored, String wanted) {
    return stored.reason().equals(wanted)
        || stored.letter().text(Letter.REASONS).contains('"' + wanted + '"');
  }

  /** The name of something; an empty one is that of a variable which is not set. */
  static final class Name implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
      if (text.isBlank()) {
        throw new TypeConversionException("the name is empty");
      }
      return text;
    }
  }

  /** A reason's code. */
  static final class Code implements ITypeConverter<String> {
    /** What letters of a later version, or without a reason, are listed as. */
    private static final String UNKNOWN = "UNKNOWN";

    @Override
    public String convert(String text) {
      String code = text.toUpperCase(Locale.ROOT);
      List<String> known =
          Arrays.stream(Reason.values())
              .filter(it -> it != Reason.UNRECOGNIZED && it != Reason.REASON_UNSPECIFIED)
              .map(Enum::name)
              .toList();
      if (!known.contains(code) && !code.equals(UNKNOWN)) {
        throw new TypeConversionException(
            "'"
                + text
                + "' is no reason for dead letters"
                + Nearest.to(code, known)
                    .map(it -> "; did you mean " + it + "? There are ")
                    .orElse(": ")
                + String.join(", ", known));
      }
      return code;
    }
  }

  /** A time, or how long ago it is. */
  static final class Time implements ITypeConverter<Instant> {
    @Override
    public Instant convert(String text) {
      try {
        return Instant.parse(text);
      } catch (DateTimeParseException e) {
        try {
          return Instant.now().minus(Durations.parse(text));
        } catch (IllegalArgumentException none) {
          throw new TypeConversionException(
              "'"
                  + text
                  + "' is neither a time such as 2026-01-31T12:00:00Z nor how long ago it"
                  + " is, such as 30m, 2h or 3d");
        }
      }
    }
  }
}
