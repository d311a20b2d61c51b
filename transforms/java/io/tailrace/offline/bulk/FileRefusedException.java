package io.tailrace.offline.bulk;

import io.tailrace.endpoint.UnavailableException;

/**
 * A bucket answers, and does not give a file as it is: it is archived, encrypted with another's
 * key, or another's. Whether it gives others says whose fault that is: see {@link RefusedFiles}.
 */
final class FileRefusedException extends UnavailableException {
  private static final long serialVersionUID = 1;

  FileRefusedException(String message, Throwable cause) {
    super(message, cause);
  }
}
