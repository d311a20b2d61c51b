package io.tailrace.pipelines;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.beam.sdk.io.FileSystems;

/**
 * Options of clouds that Beam would look for over the network wherever they are not given: its file
 * system of S3 asks the machine's metadata service for a region whenever a pipeline is made, also
 * where nothing of it is in S3, and outside of AWS that takes seconds.
 */
public final class CloudDefaults {
  private static final String AWS_REGION = "awsRegion";

  /** A region that is never used: there is always one of this name. */
  private static final String NO_REGION = "us-east-1";

  private CloudDefaults() {}

  /**
   * Makes Beam's file systems known to a command that is no pipeline.
   *
   * @param given Beam's options that the command was given
   * @param places what it reads or writes there
   * @throws CommandException listing every option that is wrong
   */
  public static void openFileSystems(String[] given, String... places) throws CommandException {
    List<String> args = new ArrayList<>(List.of(given));
    of(places)
        .forEach(
            (name, value) -> {
              if (args.stream().noneMatch(arg -> arg.startsWith("--" + name + "="))) {
                args.add("--" + name + "=" + value);
              }
            });
    FileSystems.setDefaultPipelineOptions(BeamOptions.ofBuckets(args.toArray(String[]::new)));
  }

  /** Returns what is to be added to some arguments in this process. */
  static Map<String, String> of(String... args) {
    Map<Object, Object> process = new HashMap<>(System.getProperties());
    process.putAll(System.getenv());
    return of(args, process);
  }

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
