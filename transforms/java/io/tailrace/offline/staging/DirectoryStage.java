package io.tailrace.offline.staging;

import io.tailrace.endpoint.UnavailableException;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * A directory, for a store on the same machine: {@code file:///data/stage}. Made when the first
 * file comes. Immutable.
 *
 * @param uri its address, which begins with {@code file:///}
 * @param form how the store wants its files
 */
public record DirectoryStage(String uri, StagedForm form) implements Stage {
  private static final long serialVersionUID = 1;

  /** What a file is called that is still being written. */
  private static final String UNFINISHED = ".unfinished";

  /**
   * Names a directory.
   *
   * @throws IllegalArgumentException if the address names none
   */
  public DirectoryStage {
    if (!uri.startsWith("file:///") || uri.length() == "file:///".length()) {
      throw new IllegalArgumentException(
          "'" + uri + "' names no directory. Example: file:///data/stage");
    }
  }

  /** Names a directory of canonical files. */
  public DirectoryStage(String uri) {
    this(uri, StagedForm.CANONICAL);
  }

  @Override
  public Stage at(String other) {
    return new DirectoryStage(other, form);
  }

  /**
   * Checks that files can be staged.
   *
   * @throws UnavailableException with one sentence that names the directory
   */
  @Override
  public void check() throws UnavailableException {
    Path directory = directory();
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw unusable(e);
    }
    if (!Files.isWritable(directory)) {
      throw new UnavailableException(
          "the stage " + uri + " can't be written to: let this user write into " + directory);
    }
  }

  private Path directory() {
    return Path.of(URI.create(uri).getPath());
  }

  private UnavailableException unusable(IOException e) {
    return new UnavailableException("the stage " + uri + " can't be used: " + e, e);
  }

  @Override
  public Connection open() {
    return new OpenDirectory(directory());
  }

  private final class OpenDirectory implements Connection {
    private final Path directory;

    OpenDirectory(Path directory) {
      this.directory = directory;
    }

    @Override
    public void put(Map<String, byte[]> files) throws UnavailableException {
      Set<Path> folders = new HashSet<>();
      try {
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
          folders.add(put(directory.resolve(file.getKey()), file.getValue()));
        }
        // The names are durable when their directories are.
        for (Path folder : folders) {
          try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
          }
        }
      } catch (IOException e) {
        throw unusable(e);
      }
    }

    private static Path put(Path target, byte[] file) throws IOException {
      Path folder = Files.createDirectories(target.resolveSibling(""));
      Path unfinished = folder.resolve(UUID.randomUUID() + UNFINISHED);
      try (FileChannel channel =
          FileChannel.open(unfinished, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        ByteBuffer bytes = ByteBuffer.wrap(file);
        while (bytes.hasRemaining()) {
          int unused = channel.write(bytes);
        }
        channel.force(true);
      }
      Path unused = Files.move(unfinished, target, StandardCopyOption.ATOMIC_MOVE);
      return folder;
    }

    @Override
    public Optional<byte[]> read(String name) throws UnavailableException {
      try {
        return Optional.of(Files.readAllBytes(directory.resolve(name)));
      } catch (NoSuchFileException e) {
        return Optional.empty();
      } catch (IOException e) {
        throw unusable(e);
      }
    }

    @Override
    public List<Entry> list() throws UnavailableException {
      List<Entry> entries = new ArrayList<>();
      try {
        if (Files.notExists(directory)) {
          return entries;
        }
        Files.walkFileTree(
            directory,
            new SimpleFileVisitor<>() {
              @Override
              public FileVisitResult visitFile(Path file, BasicFileAttributes facts) {
                String name = directory.relativize(file).toString();
                if (!name.endsWith(UNFINISHED)) {
                  entries.add(new Entry(name, facts.lastModifiedTime().toInstant()));
                }
                return FileVisitResult.CONTINUE;
              }

              @Override
              public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                if (e instanceof NoSuchFileException) {
                  return FileVisitResult.CONTINUE;
                }
                throw e;
              }
            });
        return entries;
      } catch (IOException e) {
        throw unusable(e);
      }
    }

    @Override
    public void delete(Collection<String> names) throws UnavailableException {
      try {
        for (String name : names) {
          Files.deleteIfExists(directory.resolve(name));
        }
      } catch (IOException e) {
        throw unusable(e);
      }
    }

    @Override
    public void close() {}
  }
}
