package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.google.common.hash.Hashing;
import io.tailrace.pipelines.deploy.Deployment.Shared;
import io.tailrace.pipelines.deploy.MessageQueue.Kafka;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Everything that runs writers in a cluster: the one source of the manifests, those of the command
 * and those among the templates. The same deployment gives the same text. Stateless.
 */
final class Manifests {
  static final Map<String, String> LABELS = Map.of("app.kubernetes.io/part-of", "tailrace");

  private static final ObjectMapper YAML =
      new ObjectMapper(
          YAMLFactory.builder()
              .stringQuotingChecker(new NumbersQuoted())
              .build()
              .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
              .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
              .enable(YAMLGenerator.Feature.INDENT_ARRAYS_WITH_INDICATOR)
              .disable(YAMLGenerator.Feature.SPLIT_LINES));

  /** Where API servers are reached. */
  private static final Set<Integer> API_PORTS = Set.of(Ports.HTTPS, 6443);

  private static final int DNS_PORT = 53;

  private final Shared shared;

  Manifests(Shared shared) {
    this.shared = shared;
  }

  /** Returns what all writers share: their namespace, whom they are, and that nobody else may. */
  List<ObjectNode> shared() {
    String account = shared.account().name();
    return List.of(
        Tree.manifest(
            "v1",
            "Namespace",
            Tree.object(
                "name",
                shared.namespace(),
                "labels",
                new TreeMap<>(
                    Map.of(
                        "app.kubernetes.io/part-of", "tailrace",
                        "pod-security.kubernetes.io/enforce", "restricted"))),
            Tree.nothing()),
        Tree.manifest(
            "v1",
            "ServiceAccount",
            Tree.object(
                "name",
                account,
                "namespace",
                shared.namespace(),
                "labels",
                LABELS,
                "annotations",
                shared.account().annotations()),
            Tree.nothing()),
        Tree.manifest(
            "rbac.authorization.k8s.io/v1",
            "Role",
            metadata(account),
            Tree.object(
                "rules",
                List.of(
                    // Flink keeps in them who leads and which checkpoint is the last.
                    Tree.object(
                        "apiGroups",
                        List.of(""),
                        "resources",
                        List.of("configmaps"),
                        "verbs",
                        List.of("get", "list", "watch", "create", "update", "patch", "delete"))))),
        Tree.manifest(
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            metadata(account),
            Tree.object(
                "roleRef",
                Tree.object(
                    "apiGroup", "rbac.authorization.k8s.io", "kind", "Role", "name", account),
                "subjects",
                List.of(
                    Tree.object(
                        "kind",
                        "ServiceAccount",
                        "name",
                        account,
                        "namespace",
                        shared.namespace())))),
        Tree.manifest(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            metadata("nobody-else"),
            Tree.object(
                "spec",
                Tree.object(
                    "podSelector", Tree.nothing(), "policyTypes", List.of("Ingress", "Egress")))));
  }

  /** Returns the volume for state, if one is to be made: one that the pods of one node share. */
  List<ObjectNode> state() {
    return shared.state().size().stream()
        .map(
            size ->
                Tree.manifest(
                    "v1",
                    "PersistentVolumeClaim",
                    metadata(shared.state().claim().orElse("")),
                    Tree.object(
                        "spec",
                        Tree.object(
                            "accessModes",
                            List.of("ReadWriteOnce"),
                            "resources",
                            Tree.object(
                                "requests", Tree.object("storage", size.mebibytes() + "Mi"))))))
        .toList();
  }

  /** Returns everything. */
  List<ObjectNode> all(List<WriterDeployment> writers) {
    List<ObjectNode> all = new ArrayList<>(shared());
    all.addAll(state());
    writers.forEach(writer -> all.addAll(of(writer)));
    return all;
  }

