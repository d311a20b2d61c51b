package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Login;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.callback.PasswordCallback;
import org.apache.beam.sdk.util.SerializableUtils;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** What a Kafka client is configured with, once secrets are read. */
public class KafkaBusTest {
  private static final String SASL = "kafka://b/t?security.protocol=SASL_SSL&user=me";

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  @Test
  public void settingsGoToTheClientUnderTheirOwnNames() {
    KafkaBus bus = at("kafka://b1:1,b2/t?max.poll.records=5&security.protocol=SSL");

    assertThat(bus.clientProperties())
        .containsExactly(
            "bootstrap.servers", "b1:1,b2:9092",
            "max.poll.records", "5",
            "security.protocol", "SSL");
    assertThat(bus.topic()).isEqualTo("t");
    assertThat(bus.start()).isEqualTo("earliest");
    assertThat(bus.continuesAfterOverrun()).isFalse();
  }

  @Test
  public void theGroupOfTheUriComesFirst() {
    assertThat(at("kafka://b/t").group("writer")).isEqualTo("writer");
    assertThat(at("kafka://b/t?group=mine").group("writer")).isEqualTo("mine");
  }

  @Test
  public void userAndPasswordAreAPlainLoginUnlessAMechanismIsNamed() throws Exception {
    String password = "&password=" + secret("hunter2\n");

    assertThat(at(SASL + password).clientProperties()).containsEntry("sasl.mechanism", "PLAIN");
    for (String mechanism : List.of("PLAIN", "SCRAM-SHA-512")) {
      Map<String, Object> properties =
          at(SASL + "&sasl.mechanism=" + mechanism + password).clientProperties();

      assertThat(properties)
          .containsAtLeast(
              "sasl.mechanism",
              mechanism,
              "sasl.client.callback.handler.class",
              NamedSecretCallbacks.class);
      assertThat(properties.toString()).doesNotContain("hunter2");
      assertThat(answers(properties, mechanism)).isEqualTo("me hunter2");
    }
  }

  @Test
  public void aPasswordIsReadAnewWheneverItIsAskedFor() throws Exception {
    Path file = folder.newFile().toPath();
    Files.writeString(file, "first");
    Map<String, Object> ofUser = at(SASL + "&password=file:" + file).clientProperties();
    Path jaas = folder.newFile().toPath();
    Files.writeString(jaas, "some.Module required username=\"you\" password=\"first\";");
    Map<String, Object> ofJaas =
        at("kafka://b/t?security.protocol=SASL_SSL&sasl.mechanism=SCRAM-SHA-256"
                + "&sasl.jaas.config=file:"
                + jaas)
            .clientProperties();
    NamedSecretCallbacks user = callbacks(ofUser, "PLAIN");
    NamedSecretCallbacks login = callbacks(ofJaas, "SCRAM-SHA-256");
    assertThat(answers(user)).isEqualTo("me first");
    assertThat(answers(login)).isEqualTo("you first");

    Files.writeString(file, "second");
    Files.writeString(jaas, "some.Module required username=\"you\" password=\"second\";");

    assertThat(answers(user)).isEqualTo("me second");
    assertThat(answers(login)).isEqualTo("you second");
    Files.delete(file);
    assertThat(assertThrows(IOException.class, () -> answers(user)))
        .hasMessageThat()
        .contains("the secret file " + file + " can't be read");
  }

  private static String answers(Map<String, Object> properties, String mechanism) throws Exception {
    return answers(callbacks(properties, mechanism));
  }

  private static NamedSecretCallbacks callbacks(Map<String, Object> properties, String mechanism) {
    NamedSecretCallbacks callbacks = new NamedSecretCallbacks();
    callbacks.configure(
        properties,
        mechanism,
        JaasContext.loadClientContext(
                Map.of(
                    "sasl.jaas.config",
                    new Password(String.valueOf(properties.get("sasl.jaas.config")))))
            .configurationEntries());
    return callbacks;
  }

  private static String answers(NamedSecretCallbacks callbacks) throws Exception {
    NameCallback name = new NameCallback("name");
    PasswordCallback password = new PasswordCallback("password", false);
    callbacks.handle(new Callback[] {name, password});
    return name.getName() + " " + new String(password.getPassword());
  }

  @Test
  public void aFileOfPropertiesGivesWayToTheUri() throws Exception {
    String file = secret("max.poll.records=7\nfetch.max.wait.ms=3\nsecurity.protocol=SASL_SSL\n");

    assertThat(at("kafka://b/t?max.poll.records=5&properties=" + file).clientProperties())
        .containsExactly(
            "bootstrap.servers", "b:9092",
            "max.poll.records", "5",
            "fetch.max.wait.ms", "3",
            "security.protocol", "SASL_SSL");
    KafkaBus misspelt = at("kafka://b/t?properties=" + secret("max.pol.records=7\n"));
    assertThat(assertThrows(IllegalStateException.class, misspelt::clientProperties))
        .hasMessageThat()
        .contains("has 'max.pol.records', which is no setting of Kafka's clients");
  }

