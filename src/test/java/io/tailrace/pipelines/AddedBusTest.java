package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.directory.DirectoryKind;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.stage.Letter;
import io.tailrace.testing.AddedKinds;
import io.tailrace.testing.Balance;
import io.tailrace.testing.ReadBus;
import io.tailrace.testing.Results;
import io.tailrace.v1.DeadLetter.Reason;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.beam.sdk.PipelineResult;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** A writer runs on a bus that somebody has added, from its options to the store. */
public class AddedBusTest {
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final int ENTITIES = 20;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();
  @Rule public final AddedKinds added = AddedKinds.of(DirectoryKind.class);

  private LocalRedis redis;
  private Bus results;
  private Bus letters;

  @Before
  public void startRedis() throws Exception {
    redis = LocalRedis.in(folder.newFolder().toPath()).start();
    results = topic("results", 3);
    letters = topic("letters", 1);
  }

  @After
  public void stopRedis() {
    redis.close();
  }

  @Test
  public void onTheDirectRunner() throws Exception {
    PipelineResult writer = OnlineWriter.WRITER.start(arguments(List.of("--blockOnRun=false")));
    try {
      assertThatAllArrives();
      Balance.assertEven(writer);
    } finally {
      writer.cancel();
    }
  }

  @Test
  public void onFlink() throws Exception {
    try (LocalFlink flink = LocalFlink.in(folder.newFolder().toPath()).slots(2).start()) {
      List<String> runner = new ArrayList<>(flink.pipelineArguments());
      runner.addAll(List.of("--parallelism=2", "--checkpointingInterval=300"));
      OnlineWriter.WRITER.start(arguments(runner));

      assertThatAllArrives();
      Balance.assertEven(flink);
    }
  }

  private Bus topic(String name, int partitions) throws Exception {
    Path path = folder.newFolder().toPath().resolve(name);
    for (int p = 0; p < partitions; p++) {
      Files.createDirectories(path.resolve(Integer.toString(p)));
    }
    return Buses.at("dir://" + path);
  }

  private String[] arguments(List<String> runner) {
    List<String> arguments = new ArrayList<>(runner);
    arguments.add("--resultBus=" + results.uri());
    arguments.add("--onlineStore=" + redis.uri());
    arguments.add("--deadLetterBus=" + letters.uri());
    return arguments.toArray(String[]::new);
  }

  private void assertThatAllArrives() throws Exception {
    long now = System.currentTimeMillis() * 1_000;
    try (BusPublisher publisher = results.publisher()) {
      for (int i = 0; i < ENTITIES; i++) {
        publisher.publish(
            message(Results.of(Results.user("u" + i, Results.int64("age", now, i))).toByteArray()));
      }
      publisher.publish(message("no result".getBytes(UTF_8)));
      publisher.flush();
    }

    List<EntityKey> keys = new ArrayList<>();
    List<Long> expected = new ArrayList<>();
    for (int i = 0; i < ENTITIES; i++) {
      keys.add(new EntityKey(Results.ENVIRONMENT, "user", "u" + i));
      expected.add((long) i);
    }
    Instant end = Instant.now().plus(PATIENCE);
    List<Object> found = new ArrayList<>();
    try (OnlineReader reader = OnlineReader.open(redis.uri())) {
      while (!found.equals(expected) && Instant.now().isBefore(end)) {
        Thread.sleep(50);
        found.clear();
        for (Map<String, OnlineReader.Value> values : reader.read(keys)) {
          if (values.containsKey("age")) {
            found.add(values.get("age").value().orElseThrow());
          }
        }
      }
    }
    assertThat(found).isEqualTo(expected);
    ReadBus reading = ReadBus.start(letters, "test");
    try {
      BusMessage message = reading.await(1).get(0);
      assertThat(new String(message.payload(), UTF_8)).isEqualTo("no result");
      Letter letter = Letter.of(message.headers()).orElseThrow();
      assertThat(letter.reason()).isEqualTo(Reason.UNDECODABLE);
      assertThat(letter.text(Letter.TOPIC)).isEqualTo("results");
    } finally {
      reading.cancel();
    }
  }

  private static OutgoingMessage message(byte[] payload) {
    return OutgoingMessage.of(payload, payload);
  }
}
