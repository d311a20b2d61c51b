package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertWithMessage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.bus.Bus;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.offline.OfflineStores;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.RunningWriter;
import io.tailrace.sql.duckdb.DuckDbFile;
import io.tailrace.sql.duckdb.DuckDbSettings;
import io.tailrace.testing.Results;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.rules.ExternalResource;
import org.junit.rules.TemporaryFolder;

/** All writers on their servers, with tables in the offline store that are in their way. */
final class PoisonedStack extends ExternalResource {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String METRICS =
      "SELECT feature, sum(computed) FROM tailrace_metrics.feature_minutes WHERE feature NOT LIKE"
          + " 'user.late%' GROUP BY 1 ORDER BY 1";

  private final TemporaryFolder folder;
  private LocalStack stack;
  private Path file;

  PoisonedStack(TemporaryFolder folder) {
    this.folder = folder;
  }

  @Override
  protected void before() throws Exception {
    Path directory = folder.newFolder().toPath();
    file = directory.resolve("offline.db");
    sql(
        "CREATE SCHEMA production",
        // One that lacks columns, and somebody else's.
        "CREATE TABLE production.user__lacking (pkey VARCHAR, value BIGINT)",
        "CREATE TABLE production.user__taken (pkey VARCHAR, value BIGINT)",
        "COMMENT ON TABLE production.user__taken IS '{\"tailrace\":\"feature\",\"namespace\":"
            + "\"user\",\"name\":\"Taken\",\"key\":\"string\",\"value\":\"int64\"}'");
    stack =
        LocalStack.in(directory)
            .partitions(2)
            .offlineStore("duckdb://" + file + "?schema={environment}")
            .start();
  }

  @Override
  protected void after() {
    if (stack != null) {
      stack.close();
    }
  }

  LocalStack stack() {
    return stack;
  }

  /** Starts a writer with other options. */
  void restart(String name, String... options) throws Exception {
    RunningWriter writer =
        stack.writers().stream()
            .filter(each -> each.writer().name().equals(name))
            .findFirst()
            .orElseThrow();
    RunningWriter unused = stack.restartFromSavepoint(writer, options);
  }

  /** Sets the largest batch that a topic takes. */
  void setLimit(String topic, int bytes) throws Exception {
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", (Object) stack.kafka().bootstrapServers()))) {
      admin
          .incrementalAlterConfigs(
              Map.of(
                  new ConfigResource(ConfigResource.Type.TOPIC, topic),
                  List.of(
                      new AlterConfigOp(
                          new ConfigEntry("max.message.bytes", Integer.toString(bytes)),
                          AlterConfigOp.OpType.SET))))
          .all()
          .get();
    }
  }

  /** Publishes messages on one of its topics. */
  void publish(String topic, List<OutgoingMessage> messages) throws Exception {
    Bus bus = Buses.at("kafka://" + stack.kafka().bootstrapServers() + "/" + topic);
    try (BusPublisher publisher = bus.publisher()) {
      for (OutgoingMessage each : messages) {
        publisher.publish(each);
      }
      publisher.flush();
    }
  }

  /** Runs a command on its letters. */
  LetterServers.Run run(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add("--deadLetterBus=" + stack.deadLetterBus());
    return LetterServers.execute(all.toArray(String[]::new));
  }

  /** Returns how many letters there are for each reason. */
  Map<String, Integer> groups(String... choice) throws Exception {
    Map<String, Integer> groups = new TreeMap<>();
    List<String> arguments = new ArrayList<>(List.of(choice));
    arguments.addAll(0, List.of("list", "--json"));
    for (JsonNode group :
        new ObjectMapper().readTree(run(arguments.toArray(String[]::new)).out())) {
      groups.merge(group.path("reason").asText(), group.path("count").asInt(), Integer::sum);
    }
    return groups;
  }

  /** Returns the letters that wait. */
  List<StoredLetter> waiting() throws Exception {
    List<StoredLetter> waiting = new ArrayList<>();
    try (BusLog log = Buses.at(stack.deadLetterBus()).log(BusLog.Use.LOOK)) {
      WaitingLetters.of(log).read(letter -> true, waiting::add);
    }
    return waiting;
  }

  /** Returns a number in the online store; zero where there is none. */
  long stored(String key, String feature) throws Exception {
    try (OnlineReader reader = OnlineReader.open(stack.onlineStore())) {
      OnlineReader.Value value =
          reader.read(new EntityKey(Results.ENVIRONMENT, "user", key)).get(feature);
      return value == null ? 0 : (Long) value.value().orElseThrow();
    }
  }

  /** Returns how many values were counted of each feature. */
  List<String> metrics() throws Exception {
    return rows(METRICS).stream().map(row -> row.get(0) + "=" + row.get(1)).toList();
  }

  /** Returns whether the offline store has a table. */
  boolean has(String table) throws Exception {
    return !rows("SELECT 1 FROM information_schema.tables WHERE table_name = '" + table + "'")
        .isEmpty();
  }

  /** Returns what a query of the offline store finds. */
  List<List<String>> rows(String sql) throws Exception {
    List<List<String>> rows = new ArrayList<>();
    rows.addAll(OfflineStores.at(stack.offlineStore()).reader().query(sql, 100).rows());
    return rows;
  }

  /** Runs statements on the offline store. */
  void sql(String... statements) throws Exception {
    DuckDbFile open = DuckDbFile.open(file, new DuckDbSettings("256MB", 1, false, 1 << 28));
    try (Connection connection = open.duplicate();
        Statement statement = connection.createStatement()) {
      for (String each : statements) {
        statement.execute(each);
      }
    } finally {
      open.release();
    }
  }

  interface Condition {
    boolean holds() throws Exception;
  }

  /** Waits until something is so, which writers are about to do. */
  void await(Condition condition) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.holds()) {
      assertWithMessage("waited in vain; letters:\n%s", run("list").out())
          .that(System.nanoTime())
          .isLessThan(deadline);
      Thread.sleep(200);
    }
  }
}
