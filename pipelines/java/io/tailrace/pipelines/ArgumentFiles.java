package io.tailrace.pipelines;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Arguments that are in files: {@code @path} stands for the lines of a file, each of which is one
 * argument as it is, without quotes; empty lines and those that begin with {@code #} are passed
 * over. So a writer's options can be a config map. Stateless and thread-safe.
 */
final class ArgumentFiles {
  private ArgumentFiles() {}

  /**
   * Puts the lines of files in place of their names.
   *
   * @throws CommandException if a file can't be read
   */
  static String[] expand(String... args) throws CommandException {
    List<String> all = new ArrayList<>();
    for (String arg : args) {
      if (!arg.startsWith("@")) {
        all.add(arg);
        continue;
      }
      try {
        Files.readAllLines(Path.of(arg.substring(1))).stream()
            .map(String::strip)
            .filter(line -> !line.isEmpty() && !line.startsWith("#"))
            .forEach(all::add);
      } catch (IOException | InvalidPathException e) {
        throw new CommandException(
            arg + ": the file with arguments can't be read: " + e.getMessage(), e);
      }
    }
    return all.toArray(String[]::new);
  }
}