  @Test
  public void whoIsKnownToAmazonSignsByItsOwnLibrary() {
    Map<String, Object> settings =
        KafkaLogins.settings(
            Map.of("sasl.mechanism", "AWS_MSK_IAM"), Map.of(), new Login(null, null));

    assertThat(settings)
        .containsExactly(
            "sasl.jaas.config",
            "software.amazon.msk.auth.iam.IAMLoginModule required;",
            "sasl.client.callback.handler.class",
            "software.amazon.msk.auth.iam.IAMClientCallbackHandler");
  }

  @Test
  public void userAndPasswordAreRefusedWhereTheMechanismHasAnotherLogin() {
    String password = "&password=env:NOWHERE";
    for (String mechanism : List.of("GSSAPI", "scram-sha-512", "SCRAM-SHA-1", "NONE")) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> at(SASL + password + "&sasl.mechanism=" + mechanism));

      assertThat(e)
          .hasMessageThat()
          .contains(
              "user and password are for sasl.mechanism=PLAIN, SCRAM-SHA-256, SCRAM-SHA-512,"
                  + " OAUTHBEARER, not "
                  + mechanism
                  + ", which has its login in sasl.jaas.config=");
    }
    assertThat(
            assertThrows(
                IllegalArgumentException.class,
                () -> at(SASL + password + "&sasl.jaas.config=env:NOWHERE")))
        .hasMessageThat()
        .contains("give one of them");
    for (String mechanism : List.of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")) {
      var unused = at(SASL + password + "&sasl.mechanism=" + mechanism);
    }
  }

  @Test
  public void aMechanismWithoutWhatItNeedsIsRefusedWithIt() {
    assertThat(refusal("kafka://b/t?sasl.mechanism=AWS_MSK_IAM"))
        .contains("sasl.mechanism=AWS_MSK_IAM needs security.protocol=SASL_SSL");
    assertThat(refusal(SASL + "&password=env:NOWHERE&sasl.mechanism=AWS_MSK_IAM"))
        .contains("not AWS_MSK_IAM, which signs as Amazon's own tools do");
    assertThat(refusal(SASL + "&password=env:NOWHERE&sasl.mechanism=OAUTHBEARER"))
        .contains("sasl.mechanism=OAUTHBEARER needs sasl.oauthbearer.token.endpoint.url=https://");
    assertThat(refusal("kafka://b/t?user=me&password=env:NOWHERE"))
        .contains("user and password need security.protocol=SASL_SSL");
    assertThat(refusal("kafka://b/t?security.protocol=SASL_SSL&user=me"))
        .contains("user and password=");
    var unused = at("kafka://b/t?security.protocol=SASL_SSL&sasl.mechanism=AWS_MSK_IAM");
  }

  private static String refusal(String uri) {
    return String.valueOf(assertThrows(IllegalArgumentException.class, () -> at(uri)).getMessage());
  }

  @Test
  public void aNameCannotEndItsQuotes() throws Exception {
    Map<String, Object> properties =
        at("kafka://b/t?security.protocol=SASL_SSL&user=a\"b\\c; x=\"&password=" + secret("p"))
            .clientProperties();

    assertThat(properties.get("sasl.jaas.config").toString())
        .endsWith(" user=\"a\\\"b\\\\c; x=\\\"\";");
    assertThat(answers(properties, "PLAIN")).isEqualTo("a\"b\\c; x=\" p");
  }

  @Test
  public void secretsAreReadWhenAClientIsMadeAndNotBefore() throws Exception {
    Path file = folder.getRoot().toPath().resolve("later");
    KafkaBus bus = at("kafka://b/t?properties=file:" + file);
    assertThat(bus.properties()).isEmpty();
    assertThrows(IllegalStateException.class, bus::clientProperties);

    Files.writeString(file, "client.id=me");

    assertThat(SerializableUtils.clone(bus).clientProperties()).containsEntry("client.id", "me");
    assertThat(bus.toString()).isEqualTo("kafka://b:9092/t");
  }

  @Test
  public void noSettingOfAUriUndoesWhatReadingStandsOn() {
    KafkaBus bus =
        at(
            "kafka://b/t?allow.auto.create.topics=true&isolation.level=read_uncommitted"
                + "&enable.auto.commit=true&auto.offset.reset=latest&group.id=other");

    assertThat(KafkaConsumers.settings(bus, "group"))
        .containsAtLeast(
            "allow.auto.create.topics", false,
            "isolation.level", "read_committed",
            "enable.auto.commit", false,
            "auto.offset.reset", "none",
            "group.id", "group");
  }

  @Test
  public void noSettingUndoesWhatPublishingStandsOn() throws Exception {
    String file = secret("acks=0\nenable.idempotence=false\ntransactional.id=mine\n");
    for (String settings :
        List.of("enable.idempotence=false&transactional.id=mine", "properties=" + file)) {
      Map<String, Object> producer = KafkaPublisher.settings(at("kafka://b/t?" + settings));

      assertThat(producer).containsAtLeast("acks", "all", "enable.idempotence", true);
      assertThat(producer).doesNotContainKey("transactional.id");
    }
  }

  @Test
  public void aFileMayNameTheMechanismAndTheProtocolOfAUser() throws Exception {
    String user = "kafka://b/t?user=me&password=" + secret("hunter2") + "&properties=";
    String scram = secret("security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n");

    Map<String, Object> properties = at(user + scram).clientProperties();

    assertThat(properties)
        .containsAtLeast("sasl.mechanism", "SCRAM-SHA-512", "security.protocol", "SASL_SSL");
    assertThat(answers(properties, "SCRAM-SHA-512")).isEqualTo("me hunter2");
    assertThat(at(user + secret("security.protocol=SASL_SSL")).clientProperties())
        .containsEntry("sasl.mechanism", "PLAIN");
    // What the URI says comes first.
    assertThat(at(user + scram + "&sasl.mechanism=SCRAM-SHA-256").clientProperties())
        .containsEntry("sasl.mechanism", "SCRAM-SHA-256");
  }

  @Test
  public void aFileThatDoesNotGoWithAUserIsRefusedWhereItIsRead() throws Exception {
    String user = "kafka://b/t?user=me&password=" + secret("hunter2") + "&properties=";
    String kerberos = secret("security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI\n");
    KafkaBus other = at(user + kerberos);
    KafkaBus plain = at(user + secret("client.id=me"));

    assertThat(assertThrows(IllegalStateException.class, other::clientProperties))
        .hasMessageThat()
        .contains(
            kerberos
                + ": user and password are for sasl.mechanism=PLAIN, SCRAM-SHA-256,"
                + " SCRAM-SHA-512, OAUTHBEARER, not GSSAPI");
    assertThat(assertThrows(IllegalStateException.class, plain::clientProperties))
        .hasMessageThat()
        .contains("user and password need security.protocol=SASL_SSL");
  }

  @Test
  public void aLoginOfNoMechanismIsKafkasOwnDefault() throws Exception {
    String module = "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true;";
    Map<String, Object> properties =
        at("kafka://b/t?security.protocol=SASL_SSL&sasl.jaas.config=" + secret(module))
            .clientProperties();

    assertThat(properties).containsEntry("sasl.jaas.config", module);
    assertThat(properties).doesNotContainKey("sasl.client.callback.handler.class");
    assertThat(properties).doesNotContainKey("sasl.mechanism");
  }

  @Test
  public void whatAFileOrAUriSaysOfALoginToMskStands() throws Exception {
    String msk = "kafka://b/t?security.protocol=SASL_SSL&sasl.mechanism=AWS_MSK_IAM";
    String module =
        "software.amazon.msk.auth.iam.IAMLoginModule required"
            + " awsRoleArn=\"arn:aws:iam::1:role/r\";";
    String usual = "software.amazon.msk.auth.iam.IAMClientCallbackHandler";
    String both =
        "sasl.jaas.config=" + module + "\nsasl.client.callback.handler.class=my.Callbacks\n";

    assertThat(at(msk + "&properties=" + secret(both)).clientProperties())
        .containsAtLeast(
            "sasl.jaas.config", module, "sasl.client.callback.handler.class", "my.Callbacks");
    assertThat(at(msk + "&properties=" + secret("sasl.jaas.config=" + module)).clientProperties())
        .containsAtLeast("sasl.jaas.config", module, "sasl.client.callback.handler.class", usual);
    assertThat(at(msk + "&sasl.jaas.config=" + secret(module)).clientProperties())
        .containsAtLeast("sasl.jaas.config", module, "sasl.client.callback.handler.class", usual);
    assertThat(
            at(msk + "&sasl.jaas.config=" + secret(module) + "&properties=" + secret(both))
                .clientProperties())
        .containsAtLeast(
            "sasl.jaas.config", module, "sasl.client.callback.handler.class", "my.Callbacks");
  }

  private String secret(String value) throws Exception {
    Path file = folder.newFile().toPath();
    Files.writeString(file, value);
    return "file:" + file;
  }

  private static KafkaBus at(String uri) {
    return KafkaBus.at(EndpointUri.parse(uri));
  }
}
