package io.tailrace.pipelines.dataflow;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.Writers;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Starts writers, one after the other, in a JVM that has no others than these to start.
 *
 * <p>For each it finds a file {@code NAME.arguments} in its directory, of a line for the writer's
 * name and one for each argument, and leaves {@code NAME.exit} with the exit code and all that was
 * said about it.
 */
public final class LauncherJvm {
  private LauncherJvm() {}

  /** Starts the writers of a directory. */
  public static void main(String[] args) throws Exception {
    List<Path> all;
    try (var files = Files.list(Path.of(args[0]))) {
      all = files.filter(file -> file.toString().endsWith(".arguments")).sorted().toList();
    }
    for (Path file : all) {
      List<String> words = Files.readAllLines(file);
      Writer<?> writer =
          Writers.ALL.stream()
              .filter(it -> it.name().equals(words.get(0)))
              .findFirst()
              .orElseThrow();
      ByteArrayOutputStream said = new ByteArrayOutputStream();
      int exit =
          writer.run(
              System.out,
              new PrintStream(said, true, UTF_8),
              words.subList(1, words.size()).toArray(String[]::new));
      Files.writeString(
          Path.of(file.toString().replaceFirst("arguments$", "exit")),
          exit + "\n" + said.toString(UTF_8));
    }
    System.exit(0);
  }
}
