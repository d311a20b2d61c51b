package io.tailrace.pipelines.deploy;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.deploy.DeploymentFile.Beside;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.config.ConfigDef;
import org.junit.Test;

/** A scaler logs in to Kafka as the writer does, or the file is refused with what to do. */
public class KafkaLoginTest {
  private static final String SCRAM =
      "security.protocol=SASL_SSL&sasl.mechanism=SCRAM-SHA-512&user=u&password=env:KAFKA";
  private static final String MSK = "security.protocol=SASL_SSL&sasl.mechanism=AWS_MSK_IAM";
  private static final String SECRETS = "/etc/tailrace/secrets/";
  private static final String CERTIFICATES =
      "security.protocol=SSL&ssl.keystore.type=PEM&ssl.keystore.key=file:%stls.key"
          + "&ssl.keystore.certificate.chain=file:%stls.crt";

  @Test
  public void aUserLogsInWithTheUrisNameAndAKeyOfTheSecret() throws Exception {
    for (String place : List.of("env:KAFKA", "file:" + SECRETS + "KAFKA")) {
      String uri = SCRAM.replace("env:KAFKA", place);
      assertThat(login(uri)).containsExactly("tls", "enable", "sasl", "scram_sha512");
      assertThat(given(uri)).containsExactly("username", "kafka-user", "password", "KAFKA");
    }
    // Kafka's own name of the mechanism, or none.
    assertThat(login("security.protocol=SASL_PLAINTEXT&user=u&password=env:KAFKA"))
        .containsExactly("tls", "disable", "sasl", "plaintext");
  }

  @Test
  public void withoutALoginKedaIsGivenNothing() throws Exception {
    assertThat(login("start=latest")).isEmpty();
    assertThat(manifests(file("start=latest", ""))).hasSize(1);
    // Whom everybody trusts.
    assertThat(login("security.protocol=SSL")).containsExactly("tls", "enable");
    assertThat(manifests(file("security.protocol=SSL", ""))).hasSize(1);
  }

  @Test
  public void certificatesAndKeysOfTheSecretAreThoseOfTheScaler() throws Exception {
    String own = CERTIFICATES.replace("%s", SECRETS) + "&ssl.key.password=env:KEY_PASSWORD";
    assertThat(login(own)).containsExactly("tls", "enable");
    assertThat(given(own))
        .containsExactly("key", "tls.key", "cert", "tls.crt", "keyPassword", "KEY_PASSWORD");
    for (String authority :
        List.of(
            "ssl.truststore.type=PEM&ssl.truststore.location=" + SECRETS + "ca.pem",
            "ssl.truststore.type=PEM&ssl.truststore.certificates=file:" + SECRETS + "ca.pem")) {
      assertThat(given(SCRAM + "&" + authority))
          .containsExactly("username", "kafka-user", "password", "KAFKA", "ca", "ca.pem");
      assertThat(given("security.protocol=SSL&" + authority)).containsExactly("ca", "ca.pem");
    }
  }

  @Test
  public void aFileOfTheSecretNeedsTheSecret() {
    String authority = "security.protocol=SSL&ssl.truststore.type=PEM&ssl.truststore.location=";
    assertThat(
            problems(
                file(authority + SECRETS + "ca.pem", "").replace("secret: tailrace-secrets\n", "")))
        .contains(
            "options.resultBus: names /etc/tailrace/secrets/ca.pem, which nothing puts there");
  }

  @Test
  public void whatNoScalerCanBeToldOrReadIsRefusedWithWhatToDo() throws Exception {
    for (String[] each :
        new String[][] {
          {
            SCRAM.replace("SCRAM-SHA-512", "OAUTHBEARER")
                + "&sasl.oauthbearer.token.endpoint.url=https://t",
            "can't log in by OAUTHBEARER"
          },
          {"security.protocol=SASL_SSL&sasl.jaas.config=env:JAAS", "can't log in by GSSAPI"},
          {MSK + "&sasl.jaas.config=env:ROLE", "can't be told sasl.jaas.config:"},
          {
            SCRAM.replace("env:KAFKA", "aws:tailrace/kafka"),
            "can't read the password at aws:tailrace/kafka:"
          },
          {
            SCRAM.replace("env:KAFKA", "gcp:projects/p/secrets/kafka"),
            "can't read the password at gcp:projects/p/secrets/kafka:"
          },
          {
            CERTIFICATES.replace("key=file:%s", "key=aws:").replace("%s", SECRETS),
            "can't read ssl.keystore.key at aws:tls.key:"
          },
          {
            "security.protocol=SSL&ssl.truststore.type=PEM&ssl.truststore.location=/etc/ca.pem",
            "can't read ssl.truststore.location at /etc/ca.pem:"
          },
          {
            "security.protocol=SSL&ssl.truststore.location=" + SECRETS + "ca.jks",
            "can't be told ssl.truststore.location:"
          },
          {
            "security.protocol=SSL&ssl.endpoint.identification.algorithm=",
            "can't be told ssl.endpoint.identification.algorithm:"
          },
          {"properties=file:/opt/tailrace/client.properties", "has settings in a file"},
        }) {
      String region = "environment: {AWS_REGION: eu-west-1}\n";
      String uri = each[0];
      String problem = problems(file(uri, region));
      assertThat(problem).startsWith("writers[0].options.resultBus: ");
      assertThat(problem).contains(each[1]);
      assertThat(problem).contains("triggerAuthentication: NAME");
      assertThat(problem.lines().count()).isEqualTo(1);
      // Where the number of copies is fixed nobody asks, and somebody else's login may know more.
      assertThat(manifests(file(uri, region).replace("maximum: 4", "maximum: 1"))).isEmpty();
      assertThat(manifests(file(uri, region + "triggerAuthentication: mine\n"))).hasSize(1);
    }
  }

