package io.tailrace.offline.bulk;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.bulk.NotificationFiles.Named;
import io.tailrace.offline.bulk.ResultBucket.Found;
import io.tailrace.parquet.WideFile;
import io.tailrace.stage.InvalidMessageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.checkerframework.checker.nullness.qual.Nullable;

/** A file that is to be loaded, and its copy on this machine. Not thread-safe. */
final class ResultFile implements WideLoads.Source {
  private final ResultBucket bucket;
  private final Named named;
  private final Found found;
  private final Contents contents;
  private WideFile.@Nullable Checked checked;
  private long rows;
  private @Nullable Path directory;
  private @Nullable Path copy;

  ResultFile(ResultBucket bucket, Named named, Found found, Contents contents) {
    this.bucket = bucket;
    this.named = named;
    this.found = found;
    this.contents = contents;
  }

  Named named() {
    return named;
  }

  Found found() {
    return found;
  }

  Contents contents() {
    return contents;
  }

  @Override
  public String uri() {
    return found.uri();
  }

  @Override
  public long size() {
    return found.size();
  }

  @Override
  public long rows() {
    return rows;
  }

  /** Returns where the message names it. */
  String place() {
    return named.place();
  }

  String ledgerName() {
    return BulkLedger.name(found, contents);
  }

  /** Returns how the columns are in the file; empty before it was checked. */
  Optional<WideFile.Checked> checked() {
    return Optional.ofNullable(checked);
  }

  /**
   * Looks at the columns.
   *
   * @throws InvalidMessageException if it can't be loaded
   */
  void check() throws IOException, InvalidMessageException {
    try (WideFile file = open()) {
      checked = file.check(contents.mapping());
      rows = file.rows();
    }
  }

  WideFile open() throws IOException, InvalidMessageException {
    return WideFile.open(copy == null ? bucket.open(found) : Files.newByteChannel(copy));
  }

  /** Returns where it is on this machine; {@link FileChangedException}: it has changed. */
  @Override
  public Path local() throws UnavailableException {
    if (copy == null) {
      try {
        if (!bucket.isLocal()) {
          directory = Files.createTempDirectory("tailrace-bulk-");
        }
        copy = bucket.local(found, directory == null ? Path.of("") : directory, 0);
      } catch (IOException e) {
        String message = uri() + " can't be read: " + e.getMessage();
        throw hasChanged()
            ? new FileChangedException(message, e)
            : new UnavailableException(message, e);
      }
    }
    return copy;
  }

  /** Returns whether it is gone, or another, since it was found. */
  boolean hasChanged() throws UnavailableException {
    return bucket.hasChanged(found);
  }

  /** Deletes the copy, if there is one. */
  void release() throws UnavailableException {
    try {
      if (directory != null) {
        if (copy != null) {
          boolean unused = Files.deleteIfExists(copy);
        }
        Files.deleteIfExists(directory);
      }
    } catch (IOException e) {
      throw new UnavailableException("the copy of " + uri() + " can't be deleted: " + e, e);
    } finally {
      copy = null;
      directory = null;
    }
  }
}
