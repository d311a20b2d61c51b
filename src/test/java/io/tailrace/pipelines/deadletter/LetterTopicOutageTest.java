package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.pipelines.Writers;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.testing.Results;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.JobID;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** That what could not become a letter, as their topic was away, is one when it is back. */
public class LetterTopicOutageTest {
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  @Test
  public void nothingIsCommittedUntilTheLetterIsWrittenAndItIsOne() throws Exception {
    Path directory = folder.getRoot().toPath();
    try (LocalKafka results = LocalKafka.start(directory.resolve("results"), 0);
        LocalKafka letters = LocalKafka.start(directory.resolve("letters"), 0);
        LocalRedis redis = LocalRedis.in(directory.resolve("redis")).start();
        LocalFlink flink = LocalFlink.in(directory.resolve("flink")).slots(1).start()) {
      results.createTopic("results", 1);
      letters.createTopic("letters", 1);
      Bus resultBus = Buses.at("kafka://" + results.bootstrapServers() + "/results");
      String letterBus = "kafka://" + letters.bootstrapServers() + "/letters";
      List<String> options = new ArrayList<>(flink.pipelineArguments());
      options.addAll(
          List.of(
              "--parallelism=1",
              "--checkpointingInterval=300",
              "--resultBus=" + resultBus.uri(),
              "--onlineStore=" + redis.uri(),
              // A producer gives up, and the job starts anew.
              "--deadLetterBus="
                  + letterBus
                  + "?delivery.timeout.ms=1500&request.timeout.ms=1000&max.block.ms=1500"));
      var unused =
          Writers.ALL.stream()
              .filter(writer -> writer.name().equals("online-writer"))
              .findFirst()
              .orElseThrow()
              .start(options.toArray(String[]::new));
      JobID job = flink.jobs().get(0).id();
      await("the writer runs", () -> flink.isProcessing(job));

      letters.stop();
      try (BusPublisher publisher = resultBus.publisher()) {
        publisher.publish(sound("before"));
        publisher.publish(OutgoingMessage.of("poison".getBytes(StandardCharsets.UTF_8)));
        publisher.publish(sound("after"));
        publisher.flush();
      }
      await("the job has been restarted", () -> flink.restarts(job) > 1);
      assertThat(isDone(resultBus, 1)).isFalse();

      letters.restart();
      await("all is committed", () -> isDone(resultBus, 2));
      // However often it was written.
      assertThat(
              LetterServers.execute("list", "--json", "--deadLetterBus=" + letterBus)
                  .out()
                  .replaceAll("\\s", ""))
          .contains("\"reason\":\"UNDECODABLE\",\"count\":1,");
      try (OnlineReader reader = OnlineReader.open(redis.uri())) {
        for (String key : List.of("before", "after")) {
          assertThat(reader.read(new EntityKey(Results.ENVIRONMENT, "user", key)))
              .containsKey("age");
        }
      }
      flink.cancel(job);
    }
  }

  private static boolean isDone(Bus bus, long offset) throws Exception {
    return bus.doneBy("online-writer").orElseThrow().test(Place.numbered("results", 0, offset));
  }

  private static OutgoingMessage sound(String key) {
    long now = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    return OutgoingMessage.of(
        Results.of(Results.user(key, Results.int64("age", now, 1))).toByteArray());
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private static void await(String what, Condition condition) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.holds()) {
      assertWithMessage("waited in vain until %s", what)
          .that(System.nanoTime())
          .isLessThan(deadline);
      Thread.sleep(100);
    }
  }
}
