package io.tailrace.pipelines.deploy;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.tailrace.pipelines.CommandException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import picocli.CommandLine;

/** What differs between a file and what runs, asked of a fake API server. */
public class DiffCommandTest {
  private static final String PAUSED = "autoscaling.keda.sh/paused";

  private final StringWriter out = new StringWriter();
  private FakeApiServer server;
  private List<ObjectNode> manifests;

  @Before
  public void startAServerWithEverything() throws Exception {
    server = new FakeApiServer();
    Deployment deployment = KubernetesTemplates.deployment("aws");
    manifests = new Manifests(deployment.shared()).all(deployment.writers());
    server.putAll(manifests);
  }

  @After
  public void stopIt() {
    server.close();
  }

  @Test
  public void whatAClusterAddsByItselfIsNoDifference() throws Exception {
    assertThat(run(server.url())).isEqualTo(0);
    assertThat(out.toString()).isEmpty();
  }

  @Test
  public void eachDifferenceIsALine() throws Exception {
    ObjectNode cluster = manifest("FlinkDeployment", "online-writer");
    ObjectNode changed = cluster.deepCopy();
    ((ObjectNode) changed.path("spec")).put("image", "other:2");
    ((ObjectNode) changed.at("/spec/jobManager/resource")).remove("memory");
    // The same amount, in another way of writing.
    ((ObjectNode) changed.at("/spec/taskManager/resource")).put("ephemeralStorage", "1Gi");
    server.put(changed);
    server.remove(manifest("NetworkPolicy", "metrics-writer"));
    ObjectNode old = manifest("ConfigMap", "online-writer-options").deepCopy();
    ((ObjectNode) old.path("metadata")).put("name", "old-writer-options");
    server.put(old);

    assertThat(run(server.url())).isEqualTo(3);
    assertThat(out.toString().lines().toList())
        .containsExactly(
            "FlinkDeployment/online-writer: spec.image is other:2, and would be"
                + " registry.example.com/tailrace:0.1.0",
            "FlinkDeployment/online-writer: spec.jobManager.resource.memory is not there, and would"
                + " be 1024m",
            "NetworkPolicy/metrics-writer is not there, and would be made",
            "ConfigMap/old-writer-options is there and not in the file: it stays until somebody"
                + " deletes it");
  }

  @Test
  public void whatAnEarlierFileHasLeftIsADifference() throws Exception {
    ObjectNode scaler = manifest("ScaledObject", "online-writer").deepCopy();
    ((ObjectNode) scaler.path("metadata")).withObjectProperty("annotations").put(PAUSED, "true");
    ((ObjectNode) scaler.at("/spec/triggers/0/metadata")).put("extra", "true");
    server.put(scaler);
    ObjectNode cluster = manifest("FlinkDeployment", "online-writer").deepCopy();
    ((ObjectNode) cluster.at("/spec/flinkConfiguration")).put("state.backend.type2", "x");
    ((ObjectNode) cluster.at("/spec/podTemplate/spec"))
        .withObjectProperty("nodeSelector")
        .put("pool", "old");
    // What the cluster says of it is nobody's.
    ((ObjectNode) cluster.path("metadata"))
        .withObjectProperty("annotations")
        .put("kubectl.kubernetes.io/a", "b");
    server.put(cluster);

    assertThat(run(server.url())).isEqualTo(3);
    assertThat(out.toString().lines().toList())
        .containsExactly(
            "FlinkDeployment/online-writer: spec.flinkConfiguration.state.backend.type2 is x, and"
                + " is not in the file",
            "FlinkDeployment/online-writer: spec.podTemplate.spec.nodeSelector.pool is old, and"
                + " is not in the file",
            "ScaledObject/online-writer: metadata.annotations."
                + PAUSED
                + " is true, and is not in the"
                + " file",
            "ScaledObject/online-writer: spec.triggers[0].metadata.extra is true, and"
                + " is not in the file");
  }

  @Test
  public void aKindThatTheFileNoLongerHasIsLookedFor() throws Exception {
    server.close();
    server = new FakeApiServer();
    ObjectNode scaler = manifest("ScaledObject", "online-writer");
    Deployment minimal = KubernetesTemplates.deployment("minimal");
    server.putAll(new Manifests(minimal.shared()).all(minimal.writers()));
    server.put(scaler);

    assertThat(run("minimal", server.url())).isEqualTo(3);
    assertThat(out.toString().lines().toList())
        .containsExactly(
            "ScaledObject/online-writer is there and not in the file: it stays until somebody"
                + " deletes it");
  }

  @Test
  public void kindsThatNobodyWantsNeedNoRight() throws Exception {
    server.close();
    server = new FakeApiServer();
    Deployment minimal = KubernetesTemplates.deployment("minimal");
    server.putAll(new Manifests(minimal.shared()).all(minimal.writers()));
    server.forbid("keda.sh");

    assertThat(run("minimal", server.url())).isEqualTo(0);
    assertThrows(CommandException.class, () -> run("aws", server.url()));
  }

  @Test
  public void aClusterThatDoesNotAnswerIsNamed() throws Exception {
    String url = server.url();
    server.close();

    assertThat(assertThrows(CommandException.class, () -> run(url)))
        .hasMessageThat()
        .containsMatch("the cluster at " + url + "/? can't be asked: ");
  }

  private int run(String url) throws CommandException {
    return run("aws", url);
  }

  private int run(String overlay, String url) throws CommandException {
    DiffCommand command = new DiffCommand();
    CommandLine line = new CommandLine(command).setOut(new PrintWriter(out));
    line.parseArgs(KubernetesTemplates.overlay(overlay).resolve("writers.yaml").toString());
    Config config =
        new ConfigBuilder(Config.empty())
            .withMasterUrl(url)
            .withRequestRetryBackoffLimit(0)
            .build();
    try (KubernetesClient client = new KubernetesClientBuilder().withConfig(config).build()) {
      return command.difference(client);
    }
  }

  private ObjectNode manifest(String kind, String name) {
    return manifests.stream()
        .filter(it -> it.path("kind").asText().equals(kind))
        .filter(it -> it.at("/metadata/name").asText().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
