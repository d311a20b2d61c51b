package io.tailrace.pipelines.deploy;

import io.tailrace.pipelines.Nearest;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.Writers;
import io.tailrace.pipelines.deploy.Deployment.Shared;
import io.tailrace.pipelines.deploy.MessageQueue.Kafka;
import io.tailrace.pipelines.deploy.WriterDeployment.Job;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** Finds out what a file says of each writer. Not thread-safe. */
final class WriterSections {
  /**
   * What holds for all writers that say nothing else.
   *
   * @param options those that a writer does not take are not given to it
   */
  record Common(
      Optional<String> image,
      Sizes sizes,
      Map<String, String> options,
      Map<String, String> environment,
      boolean isSuspended) {}

  /** What the processes of a writer get, as a file says it: task managers, and the job manager. */
  record Sizes(Optional<Section> resources, Optional<Section> jobManager) {
    static Sizes of(Section section) {
      return new Sizes(section.section("resources"), section.section("jobManager"));
    }
  }

  /** Flink's operator makes names of services of it, which may have 63 letters. */
  private static final int LONGEST_NAME = 45;

  private static final String WITHOUT_OURS =
      " make a TriggerAuthentication that says all of it, tls and sasl too, and name it beside"
          + " 'writers', as triggerAuthentication: NAME, or write as many replicas for minimum as"
          + " for maximum";

  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

  /** Half a processor, and what a small backlog of large messages needs. */
  private static final Resources RESOURCES =
      new Resources(
          Quantity.processors("500m"),
          Quantity.processors("1"),
          Quantity.bytes("1536Mi"),
          Quantity.bytes("1Gi"));

  /** The job manager works when the job starts, and at checkpoints. */
  private static final Resources JOB_MANAGER =
      new Resources(
          Quantity.processors("250m"),
          Quantity.processors("1"),
          Quantity.bytes("1Gi"),
          Quantity.bytes("1Gi"));

  /** What Flink takes beside the heap, 576 MB, and a heap for the program and a few checkpoints. */
  private static final Quantity LEAST_JOB_MANAGER = Quantity.bytes("768Mi");

  private final Shared shared;
  private final Common common;
  private final Problems problems;
  private final List<String> notes;
  private final Resources resources;
  private final Resources jobManager;

  WriterSections(Shared shared, Common common, Problems problems, List<String> notes) {
    this.shared = shared;
    this.common = common;
    this.problems = problems;
    this.notes = notes;
    resources = parsed(common.sizes().resources(), RESOURCES, ContainerMemory.LEAST);
    jobManager = parsed(common.sizes().jobManager(), JOB_MANAGER, LEAST_JOB_MANAGER);
  }

  private static Resources parsed(Optional<Section> said, Resources fallback, Quantity least) {
    return said.map(it -> Resources.parse(it, fallback, least)).orElse(fallback);
  }

  List<WriterDeployment> parse(List<Section> sections) {
    List<WriterDeployment> writers = new ArrayList<>();
    for (Section section : sections) {
      parse(section).ifPresent(writers::add);
    }
    checkTogether(writers);
    return writers;
  }

