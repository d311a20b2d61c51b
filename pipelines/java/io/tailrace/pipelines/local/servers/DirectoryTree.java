package io.tailrace.pipelines.local.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** Empties and deletes directories, with all that is in them. */
public final class DirectoryTree {
  private DirectoryTree() {}

  /**
   * Deletes a directory with all that is in it, if it is there.
   *
   * @throws UncheckedIOException if something can't be deleted, or is written meanwhile
   */
  public static void delete(Path root) {
    if (!Files.exists(root)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot delete " + root, e);
    }
  }

  /**
   * Makes a directory with nothing in it, whatever was there.
   *
   * @throws UncheckedIOException if it can't be written
   */
  static void empty(Path root) {
    delete(root);
    try {
      Files.createDirectories(root);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot write " + root, e);
    }
  }
}