  /** Returns what runs one writer. */
  List<ObjectNode> of(WriterDeployment writer) {
    List<ObjectNode> manifests = new ArrayList<>();
    String options = String.join("\n", writer.job().arguments()) + "\n";
    manifests.add(options(writer, options));
    manifests.add(
        new FlinkCluster(shared)
            .manifest(
                writer,
                Hashing.sha256()
                    .hashString(options, StandardCharsets.UTF_8)
                    .toString()
                    .substring(0, 16)));
    manifests.addAll(new Scaler(shared).manifests(writer));
    manifests.add(
        Tree.manifest(
            "policy/v1",
            "PodDisruptionBudget",
            metadata(writer.name()),
            Tree.object(
                "spec",
                Tree.object(
                    "maxUnavailable",
                    1,
                    "selector",
                    Tree.object("matchLabels", FlinkCluster.workerLabels(writer.name()))))));
    manifests.add(network(writer));
    return manifests;
  }

  private ObjectNode metadata(String name) {
    return Tree.object("name", name, "namespace", shared.namespace(), "labels", LABELS);
  }

  private ObjectNode options(WriterDeployment writer, String options) {
    Map<String, String> keys = new TreeMap<>();
    keys.put(FlinkCluster.OPTIONS_FILE, options);
    writer
        .job()
        .queue()
        .filter(Kafka.class::isInstance)
        .flatMap(queue -> ((Kafka) queue).login())
        .flatMap(KafkaLogin::user)
        .ifPresent(user -> keys.put(Scaler.USER_KEY, user));
    return Tree.manifest(
        "v1",
        "ConfigMap",
        metadata(FlinkCluster.options(writer.name())),
        Tree.object("data", keys));
  }

  private ObjectNode network(WriterDeployment writer) {
    ObjectNode itself =
        Tree.object("podSelector", Tree.object("matchLabels", FlinkCluster.labels(writer.name())));
    Set<Integer> outside = new TreeSet<>(writer.job().ports());
    outside.addAll(writer.pod().egressPorts());
    outside.addAll(API_PORTS);
    List<String> texts = new ArrayList<>(writer.job().arguments());
    texts.add(shared.state().directory());
    List<ObjectNode> egress = new ArrayList<>();
    egress.add(Tree.object("to", List.of(itself)));
    egress.add(Tree.object("ports", List.of(port("UDP", DNS_PORT), port("TCP", DNS_PORT))));
    egress.add(Tree.object("ports", ports("TCP", outside)));
    egress.addAll(CloudLogin.egress(texts));
    return Tree.manifest(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        metadata(writer.name()),
        Tree.object(
            "spec",
            Tree.object(
                "podSelector",
                Tree.object("matchLabels", FlinkCluster.labels(writer.name())),
                "policyTypes",
                List.of("Ingress", "Egress"),
                "ingress",
                List.of(
                    Tree.object("from", List.of(itself)),
                    // The operator of Flink asks for the job's state; Prometheus for its counters.
                    Tree.object(
                        "from",
                        List.of(
                            Tree.object(
                                "namespaceSelector",
                                Tree.nothing(),
                                "podSelector",
                                Tree.object(
                                    "matchLabels",
                                    Map.of(
                                        "app.kubernetes.io/name", "flink-kubernetes-operator")))),
                        "ports",
                        ports("TCP", Set.of(FlinkCluster.REST_PORT))),
                    Tree.object("ports", ports("TCP", Set.of(FlinkCluster.METRICS_PORT)))),
                "egress",
                egress)));
  }

  private static List<ObjectNode> ports(String protocol, Set<Integer> ports) {
    return ports.stream().sorted().map(number -> port(protocol, number)).toList();
  }

  private static ObjectNode port(String protocol, int number) {
    return Tree.object("protocol", protocol, "port", number);
  }

  /** Returns manifests as one text. */
  static String yaml(List<ObjectNode> manifests) {
    return manifests.stream()
        .map(
            manifest -> {
              try {
                return YAML.writeValueAsString(manifest);
              } catch (JsonProcessingException e) {
                throw new UncheckedIOException(e);
              }
            })
        .collect(Collectors.joining());
  }
}
