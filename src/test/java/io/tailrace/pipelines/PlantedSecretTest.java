package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.ISO_8859_1;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.AppenderBase;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.testing.Results;
import io.tailrace.v1.QueryResult;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.runners.TransformHierarchy;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.flink.api.common.JobID;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.params.ClientKillParams;

/** Passwords that are planted are in nothing that a writer shows, sends or keeps. */
public class PlantedSecretTest {
  private static final String SECRET = "planted-5ecret";
  private static final String OF_REDIS = SECRET + "-of-redis";
  private static final String OF_KAFKA = SECRET + "-of-kafka";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Those that know passwords, which tell more than they are asked to at other times. */
  private static final List<String> TALKATIVE =
      List.of("io.tailrace", "org.apache.kafka.clients.producer", "redis.clients");

  /** What of Flink's REST interface tells of a job and where it runs. */
  private static final List<String> PAGES =
      List.of(
          "/jobs/overview",
          "/jobs/%s",
          "/jobs/%s/config",
          "/jobs/%s/plan",
          "/jobs/%s/exceptions",
          "/jobs/%s/accumulators?includeSerializedValue=true",
          "/jobs/%s/checkpoints",
          "/jobs/%s/checkpoints/config",
          "/jobs/%s/jobmanager/config",
          "/jobmanager/config",
          "/jobmanager/environment",
          "/taskmanagers");

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private final Queue<String> logged = new ConcurrentLinkedQueue<>();
  private final Map<String, Level> levels = new HashMap<>();
  private final StringBuilder shown = new StringBuilder();

  @Test
  public void noPasswordIsInALogAPipelineASavepointAnAnswerOfFlinkOrAMetric() throws Exception {
    int port = freePort();
    Path directory = folder.newFolder().toPath();
    AppenderBase<ILoggingEvent> log = listen();
    try (LocalKafka kafka = LocalKafka.start(directory.resolve("kafka"), 0, logins(port));
        LocalRedis redis = LocalRedis.in(directory.resolve("redis")).password(OF_REDIS).start();
        LocalFlink flink = LocalFlink.in(directory.resolve("flink")).prometheusPort(0).start()) {
      kafka.createTopic("results", 1);
      kafka.createTopic("letters", 1);
      String store = redis.uri() + "?retryFor=1s&password=file:" + file(OF_REDIS);
      String login =
          "?security.protocol=SASL_PLAINTEXT&sasl.mechanism=PLAIN&user=me&password=file:"
              + file(OF_KAFKA);
      List<String> arguments = new ArrayList<>(flink.pipelineArguments());
      arguments.addAll(
          List.of(
              "--parallelism=1",
              "--checkpointingInterval=200",
              "--resultBus=kafka://localhost:" + port + "/results" + login,
              "--deadLetterBus=kafka://localhost:" + port + "/letters" + login,
              "--onlineStore=" + store));
      OnlineWriter.WRITER.start(
          outcomes -> showDisplayData(outcomes.getPipeline()), arguments.toArray(String[]::new));
      JobID job = flink.jobs().get(0).id();

      publish(kafka, 1);
      OfflineServers.await("the value", () -> isStored(store, 1));
      Path savepoint = Path.of(URI.create(flink.savepoint(job)));
      // A login that fails is what is told of most.
      try (Jedis admin = redis.connect()) {
        admin.aclSetUser("default", "resetpass", ">another");
        admin.clientKill(ClientKillParams.clientKillParams().skipMe(ClientKillParams.SkipMe.YES));
      }
      publish(kafka, 2);
      OfflineServers.await(
          "a failure",
          () ->
              flink.lastFailure(job).isPresent()
                  && logged.toString().contains("the user or the password is refused"));

      for (String page : PAGES) {
        get("http://" + flink.flinkMaster() + page.formatted(job));
      }
      for (JsonNode vertex :
          JSON.readTree(get("http://" + flink.flinkMaster() + "/jobs/" + job)).path("vertices")) {
        String path =
            "http://"
                + flink.flinkMaster()
                + "/jobs/"
                + job
                + "/vertices/"
                + vertex.path("id").asText();
        get(path);
        get(path + "/accumulators");
        get(path + "/metrics");
      }
      get(flink.metricsUrl().orElseThrow());
      showFiles(savepoint);
      showFiles(flink.checkpoints());
      logged.forEach(line -> shown.append(line).append('\n'));
    } finally {
      forget(log);
    }

    // The places are there: what is looked through is what says how a writer logs in.
    assertThat(shown.toString()).contains("password=file:");
    assertThat(logged.toString()).contains("the user or the password is refused");
    int at = shown.indexOf(SECRET);
    assertWithMessage(at < 0 ? "" : shown.substring(Math.max(0, at - 200), at))
        .that(at)
        .isEqualTo(-1);
  }

