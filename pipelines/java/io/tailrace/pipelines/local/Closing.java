package io.tailrace.pipelines.local;

import java.util.List;

/** Ends what was started together. */
public final class Closing {
  private Closing() {}

  /** Closes in the given order, each one whatever happened to the others. */
  public static void all(List<AutoCloseable> servers) {
    RuntimeException failure = null;
    for (AutoCloseable server : servers) {
      try {
        server.close();
      } catch (Exception e) {
        if (failure == null) {
          failure = new IllegalStateException("The local stack does not end cleanly", e);
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