  private Optional<WriterDeployment> parse(Section section) {
    Optional<String> name = DeploymentFile.name(section, "name");
    name.filter(it -> it.length() > LONGEST_NAME)
        .ifPresent(it -> section.problem("name", "is longer than " + LONGEST_NAME + " letters"));
    Optional<Writer<?>> writer = writer(section, name);
    Optional<String> image = section.text("image").or(common::image);
    if (image.isEmpty()) {
      section.problem(
          "image", "is missing: name it here, or once for all writers, beside 'writers'");
    }
    Scaling scaling = Scaling.parse(section);
    Sizes sizes = Sizes.of(section);
    Resources own = parsed(sizes.resources(), resources, ContainerMemory.LEAST);
    Map<String, String> environment = new LinkedHashMap<>(common.environment());
    environment.putAll(section.texts("environment"));
    for (String variable : environment.keySet()) {
      if (!VARIABLE.matcher(variable).matches()) {
        section.problem(
            "environment." + variable, "is no name of a variable: letters, digits and '_'");
      }
    }
    Pod pod =
        new Pod(
            image.orElse(""),
            own,
            section.texts("nodeSelector"),
            environment,
            section.numbers("egressPorts", 1, 65_535));
    Map<String, String> given = section.texts("options");
    Optional<String> group = section.text("consumerGroup");
    boolean isSuspended = section.flag("suspended").orElse(common.isSuspended());
    section.finish();
    if (writer.isEmpty()) {
      return Optional.empty();
    }
    WriterArguments arguments =
        new WriterArguments(section, writer.get(), name.orElse(writer.get().name()), pod);
    Map<String, String> options = arguments.options(common.options(), given, group);
    if (!arguments.check(options, given.keySet(), scaling, shared)) {
      return Optional.empty();
    }
    String bus = options.getOrDefault(writer.get().reads(), "");
    Optional<MessageQueue> queue = MessageQueue.of(bus, writer.get().name(), environment);
    if (scaling.isScaled()) {
      queue.ifPresent(it -> checkScaler(section, "options." + writer.get().reads(), it));
    }
    return Optional.of(
        new WriterDeployment(
            name.orElse(writer.get().name()),
            new Job(
                writer.get(),
                arguments.of(options, scaling),
                queue,
                arguments.ports(options),
                isSuspended),
            scaling,
            pod,
            parsed(sizes.jobManager(), jobManager, LEAST_JOB_MANAGER)));
  }

  /** Sees to it that KEDA can look at the queue. */
  private void checkScaler(Section section, String option, MessageQueue queue) {
    if (queue instanceof Kafka kafka && kafka.login().isPresent()) {
      KafkaLogin login = kafka.login().get();
      if (login.needsRegion()) {
        section.problem(
            option,
            "does not say in which region of Amazon its hosts are, which a scaler must know: write"
                + " AWS_REGION into environment");
      }
      if (shared.authentication().isEmpty()) {
        login.obstacles().forEach(it -> section.problem(option, it + WITHOUT_OURS));
      }
    }
  }

  private static Optional<Writer<?>> writer(Section section, Optional<String> name) {
    List<String> known = Writers.ALL.stream().map(Writer::name).toList();
    String key = section.has("writer") ? "writer" : "name";
    Optional<String> wanted = section.text("writer").or(() -> name);
    if (wanted.isEmpty()) {
      if (!section.has("name") && !section.has("writer")) {
        section.problem("name", "is missing: one of " + String.join(", ", known));
      }
      return Optional.empty();
    }
    Optional<Writer<?>> writer =
        Writers.ALL.stream().filter(it -> it.name().equals(wanted.get())).findFirst();
    if (writer.isEmpty()) {
      section.problem(
          key,
          "'"
              + wanted.get()
              + "' is no writer"
              + Nearest.question(wanted.get(), known)
              + " A deployment with a name of its own says which one it is in 'writer': "
              + String.join(", ", known));
    }
    return writer;
  }

  /** Looks at what only all of them together show. */
  private void checkTogether(List<WriterDeployment> writers) {
    Set<String> read = new TreeSet<>();
    Map<MessageQueue, String> queues = new HashMap<>();
    Map<String, Integer> names = new HashMap<>();
    for (WriterDeployment writer : writers) {
      read.add(writer.job().writer().reads());
      if (names.merge(writer.name(), 1, Integer::sum) == 2) {
        problems.add("writers", "two are called '" + writer.name() + "': give each its 'name'");
      }
      writer
          .job()
          .queue()
          .ifPresent(
              queue -> {
                String other = queues.put(queue, writer.name());
                if (other != null) {
                  problems.add(
                      "writers",
                      other
                          + " and "
                          + writer.name()
                          + " would read as one group, and each get a part of the messages: give"
                          + " one of them a consumerGroup, or a subscription, of its own");
                }
              });
    }
    for (WriterDeployment writer : writers) {
      for (String bus : WriterArguments.publishesTo(writer.job().writer())) {
        if (!read.contains(bus)) {
          notes.add(
              writer.name()
                  + " publishes to --"
                  + bus
                  + ", which no writer of this file reads: what it publishes waits there");
        }
      }
    }
  }
}
