package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.endpoint.EndpointUri;
import java.net.URLEncoder;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.Subject;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.spi.LoginModule;
import javax.security.sasl.Sasl;
import javax.security.sasl.SaslClient;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What a client sends to MSK, made by Amazon's own module with the settings that are given it. */
@RunWith(JUnit4.class)
public class MskIamTest {
  private static final String BROKER = "b-1.demo.abcdef.c2.kafka.eu-west-1.amazonaws.com";
  private static final String KEY = "AKIDEXAMPLE";
  private static final String SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  private static final String MECHANISM = "AWS_MSK_IAM";

  @Before
  public void giveAKey() {
    System.setProperty("aws.accessKeyId", KEY);
    System.setProperty("aws.secretAccessKey", SECRET);
  }

  @After
  public void takeItAway() {
    System.clearProperty("aws.accessKeyId");
    System.clearProperty("aws.secretAccessKey");
  }

  @Test
  public void aClientSignsThatItWantsToConnectToThatBroker() throws Exception {
    KafkaBus bus =
        KafkaBus.at(
            EndpointUri.parse(
                "kafka://"
                    + BROKER
                    + ":9098/results?security.protocol=SASL_SSL&sasl.mechanism=AWS_MSK_IAM"));

    JsonNode sent = new ObjectMapper().readTree(firstMessage(bus.clientProperties()));

    assertThat(sent.path("version").asText()).isEqualTo("2020_10_22");
    assertThat(sent.path("host").asText()).isEqualTo(BROKER);
    assertThat(sent.path("action").asText()).isEqualTo("kafka-cluster:Connect");
    String date = sent.path("x-amz-date").asText();
    assertThat(sent.path("x-amz-credential").asText())
        .isEqualTo(KEY + "/" + date.substring(0, 8) + "/eu-west-1/kafka-cluster/aws4_request");
    assertThat(sent.path("x-amz-signature").asText()).isEqualTo(signature(sent));
    assertThat(sent.toString()).doesNotContain(SECRET);
  }

  /** Logs in as Kafka's client does, and returns what it sends first. */
  private static byte[] firstMessage(Map<String, Object> settings) throws Exception {
    Map<String, Object> configs = new HashMap<>(settings);
    configs.put(
        SaslConfigs.SASL_JAAS_CONFIG,
        new Password(String.valueOf(settings.get(SaslConfigs.SASL_JAAS_CONFIG))));
    List<AppConfigurationEntry> logins =
        JaasContext.loadClientContext(configs).configurationEntries();
    AuthenticateCallbackHandler callbacks =
        made(
            AuthenticateCallbackHandler.class,
            String.valueOf(settings.get(SaslConfigs.SASL_CLIENT_CALLBACK_HANDLER_CLASS)));
    callbacks.configure(configs, MECHANISM, logins);
    LoginModule module = made(LoginModule.class, logins.get(0).getLoginModuleName());
    module.initialize(new Subject(), callbacks, Map.of(), logins.get(0).getOptions());
    assertThat(module.login()).isTrue();
    SaslClient client =
        Sasl.createSaslClient(new String[] {MECHANISM}, null, "kafka", BROKER, Map.of(), callbacks);
    return client.evaluateChallenge(new byte[0]);
  }

  private static <T> T made(Class<T> type, String name) throws Exception {
    return type.cast(Class.forName(name).getDeclaredConstructor().newInstance());
  }

  /** The signature of version 4 over a request whose parameters are what was sent. */
  private static String signature(JsonNode sent) throws Exception {
    Map<String, String> parameters = new TreeMap<>();
    parameters.put("Action", sent.path("action").asText());
    for (String name : List.of("Algorithm", "Credential", "Date", "Expires", "SignedHeaders")) {
      parameters.put("X-Amz-" + name, sent.path("x-amz-" + name.toLowerCase(Locale.ROOT)).asText());
    }
    String query =
        parameters.entrySet().stream()
            .map(each -> each.getKey() + "=" + encoded(each.getValue()))
            .collect(Collectors.joining("&"));
    String request =
        "GET\n/\n" + query + "\nhost:" + BROKER + "\n\nhost\n" + hex(digest(new byte[0]));
    String date = parameters.get("X-Amz-Date");
    String day = date.substring(0, 8);
    String text =
        "AWS4-HMAC-SHA256\n"
            + date
            + "\n"
            + day
            + "/eu-west-1/kafka-cluster/aws4_request\n"
            + hex(digest(request.getBytes(UTF_8)));
    byte[] key = ("AWS4" + SECRET).getBytes(UTF_8);
    for (String part : List.of(day, "eu-west-1", "kafka-cluster", "aws4_request")) {
      key = mac(key, part);
    }
    return hex(mac(key, text));
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, UTF_8);
  }

  private static byte[] digest(byte[] bytes) throws Exception {
    return MessageDigest.getInstance("SHA-256").digest(bytes);
  }

  private static byte[] mac(byte[] key, String text) throws Exception {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(text.getBytes(UTF_8));
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
