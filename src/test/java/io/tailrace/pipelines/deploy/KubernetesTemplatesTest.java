package io.tailrace.pipelines.deploy;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.Writers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.Assume;
import org.junit.Test;

/** The kustomizations among the templates are what the command makes, and what clusters take. */
public class KubernetesTemplatesTest {
  @Test
  public void everyFileIsWhatTheCommandMakes() throws Exception {
    for (String overlay : KubernetesTemplates.OVERLAYS) {
      assertWithMessage(
              "%s: make it anew: deploy render --output=%s --base=../../base", overlay, overlay)
          .that(KubernetesTemplates.files(KubernetesTemplates.overlay(overlay)))
          .containsExactlyEntriesIn(
              RenderCommand.files(KubernetesTemplates.deployment(overlay), "../../base"));
    }
    assertThat(KubernetesTemplates.files(KubernetesTemplates.ROOT.resolve("base")))
        .containsExactlyEntriesIn(RenderCommand.base(KubernetesTemplates.deployment("minimal")));
  }

  @Test
  public void everyWriterIsInAnOverlay() throws Exception {
    Set<String> writers = new TreeSet<>();
    for (String overlay : KubernetesTemplates.OVERLAYS) {
      KubernetesTemplates.deployment(overlay)
          .writers()
          .forEach(writer -> writers.add(writer.job().writer().name()));
      assertThat(KubernetesTemplates.deployment(overlay).notes()).isEmpty();
    }

    assertThat(writers).containsExactlyElementsIn(Writers.ALL.stream().map(Writer::name).toList());
  }

  @Test
  public void everyManifestIsOneThatKubernetesFlinkAndKedaKnow() throws Exception {
    for (String overlay : KubernetesTemplates.OVERLAYS) {
      List<JsonNode> manifests = KubernetesTemplates.kustomized(overlay);
      assertThat(manifests.size()).isAtLeast(20);
      for (JsonNode manifest : manifests) {
        StrictManifests.check(manifest);
      }
    }
  }

  @Test
  public void aKeyThatNobodyKnowsIsFoundWhereverItIs() throws Exception {
    Set<String> unseen = new TreeSet<>();
    for (JsonNode manifest :
        StrictManifests.read(Manifests.yaml(all(KubernetesTemplates.deployment("aws"))))) {
      for (String pointer : objects(manifest, "")) {
        if (pointer.matches(".*/(labels|annotations|matchLabels|data|flinkConfiguration|metadata)")
            || pointer.endsWith("/resources/requests")) {
          // Keys of anybody's own.
          continue;
        }
        ObjectNode whole = manifest.deepCopy();
        ((ObjectNode) whole.at(pointer)).put("replikas", 1);
        try {
          StrictManifests.check(whole);
          unseen.add(manifest.path("kind").asText() + pointer);
        } catch (IOException e) {
          assertThat(e).hasMessageThat().contains("replikas");
        }
      }
    }
    assertThat(unseen).isEmpty();
  }

  /** Returns where in a manifest an object is. */
  private static List<String> objects(JsonNode node, String path) {
    List<String> objects = new ArrayList<>();
    if (node.isObject() && !path.isEmpty()) {
      objects.add(path);
    }
    node.fields()
        .forEachRemaining(
            each ->
                objects.addAll(
                    objects(each.getValue(), path + "/" + each.getKey().replace("/", "~1"))));
    for (int i = 0; node.isArray() && i < node.size(); i++) {
      objects.addAll(objects(node.get(i), path + "/" + i));
    }
    return objects;
  }

  @Test
  public void everyOptionIsOneOfTheWriterThatIsStarted() throws Exception {
    for (String overlay : KubernetesTemplates.OVERLAYS) {
      for (JsonNode map : kinds(overlay, "ConfigMap")) {
        List<String> lines = map.at("/data/options").asText().lines().toList();
        Writer<?> writer =
            Writers.ALL.stream()
                .filter(it -> it.name().equals(lines.get(0)))
                .findFirst()
                .orElseThrow();

        assertThat(writer.problems(lines.stream().skip(1).toArray(String[]::new))).isEmpty();
        assertThat(lines.toString()).doesNotContain("password=tail");
      }
    }
  }

  @Test
  public void portsImagesAndLabelsAreTheSameWhereverTheyAre() throws Exception {
    for (String overlay : KubernetesTemplates.OVERLAYS) {
      Set<String> images = new TreeSet<>();
      for (JsonNode cluster : kinds(overlay, "FlinkDeployment")) {
        String name = cluster.at("/metadata/name").asText();
        images.add(cluster.at("/spec/image").asText());
        JsonNode settings = cluster.at("/spec/flinkConfiguration");
        JsonNode pod = cluster.at("/spec/podTemplate/spec/containers/0");
        assertThat(settings.path("metrics.reporter.prom.port").asText())
            .isEqualTo(pod.at("/ports/0/containerPort").asText());
        assertThat(settings.path("metrics.reporter.prom.port").asText())
            .isEqualTo(
                cluster
                    .at("/spec/podTemplate/metadata/annotations")
                    .path("prometheus.io/port")
                    .asText());
        assertThat(settings.path("taskmanager.rpc.port").asText())
            .isEqualTo(
                cluster
                    .at(
                        "/spec/taskManager/podTemplate/spec/containers/0/livenessProbe/tcpSocket/port")
                    .asText());
        JsonNode policy = named(overlay, "NetworkPolicy", name);
        assertThat(
                cluster
                    .at("/spec/jobManager/podTemplate/spec/containers/0/livenessProbe/httpGet/port")
                    .asInt())
            .isEqualTo(policy.at("/spec/ingress/1/ports/0/port").asInt());
        assertThat(policy.at("/spec/ingress/2/ports/0/port").asText())
            .isEqualTo(settings.path("metrics.reporter.prom.port").asText());
        assertThat(policy.at("/spec/podSelector/matchLabels/app").asText()).isEqualTo(name);
        assertThat(
                named(overlay, "PodDisruptionBudget", name)
                    .at("/spec/selector/matchLabels/app")
                    .asText())
            .isEqualTo(name);
        assertThat(cluster.at("/spec/job/args/0").asText())
            .isEqualTo("@" + pod.at("/volumeMounts/2/mountPath").asText() + "/options");
        assertThat(pod.at("/securityContext/readOnlyRootFilesystem").asBoolean()).isTrue();
        assertThat(cluster.at("/spec/podTemplate/spec/securityContext/runAsNonRoot").asBoolean())
            .isTrue();
      }
      assertThat(images).hasSize(1);
    }
  }

