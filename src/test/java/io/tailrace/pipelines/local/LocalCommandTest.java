package io.tailrace.pipelines.local;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.Writers;
import io.tailrace.pipelines.deadletter.DeadLettersCommand;
import io.tailrace.sql.duckdb.DuckDbFile;
import io.tailrace.sql.duckdb.DuckDbSettings;
import io.tailrace.testing.TallyWriter;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;
import picocli.CommandLine;
import redis.clients.jedis.Jedis;

@RunWith(JUnit4.class)
public class LocalCommandTest {
  /** All, and one that only the tests know. */
  private static final List<Writer<?>> WRITERS =
      Writers.forOfflineStore(
          Stream.concat(Writers.ALL.stream(), Stream.of(TallyWriter.WRITER)).toList(),
          "duckdb:///any.db");

  private static final byte[] AGE = "age".getBytes(UTF_8);

  @Rule public final TemporaryFolder temporary = new TemporaryFolder();

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  public void exitsWithZeroWhenEverythingIsPersistedAndLeavesNothingBehind() throws Exception {
    Path directory = temporary.getRoot().toPath().resolve("data");
    int code =
        run(
            stack -> {
              RunningStack found = RunningStack.find(stackFile()).orElseThrow();
              assertThat(found.onlineStore()).isEqualTo(stack.onlineStore());
              assertThat(found.metrics()).isEqualTo(stack.metricsUrl());
              assertThat(out.toString()).contains("  metrics       " + stack.metricsUrl());
            },
            "--records=3000",
            "--exitWhenPersisted",
            "--directory=" + directory);

    assertThat(err.toString()).isEmpty();
    assertThat(out.toString()).contains("3,000 results in");
    assertThat(out.toString()).contains("6 of them broken on purpose");
    assertThat(out.toString()).contains("all as they must be");
    for (Writer<?> writer : WRITERS) {
      assertThat(out.toString()).contains("; " + writer.name() + " ");
      assertThat(out.toString())
          .containsMatch(
              "(?m)^  "
                  + writer.name()
                  + " +[1-9][0-9,]* "
                  + writer.settled().replace('_', ' ')
                  + " after [0-9.]+ s: .*[1-9][0-9,]* "
                  + writer.made().replace('_', ' '));
      assertThat(out.toString()).containsMatch("dead letters +\\d of the " + writer.name());
    }
    assertThat(out.toString()).contains("dead letters            4 of the tally-writer: ");
    assertThat(out.toString()).contains("Everything that was published is in the store");
    assertThat(code).isEqualTo(0);
    assertThat(Files.exists(stackFile())).isFalse();
    assertThat(Files.exists(directory.resolve("kafka"))).isTrue();

    assertThat(run(stack -> {}, "--exitWhenPersisted", "--directory=" + directory)).isEqualTo(2);
    assertThat(err.toString()).contains("needs a directory that is empty");

    String store = "duckdb://" + directory + "/offline.db?schema={environment}";
    assertThat(run(stack -> {}, "--exitWhenPersisted", "--offlineStore=" + store)).isEqualTo(2);
    assertThat(err.toString()).contains("needs one that is empty; " + store + " has");
  }

  @Test
  public void whatIsReplayedChangesNothingButWhatWasMended() {
    int code = run(stack -> {}, "--records=1000", "--exitWhenPersisted", "--replay");

    assertThat(out.toString()).contains("letter 0@");
    assertThat(out.toString()).contains("TABLE_REFUSES");
    assertThat(out.toString()).containsMatch("there is no such|lacks the column");
    assertThat(out.toString()).containsMatch("(?m)^ +1 stored$");
    assertThat(out.toString()).containsMatch("(?m)^ +\\d+ refused again$");
    assertThat(out.toString()).contains("Everything that was published is in the store");
    assertThat(code).isEqualTo(0);
    assertThat(run(stack -> {}, "--replay")).isEqualTo(2);
  }

  @Test
  public void exitsWithOneAndNamesTheCellAndTheSeriesThatAreNotAsTheyMustBe() {
    int code =
        run(
            stack -> {
              changeAnAge(stack);
              addANull(stack);
            },
            "--records=1000",
            "--exitWhenPersisted");

    assertThat(code).isEqualTo(1);
    assertThat(out.toString()).contains("features read back from the store: 1 DIFFERENCES");
    assertThat(out.toString()).containsMatch("user \\d+ age: expected INT64 \\d+ observed at");
    assertThat(out.toString()).contains("read back from the metrics store: 1 DIFFERENCES");
    assertThat(out.toString()).containsMatch("user.age .* of prod: nulls must be \\d+.0 and is");
    assertThat(out.toString()).contains("Something is WRONG");
  }

  @Test
  public void optionsThatContradictEachOtherAreWrongUse() {
    assertThat(run(stack -> {}, "--noTraffic", "--records=5")).isEqualTo(2);
    assertThat(run(stack -> {}, "--records=0")).isEqualTo(2);
    assertThat(run(stack -> {}, "--kafkaPort=70000")).isEqualTo(2);
    assertThat(err.toString()).contains("not 70000");
    assertThat(run(stack -> {}, "--prometheusPort=-1")).isEqualTo(2);
    assertThat(err.toString()).contains("not -1");
    assertThat(out.toString()).isEmpty();
  }

  private static void changeAnAge(LocalStack stack) {
    try (Jedis redis = stack.redis().connect()) {
      Set<byte[]> users = redis.keys("prod:user:*".getBytes(UTF_8));
      for (byte[] user : users) {
        byte[] cell = redis.hget(user, AGE);
        if (cell != null) {
          cell[cell.length - 1] ^= 1;
          redis.hset(user, AGE, cell);
          return;
        }
      }
    }
    throw new AssertionError("no user has an age");
  }

  private static void addANull(LocalStack stack) {
    // At the end of a minute its series are told again, and would mend what is made wrong here.
    stack.writers().stream()
        .filter(writer -> writer.name().equals("metrics-bus-writer"))
        .forEach(writer -> stack.flink().cancel(writer.job()));
    Path file = Path.of(stack.metricsStore().substring("duckdb://".length()));
    DuckDbSettings settings = new DuckDbSettings("256MB", 1, false, 1 << 28);
    try {
      DuckDbFile open = DuckDbFile.open(file, settings);
      try (Connection connection = open.duplicate();
          Statement statement = connection.createStatement()) {
        int changed =
            statement.executeUpdate(
                "UPDATE tailrace_metrics.feature_minutes SET nulls = nulls + 1 WHERE feature ="
                    + " 'user.age' AND minute = (SELECT min(minute) FROM"
                    + " tailrace_metrics.feature_minutes WHERE feature = 'user.age')");
        assertThat(changed).isEqualTo(1);
      } finally {
        open.release();
      }
    } catch (UnavailableException | SQLException e) {
      throw new AssertionError(e);
    }
  }

  private Path stackFile() {
    return temporary.getRoot().toPath().resolve("local.properties");
  }

  private int run(Consumer<LocalStack> beforeComparison, String... options) {
    return new CommandLine(
            new LocalCommand(
                stackFile(),
                Stream.concat(Writers.ALL.stream(), Stream.of(TallyWriter.WRITER)).toList(),
                beforeComparison))
        .addSubcommand("dead-letters", new DeadLettersCommand())
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(options);
  }
}
