package io.tailrace.offline.bulk;

import io.tailrace.endpoint.UnavailableException;
import java.io.IOException;

/** A file could not be copied, as it is no more what it was; others of its bucket may be. */
final class FileChangedException extends UnavailableException {
  private static final long serialVersionUID = 1;

  FileChangedException(String message, IOException cause) {
    super(message, cause);
  }
}
