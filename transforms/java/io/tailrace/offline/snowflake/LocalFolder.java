package io.tailrace.offline.snowflake;

import io.tailrace.endpoint.UnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A folder of this machine for files on their way, which is gone when it is closed. */
final class LocalFolder implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LocalFolder.class);

  private final String store;
  private final Path path;

  private LocalFolder(String store, Path path) {
    this.store = store;
    this.path = path;
  }

  /**
   * Makes one.
   *
   * @param store whose files they are, for sentences
   */
  static LocalFolder create(String store) throws UnavailableException {
    try {
      return new LocalFolder(store, Files.createTempDirectory("tailrace-stage"));
    } catch (IOException e) {
      throw new UnavailableException(
          store + ": no folder for files to be staged can be made on this machine: " + e, e);
    }
  }

  Path path() {
    return path;
  }

  void write(String name, byte[] bytes) throws UnavailableException {
    try {
      Path unused = Files.write(path.resolve(name), bytes);
    } catch (IOException e) {
      throw new UnavailableException(
          store + ": a file to be staged can't be written on this machine: " + e, e);
    }
  }

  byte[] read(String name) throws UnavailableException {
    try {
      return Files.readAllBytes(path.resolve(name));
    } catch (IOException e) {
      throw new UnavailableException(
          store + ": a file from the stage can't be read on this machine: " + e, e);
    }
  }

  @Override
  public void close() {
    try (Stream<Path> files = Files.walk(path)) {
      List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
      for (Path file : deepestFirst) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      LOG.warn("{} can't be deleted: {}", path, e.getMessage());
    }
  }
}
