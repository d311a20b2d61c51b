package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.servers.LoopbackHttp;
import io.tailrace.pipelines.local.servers.TestCertificates;
import io.tailrace.testing.ReadBus;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;
import org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;
import org.slf4j.LoggerFactory;

/** How clients log in to a real broker, and go on when what they log in with is changed. */
@RunWith(JUnit4.class)
public class KafkaSecurityTest {
  @ClassRule public static final TemporaryFolder temporary = new TemporaryFolder();

  private static final int SASL_SSL = freePort();
  private static final int SSL = freePort();
  private static final int OAUTH = freePort();

  private static TestCertificates certificates;
  private static LocalKafka kafka;

  @BeforeClass
  public static void start() throws Exception {
    certificates = TestCertificates.generate(temporary.newFolder().toPath());
    Path store = keyStore(certificates);
    Map<String, String> settings = new HashMap<>();
    settings.put(
        "listeners",
        "SASL_SSL://localhost:"
            + SASL_SSL
            + ",SSL://localhost:"
            + SSL
            + ",SASL_PLAINTEXT://localhost:"
            + OAUTH);
    settings.put("ssl.keystore.type", "PEM");
    settings.put("ssl.keystore.location", store.toString());
    settings.put("ssl.truststore.type", "PEM");
    settings.put("ssl.truststore.location", certificates.authority().toString());
    settings.put("listener.name.ssl.ssl.client.auth", "required");
    settings.put("sasl.enabled.mechanisms", "SCRAM-SHA-512,PLAIN");
    settings.put(
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config",
        "org.apache.kafka.common.security.scram.ScramLoginModule required;");
    settings.put(
        "listener.name.sasl_ssl.plain.sasl.jaas.config",
        "org.apache.kafka.common.security.plain.PlainLoginModule required user_me=\"of-me\";");
    settings.put("listener.name.sasl_plaintext.sasl.enabled.mechanisms", "OAUTHBEARER");
    settings.put(
        "listener.name.sasl_plaintext.oauthbearer.sasl.jaas.config",
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;");
    settings.put(
        "listener.name.sasl_plaintext.oauthbearer.sasl.server.callback.handler.class",
        SignedTokens.class.getName());
    // Whose token is over logs in again, or is cut off.
    settings.put("listener.name.sasl_plaintext.oauthbearer.connections.max.reauth.ms", "3600000");
    kafka = LocalKafka.start(temporary.newFolder().toPath(), 0, settings);
    kafka.createTopic("results", 1);
    kafka.createTopic("tokens", 1);
  }

  @AfterClass
  public static void stop() {
    kafka.close();
  }

  /** Below the ports that a system gives to whoever asks for any. */
  private static int freePort() {
    while (true) {
      int port = 22_300 + ThreadLocalRandom.current().nextInt(10_000);
      try (ServerSocket any = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return any.getLocalPort();
      } catch (IOException e) {
        // Somebody has it.
      }
    }
  }

  private static Path keyStore(TestCertificates of) throws Exception {
    Path store = temporary.newFile().toPath();
    Files.writeString(store, Files.readString(of.key()) + Files.readString(of.certificate()));
    return store;
  }

  private static void password(String user, String password) throws Exception {
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", (Object) kafka.bootstrapServers()))) {
      admin
          .alterUserScramCredentials(
              List.of(
                  new UserScramCredentialUpsertion(
                      user,
                      new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4_096),
                      password)))
          .all()
          .get();
    }
  }

  private static KafkaBus bus(int port, String parameters) {
    return bus("results", port, parameters);
  }

  private static KafkaBus bus(String topic, int port, String parameters) {
    return KafkaBus.at(
        EndpointUri.parse(
            "kafka://localhost:"
                + port
                + "/"
                + topic
                + "?"
                + parameters
                + "&ssl.truststore.type=PEM&ssl.truststore.location="
                + certificates.authority()
                + "&"
                + KafkaIoContractTest.LEFT_OPEN.replaceFirst("&.*", "")
                + "&reconnect.backoff.max.ms=200"));
  }

  private static OutgoingMessage message(String text) {
    return OutgoingMessage.of(text.getBytes(UTF_8));
  }

  @Test
  public void aPasswordIsChangedWhileEverybodyWhoUsesItLives() throws Exception {
    Path secret = temporary.newFile().toPath();
    Files.writeString(secret, "first");
    password("writer", "first");
    KafkaBus bus =
        bus(
            SASL_SSL,
            "security.protocol=SASL_SSL&sasl.mechanism=SCRAM-SHA-512&user=writer&password=file:"
                + secret);
    ReadBus read = ReadBus.start(bus, "scram");
    ReadBus byKafkaIo = ReadBus.start(bus, "scram-kafkaio", "--busReader=kafkaio");
    try (BusPublisher publisher = bus.publisher()) {
      publisher.publish(message("before"));
      publisher.flush();
      var unused = read.await(1);
      var unusedOfKafkaIo = byKafkaIo.await(1);

      password("writer", "second");
      Files.writeString(secret, "second");
      // Every connection is a new one after that.
      kafka.restart();

      publisher.publish(message("after"));
      publisher.flush();
      assertThat(read.await(2)).hasSize(2);
      assertThat(byKafkaIo.await(2)).hasSize(2);
    } finally {
      read.cancel();
      byKafkaIo.cancel();
    }
    // All that looks at a topic goes by the same login.
    var unusedSign = bus.checkWritable();
    var unusedTopic = bus.checkReadable("other");
    try (BusLog log = bus.log(BusLog.Use.LOOK)) {
      assertThat(log).isNotNull();
    }
    Files.writeString(secret, "first");
    assertThat(assertThrows(UnavailableException.class, bus::checkWritable))
        .hasMessageThat()
        .contains("Authentication failed");
  }

  @Test
  public void aClientHasACertificateThatIsReplacedWhileItLives() throws Exception {
    TestCertificates stranger = TestCertificates.generate(temporary.newFolder().toPath());
    Path key = temporary.newFile().toPath();
    Path certificate = temporary.newFile().toPath();
    Files.writeString(key, Files.readString(stranger.key()));
    Files.writeString(certificate, Files.readString(stranger.certificate()));
    KafkaBus bus =
        bus(
            SSL,
            "security.protocol=SSL&ssl.keystore.type=PEM&ssl.keystore.key=file:"
                + key
                + "&ssl.keystore.certificate.chain=file:"
                + certificate);
    try (Admin admin = KafkaAdmins.open(bus, Duration.ofSeconds(20))) {
      assertThat(
              assertThrows(
                  ExecutionException.class,
                  () -> admin.describeTopics(List.of("results")).allTopicNames().get()))
          .hasCauseThat()
          .isInstanceOf(SslAuthenticationException.class);

      Files.writeString(key, Files.readString(certificates.key()));
      Files.writeString(certificate, Files.readString(certificates.certificate()));

      awaitDescribed(admin);
    }
  }

  @Test
  public void aClientGoesOnWithWhatItHasWhileCertificatesAreAwayAndSaysSoOnce() throws Exception {
    Path key = temporary.newFile().toPath();
    Path certificate = temporary.newFile().toPath();
    Path authority = temporary.newFile().toPath();
    Files.copy(certificates.key(), key, StandardCopyOption.REPLACE_EXISTING);
    Files.copy(certificates.certificate(), certificate, StandardCopyOption.REPLACE_EXISTING);
    Files.copy(certificates.authority(), authority, StandardCopyOption.REPLACE_EXISTING);
    List<String> said = new CopyOnWriteArrayList<>();
    AppenderBase<ILoggingEvent> log = listen(said);
    try (RenewedCertificates renewed = new RenewedCertificates()) {
      Map<String, Object> settings =
          KafkaBus.at(
                  EndpointUri.parse(
                      "kafka://localhost/results?security.protocol=SSL&ssl.keystore.type=PEM"
                          + "&ssl.truststore.type=PEM&ssl.truststore.location="
                          + authority
                          + "&ssl.keystore.key=file:"
                          + key
                          + "&ssl.keystore.certificate.chain=file:"
                          + certificate))
              .clientProperties();
      Map<String, Object> all = new HashMap<>(settings);
      all.putAll(new AdminClientConfig(settings).values());
      renewed.configure(all);
      KeyStore before = renewed.keystore();

      Files.delete(authority);
      for (int i = 0; i < 5; i++) {
        assertThat(renewed.createClientSslEngine("localhost", 9092, "https")).isNotNull();
      }
      // What stands there for a moment while files are written is no certificate either.
      Files.copy(certificates.authority(), authority);
      Files.writeString(key, "half a k");
      for (int i = 0; i < 5; i++) {
        assertThat(renewed.keystore()).isSameInstanceAs(before);
      }
      assertThat(said).hasSize(2);
      assertThat(said.get(0))
          .isEqualTo(
              "Connections are made with the certificates that were read before:"
                  + " ssl.truststore.location="
                  + authority
                  + " can't be read: name a file that is there");
      assertThat(said.get(1))
          .startsWith("Connections are made with the certificates that were read before: ");

      Files.copy(certificates.key(), key, StandardCopyOption.REPLACE_EXISTING);
      assertThat(renewed.keystore()).isNotNull();
      assertThat(said.subList(2, said.size())).containsExactly("Certificates are read again");
    } finally {
      forget(log);
    }
  }

  @Test
  public void certificatesThatAreNotThereAreNamedBeforeAnythingStarts() {
    KafkaBus bus =
        KafkaBus.at(
            EndpointUri.parse(
                "kafka://localhost:"
                    + SSL
                    + "/results?security.protocol=SSL&ssl.truststore.type=PEM"
                    + "&ssl.truststore.location=/nowhere/ca.pem"));

    assertThat(assertThrows(UnavailableException.class, bus::checkWritable))
        .hasMessageThat()
        .isEqualTo(
            bus.name()
                + ": the settings are wrong: ssl.truststore.location=/nowhere/ca.pem can't be read:"
                + " name a file that is there");
  }

  private static AppenderBase<ILoggingEvent> listen(List<String> said) {
    AppenderBase<ILoggingEvent> appender =
        new AppenderBase<>() {
          @Override
          protected void append(ILoggingEvent event) {
            said.add(event.getFormattedMessage());
          }
        };
    appender.setContext((LoggerContext) LoggerFactory.getILoggerFactory());
    appender.start();
    for (Class<?> each : List.of(RenewedCertificates.class, DefaultSslEngineFactory.class)) {
      ((Logger) LoggerFactory.getLogger(each)).addAppender(appender);
    }
    return appender;
  }

  private static void forget(AppenderBase<ILoggingEvent> appender) {
    for (Class<?> each : List.of(RenewedCertificates.class, DefaultSslEngineFactory.class)) {
      ((Logger) LoggerFactory.getLogger(each)).detachAppender(appender);
    }
    appender.stop();
  }

  /** The client tries again by itself, and says until it has that it was refused. */
  private static void awaitDescribed(Admin admin) throws Exception {
    Instant end = Instant.now().plusSeconds(30);
    while (true) {
      try {
        assertThat(admin.describeTopics(List.of("results")).allTopicNames().get())
            .containsKey("results");
        return;
      } catch (ExecutionException e) {
        if (Instant.now().isAfter(end)) {
          throw e;
        }
        Thread.sleep(10);
      }
    }
  }

  @Test
  public void aFileOfPropertiesHasAllOfALogin() throws Exception {
    Path file = temporary.newFile().toPath();
    Files.writeString(
        file,
        "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n"
            + "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required"
            + " username=\"me\" password=\"of-me\";\n");

    var unused = bus(SASL_SSL, "properties=file:" + file).checkWritable();
  }

  @Test
  public void tokensAreGotWithAClientsSecretThatIsReadAnew() throws Exception {
    Path secret = temporary.newFile().toPath();
    Files.writeString(secret, "first");
    try (TokenProvider provider = new TokenProvider("first", Duration.ofSeconds(6))) {
      KafkaBus bus =
          bus(
              "tokens",
              OAUTH,
              "security.protocol=SASL_PLAINTEXT&sasl.mechanism=OAUTHBEARER&user=client&password=file:"
                  + secret
                  // A token is renewed when half of its life is over.
                  + "&sasl.login.refresh.window.factor=0.5&sasl.login.refresh.min.period.seconds=0"
                  + "&sasl.login.refresh.buffer.seconds=0"
                  + "&sasl.oauthbearer.token.endpoint.url="
                  + provider.url());
      assertThat(bus.clientProperties().toString()).doesNotContain("first");
      try (BusPublisher publisher = bus.publisher()) {
        publisher.publish(message("before"));
        publisher.flush();
        assertThat(provider.given("first")).isGreaterThan(0);

        // Both are taken until the client asks with the second: one that is refused asks again
        // only when its token is over. The client that lives goes on with tokens of the new
        // secret, at a broker that cuts off whoever has none that holds.
        provider.take("second");
        Files.writeString(secret, "second");
        publishUntil(publisher, () -> provider.given("second") > 0);
        provider.takeNoMore("first");
        int before = provider.given("second");
        publishUntil(publisher, () -> provider.given("second") > before);
      }
      var unused = bus.checkWritable();
      Files.writeString(secret, "third");
      assertThat(assertThrows(UnavailableException.class, bus::checkWritable))
          .hasMessageThat()
          .contains("the settings are wrong");
    }
  }

  private static void publishUntil(BusPublisher publisher, BooleanSupplier done) throws Exception {
    for (int i = 0; !done.getAsBoolean(); i++) {
      publisher.publish(message("after " + i));
      publisher.flush();
      Thread.sleep(20);
    }
  }

  /** Gives tokens for secrets; a real server over HTTP. */
  private static final class TokenProvider implements AutoCloseable {
    private static final String ALLOWED = "org.apache.kafka.sasl.oauthbearer.allowed.urls";

    private final HttpServer server;
    private final Duration life;
    private final Map<String, AtomicInteger> given = new ConcurrentHashMap<>();

    TokenProvider(String secret, Duration life) throws IOException {
      take(secret);
      this.life = life;
      server = LoopbackHttp.create();
      server.createContext("/token", this::answer);
      server.start();
      System.setProperty(ALLOWED, url());
    }

    String url() {
      return "http://127.0.0.1:" + server.getAddress().getPort() + "/token";
    }

    void take(String secret) {
      given.putIfAbsent(basic(secret), new AtomicInteger());
    }

    void takeNoMore(String secret) {
      given.remove(basic(secret));
    }

    /** Returns how many tokens were given for a secret that is taken. */
    int given(String secret) {
      return given.getOrDefault(basic(secret), new AtomicInteger()).get();
    }

    private static String basic(String secret) {
      return "Basic " + Base64.getEncoder().encodeToString(("client:" + secret).getBytes(UTF_8));
    }

    private void answer(HttpExchange exchange) throws IOException {
      AtomicInteger right =
          given.get(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
      boolean isRight = right != null;
      if (right != null) {
        right.incrementAndGet();
      }
      byte[] answer = (isRight ? "{\"access_token\":\"" + token() + "\"}" : "{}").getBytes(UTF_8);
      exchange.getResponseHeaders().set("Content-Type", "application/json");
      exchange.sendResponseHeaders(isRight ? 200 : 401, answer.length);
      exchange.getResponseBody().write(answer);
      exchange.close();
    }

    private String token() {
      long now = System.currentTimeMillis() / 1_000;
      Base64.Encoder encoder = Base64.getUrlEncoder().withoutPadding();
      String claims =
          "{\"sub\":\"client\",\"iat\":" + now + ",\"exp\":" + (now + life.toSeconds()) + "}";
      return encoder.encodeToString("{\"alg\":\"RS256\"}".getBytes(UTF_8))
          + "."
          + encoder.encodeToString(claims.getBytes(UTF_8))
          + ".c2lnbmF0dXJl";
    }

    @Override
    public void close() {
      System.clearProperty(ALLOWED);
      server.stop(0);
    }
  }

  /** A broker's end, which takes any signature. */
  public static final class SignedTokens implements AuthenticateCallbackHandler {
    private final OAuthBearerUnsecuredValidatorCallbackHandler unsigned =
        new OAuthBearerUnsecuredValidatorCallbackHandler();

    @Override
    public void configure(
        Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> logins) {
      unsigned.configure(configs, mechanism, logins);
    }

    @Override
    public void handle(Callback[] callbacks) throws IOException, UnsupportedCallbackException {
      for (Callback callback : callbacks) {
        if (callback instanceof OAuthBearerValidatorCallback asked) {
          String[] parts = asked.tokenValue().split("\\.", -1);
          String header =
              Base64.getUrlEncoder()
                  .withoutPadding()
                  .encodeToString("{\"alg\":\"none\"}".getBytes(UTF_8));
          OAuthBearerValidatorCallback plain =
              new OAuthBearerValidatorCallback(header + "." + parts[1] + ".");
          unsigned.handle(new Callback[] {plain});
          if (plain.token() != null) {
            asked.token(plain.token());
          } else {
            asked.error(plain.errorStatus(), plain.errorScope(), plain.errorOpenIDConfiguration());
          }
        }
      }
    }

    @Override
    public void close() {}
  }
}
