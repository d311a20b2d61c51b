package io.tailrace.pipelines;

import io.tailrace.endpoint.Kinds;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.options.Default;
import org.apache.beam.sdk.options.Description;

/** Says how a writer is started. */
final class WriterHelp {
  /**
   * An option of a writer.
   *
   * @param fallback its default; empty if it has none, or says in words what is done without it
   * @param kinds the kinds of bus or store that it may name, if it names one; then it must be given
   */
  record Option(
      String name, String description, Optional<String> fallback, Optional<Kinds<?>> kinds) {}

  private static final int TEXT_AT = 24;
  private static final int WIDTH = 100;

  private WriterHelp() {}

  /** Returns a writer's options, beside those of Beam and of the runner, by name. */
  static List<Option> options(Writer<?> writer) {
    Map<String, Kinds<?>> endpoints = writer.endpoints();
    return Arrays.stream(writer.options().getMethods())
        .filter(method -> WriterOptions.class.isAssignableFrom(method.getDeclaringClass()))
        .filter(method -> method.isAnnotationPresent(Description.class))
        .map(method -> option(method, endpoints))
        .sorted(Comparator.comparing(Option::name))
        .toList();
  }

  private static Option option(Method getter, Map<String, Kinds<?>> endpoints) {
    String name = getter.getName().replaceFirst("^(get|is)", "");
    name = Character.toLowerCase(name.charAt(0)) + name.substring(1);
    return new Option(
        name,
        getter.getAnnotation(Description.class).value(),
        Optional.ofNullable(getter.getAnnotation(Default.String.class)).map(Default.String::value),
        Optional.ofNullable(endpoints.get(name)));
  }

  /** Prints what a person who starts the writer must know. */
  static void print(PrintStream out, Writer<?> writer) {
    out.println("Usage: " + writer.name() + " --option=value …");
    out.println();
    out.println(writer.says());
    out.println();
    for (Option option : options(writer)) {
      print(
          out,
          "--" + option.name(),
          option.description()
              + option.fallback().map(it -> " Default: " + it + ".").orElse("")
              + option.kinds().map(it -> " Required. " + OptionCheck.examples(it)).orElse(""));
    }
    print(
        out,
        "--runner",
        "Where to run: DirectRunner (tests), FlinkRunner, DataflowRunner. Default: DirectRunner.");
    out.println();
    out.println("Every option of Beam and of the runner is taken too, such as --parallelism=8 or");
    out.println("--flinkMaster=host:8081; see beam.apache.org/documentation/runners.");
  }

  /** Prints a name and a text beside it, whose lines end between words: a URI is one. */
  private static void print(PrintStream out, String name, String text) {
    StringBuilder line = new StringBuilder(String.format("  %-" + (TEXT_AT - 2) + "s", name));
    for (String word : text.split(" ", -1)) {
      if (line.length() > TEXT_AT && line.length() + 1 + word.length() > WIDTH) {
        out.println(line);
        line = new StringBuilder(" ".repeat(TEXT_AT));
      }
      line.append(line.length() > TEXT_AT ? " " : "").append(word);
    }
    out.println(line);
  }
}