  @Test
  public void noSettingOfALoginOrACertificateIsPassedOverInSilence() {
    Set<String> settings =
        new TreeSet<>(new ConfigDef().withClientSslSupport().withClientSaslSupport().names());
    Set<String> passedOver = new TreeSet<>();
    for (String setting : settings) {
      KafkaLogin login =
          KafkaLogin.of(
                  EndpointUri.parse(
                      "kafka://b/t?security.protocol=SASL_SSL&user=u&password=env:P&"
                          + setting
                          + "=aws:x"),
                  Map.of())
              .orElseThrow();
      if (login.obstacles().isEmpty()) {
        passedOver.add(setting);
      }
    }
    // Which versions and ciphers a client prefers, and when it renews its login.
    passedOver.removeIf(it -> it.startsWith("sasl.login.") && !it.endsWith("class"));
    assertThat(passedOver)
        .containsExactly(
            "ssl.cipher.suites",
            "ssl.enabled.protocols",
            "ssl.protocol",
            "ssl.secure.random.implementation");
  }

  @Test
  public void withAnAuthenticationOfSomebodyElsesTheTriggerSaysNothingOfTheLogin()
      throws Exception {
    for (String uri :
        List.of(
            SCRAM,
            "security.protocol=SSL",
            "security.protocol=SASL_SSL&sasl.jaas.config=env:JAAS",
            "properties=file:/opt/tailrace/client.properties&" + SCRAM)) {
      List<JsonNode> manifests = manifests(file(uri, "triggerAuthentication: mine\n"));

      // KEDA refuses what both of them say.
      assertWithMessage(uri).that(login(manifests)).isEmpty();
      assertThat(manifests.get(0).at("/spec/triggers/0/authenticationRef/name").asText())
          .isEqualTo("mine");
    }
  }

  @Test
  public void aRoleOfAmazonsSignsForTheRegionOfItsCluster() throws Exception {
    String signed = file(MSK, "").replace("b:9092/results", host("kafka") + "/results");
    for (String file :
        List.of(
            signed,
            signed.replace("kafka.eu-west-1", "kafka-serverless.eu-west-1"),
            file(MSK, "environment: {AWS_REGION: eu-west-1}\n"))) {
      List<JsonNode> manifests = manifests(file);
      assertThat(login(manifests))
          .containsExactly(
              "tls", "enable",
              "sasl", "oauthbearer",
              "saslTokenProvider", "aws_msk_iam",
              "awsRegion", "eu-west-1");
      assertThat(manifests.get(0).at("/spec/podIdentity/provider").asText()).isEqualTo("aws");

      // A trigger alone can say the region; KEDA refuses what is in both.
      assertThat(login(manifests("triggerAuthentication: mine\n" + file)))
          .containsExactly("awsRegion", "eu-west-1");
    }
    for (String head : List.of("", "triggerAuthentication: mine\n")) {
      assertThat(problems(file(MSK, head)))
          .isEqualTo(
              "writers[0].options.resultBus: does not say in which region of Amazon its hosts are,"
                  + " which a scaler must know: write AWS_REGION into environment");
    }
  }

  private static String host(String service) {
    return "b-1.demo.abc123.c2." + service + ".eu-west-1.amazonaws.com:9098";
  }

  private static String file(String parameters, String head) {
    return head
        + """
        image: a
        state: gs://bucket/state
        secret: tailrace-secrets
        writers:
        - name: online-writer
          replicas: {maximum: 4, rate: 100}
          options:
            resultBus: kafka://b:9092/results?%s
            deadLetterBus: kafka://b:9092/letters
            onlineStore: redis://cache
        """
            .formatted(parameters);
  }

  /** Returns what makes KEDA look, as KEDA knows it. */
  private static List<JsonNode> manifests(String file) throws Exception {
    Deployment deployment = DeploymentFile.parse(file, Beside.NOTHING);
    List<JsonNode> manifests =
        StrictManifests.read(
            Manifests.yaml(new Scaler(deployment.shared()).manifests(deployment.writers().get(0))));
    for (JsonNode each : manifests) {
      StrictManifests.check(each);
    }
    return manifests;
  }

  private static Map<String, String> login(String parameters) throws Exception {
    return login(manifests(file(parameters, "")));
  }

  /** Returns what the trigger says of a login. */
  private static Map<String, String> login(List<JsonNode> manifests) {
    Map<String, String> login = new TreeMap<>();
    JsonNode trigger = manifests.get(manifests.size() - 1).at("/spec/triggers/0/metadata");
    for (String name : List.of("tls", "sasl", "saslTokenProvider", "awsRegion")) {
      Optional.ofNullable(trigger.get(name)).ifPresent(it -> login.put(name, it.asText()));
    }
    return login;
  }

  /** Returns which key a TriggerAuthentication takes each parameter from. */
  private static Map<String, String> given(String parameters) throws Exception {
    List<JsonNode> manifests = manifests(file(parameters, ""));
    assertThat(manifests).hasSize(2);
    List<JsonNode> all = new ArrayList<>();
    manifests.get(0).at("/spec/configMapTargetRef").forEach(all::add);
    manifests.get(0).at("/spec/secretTargetRef").forEach(all::add);
    assertThat(all).isNotEmpty();
    Map<String, String> given = new TreeMap<>();
    all.forEach(each -> given.put(each.path("parameter").asText(), each.path("key").asText()));
    return given;
  }

  private static String problems(String file) {
    return String.valueOf(
        assertThrows(CommandException.class, () -> DeploymentFile.parse(file, Beside.NOTHING))
            .getMessage());
  }
}
