package io.tailrace.pipelines;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Options of clouds that Beam would look for over the network wherever they are not given: its file
 * system of S3 asks the machine's metadata service for a region whenever a pipeline is made, also
 * where nothing of it is in S3, and outside of AWS that takes seconds.
 */
final class CloudDefaults {
  private static final String AWS_REGION = "awsRegion";

  /** A region that is never used: there is always one of this name. */
  private static final String NO_REGION = "us-east-1";

  private CloudDefaults() {}

  /**
   * Returns what is to be added to some arguments, by the names of options. Where a bucket of S3 is
   * among them, its region is the user's affair, or that of the machine.
   *
   * @param given the process's environment and system properties, which may name a region
   */
  static Map<String, String> of(String[] args, Map<?, ?> given) {
    boolean isKnown =
        Stream.of(
                "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_CONFIG_FILE", "aws.region")
            .anyMatch(given::containsKey);
    boolean isUsed =
        Arrays.stream(args).anyMatch(arg -> arg.contains("s3://"))
            || String.valueOf(given.get(BulkInsertWriterOptions.UPLOAD_BUCKET)).startsWith("s3:");
    return isKnown || isUsed ? Map.of() : Map.of(AWS_REGION, NO_REGION);
  }
}
