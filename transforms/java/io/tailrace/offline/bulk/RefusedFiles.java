package io.tailrace.offline.bulk;

import io.tailrace.endpoint.UnavailableException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Tells a file that a bucket does not give from a bucket that gives none, which is nobody's fault:
 * asks for others, once for all files of a message. Not thread-safe.
 */
final class RefusedFiles {
  private final ResultBucket bucket;
  private final Set<String> refused = new HashSet<>();
  private boolean given;

  RefusedFiles(ResultBucket bucket) {
    this.bucket = bucket;
  }

  /**
   * Returns what to say of a file that the bucket does not give while it gives others.
   *
   * @throws UnavailableException if the file was not refused, or no other is given
   */
  String why(String file, UnavailableException e) throws UnavailableException {
    if (!(e instanceof FileRefusedException)) {
      throw e;
    }
    refused.add(file);
    if (!given) {
      List<String> others = new ArrayList<>(bucket.list(bucket.uri() + "/"));
      others.removeAll(refused);
      given = BucketProbe.of(bucket, others).given();
    }
    if (!given) {
      throw e;
    }
    return e.getMessage()
        + ", and other files of the bucket can: let the writer read it (what is archived has to be"
        + " restored) and replay this letter";
  }
}
