package io.tailrace.pipelines.local;

import com.google.protobuf.ByteString;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.Buses;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.proof.StoreModels;
import io.tailrace.pipelines.local.traffic.SampleMessage;
import io.tailrace.sql.duckdb.DuckDbFile;
import io.tailrace.sql.duckdb.DuckDbSettings;
import io.tailrace.stage.Letter;
import io.tailrace.v1.Column;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import picocli.CommandLine;

/**
 * Shows how what was refused comes back: publishes one result more, whose feature has a table that
 * is none of ours, lists and explains its letter among the others, drops the table, and replays all
 * letters. What was mended must be stored then, and nothing else may change. Not thread-safe.
 */
final class LocalReplay {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(250);
  private static final String NAMESPACE = "replay";
  private static final String FEATURE = NAMESPACE + ".visits";
  private static final String TABLE = "prod.replay__visits";

  /** As little as what reads and changes a table by hand needs. */
  private static final DuckDbSettings SETTINGS = new DuckDbSettings("256MB", 1, false, 1 << 28);

  private final LocalStack stack;
  private final StoreModels models;
  private final CommandLine deadLetters;
  private final PrintWriter out;

  /**
   * Creates one.
   *
   * @param deadLetters the command that is shown
   */
  LocalReplay(LocalStack stack, StoreModels models, CommandLine deadLetters, PrintWriter out) {
    this.stack = stack;
    this.models = models;
    this.deadLetters = deadLetters;
    this.out = out;
  }

  /** Shows it; the models expect the result from then on. */
  void run() throws CommandException {
    out.println();
    out.println(
        "A table that somebody else has made is in the way of the feature " + FEATURE + ":");
    sql("CREATE TABLE " + TABLE + " (visitor VARCHAR, page VARCHAR)");
    publishAndAwaitLetter(result());
    command("list");
    command("show", "--reason=TABLE_REFUSES", "--offlineStore=" + stack.offlineStore());
    out.println("The table is dropped, and everything is sent back:");
    sql("DROP TABLE " + TABLE);
    command("replay", "--yes", "--rate=100000", "--wait=60s");
    out.println("What was broken on purpose is broken still, and is one letter again, not two:");
    command("list");
  }

  private static QueryResult result() {
    long now = Micros.now();
    return QueryResult.newBuilder()
        .setOperationId("replayed-" + now)
        .setEnvironmentId("prod")
        .setOperationKind(QueryResult.OperationKind.ONLINE_QUERY)
        .setQueryName("visits")
        .setQueryTimestamp(now)
        .setExecutionStartedAt(now)
        .setExecutionFinishedAt(now)
        .setStatus(QueryResult.Status.SUCCEEDED)
        .addFrames(
            Frame.newBuilder()
                .setNamespace(NAMESPACE)
                .addStringKeys("home")
                .addColumns(
                    Column.newBuilder()
                        .setFeature(FEATURE)
                        .setType(Column.Type.INT64)
                        .setMaxStaleness(Long.MAX_VALUE)
                        .addObservedAt(now)
                        .addInt64Values(42)))
        .build();
  }

  private void publish(QueryResult result) throws CommandException {
    byte[] payload = result.toByteArray();
    SampleMessage message =
        new SampleMessage(
            ByteString.EMPTY,
            ByteString.copyFrom(payload),
            result,
            Optional.empty(),
            true,
            Optional.empty());
    models.add(message, Micros.now());
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", stack.kafka().bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      RecordMetadata taken =
          producer.send(new ProducerRecord<>(LocalStack.RESULT_TOPIC, payload)).get();
      models.taken(message, Micros.ofMillis(taken.timestamp()));
    } catch (ExecutionException e) {
      throw new CommandException("Publishing has failed: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandException("Interrupted while publishing", e);
    }
  }

  private void publishAndAwaitLetter(QueryResult result) throws CommandException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    boolean[] found = {false};
    try (BusLog log = Buses.at(stack.deadLetterBus()).log(BusLog.Use.LOOK)) {
      publish(result);
      while (!found[0]) {
        if (System.nanoTime() > deadline) {
          throw new CommandException("No writer has refused " + FEATURE + " in a minute");
        }
        log.readNews(
            message -> {
              found[0] |=
                  Letter.of(message.headers())
                      .filter(letter -> letter.text(Letter.CELLS).contains(FEATURE))
                      .isPresent();
              return true;
            });
        Thread.sleep(POLL.toMillis());
      }
    } catch (UnavailableException e) {
      throw new CommandException(String.valueOf(e.getMessage()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandException("Interrupted while a letter was awaited", e);
    }
  }

  private void command(String... words) {
    out.println();
    out.println("$ dead-letters " + String.join(" ", words));
    List<String> arguments = new ArrayList<>(List.of(words));
    arguments.add("--deadLetterBus=" + stack.deadLetterBus());
    if (!words[0].equals("list")) {
      arguments.add("--deadLetterOverflow=" + stack.deadLetterOverflow());
    }
    var unused = deadLetters.setOut(out).setErr(out).execute(arguments.toArray(String[]::new));
    out.println();
    out.flush();
  }

  /** In this process, which has the file open. */
  private void sql(String text) throws CommandException {
    String uri = stack.offlineStore();
    Path file = Path.of(uri.substring("duckdb://".length()).replaceFirst("\\?.*", ""));
    try {
      DuckDbFile open = DuckDbFile.open(file, SETTINGS);
      try (Connection connection = open.duplicate();
          Statement statement = connection.createStatement()) {
        statement.execute(text);
      } finally {
        open.release();
      }
    } catch (UnavailableException | SQLException e) {
      throw new CommandException(file + ": " + e.getMessage(), e);
    }
  }
}
