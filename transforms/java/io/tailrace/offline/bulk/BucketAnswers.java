package io.tailrace.offline.bulk;

import com.google.api.client.http.HttpResponseException;
import java.nio.file.AccessDeniedException;
import java.util.Set;
import software.amazon.awssdk.core.exception.SdkServiceException;

/**
 * Reads from an exception what a bucket's service has answered. Each service's library is looked at
 * for its own addresses alone: others need not be on the class path. Stateless and thread-safe.
 */
final class BucketAnswers {
  /** Not found, took too long, too many: of another kind than a refusal. */
  private static final Set<Integer> NO_REFUSALS = Set.of(404, 408, 429);

  private BucketAnswers() {}

  /**
   * Returns whether a service answered that it does not do what it was asked for, in whatever
   * words: it did not fail, and asking again gives the same answer.
   */
  static boolean isRefusal(String uri, Throwable e) {
    for (Throwable each = e; each != null; each = each.getCause()) {
      int status =
          uri.startsWith("s3:")
              ? Amazon.status(each)
              : uri.startsWith("gs:") ? Google.status(each) : 0;
      if (status > 0) {
        return status / 100 == 4 && !NO_REFUSALS.contains(status);
      }
      if (each instanceof AccessDeniedException) {
        return true;
      }
    }
    return false;
  }

  private static final class Amazon {
    static int status(Throwable e) {
      return e instanceof SdkServiceException answer ? answer.statusCode() : 0;
    }
  }

  private static final class Google {
    static int status(Throwable e) {
      return e instanceof HttpResponseException answer ? answer.getStatusCode() : 0;
    }
  }
}
