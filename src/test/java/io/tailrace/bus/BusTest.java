package io.tailrace.bus;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import java.io.ByteArrayOutputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/**
 * Which URIs name a bus, what is said of those that don't, and that secrets stay where they are.
 */
public class BusTest {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  @Test
  public void theNameOfABusHasNoParameters() {
    assertThat(Buses.at("kafka://b1:9092,b2/result-bus?start=latest&group=g").name())
        .isEqualTo("kafka://b1:9092,b2:9092/result-bus");
    assertThat(Buses.at("KAFKA://[::1]:1/t").name()).isEqualTo("kafka://[::1]:1/t");
  }

  @Test
  public void everyParameterHasItsValues() {
    for (String uri :
        List.of(
            "kafka://b/t?start=earliest",
            "kafka://b/t?start=latest",
            "kafka://b/t?start=2026-01-31T12:00:00Z",
            "kafka://b/t?overrun=continue",
            "kafka://b/t?overrun=fail",
            "kafka://b/t?group=mine&max.poll.records=5",
            "kafka://b/t?security.protocol=SASL_SSL&user=u&password=env:P",
            "kafka://b/t?security.protocol=SASL_PLAINTEXT&user=u&password=file:/run/p",
            "kafka://b/t?security.protocol=SSL&ssl.keystore.password=env:P&ssl.key.password=env:Q",
            "kafka://b/a.B_c-1")) {
      assertThat(Buses.at(uri).name()).startsWith("kafka://b:9092/");
    }
  }

  @Test
  public void anotherSchemeIsRefusedWithAnExample() {
    for (String uri : List.of("", "localhost:9092/t", "redis://localhost", "pulsar://p/t")) {
      String expected = "'" + uri + "' names no bus. Examples: " + Buses.KINDS.examples();

      assertThat(assertThrows(IllegalArgumentException.class, () -> Buses.at(uri).name()))
          .hasMessageThat()
          .isEqualTo(expected);
      assertThat(assertThrows(IllegalArgumentException.class, () -> Buses.at(uri).read("g")))
          .hasMessageThat()
          .isEqualTo(expected);
      assertThat(assertThrows(IllegalArgumentException.class, () -> Buses.at(uri).write()))
          .hasMessageThat()
          .isEqualTo(expected);
      assertThat(
              assertThrows(IllegalArgumentException.class, () -> Buses.at(uri).checkReadable("g")))
          .hasMessageThat()
          .isEqualTo(expected);
      assertThat(assertThrows(IllegalArgumentException.class, () -> Buses.at(uri).checkWritable()))
          .hasMessageThat()
          .isEqualTo(expected);
    }
  }

  @Test
  public void everythingThatIsWrongIsSaidAtOnce() {
    String uri = "kafka://b:x/a%20b?start=now&overrun=maybe&user=u&color=red";

    String message =
        assertThrows(IllegalArgumentException.class, () -> Buses.at(uri).checkReadable("g"))
            .getMessage();

    assertThat(message).contains("'b:x' has no port between 1 and 65535");
    assertThat(message).contains("'a%20b' can't be a topic: use up to 249 letters, digits");
    assertThat(message)
        .contains("start=now is not earliest, latest or a time such as 2026-01-31T12:00:00Z");
    assertThat(message).contains("overrun=maybe is not fail or continue");
    assertThat(message).contains("user and password=env:VARIABLE belong together");
    assertThat(message).contains("user and password need security.protocol=SASL_SSL");
    assertThat(message).contains("parameter 'color' is unknown");
    assertThat(message).contains("Example: kafka://broker-1:9092");
  }

  @Test
  public void aSettingThatKafkasClientsDoNotHaveIsRefused() {
    assertThat(refused("kafka://b/t?security.protocl=SSL&fetch.max.byte=1"))
        .contains(
            "parameter 'security.protocl' is unknown (security.protocol?); parameter"
                + " 'fetch.max.byte' is unknown (fetch.max.bytes?); known are user, password,"
                + " properties, group, start, overrun. Example: ");
  }

  @Test
  public void aTopicIsNeededAndHasKafkasCharacters() {
    assertThat(refused("kafka://b")).contains("the topic is missing");
    assertThat(refused("kafka://b/")).contains("the topic is missing");
    for (String topic : List.of(".", "..", "a/b", "ü", "a".repeat(250))) {
      assertThat(refused("kafka://b/" + topic)).contains("'" + topic + "' can't be a topic");
    }
  }

  @Test
  public void aUserNeedsAPasswordAndAPasswordAUser() {
    assertThat(refused("kafka://b/t?security.protocol=SASL_SSL&user=u"))
        .contains("user and password=env:VARIABLE belong together");
    assertThat(refused("kafka://b/t?security.protocol=SASL_SSL&password=env:P"))
        .contains("user and password=env:VARIABLE belong together");
  }

  @Test
  public void aSecretInAUriIsRefusedAndNotRepeated() {
    for (String uri :
        List.of(
            "kafka://u:hunter2@b/t",
            "kafka://b/t?user=u&security.protocol=SASL_SSL&password=hunter2",
            "kafka://b/t?password=hunter2%",
            "kafka://b/t?sasl.jaas.config=Module required password=\"hunter2\";",
            "kafka://b/t?ssl.key.password=hunter2",
            "kafka://b/t?ssl.keystore.password=hunter2",
            "kafka://b/t?ssl.keystore.key=-----BEGIN PRIVATE KEY-----hunter2",
            "kafka://b/t?ssl.truststore.password=hunter2",
            "kafka://b/t?ssl.truststore.certificates=-----BEGIN CERTIFICATE-----hunter2",
            "kafka://b/t?ssl.keystore.pasword=hunter2",
            "kafka://b/t?start=latest&ssl.keystore.key=hunter2&start=hunter2&hunter2=hunter2",
            "pulsar://u:hunter2@b/t",
            "kafka://b/t?secret=hunter2")) {
      assertWithMessage(uri).that(refused(uri)).doesNotContain("hunter2");
    }
  }

  @Test
  public void aTransformKnowsWhereTheSecretIsButNotWhatItIs() throws Exception {
    Path file = folder.newFile().toPath();
    Files.writeString(file, "hunter2");
    String uri =
        "kafka://b:9096/t?security.protocol=SASL_SSL&sasl.mechanism=SCRAM-SHA-512&user=writer"
            + "&ssl.truststore.password=file:"
            + file
            + "&password=file:"
            + file;

    for (PTransform<?, ?> transform : List.of(Buses.at(uri).read("group"), Buses.at(uri).write())) {
      String bytes = serialized(transform);

      assertThat(bytes).contains(file.toString());
      assertThat(bytes).doesNotContain("hunter2");
      assertThat(transform.toString()).doesNotContain("hunter2");
      assertThat(transform.toString()).doesNotContain(file.toString());
      assertThat(DisplayData.from(transform).toString()).doesNotContain("hunter2");
    }
    assertThat(Buses.at(uri).name()).isEqualTo("kafka://b:9096/t");
  }

  private static String refused(String uri) {
    return assertThrows(uri, IllegalArgumentException.class, () -> Buses.at(uri).name())
        .getMessage();
  }

  private static String serialized(Object object) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(object);
    }
    return bytes.toString(StandardCharsets.ISO_8859_1);
  }
}
