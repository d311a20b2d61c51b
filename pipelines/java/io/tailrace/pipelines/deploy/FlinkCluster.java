package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tailrace.pipelines.deploy.Deployment.Shared;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A writer's Flink cluster, as the operator of Flink starts it: one job manager that runs the
 * writer's program, and task managers whose number is the job's parallelism, at any time (reactive
 * mode). Stateless and thread-safe.
 *
 * <p>The operator rather than Deployments of our own: it stops with a savepoint, starts from where
 * the job left off, and keeps what it needs for that; a Deployment would have to be taught all of
 * it.
 */
final class FlinkCluster {
  static final String API = "flink.apache.org/v1beta1";
  static final String KIND = "FlinkDeployment";

  /** Where the web interface and the checks of the job manager are. */
  static final int REST_PORT = 8081;

  /** Where task managers answer. */
  static final int WORKER_PORT = 6122;

  static final int METRICS_PORT = 9249;

  /** The jar in the image, with everything. The operator mounts a volume of its own over usrlib. */
  static final String JAR = "local:///opt/tailrace/tailrace-bundled.jar";

  static final String PROGRAM = "io.tailrace.pipelines.Tailrace";

  /** Where the file with the writer's options is, in its pods. */
  static final String OPTIONS_DIRECTORY = "/etc/tailrace/options";

  static final String OPTIONS_FILE = "options";

  /** Where each key of the Secret is a file. */
  static final String SECRETS_DIRECTORY = "/etc/tailrace/secrets";

  /** What Beam and Flink reach into reflectively on Java 17. */
  static final List<String> OPENS =
      List.of(
          "java.base/java.lang",
          "java.base/java.lang.invoke",
          "java.base/java.lang.reflect",
          "java.base/java.io",
          "java.base/java.net",
          "java.base/java.nio",
          "java.base/sun.nio.ch",
          "java.base/java.text",
          "java.base/java.time",
          "java.base/java.util",
          "java.base/java.util.concurrent",
          "java.base/java.util.concurrent.atomic",
          "java.base/java.util.concurrent.locks");

  /** Neither root nor a user that an image of Flink does not know. */
  private static final int USER = 9999;

  /** A checkpoint and a savepoint must be done by then. */
  private static final int GRACE_SECONDS = 120;

  private final Shared shared;

  FlinkCluster(Shared shared) {
    this.shared = shared;
  }

  /** Returns the labels that the operator gives a cluster's pods. */
  static Map<String, String> labels(String name) {
    return new TreeMap<>(Map.of("app", name, "type", "flink-standalone-kubernetes"));
  }

  /** Returns the labels of a cluster's task managers. */
  static Map<String, String> workerLabels(String name) {
    Map<String, String> labels = labels(name);
    labels.put("component", "taskmanager");
    return labels;
  }

  /** Returns the name of the Deployment of task managers that the operator makes. */
  static String workers(String name) {
    return name + "-taskmanager";
  }

  /** Returns the name of the config map with a writer's options. */
  static String options(String name) {
    return name + "-options";
  }

  ObjectNode manifest(WriterDeployment writer, String optionsDigest) {
    return Tree.manifest(
        API,
        KIND,
        Tree.object(
            "name", writer.name(), "namespace", shared.namespace(), "labels", Manifests.LABELS),
        Tree.object("spec", spec(writer, optionsDigest)));
  }

  private ObjectNode spec(WriterDeployment writer, String optionsDigest) {
    Pod pod = writer.pod();
    return Tree.object(
        "image",
        pod.image(),
        "flinkVersion",
        "v1_19",
        "mode",
        "standalone",
        "serviceAccount",
        shared.account().name(),
        "flinkConfiguration",
        configuration(writer),
        "podTemplate",
        template(writer, optionsDigest),
        "jobManager",
        Tree.object(
            "replicas", 1,
            "resource", resource(writer.jobManager()),
            "podTemplate", container(probes(web("/config"), 30), Optional.of(web("/config")))),
        "taskManager",
        Tree.object(
            "replicas", writer.scaling().first(),
            "resource", resource(pod.resources()),
            "podTemplate", container(probes(socket(), 60), Optional.of(socket()))),
        "job",
        Tree.object(
            "jarURI",
            JAR,
            "entryClass",
            PROGRAM,
            "args",
            List.of("@" + OPTIONS_DIRECTORY + "/" + OPTIONS_FILE),
            "state",
            writer.job().isSuspended() ? "suspended" : "running",
            "upgradeMode",
            "savepoint"));
  }

