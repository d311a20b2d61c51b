package io.tailrace.pipelines.benchmark;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.TextTable;
import picocli.CommandLine.Model.CommandSpec;

/** What a benchmark has measured, and under what settings. Not thread-safe. */
final class Figures {
  private final CommandSpec spec;
  private final Map<String, Double> figures = new TreeMap<>();
  private final Map<String, String> facts = new TreeMap<>();

  Figures(CommandSpec spec) {
    this.spec = spec;
    fact("cores", Integer.toString(Runtime.getRuntime().availableProcessors()));
    fact("heap_mb", Long.toString(Runtime.getRuntime().maxMemory() >> 20));
  }

  /** Says what is going on. */
  void say(String format, Object... arguments) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(String.format(Locale.ROOT, format, arguments));
    out.flush();
  }

  void fact(String name, String value) {
    facts.put(name, value);
  }

  void put(String name, double value) {
    figures.put(name, value);
  }

  /** Puts the median of rounds. */
  void put(String name, double[] rounds) {
    put(name, median(rounds));
  }

  /** Puts the median of each round's ratio: neighbours in time suffer the same disturbances. */
  void putRatio(String name, double[] dividends, double[] divisors) {
    double[] ratios = new double[dividends.length];
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = dividends[i] / divisors[i];
    }
    put(name, ratios);
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** Prints all as a table and writes them as a JSON object. */
  void finish(Path output) throws IOException {
    TextTable table =
        TextTable.forColumns(
            spec.commandLine().getColorScheme(),
            new Column(44, 0, Column.Overflow.SPAN),
            new Column(16, 2, Column.Overflow.SPAN));
    figures.forEach(
        (name, value) ->
            table.addRowValues(
                name,
                value >= 1_000
                    ? String.format(Locale.ROOT, "%,12.0f", value)
                    : String.format(Locale.ROOT, "%12.2f", value)));
    PrintWriter out = spec.commandLine().getOut();
    out.println();
    out.print(table);
    facts.forEach((name, value) -> out.println(name + ": " + value));
    Path parent = output.toAbsolutePath().getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    Map<String, Object> all = new TreeMap<>(figures);
    facts.forEach((name, value) -> all.put("setting." + name, value));
    new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(output.toFile(), all);
    out.println("Written to " + output);
    out.flush();
  }
}
