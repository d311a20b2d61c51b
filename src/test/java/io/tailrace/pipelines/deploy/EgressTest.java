package io.tailrace.pipelines.deploy;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import io.tailrace.endpoint.Endpoint;
import io.tailrace.endpoint.Kinds;
import io.tailrace.endpoint.Kinds.Kind;
import io.tailrace.endpoint.SecretPlace;
import io.tailrace.endpoint.Secrets;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.Writers;
import io.tailrace.pipelines.deploy.DeploymentFile.Beside;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.Test;

/** Pods reach whatever their writers are told to connect to, and nothing else. */
public class EgressTest {
  private static final String HEAD = DeploymentFileTest.HEAD;
  private static final String ONLINE = DeploymentFileTest.ONLINE;

  @Test
  public void portsThatNoUriNamesAreOpenedToo() throws Exception {
    assertThat(egress(HEAD + ONLINE)).containsExactly(53, 443, 6380, 6443, 9092);
    assertThat(
            egress(HEAD + ONLINE.replace("rediss://cache:6380?", "redis+sentinel://a?master=m&")))
        .containsExactly(53, 443, 6379, 6443, 9092, 26379);
    assertThat(egress(HEAD + ONLINE + "  egressPorts: [7000, 7001]\n"))
        .containsExactly(53, 443, 6380, 6443, 7000, 7001, 9092);
    assertThat(problems(HEAD + ONLINE + "  egressPorts: [7000, 70000]\n"))
        .containsExactly(
            "writers[0].egressPorts: must hold whole numbers between 1 and 65535, and has 70000");
  }

  @Test
  public void portsThatAParameterAnOptionOrAVariableNamesAreOpenedToo() throws Exception {
    for (String uri :
        List.of(
            "pubsub://my-project/results?emulator=pubsub.data:8085",
            "pubsub://my-project/results?endpoint=pubsub.data:8085",
            "kafka://b:443/t?security.protocol=SASL_SSL&sasl.mechanism=OAUTHBEARER&user=u"
                + "&password=env:P&sasl.oauthbearer.token.endpoint.url=https://login:8085/token")) {
      String head = HEAD.replace("kafka://b:9092/result-bus", uri);
      assertThat(egress(head + ONLINE)).containsExactly(53, 443, 6380, 6443, 8085, 9092);
    }
    String dynamo =
        """
        online-writer
          options: {onlineStore: "dynamodb://eu-west-1/x-{environment}?endpoint=%s"}
        """;
    assertThat(egress(HEAD + "- name: " + dynamo.formatted("https%3A%2F%2Fproxy.corp%3A8443")))
        .containsExactly(53, 443, 6443, 8443, 9092);
    assertThat(egress(HEAD + "- name: " + dynamo.formatted("http://me:12345@proxy.corp:3128")))
        .containsExactly(53, 443, 3128, 6443, 9092);
    assertThat(egress(HEAD + "- name: " + dynamo.formatted("http://proxy.corp")))
        .containsExactly(53, 80, 443, 6443, 9092);
    assertThat(
            egress(
                HEAD
                    + ONLINE
                    + "  environment: {AWS_ENDPOINT_URL_SECRETS_MANAGER: \"https://vault:8443\","
                    + " PUBSUB_EMULATOR_HOST: \"pubsub:8085\"}\n"))
        .containsExactly(53, 443, 6380, 6443, 8085, 8443, 9092);
  }

  @Test
  public void anAddressOfThisMachineIsRefusedWhereverItIsNamed() {
    String refused = "which is this machine, and in a pod it would be the pod";
    for (String uri :
        List.of(
            "pubsub://my-project/results?emulator=localhost:8085",
            "pubsub://my-project/results?endpoint=127.0.0.1:8085")) {
      String problem =
          String.join("\n", problems(HEAD.replace("kafka://b:9092/result-bus", uri) + ONLINE));
      assertThat(problem).startsWith("writers[0].options.resultBus: names ");
      assertThat(problem).contains(refused);
    }
    assertThat(
            problems(HEAD + ONLINE + "  environment: {PUBSUB_EMULATOR_HOST: \"[::1]:8085\"}\n")
                .get(0))
        .startsWith("writers[0].environment.PUBSUB_EMULATOR_HOST: names [::1]:8085, " + refused);
  }

