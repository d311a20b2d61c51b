package io.tailrace.pipelines;

import java.io.PrintStream;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.options.Default;
import org.apache.beam.sdk.options.Description;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.ColorScheme;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.TextTable;

/** Starts a writer from its command line, the same way for every writer. */
final class Launcher {
  /** Starts a writer. */
  interface Writer {
    PipelineResult start(String... args) throws CommandException;
  }

  private Launcher() {}

  /** Runs a writer as a program of its own. */
  static void main(
      String name, Class<? extends PipelineOptions> options, Writer writer, String... args) {
    int status = run(name, options, writer, args);
    if (status != 0) {
      System.exit(status);
    }
  }

  /** Runs a writer until it ends and returns the program's exit code. */
  static int run(
      String name, Class<? extends PipelineOptions> options, Writer writer, String... args) {
    if (Arrays.stream(args).anyMatch(List.of("--help", "-h", "help")::contains)) {
      printHelp(System.out, name, options);
      return 0;
    }
    try {
      PipelineResult result = writer.start(args);
      // A flex template's launcher must end when the job has been submitted.
      if (!result.getClass().getSimpleName().startsWith("Dataflow")) {
        result.waitUntilFinish();
      }
      return 0;
    } catch (CommandException e) {
      e.getMessage().lines().forEach(line -> System.err.println(name + ": " + line));
      System.err.println("Try '" + name + " --help'.");
      return 2;
    }
  }

  /**
   * Parses Beam pipeline options.
   *
   * @throws CommandException if one is unknown or wrong
   */
  static <T extends PipelineOptions> T options(Class<T> type, String... args)
      throws CommandException {
    try {
      PipelineOptionsFactory.register(type);
      return PipelineOptionsFactory.fromArgs(RunnerDefaults.apply(args)).withValidation().as(type);
    } catch (IllegalArgumentException e) {
      throw new CommandException(
          String.valueOf(e.getMessage())
              .replaceFirst("^Class interface \\S+ missing a property", "there is no option"),
          e);
    }
  }

  private static void printHelp(
      PrintStream out, String name, Class<? extends PipelineOptions> options) {
    out.println("Usage: " + name + " --option=value …");
    out.println();
    ColorScheme colors = new ColorScheme.Builder(Ansi.AUTO).build();
    TextTable table =
        TextTable.forColumns(
            colors,
            new Column(30, 2, Column.Overflow.SPAN),
            new Column(90, 2, Column.Overflow.WRAP));
    table.indentWrappedLines = 0;
    Method[] methods =
        Arrays.stream(options.getMethods())
            .filter(method -> WriterOptions.class.isAssignableFrom(method.getDeclaringClass()))
            .toArray(Method[]::new);
    Arrays.sort(methods, Comparator.comparing(Method::getName));
    for (Method method : methods) {
      Description description = method.getAnnotation(Description.class);
      if (description == null) {
        continue;
      }
      String option = method.getName().replaceFirst("^(get|is)", "");
      option = "--" + Character.toLowerCase(option.charAt(0)) + option.substring(1);
      Default.String fallback = method.getAnnotation(Default.String.class);
      table.addRowValues(
          option,
          description.value() + (fallback == null ? "" : " Default: " + fallback.value() + "."));
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