  @Test
  public void whereNoneMayRunAGroupThatNeverCommittedStartsOne() throws Exception {
    JsonNode gcp = named("gcp", "ScaledObject", "metrics-writer");
    assertThat(gcp.at("/spec/minReplicaCount").asInt(-1)).isEqualTo(0);
    assertThat(gcp.at("/spec/triggers/0/metadata/activationThreshold").asText()).isEqualTo("0");

    for (JsonNode scaled : kinds("aws", "ScaledObject")) {
      JsonNode trigger = scaled.at("/spec/triggers/0/metadata");
      // One message of each partition is what KEDA shows of a group without offsets.
      assertThat(trigger.path("activationLagThreshold").asText()).isEqualTo("0");
      assertThat(trigger.path("scaleToZeroOnInvalidOffset").asText()).isEqualTo("false");
      assertThat(trigger.path("offsetResetPolicy").asText()).isEqualTo("earliest");
    }
  }

  @Test
  public void aWriterStopsWithASavepointAndIsDeletedInWhateverConditionItIs() throws Exception {
    for (String overlay : KubernetesTemplates.OVERLAYS) {
      for (JsonNode cluster : kinds(overlay, "FlinkDeployment")) {
        assertThat(cluster.at("/spec/job/upgradeMode").asText()).isEqualTo("savepoint");
        // The operator refuses a savepoint of a job that does not run, and would never let it go.
        assertThat(
                cluster
                    .at("/spec/flinkConfiguration")
                    .path("kubernetes.operator.job.savepoint-on-deletion")
                    .asText())
            .isEqualTo("false");
        assertThat(
                cluster
                    .at("/spec/flinkConfiguration")
                    .path("execution.checkpointing.externalized-checkpoint-retention")
                    .asText())
            .isEqualTo("RETAIN_ON_CANCELLATION");
      }
    }
  }

  @Test
  public void whatTheOverlaysNeedOfAClusterIsOnThePage() throws Exception {
    String page = Files.readString(Path.of("docs/kubernetes.md"));
    String pom = Files.readString(Path.of("pom.xml"));
    // The operator that the manifests were checked against, at the address that keeps it.
    assertThat(page)
        .contains(
            "https://archive.apache.org/dist/flink/flink-kubernetes-operator-"
                + property(pom, "flink-operator.version")
                + "/");
    assertThat(page)
        .contains("flink-gs-fs-hadoop:" + property(pom, "flink.filesystem.version") + " ");
    // Whoever looks at Google's queue is KEDA's own operator, in the namespace of its chart.
    boolean asOperator =
        kinds("gcp", "TriggerAuthentication").stream()
            .allMatch(it -> it.at("/spec/podIdentity/provider").asText().equals("gcp"));
    assertThat(asOperator).isTrue();
    assertThat(page).contains("--namespace keda");
    assertThat(page).contains("--role=roles/monitoring.viewer");
    assertThat(page).contains("/subject/ns/keda/sa/keda-operator");
  }

  private static String property(String pom, String name) {
    String rest = pom.substring(pom.indexOf("<" + name + ">") + name.length() + 2);
    return rest.substring(0, rest.indexOf('<'));
  }

  @Test
  public void theJvmIsOpenedAsTheBuildOpensIt() throws Exception {
    String pom = Files.readString(Path.of("pom.xml"));
    String opens = pom.substring(pom.indexOf("<tailrace.opens>") + "<tailrace.opens>".length());

    assertThat(FlinkCluster.OPENS)
        .containsExactlyElementsIn(opens.substring(0, opens.indexOf('<')).split(" ", -1))
        .inOrder();
  }

  @Test
  public void whatIsKnownOfKedaIsWhatItsSchemaSays() throws Exception {
    String directory = System.getenv("KEDA_SCHEMAS");
    if (directory == null) {
      System.err.println("skipped: KEDA_SCHEMAS names no directory with KEDA's schemas");
    }
    Assume.assumeTrue("KEDA_SCHEMAS is not set", directory != null);

    assertThat(KedaFacts.known()).isEqualTo(KedaFacts.ofSchema(Path.of(directory)));
  }

  private static List<ObjectNode> all(Deployment deployment) {
    return new Manifests(deployment.shared()).all(deployment.writers());
  }

  private static List<JsonNode> kinds(String overlay, String kind) throws Exception {
    return StrictManifests.read(Manifests.yaml(all(KubernetesTemplates.deployment(overlay))))
        .stream()
        .filter(manifest -> manifest.path("kind").asText().equals(kind))
        .toList();
  }

  private static JsonNode named(String overlay, String kind, String name) throws Exception {
    return kinds(overlay, kind).stream()
        .filter(manifest -> manifest.at("/metadata/name").asText().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
