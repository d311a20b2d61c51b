package io.tailrace.pipelines;

import io.tailrace.endpoint.Secrets;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.beam.sdk.options.PipelineOptions;

/**
 * Looks for what can't be on Dataflow, before a job is submitted: there a writer runs on machines
 * that know nothing of the one that starts it. Stateless and thread-safe.
 */
final class DataflowCheck {
  /** Where Beam keeps what a job is made of; without any it makes a bucket of its own. */
  private static final List<String> BUCKETS =
      List.of("tempLocation", "gcpTempLocation", "stagingLocation");

  private static final Pattern BUCKET = Pattern.compile("gs://[a-z0-9][a-z0-9._-]+(/.*)?");

  /** A host, as URIs have it; as the value of a parameter only with its port. */
  private static final Pattern LOOPBACK =
      Pattern.compile(
          "(?<=//|,|@)(?:HOST)(?=[:/,?]|$)|(?<==)(?:HOST)(?=:\\d)"
              .replace("HOST", Workers.LOOPBACK),
          Pattern.CASE_INSENSITIVE);

  /** The name of a secret that a machine has: that of a variable, or of a file. */
  private static final Pattern OF_A_MACHINE = Pattern.compile("(?<==)(?:env|file):[^&]+");

  private static final String AT_LEAST_ONCE = "streaming_mode_at_least_once";

  private static final Set<String> MACHINE_PLACES = Set.of("env", "file");

  private DataflowCheck() {}

  /** Looks at all options of a writer, where it is to run on Dataflow. */
  static void look(Writer<?> writer, PipelineOptions options, OptionCheck check) {
    if (!Workers.areOfDataflow(options.getRunner())) {
      return;
    }
    checkJob(options, check);
    for (String option : List.of("dataflowServiceOptions", "experiments")) {
      if (writer.isAlone() && Workers.given(options, option).contains(AT_LEAST_ONCE)) {
        check.problem(
            "--"
                + option
                + "="
                + AT_LEAST_ONCE
                + ": Dataflow would then give it some messages twice, and the "
                + writer.name()
                + " counts each. Leave it out");
      }
    }
    for (String endpoint : check.endpoints().keySet()) {
      checkEndpoint(endpoint, options, check);
    }
  }

  private static void checkJob(PipelineOptions options, OptionCheck check) {
    for (String each : BUCKETS) {
      String place = Workers.given(options, each);
      if (!place.isEmpty() && !BUCKET.matcher(place).matches()) {
        check.problem(
            "--"
                + each
                + "="
                + place
                + " is no bucket, where Dataflow keeps the files of a job: gs://my-bucket/tmp");
      }
    }
    if (!Workers.given(options, "templateLocation").isEmpty()) {
      // The launcher of a template knows these, and what it does not say has a default there.
      return;
    }
    if (Workers.given(options, "project").isEmpty()) {
      check.problem(
          "--project is missing: name the project of Google Cloud in which the job runs, as in"
              + " --project=my-project");
    }
    if (Workers.given(options, "region").isEmpty()) {
      check.problem("--region is missing: say where the job runs, as in --region=europe-west1");
    }
    if (BUCKETS.stream().allMatch(each -> Workers.given(options, each).isEmpty())) {
      check.problem(
          "--tempLocation is missing: name a bucket for the job's files, as in"
              + " --tempLocation=gs://my-bucket/tmp");
    }
  }

  private static void checkEndpoint(String option, PipelineOptions options, OptionCheck check) {
    String uri = Workers.given(options, option);
    Matcher loopback = LOOPBACK.matcher(uri);
    if (loopback.find()) {
      check.problem(
          "--"
              + option
              + ": "
              + loopback.group()
              + " is the machine that starts the job, and Dataflow runs the writer on others: name"
              + " a host that those reach, in the network of --subnetwork");
    }
    Set<String> places = new TreeSet<>();
    Matcher place = OF_A_MACHINE.matcher(uri);
    while (place.find()) {
      places.add(place.group());
    }
    if (!places.isEmpty() && Workers.given(options, "sdkContainerImage").isEmpty()) {
      check.problem(
          "--"
              + option
              + ": "
              + String.join(" and ", places)
              + " would be of Dataflow's workers, which have what is in their image alone: "
              + elsewhere()
              + "name an image that has it with --sdkContainerImage");
    }
  }

  /** Shows where else a secret may be. */
  private static String elsewhere() {
    return Secrets.ALL.stream()
        .filter(each -> !MACHINE_PLACES.contains(each.scheme()))
        .map(each -> "use " + each.example() + ", or ")
        .collect(Collectors.joining());
  }
}
