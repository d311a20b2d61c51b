package io.tailrace.offline.bulk;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.bulk.ResultBucket.Found;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.util.List;
import java.util.Optional;

/**
 * Asks a bucket for the beginnings of files until it gives one. Immutable.
 *
 * @param given whether it gave one
 * @param refused why it did not give the first one that it refused
 */
record BucketProbe(boolean given, Optional<FileRefusedException> refused) {
  /** The oldest files of a folder may be archived: some are asked for, from first to last. */
  private static final int ASKED = 16;

  /**
   * Asks for some of many files.
   *
   * @throws UnavailableException if the bucket can't be asked now
   */
  static BucketProbe of(ResultBucket bucket, List<String> files) throws UnavailableException {
    Optional<FileRefusedException> refused = Optional.empty();
    int asked = Math.min(ASKED, files.size());
    for (int i = 0; i < asked; i++) {
      String file = files.get((int) ((long) i * (files.size() - 1) / Math.max(1, asked - 1)));
      try {
        if (gives(bucket, file)) {
          return new BucketProbe(true, refused);
        }
      } catch (FileRefusedException e) {
        refused = refused.or(() -> Optional.of(e));
      }
    }
    return new BucketProbe(false, refused);
  }

  private static boolean gives(ResultBucket bucket, String file) throws UnavailableException {
    Optional<Found> found = bucket.find(file);
    if (found.isEmpty()) {
      // Deleted since it was listed.
      return false;
    }
    try (SeekableByteChannel channel = bucket.open(found.get())) {
      int unused = channel.read(ByteBuffer.allocate(4));
      return true;
    } catch (IOException e) {
      throw ResultBucket.notGiven(file, e);
    }
  }
}