  private static Map<String, String> logins(int port) {
    return Map.of(
        "listeners",
        "SASL_PLAINTEXT://localhost:" + port,
        "sasl.enabled.mechanisms",
        "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config",
        "org.apache.kafka.common.security.plain.PlainLoginModule required user_me=\""
            + OF_KAFKA
            + "\";");
  }

  private static int freePort() throws IOException {
    try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return any.getLocalPort();
    }
  }

  private Path file(String secret) throws IOException {
    return Files.writeString(folder.newFile().toPath(), secret);
  }

  private static void publish(LocalKafka kafka, int value) throws Exception {
    QueryResult result =
        Results.of(
            Results.user(
                "ann", Results.int64("age", System.currentTimeMillis() * 1_000L + value, value)));
    try (BusPublisher publisher =
        Buses.at("kafka://" + kafka.bootstrapServers() + "/results").publisher()) {
      publisher.publish(OutgoingMessage.of(result.toByteArray()));
      publisher.flush();
    }
  }

  private static boolean isStored(String store, long value) throws Exception {
    try (OnlineReader reader = OnlineReader.open(store)) {
      OnlineReader.Value found =
          reader.read(new EntityKey(Results.ENVIRONMENT, "user", "ann")).get("age");
      return found != null && found.value().orElseThrow().equals(value);
    }
  }

  private void showDisplayData(Pipeline pipeline) {
    pipeline.traverseTopologically(
        new Pipeline.PipelineVisitor.Defaults() {
          @Override
          public CompositeBehavior enterCompositeTransform(TransformHierarchy.Node node) {
            show(node);
            return CompositeBehavior.ENTER_TRANSFORM;
          }

          @Override
          public void visitPrimitiveTransform(TransformHierarchy.Node node) {
            show(node);
          }
        });
    shown.append(DisplayData.from(pipeline.getOptions())).append('\n');
  }

  private void show(TransformHierarchy.Node node) {
    if (node.getTransform() != null) {
      shown.append(DisplayData.from(node.getTransform())).append('\n');
    }
  }

  private String get(String address) throws IOException, InterruptedException {
    HttpResponse<String> answer =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create(address)).build(),
                HttpResponse.BodyHandlers.ofString());
    assertWithMessage(address).that(answer.statusCode()).isEqualTo(200);
    shown.append(answer.body()).append('\n');
    return answer.body();
  }

  /** Flink removes checkpoints meanwhile: then all is looked at again. */
  private void showFiles(Path directory) throws IOException {
    while (true) {
      StringBuilder found = new StringBuilder();
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          found.append(new String(Files.readAllBytes(file), ISO_8859_1)).append('\n');
        }
        shown.append(found);
        return;
      } catch (NoSuchFileException e) {
        // Again.
      } catch (UncheckedIOException e) {
        if (!(e.getCause() instanceof NoSuchFileException)) {
          throw e;
        }
      }
    }
  }

  private AppenderBase<ILoggingEvent> listen() {
    AppenderBase<ILoggingEvent> appender =
        new AppenderBase<>() {
          @Override
          protected void append(ILoggingEvent event) {
            StringBuilder line = new StringBuilder(event.getFormattedMessage());
            for (IThrowableProxy cause = event.getThrowableProxy();
                cause != null;
                cause = cause.getCause()) {
              line.append(' ').append(cause.getMessage());
            }
            logged.add(line.toString());
          }
        };
    appender.setContext((LoggerContext) LoggerFactory.getILoggerFactory());
    appender.start();
    for (String name : TALKATIVE) {
      levels.put(name, logger(name).getLevel());
      logger(name).setLevel(Level.DEBUG);
    }
    logger(org.slf4j.Logger.ROOT_LOGGER_NAME).addAppender(appender);
    return appender;
  }

  private void forget(AppenderBase<ILoggingEvent> appender) {
    levels.forEach((name, level) -> logger(name).setLevel(level));
    logger(org.slf4j.Logger.ROOT_LOGGER_NAME).detachAppender(appender);
    appender.stop();
  }

  private static Logger logger(String name) {
    return (Logger) LoggerFactory.getLogger(name);
  }
}
