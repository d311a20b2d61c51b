package io.tailrace.sql.duckdb;

import io.tailrace.endpoint.UnavailableException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one who may open a DuckDB file: holds a lock on the file {@code NAME.lock} beside it. DuckDB
 * itself keeps other processes out, but not another copy of its library in the same process, as
 * each job of a Flink cluster has one: both would write over each other, without an error. The lock
 * is the Java machine's, so that all class loaders share it. Thread-safe.
 */
final class FileOwner implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FileOwner.class);

  private final FileChannel channel;

  private FileOwner(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Becomes the owner of a file.
   *
   * @throws UnavailableException if somebody else is
   */
  static FileOwner of(Path file) throws UnavailableException {
    Path lock = file.resolveSibling(file.getFileName() + ".lock");
    @Nullable FileChannel channel = null;
    try {
      channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock held = channel.tryLock();
      // Where another process holds it, DuckDB refuses the file, and says which.
      if (held == null) {
        LOG.debug("{} is held by another process", lock);
      }
      return new FileOwner(channel);
    } catch (OverlappingFileLockException e) {
      close(channel);
      throw new UnavailableException(
          file
              + " is in use by another job in this process, with a copy of DuckDB of its own: both"
              + " would write over each other; give each job a file of its own",
          e);
    } catch (IOException e) {
      close(channel);
      throw new UnavailableException(lock + " can't be locked: " + e, e);
    }
  }

  private static void close(@Nullable FileChannel channel) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      LOG.debug("A lock can't be given up: {}", e.getMessage());
    }
  }

  /** Gives the lock up. */
  @Override
  public void close() {
    close(channel);
  }
}