  private static ObjectNode resource(Resources resources) {
    return Tree.object(
        "cpu",
        resources.cpuRequest().number(),
        "memory",
        resources.memory().mebibytes() + "m",
        "ephemeralStorage",
        resources.disk().mebibytes() + "Mi");
  }

  private ObjectNode configuration(WriterDeployment writer) {
    String state = shared.state().directory() + "/" + writer.name();
    Resources resources = writer.pod().resources();
    Map<String, String> settings = new TreeMap<>(ContainerMemory.of(resources.memory()).flink());
    settings.put("scheduler-mode", "reactive");
    settings.put("taskmanager.numberOfTaskSlots", String.valueOf(slots(resources)));
    // More than is asked for while nobody else needs it; memory has no such factor.
    settings.put("kubernetes.taskmanager.cpu.limit-factor", factor(resources));
    settings.put("kubernetes.jobmanager.cpu.limit-factor", factor(writer.jobManager()));
    settings.put("kubernetes.taskmanager.memory.limit-factor", "1.0");
    settings.put("kubernetes.jobmanager.memory.limit-factor", "1.0");
    settings.put("high-availability.type", "kubernetes");
    settings.put("high-availability.storageDir", state + "/ha");
    settings.put("state.backend.type", "hashmap");
    settings.put("state.checkpoints.dir", state + "/checkpoints");
    settings.put("state.savepoints.dir", state + "/savepoints");
    settings.put(
        "execution.checkpointing.interval",
        writer.scaling().checkpointInterval().toMillis() + " ms");
    settings.put(
        "execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
    // Without an end: a store that is down for a day must not end the job. A rescale counts, too.
    settings.put("restart-strategy.type", "exponential-delay");
    settings.put("restart-strategy.exponential-delay.initial-backoff", "1 s");
    settings.put("restart-strategy.exponential-delay.max-backoff", "1 min");
    // Of a job that does not run none is to be had: the operator would try for ever, and never let
    // go of what is to be deleted. Who wants one suspends the writer first.
    settings.put("kubernetes.operator.job.savepoint-on-deletion", "false");
    settings.put("kubernetes.operator.savepoint.history.max.count", "3");
    // What stores share in a process must be loaded once.
    settings.put("classloader.resolve-order", "parent-first");
    settings.put("taskmanager.rpc.port", String.valueOf(WORKER_PORT));
    settings.put(
        "metrics.reporter.prom.factory.class",
        "org.apache.flink.metrics.prometheus.PrometheusReporterFactory");
    settings.put("metrics.reporter.prom.port", String.valueOf(METRICS_PORT));
    settings.put("metrics.reporter.prom.filterLabelValueCharacters", "false");
    settings.put(
        "env.java.opts.all",
        Stream.concat(
                OPENS.stream().map(it -> "--add-opens=" + it + "=ALL-UNNAMED"),
                ContainerMemory.FLAGS.stream())
            .collect(Collectors.joining(" ")));
    ObjectNode sorted = Tree.nothing();
    settings.forEach(sorted::put);
    return sorted;
  }

  /** A thread that reads for each processor that may be used. */
  private static int slots(Resources resources) {
    return Math.max(1, (int) Math.floor(resources.cpuLimit().number()));
  }

  private static String factor(Resources resources) {
    double factor = resources.cpuLimit().number() / resources.cpuRequest().number();
    return String.valueOf(Math.round(factor * 1_000) / 1_000.0);
  }

  private ObjectNode template(WriterDeployment writer, String optionsDigest) {
    Map<String, String> environment = new TreeMap<>(writer.pod().environment());
    // An arena of glibc for each thread would be memory that nobody counts.
    environment.putIfAbsent("MALLOC_ARENA_MAX", "2");
    List<JsonNode> volumes = new ArrayList<>();
    List<JsonNode> mounts = new ArrayList<>();
    String disk = writer.pod().resources().disk().mebibytes() + "Mi";
    for (Map.Entry<String, String> each :
        new TreeMap<>(Map.of("tmp", "/tmp", "log", "/opt/flink/log")).entrySet()) {
      volumes.add(Tree.object("name", each.getKey(), "emptyDir", Tree.object("sizeLimit", disk)));
      mounts.add(Tree.object("name", each.getKey(), "mountPath", each.getValue()));
    }
    volumes.add(
        Tree.object("name", "options", "configMap", Tree.object("name", options(writer.name()))));
    mounts.add(Tree.object("name", "options", "mountPath", OPTIONS_DIRECTORY, "readOnly", true));
    shared
        .secret()
        .ifPresent(
            secret -> {
              volumes.add(
                  Tree.object("name", "secrets", "secret", Tree.object("secretName", secret)));
              mounts.add(
                  Tree.object("name", "secrets", "mountPath", SECRETS_DIRECTORY, "readOnly", true));
            });
    shared
        .state()
        .claim()
        .ifPresent(
            claim -> {
              volumes.add(
                  Tree.object(
                      "name", "state", "persistentVolumeClaim", Tree.object("claimName", claim)));
              mounts.add(Tree.object("name", "state", "mountPath", shared.state().path()));
            });
    ObjectNode main =
        Tree.object(
            "name",
            "flink-main-container",
            "env",
            environment.entrySet().stream()
                .map(each -> Tree.object("name", each.getKey(), "value", each.getValue()))
                .toList(),
            "envFrom",
            shared.secret().stream()
                .map(secret -> Tree.object("secretRef", Tree.object("name", secret)))
                .toList(),
            "ports",
            List.of(Tree.object("name", "metrics", "containerPort", METRICS_PORT)),
            "securityContext",
            Tree.object(
                "allowPrivilegeEscalation", false,
                "readOnlyRootFilesystem", true,
                "capabilities", Tree.object("drop", List.of("ALL"))),
            "volumeMounts",
            mounts);
    return Tree.object(
        "metadata",
        Tree.object(
            "labels",
            Manifests.LABELS,
            "annotations",
            new TreeMap<>(
                Map.of(
                    // Other options are another pod: the operator stops the job with a savepoint.
                    "tailrace.io/options",
                    optionsDigest,
                    "prometheus.io/scrape",
                    "true",
                    "prometheus.io/port",
                    String.valueOf(METRICS_PORT)))),
        "spec",
        Tree.object(
            "nodeSelector",
            writer.pod().nodes(),
            "terminationGracePeriodSeconds",
            GRACE_SECONDS,
            "securityContext",
            Tree.object(
                "runAsNonRoot", true,
                "runAsUser", USER,
                "runAsGroup", USER,
                "fsGroup", USER,
                "seccompProfile", Tree.object("type", "RuntimeDefault")),
            "containers",
            List.of(main),
            "volumes",
            volumes));
  }

  private static ObjectNode container(ObjectNode liveness, Optional<ObjectNode> ready) {
    return Tree.object(
        "spec",
        Tree.object(
            "containers",
            List.of(
                Tree.object(
                    "name",
                    "flink-main-container",
                    "startupProbe",
                    ready.map(
                        it -> it.deepCopy().put("periodSeconds", 5).put("failureThreshold", 60)),
                    "readinessProbe",
                    ready.map(it -> it.deepCopy().put("periodSeconds", 10)),
                    "livenessProbe",
                    liveness))));
  }

  private static ObjectNode probes(ObjectNode probe, int seconds) {
    return probe
        .deepCopy()
        .put("periodSeconds", seconds)
        .put("timeoutSeconds", 10)
        .put("failureThreshold", 5);
  }

  private static ObjectNode web(String path) {
    return Tree.object("httpGet", Tree.object("path", path, "port", REST_PORT));
  }

  private static ObjectNode socket() {
    return Tree.object("tcpSocket", Tree.object("port", WORKER_PORT));
  }
}
