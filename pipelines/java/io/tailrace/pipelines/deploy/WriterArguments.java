package io.tailrace.pipelines.deploy;

import io.tailrace.bus.Buses;
import io.tailrace.endpoint.Endpoint;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Kinds;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.Writers;
import io.tailrace.pipelines.deploy.Deployment.Shared;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What a writer is started with, as a file says it. Stateless. */
final class WriterArguments {
  /** Options that follow from what else the file says. */
  private static final Map<String, String> RESERVED =
      Map.of(
          "runner", "a writer on Kubernetes runs on Flink",
          "flinkMaster", "each writer has a cluster of its own",
          "attachedMode", "each writer has a cluster of its own",
          "parallelism", "it follows the number of replicas; write replicas",
          "jobName", "it is the name of the deployment; write name",
          "checkpointingInterval", "scaling has to know it; write checkpointInterval: 10s",
          "savepointPath", "the operator of Flink knows where the job left off",
          "filesToStage", "the image has all of them");

  private static final Pattern OPTION = Pattern.compile("^--(\\w+)(?:: | |=)(.*)$", Pattern.DOTALL);
  private static final Pattern NAMED = Pattern.compile("named '(\\w+)'");
  private static final Pattern VARIABLE = Pattern.compile("[?&][^=&]*=env:([A-Za-z0-9_]+)");

  private static final Pattern FILE = Pattern.compile("[?&]([^=&]*)=((?:file:|/)[^&]+)");

  /** Of files that are no secrets, such as settings, some may be in the image. */
  private static final Pattern SECRET = Pattern.compile("(?i).*(password|secret|token|key)");

  private static final Pattern THIS_MACHINE =
      Pattern.compile("(?i)localhost|127\\.\\d+\\.\\d+\\.\\d+|\\[?::1\\]?");

  private final Section section;
  private final Writer<?> writer;
  private final String name;
  private final Pod pod;

  WriterArguments(Section section, Writer<?> writer, String name, Pod pod) {
    this.section = section;
    this.writer = writer;
    this.name = name;
    this.pod = pod;
  }

  /** Returns the options that name a bus that a writer publishes to for another one. */
  static List<String> publishesTo(Writer<?> writer) {
    return writer.endpoints().entrySet().stream()
        .filter(each -> each.getValue() == Buses.KINDS)
        .map(Map.Entry::getKey)
        .filter(option -> !option.equals(writer.reads()) && !option.equals("deadLetterBus"))
        .toList();
  }

  /** Returns a writer's options: its own, and of those of all writers what it takes. */
  Map<String, String> options(
      Map<String, String> common, Map<String, String> own, Optional<String> group) {
    Map<String, String> options = new LinkedHashMap<>();
    common.forEach(
        (option, value) -> {
          boolean isOfWriters = Writers.ALL.stream().anyMatch(it -> it.takes(option));
          if (writer.takes(option) || !isOfWriters) {
            options.put(option, value);
          }
        });
    options.putAll(own);
    RESERVED.forEach(
        (option, why) -> {
          if (options.remove(option) != null) {
            section.problem("options." + option, "is not for a file: " + why);
          }
        });
    group.ifPresent(it -> options.computeIfPresent(writer.reads(), (bus, uri) -> in(uri, it)));
    return options;
  }

  private String in(String uri, String group) {
    if (!uri.startsWith("kafka://")) {
      section.problem(
          "consumerGroup", "is for Kafka: a subscription of Pub/Sub is a group of its own");
      return uri;
    }
    if (EndpointUri.parse(uri).take("group").isPresent()) {
      section.problem("consumerGroup", "is in the URI, too, as group: leave one of them out");
      return uri;
    }
    return uri + (uri.contains("?") ? "&" : "?") + "group=" + group;
  }

  /** Returns what the writer is started with. */
  List<String> of(Map<String, String> options, Scaling scaling) {
    return Stream.concat(
            Stream.of(
                writer.name(),
                "--runner=FlinkRunner",
                "--attachedMode=false",
                "--jobName=" + name,
                "--checkpointingInterval=" + scaling.checkpointInterval().toMillis()),
            options.entrySet().stream().map(each -> "--" + each.getKey() + "=" + each.getValue()))
        .toList();
  }

  /**
   * Says everything that is wrong with the options; returns whether all is right.
   *
   * @param own those that are this writer's alone, and not of all in the file
   */
  boolean check(Map<String, String> options, Set<String> own, Scaling scaling, Shared shared) {
    Map<String, String> rest = new LinkedHashMap<>(options);
    Set<String> wrong = new HashSet<>();
    boolean isNew = true;
    // One that is unknown, or of another type, keeps the others from being looked at.
    while (isNew) {
      int before = rest.size();
      for (String problem : problems(rest, scaling)) {
        String option = option(problem);
        if (!wrong.contains(option) || option.isEmpty()) {
          say(option, own.contains(option) || !options.containsKey(option), problem);
        }
        wrong.add(option);
      }
      rest.keySet().removeAll(wrong);
      isNew = rest.size() < before;
    }
    options.forEach(
        (option, value) -> {
          checkSecrets(option, value, shared);
          checkFiles(option, value, shared);
        });
    named(options).forEach(this::checkAddresses);
    Map<String, Kinds<?>> endpoints = writer.endpoints();
    rest.forEach(
        (option, uri) -> {
          Kinds<?> kinds = endpoints.get(option);
          if (kinds != null) {
            checkPlace(option, kinds, uri);
          }
        });
    return wrong.isEmpty();
  }

