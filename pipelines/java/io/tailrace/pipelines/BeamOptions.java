package io.tailrace.pipelines;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;

/** Parses Beam pipeline options from a command line, and says in one line each what is wrong. */
final class BeamOptions {
  /** The runners that Beam has, by how they may be written, and the profile that brings each. */
  private static final Map<String, String> PROFILES =
      Map.of(
          "directrunner", "direct-runner",
          "flinkrunner", "flink-runner",
          "dataflowrunner", "dataflow-runner");

  /** How Jackson, which Beam parses values with, says that one has another type. */
  private static final Pattern WRONG_TYPE =
      Pattern.compile("^Cannot deserialize value of type `(?:java\\.lang\\.)?([A-Za-z.]+)`");

  private static final Map<String, String> NOUNS =
      Map.of(
          "Integer", "a whole number",
          "Long", "a whole number",
          "Double", "a number",
          "Boolean", "true or false");

  private BeamOptions() {}

  /**
   * Parses options and adds those that the runner they name should have.
   *
   * @param gathering whether the writer's store is the faster the more it gets at a time
   * @throws CommandException listing every option that is unknown or wrong
   */
  static <T extends PipelineOptions> T parse(Class<T> type, boolean gathering, String... args)
      throws CommandException {
    PipelineOptionsFactory.register(type);
    registerS3();
    try {
      PipelineOptions named = PipelineOptionsFactory.fromArgs(args).withValidation().as(type);
      Map<String, String> defaults =
          new LinkedHashMap<>(RunnerDefaults.of(named.getRunner(), gathering));
      defaults.putAll(CloudDefaults.of(args));
      // Beam would name jobs after the class that parses options.
      defaults.put("appName", type.getSimpleName().replaceFirst("Options$", ""));
      Map<String, String> given =
          Arrays.stream(args)
              .collect(
                  Collectors.toMap(BeamOptions::name, BeamOptions::value, (one, more) -> more));
      List<String> unsafe = RunnerDefaults.problems(named.getRunner(), given);
      if (!unsafe.isEmpty()) {
        throw new CommandException(String.join(System.lineSeparator(), unsafe));
      }
      String[] all =
          Stream.concat(
                  Arrays.stream(args),
                  defaults.entrySet().stream()
                      .filter(option -> !given.containsKey(option.getKey()))
                      .map(option -> "--" + option.getKey() + "=" + option.getValue()))
              .toArray(String[]::new);
      return PipelineOptionsFactory.fromArgs(all).withValidation().as(type);
    } catch (IllegalArgumentException e) {
      throw new CommandException(problems(type, e, args), e);
    }
  }

  /**
   * Parses options of buckets for what is no pipeline.
   *
   * @throws CommandException listing every option that is wrong
   */
  static PipelineOptions ofBuckets(String... args) throws CommandException {
    registerS3();
    try {
      return PipelineOptionsFactory.fromArgs(args).create();
    } catch (IllegalArgumentException e) {
      throw new CommandException(problems(PipelineOptions.class, e, args), e);
    }
  }

  /** Finds out which arguments are at fault, of which Beam names the first, or none. */
  private static String problems(
      Class<? extends PipelineOptions> type, IllegalArgumentException whole, String... args) {
    Set<String> problems = new LinkedHashSet<>();
    Map<String, List<String>> byName =
        Arrays.stream(args)
            .collect(
                Collectors.groupingBy(BeamOptions::name, LinkedHashMap::new, Collectors.toList()));
    byName.forEach(
        (name, given) -> {
          given.forEach(arg -> fault(type, arg).ifPresent(e -> problems.add(problem(arg, e))));
          // A list may be given in several arguments.
          if (given.size() > 1
              && problems.isEmpty()
              && fault(type, given.toArray(String[]::new)).isPresent()) {
            problems.add("--" + name + " is given more than once");
          }
        });
    if (problems.isEmpty() || missesRunner(whole)) {
      problems.add(problem("", whole));
    }
    return String.join(System.lineSeparator(), problems);
  }

  private static Optional<IllegalArgumentException> fault(
      Class<? extends PipelineOptions> type, String... args) {
    try {
      var unused = PipelineOptionsFactory.fromArgs(args).as(type);
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.of(e);
    }
  }

  private static boolean missesRunner(IllegalArgumentException e) {
    return firstLine(e).startsWith("No Runner was specified");
  }

  private static String problem(String arg, IllegalArgumentException e) {
    String message = firstLine(e);
    if (missesRunner(e)) {
      return absent("DirectRunner", "direct-runner", List.of());
    }
    if (message.startsWith("Unknown 'runner' specified")) {
      return unknownRunner(arg.substring(arg.indexOf('=') + 1), message);
    }
    if (message.startsWith("Class interface")) {
      return message.replaceFirst("^Class interface \\S+ missing a property", "there is no option");
    }
    Matcher wrongType = WRONG_TYPE.matcher(message);
    if (wrongType.find()) {
      message = "it must be " + NOUNS.getOrDefault(wrongType.group(1), wrongType.group(1));
    }
    return message.contains(arg) ? message : arg + ": " + message;
  }

  private static String unknownRunner(String runner, String message) {
    String name = runner.substring(runner.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    String profile = PROFILES.get(name.endsWith("runner") ? name : name + "runner");
    String here = message.replaceFirst(".*supported pipeline runners \\[(.*)\\].*", "$1");
    return profile == null
        ? "--runner=" + runner + " names no runner; here are " + here
        : absent(runner, profile, List.of(here));
  }

  private static String absent(String runner, String profile, List<String> here) {
    return "--runner="
        + runner
        + " is not in this build: add its profile, as in mvn -P"
        + profile
        + " compile exec:java … or mvn -P"
        + profile
        + ",bundle package"
        + here.stream().map(names -> "; here are " + names).collect(Collectors.joining());
  }

  private static String name(String arg) {
    return arg.replaceFirst("^\\s*--", "").replaceFirst("=.*", "");
  }

  /** A switch that is only named is on. */
  private static String value(String arg) {
    int equals = arg.indexOf('=');
    return equals < 0 ? "true" : arg.substring(equals + 1);
  }

  private static String firstLine(IllegalArgumentException e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }

  /** Beam registers none of its options of S3, such as how a bucket is named in a request. */
  private static void registerS3() {
    try {
      PipelineOptionsFactory.register(
          Class.forName("org.apache.beam.sdk.io.aws2.options.S3Options")
              .asSubclass(PipelineOptions.class));
    } catch (ClassNotFoundException e) {
      // Then nothing is in S3 either.
    }
  }
}