  @Test
  public void anAddressWithAUserIsLookedAtAndAPortThatIsNoneIsRefused() {
    assertThat(
            problems(HEAD + ONLINE + "  environment: {PROXY: \"http://me:pw@localhost:3128\"}\n")
                .get(0))
        .startsWith("writers[0].environment.PROXY: names localhost:3128, which is this machine");
    assertThat(problems(HEAD + ONLINE + "  environment: {PROXY: \"http://proxy:99999\"}\n"))
        .containsExactly(
            "writers[0].environment.PROXY: names proxy:99999: ports are from 1 to 65535");
  }

  @Test
  public void aCloudsLoginIsLetThroughWhereItIsNeeded() throws Exception {
    assertThat(addresses(HEAD + ONLINE)).containsExactly("169.254.170.23/32:80");
    assertThat(addresses(HEAD.replace("s3://", "gs://") + ONLINE))
        .containsExactly("169.254.169.252/32:988", "169.254.169.254/32:80");
    String onVolume = HEAD.replace("state: s3://bucket", "stateClaim: c\nstate: file:///x");
    assertThat(addresses(onVolume + ONLINE)).isEmpty();
    // Places of secrets that are asked in the cloud's name.
    for (String place : List.of("aws:cache", "elasticache:cache/w")) {
      assertThat(addresses(onVolume + ONLINE.replace("env:REDIS_PASSWORD", place)))
          .containsExactly("169.254.170.23/32:80");
    }
    assertThat(
            addresses(onVolume + ONLINE.replace("env:REDIS_PASSWORD", "gcp:projects/p/secrets/s")))
        .containsExactly("169.254.169.252/32:988", "169.254.169.254/32:80");
  }

  @Test
  public void everyPlaceOfSecretsThatIsACloudsHasItsLogin() {
    for (SecretPlace place : Secrets.ALL) {
      boolean isLocal = List.of("env", "file").contains(place.scheme());
      assertWithMessage(place.scheme())
          .that(CloudLogin.egress(List.of("--x=y://z?password=" + place.scheme() + ":n")).isEmpty())
          .isEqualTo(isLocal);
    }
  }

  @Test
  public void everyKindThatAWriterCanNameHasAPort() {
    Set<String> unknown = new TreeSet<>();
    for (Writer<?> writer : Writers.ALL) {
      for (Kinds<? extends Endpoint> kinds : writer.endpoints().values()) {
        for (Kind<?> kind : kinds.builtIn()) {
          kind.schemes().stream().filter(it -> !Ports.isKnown(it)).forEach(unknown::add);
        }
      }
    }
    // Files of one machine, which a cluster has no use for.
    assertThat(unknown).containsExactly("duckdb", "file");
  }

  private static JsonNode policy(String file) throws Exception {
    Deployment deployment = DeploymentFile.parse(file, Beside.NOTHING);
    return new Manifests(deployment.shared())
        .of(deployment.writers().get(0)).stream()
            .filter(it -> it.path("kind").asText().equals("NetworkPolicy"))
            .findFirst()
            .orElseThrow();
  }

  private static Set<Integer> egress(String file) throws Exception {
    Set<Integer> ports = new TreeSet<>();
    for (JsonNode rule : policy(file).at("/spec/egress")) {
      if (!rule.at("/to/0").has("ipBlock")) {
        rule.path("ports").forEach(port -> ports.add(port.path("port").asInt()));
      }
    }
    return ports;
  }

  private static Set<String> addresses(String file) throws Exception {
    Set<String> addresses = new TreeSet<>();
    for (JsonNode rule : policy(file).at("/spec/egress")) {
      if (rule.at("/to/0").has("ipBlock")) {
        addresses.add(
            rule.at("/to/0/ipBlock/cidr").asText() + ":" + rule.at("/ports/0/port").asText());
      }
    }
    return addresses;
  }

  private static List<String> problems(String file) {
    return assertThrows(CommandException.class, () -> DeploymentFile.parse(file, Beside.NOTHING))
        .getMessage()
        .lines()
        .toList();
  }
}
