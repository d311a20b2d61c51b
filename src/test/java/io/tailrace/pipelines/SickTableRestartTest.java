package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.bus.BusLog;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Buses;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationRows;
import io.tailrace.pipelines.OfflineServers.Store;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.stage.Letter;
import io.tailrace.testing.Balance;
import io.tailrace.v1.DeadLetter.Reason;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.flink.api.common.JobID;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** A table that stays sick while its writer takes checkpoints and starts anew from them. */
public class SickTableRestartTest {
  private static final int FEATURES = 3;
  private static final String SICK = "user__f1";
  private static final List<String> WELL = List.of("user__f0", "user__f2", "query_log");

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private OfflineServers servers;
  private LocalFlink flink;
  private int published;

  @Before
  public void startServers() throws Exception {
    servers = new OfflineServers(folder.newFolder().toPath(), Store.POSTGRESQL);
    flink = LocalFlink.in(folder.newFolder().toPath()).slots(2).start();
  }

  @After
  public void stopServers() {
    flink.close();
    servers.close();
  }

  @Test
  public void eachOfItsRowsIsInALetterOrInTheTableAndEverythingElseFlows() throws Exception {
    JobID job = start("--parallelism=2");
    publish(20);
    awaitWell();
    servers.awaitRows(SICK, 20);

    execute(
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS"
            + " $$ BEGIN RAISE EXCEPTION 'closed for stocktaking'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON production.user__f1 FOR EACH STATEMENT"
            + " EXECUTE FUNCTION public.refuse()");
    publish(20);
    awaitWell();
    awaitCheckpoints(job);
    publish(20);
    awaitWell();

    // The store is away for longer than the writer has patience: the job fails and is restarted.
    servers.postgres().stop();
    publish(20);
    OfflineServers.await("a restart", () -> flink.restarts(job) > 0);
    servers.postgres().restart();
    awaitWell();
    publish(20);
    awaitWell();
    awaitCheckpoints(job);
    // Dots of a counter's name are none in Flink's.
    String counter = "InsertObservations_rows_rejected_" + SICK + "_TABLE_REFUSES";
    OfflineServers.await(
        counter, () -> flink.counters(job, counter::equals).getOrDefault(counter, 0L) > 0);

    String savepoint = flink.stopWithSavepoint(job);
    publish(20);
    JobID restored = start("--parallelism=1", "--savepointPath=" + savepoint);
    awaitWell();
    awaitAllCommitted();
    assertThat(keys()).containsExactlyElementsIn(users(0, 20));
    assertThat(lettered()).containsExactlyElementsIn(users(20, 120));

    execute("DROP TRIGGER refuse ON production.user__f1");
    OfflineServers.await(
        "a new row",
        () -> {
          publish(1);
          awaitWell();
          return servers.count(SICK) > 20;
        });
    publish(20);
    awaitWell();
    awaitAllCommitted();

    Set<String> stored = keys();
    Set<String> inLetters = lettered();
    assertThat(stored).containsAtLeastElementsIn(users(published - 20, published));
    assertThat(stored.stream().filter(inLetters::contains).toList()).isEmpty();
    Set<String> all = new TreeSet<>(stored);
    all.addAll(inLetters);
    assertThat(all).containsExactlyElementsIn(users(0, published));
    assertThat(servers.count(SICK)).isEqualTo(stored.size());

    assertThat(
            Tailrace.commandLine(List.of())
                .execute(
                    "dead-letters",
                    "replay",
                    "--yes",
                    "--rate=100000",
                    "--wait=3m",
                    "--deadLetterBus=" + servers.bus("letters")))
        .isEqualTo(0);
    servers.awaitRows(SICK, published);
    assertThat(keys()).containsExactlyElementsIn(users(0, published));
    assertThat(restarts(restored)).isEqualTo(0);
    Balance.assertEven(flink);
  }

  private int restarts(JobID job) {
    assertWithMessage("%s", flink.lastFailure(job)).that(flink.isProcessing(job)).isTrue();
    return flink.restarts(job);
  }

  /** Starts the writer and returns its job. */
  private JobID start(String... more) throws CommandException {
    List<String> arguments = new ArrayList<>(flink.pipelineArguments());
    arguments.add("--checkpointingInterval=300");
    arguments.addAll(List.of(more));
    var unused =
        StreamingInsertWriter.WRITER.start(
            Arrays.stream(servers.insertWriter("", arguments.toArray(String[]::new)))
                .map(it -> it.startsWith("--offlineStore=") ? it + "&retryFor=200ms" : it)
                .toArray(String[]::new));
    return flink.jobs().stream()
        .filter(job -> !job.status().isGloballyTerminalState())
        .findFirst()
        .orElseThrow()
        .id();
  }

  private void publish(int results) throws Exception {
    servers.publishFiles(OfflineServers.results(published, results, FEATURES));
    published += results;
  }

  private void awaitWell() throws Exception {
    for (String table : WELL) {
      servers.awaitRows(table, published);
    }
  }

  private void awaitCheckpoints(JobID job) throws Exception {
    long before = flink.completedCheckpoints(job);
    OfflineServers.await("checkpoints", () -> flink.completedCheckpoints(job) >= before + 2);
  }

  private void awaitAllCommitted() throws Exception {
    servers.awaitCommitted(StreamingInsertWriter.WRITER.name(), servers.filesPublished());
  }

  private void execute(String... statements) throws SQLException {
    try (Connection connection = servers.postgres().connect();
        Statement statement = connection.createStatement()) {
      for (String each : statements) {
        statement.execute(each);
      }
    }
  }

  private Set<String> keys() throws Exception {
    return servers.rows("SELECT pkey FROM production." + SICK).stream()
        .map(row -> row.get(0))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Returns the keys of all rows that letters hold, which are of the sick table alone. */
  private Set<String> lettered() throws Exception {
    List<BusMessage> letters = new ArrayList<>();
    try (BusLog log = Buses.at(servers.bus("letters")).log(BusLog.Use.LOOK)) {
      log.read(letters::add);
    }
    Set<String> keys = new TreeSet<>();
    for (BusMessage each : letters) {
      Letter letter = Letter.of(each.headers()).orElseThrow();
      assertThat(letter.reason()).isEqualTo(Reason.TABLE_REFUSES);
      assertThat(letter.text(Letter.RETRYABLE)).isEqualTo("true");
      assertThat(letter.text(Letter.MESSAGE)).contains("closed for stocktaking");
      ObservationFile file = FileDecoder.decode(each);
      ObservationRows rows = file.rows();
      for (int row = 0; row < rows.count(); row++) {
        assertThat(rows.feature(row)).isEqualTo("user.f1");
        keys.add(new String(rows.stringKey(row), StandardCharsets.UTF_8));
      }
    }
    return keys;
  }

  private static List<String> users(int from, int to) {
    return IntStream.range(from, to).mapToObj(i -> "u" + i).toList();
  }
}
