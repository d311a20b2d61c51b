package io.tailrace.pipelines.local.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A control group of Linux that bounds the memory of the processes in it, as a container does: the
 * kernel kills a process that needs more. Only where this program may make one. Thread-safe.
 */
public final class MemoryGroup implements AutoCloseable {
  private static final Path FIRST_VERSION = Path.of("/sys/fs/cgroup/memory");
  private static final Path SECOND_VERSION = Path.of("/sys/fs/cgroup");
  private static final Pattern KILLS = Pattern.compile("(?m)^oom_kill (\\d+)$");
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final Path directory;
  private final boolean isFirstVersion;

  private MemoryGroup(Path directory, boolean isFirstVersion) {
    this.directory = directory;
    this.isFirstVersion = isFirstVersion;
  }

  /** Makes one of so many bytes, if this machine has such groups and lets us. */
  public static Optional<MemoryGroup> of(long bytes) {
    boolean isFirstVersion = Files.isDirectory(FIRST_VERSION);
    Path directory =
        (isFirstVersion ? FIRST_VERSION : SECOND_VERSION)
            .resolve("tailrace-" + ProcessHandle.current().pid() + "-" + System.nanoTime());
    MemoryGroup group = new MemoryGroup(directory, isFirstVersion);
    try {
      Files.createDirectory(directory);
      try {
        group.write(isFirstVersion ? "memory.limit_in_bytes" : "memory.max", bytes);
        return Optional.of(group);
      } catch (IOException e) {
        // Without the file the group bounds nothing.
        group.close();
        return Optional.empty();
      }
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private void write(String name, long value) throws IOException {
    if (Files.notExists(directory.resolve(name))) {
      throw new IOException("There is no " + name);
    }
    Files.writeString(directory.resolve(name), Long.toString(value));
  }

  /** Returns the command that runs another one in the group. */
  public List<String> inside(List<String> command) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "/bin/sh",
                "-c",
                "echo $$ > \"$0\" && exec \"$@\"",
                directory.resolve("cgroup.procs").toString()));
    all.addAll(command);
    return all;
  }

  /** Returns the most bytes that the group has had at once, with what the system keeps of files. */
  public long peakBytes() {
    return Long.parseLong(read(isFirstVersion ? "memory.max_usage_in_bytes" : "memory.peak"));
  }

  /** Returns how many processes were killed because they needed more. */
  public int killed() {
    Matcher kills = KILLS.matcher(read(isFirstVersion ? "memory.oom_control" : "memory.events"));
    return kills.find() ? Integer.parseInt(kills.group(1)) : 0;
  }

  private String read(String name) {
    try {
      return Files.readString(directory.resolve(name)).strip();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + directory.resolve(name), e);
    }
  }

  /** Removes the group; its processes must have been ended. */
  @Override
  public void close() {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        Files.deleteIfExists(directory);
        return;
      } catch (IOException e) {
        // The kernel takes a moment to part from a process that has ended.
        if (System.nanoTime() > deadline) {
          throw new UncheckedIOException("Cannot remove " + directory, e);
        }
        pause();
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(10);
    } catch (InterruptedException e) {
      throw LocalFlink.interrupted(e);
    }
  }
}
