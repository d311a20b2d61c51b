package io.tailrace.pipelines.deploy;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.flink.kubernetes.operator.api.FlinkDeployment;
import org.junit.AfterClass;
import org.junit.Assume;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/**
 * A real API server takes what the command makes. It runs where {@code KUBE_APISERVER_HOME} names a
 * directory whose {@code run-api-server DIRECTORY PORT} starts one; with KEDA's kinds, where {@code
 * KEDA_SCHEMAS} names their definitions.
 */
public class ApiServerTest {
  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();

  private static final List<Long> processes = new ArrayList<>();
  private static String kubeconfig = "";
  private static boolean hasKeda;

  @BeforeClass
  public static void startAServerWithTheKinds() throws Exception {
    String home = System.getenv("KUBE_APISERVER_HOME");
    if (home == null) {
      System.err.println("skipped: KUBE_APISERVER_HOME names no directory with an API server");
    }
    Assume.assumeTrue("KUBE_APISERVER_HOME is not set", home != null);
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    Path directory = folder.getRoot().toPath();
    Process start =
        new ProcessBuilder(home + "/run-api-server", directory.toString(), String.valueOf(port))
            .redirectError(directory.resolve("start.log").toFile())
            .redirectOutput(directory.resolve("start.out").toFile())
            .start();
    boolean hasStarted = start.waitFor(2, TimeUnit.MINUTES) && start.exitValue() == 0;
    for (String line : Files.readAllLines(directory.resolve("pids"))) {
      processes.add(Long.valueOf(line.strip()));
    }
    assertThat(hasStarted).isTrue();
    kubeconfig = directory.resolve("kubeconfig").toString();
    Path definition = directory.resolve("flink.yaml");
    try (InputStream in =
        FlinkDeployment.class.getResourceAsStream(
            "/META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml")) {
      Files.copy(in, definition);
    }
    kubectl("create", "--validate=false", "-f", definition.toString());
    String keda = System.getenv("KEDA_SCHEMAS");
    hasKeda = keda != null;
    if (hasKeda) {
      for (String kind : List.of("scaledobjects", "triggerauthentications")) {
        kubectl("create", "--validate=false", "-f", keda + "/keda.sh_" + kind + ".yaml");
      }
    }
    kubectl("wait", "--for=condition=established", "--all", "crd", "--timeout=30s");
    kubectl("create", "namespace", Deployment.NAMESPACE);
  }

  @AfterClass
  public static void stopIt() {
    processes.forEach(id -> ProcessHandle.of(id).ifPresent(ProcessHandle::destroyForcibly));
  }

  @Test
  public void everyOverlayIsTaken() throws Exception {
    for (String overlay : KubernetesTemplates.OVERLAYS) {
      List<JsonNode> manifests = known(KubernetesTemplates.kustomized(overlay));

      assertThat(apply(manifests).lines().filter(line -> line.contains("(server dry run)")).count())
          .isEqualTo(manifests.size());
    }
  }

  @Test
  public void aBrokenOneIsRefused() throws Exception {
    for (String[] broken :
        new String[][] {
          {"FlinkDeployment", "/spec/taskManager", "replicas", "two"},
          {"FlinkDeployment", "/spec", "flinkVersion", "v9_9"},
          {"NetworkPolicy", "/spec/egress/1/ports/0", "protocol", "SMTP"},
          {"ConfigMap", "/metadata", "name", "Not_A_Name"}
        }) {
      List<JsonNode> manifests = new ArrayList<>();
      for (JsonNode manifest : known(KubernetesTemplates.kustomized("aws"))) {
        if (manifest.path("kind").asText().equals(broken[0])
            && manifest.at(broken[1]) instanceof ObjectNode place) {
          place.put(broken[2], broken[3]);
          manifests.add(manifest);
        }
      }

      assertThat(assertThrows(IOException.class, () -> apply(manifests)))
          .hasMessageThat()
          .contains("nvalid");
    }
  }

  @Test
  public void whatWasAppliedDiffersInNothingAndThenInWhatWasChanged() throws Exception {
    Deployment deployment = KubernetesTemplates.deployment("minimal");
    List<ObjectNode> manifests =
        new ArrayList<>(new Manifests(deployment.shared()).all(deployment.writers()));
    manifests.removeIf(manifest -> manifest.path("kind").asText().equals("PodDisruptionBudget"));
    Path file = folder.newFile("all.yaml").toPath();
    Files.writeString(file, Manifests.yaml(manifests));
    kubectl("apply", "-f", file.toString());
    try (KubernetesClient client =
        new KubernetesClientBuilder()
            .withConfig(Config.fromKubeconfig(Files.readString(Path.of(kubeconfig))))
            .build()) {
      ClusterDifference difference = new ClusterDifference(client, deployment.shared().namespace());
      assertThat(difference.of(manifests)).isEmpty();

      kubectl(
          "-n",
          Deployment.NAMESPACE,
          "patch",
          "flinkdeployment",
          "online-writer",
          "--type=merge",
          "-p",
          "{\"spec\":{\"image\":\"other:2\"}}");
      kubectl("-n", Deployment.NAMESPACE, "delete", "networkpolicy", "metrics-writer");
      assertThat(difference.of(manifests))
          .containsExactly(
              "FlinkDeployment/online-writer: spec.image is other:2, and would be tailrace:0.1.0",
              "NetworkPolicy/metrics-writer is not there, and would be made");
    }
  }

  /** Leaves out what this server is too old for, and what it was not told of. */
  private static List<JsonNode> known(List<JsonNode> manifests) {
    return manifests.stream()
        .filter(it -> !it.path("apiVersion").asText().equals("policy/v1"))
        .filter(it -> hasKeda || !it.path("apiVersion").asText().startsWith("keda.sh/"))
        .toList();
  }

  private static String apply(List<JsonNode> manifests) throws Exception {
    Path file = folder.newFile().toPath();
    Files.writeString(
        file, Manifests.yaml(manifests.stream().map(manifest -> (ObjectNode) manifest).toList()));
    return kubectl("apply", "--dry-run=server", "-f", file.toString());
  }

  private static String kubectl(String... args) throws Exception {
    List<String> all = new ArrayList<>(List.of("--kubeconfig", kubeconfig));
    all.addAll(List.of(args));
    return KubernetesTemplates.kubectl(all.toArray(String[]::new));
  }
}
