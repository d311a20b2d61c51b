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
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.ColorScheme;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.TextTable;

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

  static void print(PrintStream out, Writer<?> writer) {
    out.println("Usage: " + writer.name() + " --option=value …");
    out.println();
    out.println(writer.says());
    out.println();
    ColorScheme colors = new ColorScheme.Builder(Ansi.AUTO).build();
    TextTable table =
        TextTable.forColumns(
            colors,
            new Column(30, 2, Column.Overflow.SPAN),
            new Column(90, 2, Column.Overflow.WRAP));
    table.indentWrappedLines = 0;
    for (Option option : options(writer)) {
      table.addRowValues(
          "--" + option.name(),
          option.description()
              + option.fallback().map(it -> " Default: " + it + ".").orElse("")
              + option.kinds().map(it -> " Required. " + OptionCheck.examples(it)).orElse(""));
    }
    table.addRowValues(
        "--runner",
        "Where to run: DirectRunner (tests), FlinkRunner, DataflowRunner. Default: DirectRunner.");
    out.print(table);
    out.println();
    out.println("Every option of Beam and of the runner is taken too, such as --parallelism=8 or");
    out.println("--flinkMaster=host:8081; see beam.apache.org/documentation/runners.");
  }
}
