package io.tailrace.pipelines;

import java.io.PrintStream;

/** Says how a writer is started. */
final class WriterHelp {
  private static final int TEXT_AT = 24;
  private static final int WIDTH = 100;

  private WriterHelp() {}

  /** Prints what a person who starts the writer must know. */
  static void print(PrintStream out, Writer<?> writer) {
    out.println("Usage: " + writer.name() + " --option=value …");
    out.println();
    out.println(writer.says());
    out.println();
    for (WriterOption option : WriterOption.of(writer)) {
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
