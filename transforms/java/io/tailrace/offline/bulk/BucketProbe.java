package io.tailrace.offline.bulk;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.bulk.ResultBucket.Found;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Asks a bucket for the beginnings of files until it gives one. Immutable.
 *
 * @param given whether it gave one
 * @param refused why it did not give the first one that it refused
 */
record BucketProbe(boolean given, Optional<FileRefusedException> refused) {
  /** The oldest files of a folder may be archived: some are asked for, from first to last. */
  private static final int ASKED = 16;

  /** Names that are kept of all, to ask for some of them. */
  private static final int SPREAD = 1_000;

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

  /**
   * Asks for some of all files of a bucket: only where those that are listed first are not given,
   * all are listed.
   *
   * @param first those that are listed first
   * @param refused those that need not be asked for
   * @throws UnavailableException if the bucket can't be asked now
   */
  static BucketProbe ofAll(ResultBucket bucket, List<String> first, Set<String> refused)
      throws UnavailableException {
    BucketProbe ofFirst = of(bucket, without(refused, first));
    if (ofFirst.given || first.isEmpty()) {
      return ofFirst;
    }
    SomeNames all = new SomeNames(SPREAD);
    bucket.list(bucket.uri() + "/", all);
    BucketProbe ofAll = of(bucket, without(refused, all.names()));
    return new BucketProbe(ofAll.given, ofFirst.refused.or(() -> ofAll.refused));
  }

  private static List<String> without(Set<String> refused, List<String> files) {
    return files.stream().filter(file -> !refused.contains(file)).toList();
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
