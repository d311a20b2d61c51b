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
  private List<String> near = List.of();
  private boolean given;

  RefusedFiles(ResultBucket bucket) {
    this.bucket = bucket;
  }

  /** Says which files are of the same message: they are asked for first. */
  void near(List<String> files) {
    near = List.copyOf(files);
  }

  private boolean gives(List<String> files) throws UnavailableException {
    List<String> others = new ArrayList<>(files);
    others.removeAll(refused);
    return BucketProbe.of(bucket, others).given();
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
    given = given || gives(near) || BucketProbe.ofAll(bucket, bucket.first(), refused).given();
    if (!given) {
      throw e;
    }
    return e.getMessage()
        + ", and other files of the bucket can: let the writer read it (what is archived has to be"
        + " restored) and replay this letter";
  }
}