  private List<String> problems(Map<String, String> options, Scaling scaling) {
    return writer.problems(
        Stream.concat(
                of(options, scaling).stream().skip(1),
                // What is of this machine is not of the pods.
                Stream.of("--flinkMaster=" + name + ":8081"))
            .toArray(String[]::new));
  }

  private static String option(String problem) {
    Matcher option = OPTION.matcher(problem);
    Matcher named = NAMED.matcher(problem);
    return option.matches() ? option.group(1) : named.find() ? named.group(1) : "";
  }

  private void say(String option, boolean isOwn, String problem) {
    Matcher named = OPTION.matcher(problem);
    String sentence = named.matches() ? named.group(2) : problem;
    if (isOwn) {
      section.problem(option.isEmpty() ? "options" : "options." + option, sentence);
    } else {
      section.problemOfFile("options." + option, sentence);
    }
  }

  private void checkSecrets(String option, String value, Shared shared) {
    Matcher variable = VARIABLE.matcher(value);
    while (variable.find()) {
      if (pod.environment().containsKey(variable.group(1))) {
        section.problem(
            "environment." + variable.group(1),
            "is a secret that options."
                + option
                + " names: it belongs into a Secret, which 'secret' names, and not into this file");
      } else if (shared.secret().isEmpty()) {
        section.problem(
            "options." + option,
            "names the variable "
                + variable.group(1)
                + ", which nothing sets: name the Secret that has it, beside 'writers', as secret:"
                + " tailrace-secrets");
      }
    }
  }

  /** A secret that a URI names as a file must be a key of the Secret, which is put there. */
  private void checkFiles(String option, String value, Shared shared) {
    Matcher file = FILE.matcher(value);
    while (file.find()) {
      String path = file.group(2).replaceFirst("^file:", "");
      boolean isThere = path.startsWith(FlinkCluster.SECRETS_DIRECTORY + "/");
      if (isThere && shared.secret().isEmpty()) {
        section.problem(
            "options." + option,
            "names "
                + file.group(2)
                + ", which nothing puts there: name the Secret that has it, beside 'writers', as"
                + " secret: tailrace-secrets");
      } else if (!isThere
          && !path.equals(file.group(2))
          && SECRET.matcher(file.group(1)).matches()) {
        section.problem(
            "options." + option,
            "names "
                + file.group(2)
                + " as "
                + file.group(1)
                + ", and no secret belongs into an image: make it a key of the Secret and write"
                + " file:"
                + FlinkCluster.SECRETS_DIRECTORY
                + "/KEY");
      }
    }
  }

  private void checkPlace(String option, Kinds<?> kinds, String uri) {
    Endpoint endpoint = kinds.at(uri);
    EndpointUri parsed = EndpointUri.parse(uri);
    if (endpoint.isForOneProcess()) {
      section.problem(
          "options." + option,
          endpoint.uri()
              + " is a file, which one process alone can have open and which vanishes with its pod:"
              + " use a server, such as postgresql://host/database");
    } else if (parsed.hosts(1).stream()
        .anyMatch(host -> THIS_MACHINE.matcher(host.name()).matches())) {
      section.problem(
          "options." + option,
          endpoint.uri()
              + " is this machine, and in a pod it would be the pod: write the name of a service or"
              + " a host");
    }
  }

  /** An address behind a URI is as far away as its host. */
  private void checkAddresses(String key, String value) {
    Ports.addresses(value).stream()
        .filter(host -> host.port() < 1 || host.port() > Ports.LAST)
        .findFirst()
        .ifPresent(
            host -> section.problem(key, "names " + host + ": ports are from 1 to " + Ports.LAST));
    Ports.addresses(value).stream()
        .filter(host -> THIS_MACHINE.matcher(host.name()).matches())
        .findFirst()
        .ifPresent(
            host ->
                section.problem(
                    key,
                    "names "
                        + host
                        + ", which is this machine, and in a pod it would be the pod: write the"
                        + " name of a service or a host"));
  }

  /** Returns all that may name an address, by its key in the file. */
  private Map<String, String> named(Map<String, String> options) {
    Map<String, String> named = new LinkedHashMap<>();
    options.forEach((option, value) -> named.put("options." + option, value));
    pod.environment()
        .forEach(
            (variable, value) ->
                named.put(
                    "environment." + variable,
                    variable.equals("PUBSUB_EMULATOR_HOST") ? "?emulator=" + value : value));
    return named;
  }

  /** Returns the ports that the writer connects to. */
  Set<Integer> ports(Map<String, String> options) {
    Set<Integer> ports = new TreeSet<>();
    for (String option : writer.endpoints().keySet()) {
      String uri = options.get(option);
      if (uri != null) {
        ports.addAll(Ports.of(uri));
      }
    }
    named(options).values().stream()
        .flatMap(value -> Ports.addresses(value).stream())
        .forEach(host -> ports.add(host.port()));
    return ports;
  }
}
