package io.tailrace.offline.staging;

import java.util.Optional;

/** Maps addresses to stages: the one place that knows which of them are buckets. */
public final class Stages {
  /** Correct addresses, for people. */
  public static final String EXAMPLES =
      "s3://bucket/folder, gs://bucket/folder, file:///data/stage";

  private Stages() {}

  /**
   * Returns the stage at an address.
   *
   * @param access how it is reached if it is on S3
   * @param form how the store wants its files
   * @throws IllegalArgumentException with one sentence that shows correct addresses
   */
  public static Stage at(String uri, BucketAccess access, StagedForm form) {
    if (uri.startsWith("file:")) {
      return new DirectoryStage(uri, form);
    }
    return new BucketStage(uri, access, form);
  }

  /** Returns why an address is none of a stage; empty: it is one. */
  public static Optional<String> whyNot(String uri) {
    try {
      Stage unused = at(uri, BucketAccess.DEFAULT, StagedForm.CANONICAL);
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }
}
