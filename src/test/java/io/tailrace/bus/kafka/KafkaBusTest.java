package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.EndpointUri;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.beam.sdk.util.SerializableUtils;
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

    assertThat(at(SASL + password).clientProperties())
        .containsAtLeast(
            "sasl.mechanism",
            "PLAIN",
            "sasl.jaas.config",
            "org.apache.kafka.common.security.plain.PlainLoginModule required"
                + " username=\"me\" password=\"hunter2\";");
    assertThat(at(SASL + "&sasl.mechanism=SCRAM-SHA-512" + password).clientProperties())
        .containsAtLeast(
            "sasl.mechanism",
            "SCRAM-SHA-512",
            "sasl.jaas.config",
            "org.apache.kafka.common.security.scram.ScramLoginModule required"
                + " username=\"me\" password=\"hunter2\";");
  }

  @Test
  public void userAndPasswordAreRefusedWhereTheMechanismHasAnotherLogin() {
    String password = "&password=env:NOWHERE";
    for (String mechanism :
        List.of("OAUTHBEARER", "AWS_MSK_IAM", "GSSAPI", "scram-sha-512", "SCRAM-SHA-1", "NONE")) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> at(SASL + password + "&sasl.mechanism=" + mechanism));

      assertThat(e)
          .hasMessageThat()
          .contains(
              "user and password are for sasl.mechanism=PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, not "
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
  public void aPasswordCannotEndItsQuotes() throws Exception {
    Map<String, Object> properties =
        at(SASL + "&password=" + secret("a\"b\\c; x=\"")).clientProperties();

    assertThat(properties.get("sasl.jaas.config").toString())
        .endsWith(" password=\"a\\\"b\\\\c; x=\\\"\";");
  }

  @Test
  public void secretsAreReadWhenAClientIsMadeAndNotBefore() throws Exception {
    Path file = folder.getRoot().toPath().resolve("later");
    KafkaBus bus = at("kafka://b/t?ssl.keystore.key=file:" + file);
    assertThat(bus.properties()).isEmpty();
    assertThrows(IllegalStateException.class, bus::clientProperties);

    Files.writeString(file, "hunter2");

    assertThat(SerializableUtils.clone(bus).clientProperties())
        .containsEntry("ssl.keystore.key", "hunter2");
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

  private String secret(String value) throws Exception {
    Path file = folder.newFile().toPath();
    Files.writeString(file, value);
    return "file:" + file;
  }

  private static KafkaBus at(String uri) {
    return KafkaBus.at(EndpointUri.parse(uri));
  }
}
