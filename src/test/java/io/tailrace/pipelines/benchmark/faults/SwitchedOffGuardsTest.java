package io.tailrace.pipelines.benchmark.faults;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.pipelines.OfflineWriter;
import io.tailrace.pipelines.OnlineWriter;
import io.tailrace.pipelines.StreamingInsertWriter;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.benchmark.edges.Acknowledged;
import io.tailrace.pipelines.benchmark.edges.EdgePublisher;
import io.tailrace.pipelines.benchmark.edges.Settled;
import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.LocalWriters;
import io.tailrace.pipelines.local.RunningWriter;
import io.tailrace.pipelines.local.proof.ComparedStore;
import io.tailrace.pipelines.local.proof.Departure;
import io.tailrace.pipelines.local.proof.StoreModels;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.servers.LocalPostgres;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.testing.AddedKinds;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.After;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/**
 * A checker that finds nothing must be one that would: what writers do without one of their guards
 * is found, and named.
 */
public class SwitchedOffGuardsTest {
  @ClassRule public static final TemporaryFolder files = new TemporaryFolder();
  @ClassRule public static final AddedKinds kinds = AddedKinds.of(CarelessStore.Added.class);

  private static final Duration PATIENCE = Duration.ofMinutes(1);
  private static final int RESULTS = 400;

  private static LocalFlink flink;

  private final StoreModels models = new StoreModels();
  private LocalKafka kafka;

  @BeforeClass
  public static void startFlink() {
    flink = LocalFlink.in(files.getRoot().toPath().resolve("flink")).slots(4).start();
  }

  @AfterClass
  public static void stopFlink() {
    flink.close();
  }

  @Before
  public void startKafka() throws IOException {
    kafka = LocalKafka.start(files.newFolder().toPath(), 0);
  }

  @After
  public void stopKafka() {
    kafka.close();
  }

  @Test
  public void withAllGuardsNothingIsFound() throws Exception {
    assertThat(online("none").departures()).isEmpty();
  }

  @Test
  public void withoutOrderingWhatIsOlderIsFound() throws Exception {
    assertThat(online("ordering").departures()).containsKey(Departure.STALE);
  }

  @Test
  public void withACommitBeforeTheWriteWhatIsLostIsFound() throws Exception {
    assertThat(online("commit").departures()).containsKey(Departure.LOST);
  }

  @Test
  public void withoutTheCheckOfIdsWhatIsDoubledIsFound() throws Exception {
    try (LocalPostgres postgres =
        LocalPostgres.start(files.getRoot().toPath().resolve("postgres"))) {
      String store = postgres.uri() + "&schema=guards_{environment}";
      List<RunningWriter> writers =
          writers(
              Map.of("offlineStore", store),
              List.of(OfflineWriter.WRITER, StreamingInsertWriter.WRITER));
      try (EdgePublisher publisher = publisher(writers)) {
        publisher.repeat(true);
        publisher.publish(RESULTS);
        settle(writers);
        assertThat(models.compareOffline(store).departures()).isEmpty();

        switchOffTheCheckOfIds(postgres);
        publisher.publish(RESULTS);
        settle(writers);
      }
      cancel(writers);

      assertThat(models.compareOffline(store).departures()).containsKey(Departure.DUPLICATED);
    }
  }

  /**
   * Traffic with repetitions, old ones behind newer ones, into a store with a guard switched off.
   */
  private ComparedStore online(String guard) throws Exception {
    try (LocalRedis redis = LocalRedis.start(files.newFolder().toPath())) {
      List<RunningWriter> writers =
          writers(
              Map.of("onlineStore", "careless://127.0.0.1:" + redis.port() + "?guard=" + guard),
              List.of(OnlineWriter.WRITER));
      try (EdgePublisher publisher = publisher(writers)) {
        publisher.repeat(true);
        publisher.publish(RESULTS / 2);
        // What comes in one bundle is put in order before any store sees it.
        settle(writers);
        publisher.publish(RESULTS / 2);
        // And what is written last is new.
        publisher.repeat(false);
        publisher.publish(20);
      }
      settle(writers);
      cancel(writers);
      return models.compareOnline(redis.uri());
    }
  }

  private List<RunningWriter> writers(Map<String, String> stores, List<Writer<?>> wanted)
      throws Exception {
    String bus = "kafka://" + kafka.bootstrapServers() + "/";
    Map<String, String> uris = new HashMap<>(stores);
    uris.put(LocalStack.RESULT_BUS, bus + LocalStack.RESULT_TOPIC);
    uris.put("streamingInsertBus", bus + LocalStack.STREAMING_INSERT_TOPIC);
    uris.put("deadLetterBus", bus + LocalStack.DEAD_LETTER_TOPIC);
    for (String topic :
        List.of(
            LocalStack.RESULT_TOPIC,
            LocalStack.STREAMING_INSERT_TOPIC,
            LocalStack.DEAD_LETTER_TOPIC)) {
      kafka.createTopic(topic, 1, Map.of("message.timestamp.type", "LogAppendTime"));
    }
    return new LocalWriters(flink, uris, List.of("--parallelism=1", "--checkpointingInterval=300"))
        .start(wanted);
  }

  private EdgePublisher publisher(List<RunningWriter> writers) {
    return new EdgePublisher(kafka.bootstrapServers(), writers, 3, models, new Acknowledged());
  }

  private void settle(List<RunningWriter> writers) throws Exception {
    assertThat(Settled.await(kafka.bootstrapServers(), writers, models, Optional.empty(), PATIENCE))
        .isTrue();
  }

  private static void cancel(List<RunningWriter> writers) {
    writers.forEach(writer -> flink.cancel(writer.job()));
  }

  /** Has each table take rows in a place where no index is, and show them all the same. */
  private static void switchOffTheCheckOfIds(LocalPostgres postgres) throws SQLException {
    try (Connection connection = postgres.connect();
        Statement statement = connection.createStatement()) {
      List<String> tables = new ArrayList<>();
      try (ResultSet found =
          statement.executeQuery(
              "SELECT DISTINCT c.table_schema, c.table_name FROM information_schema.columns c"
                  + " JOIN information_schema.tables t USING (table_schema, table_name)"
                  + " WHERE c.table_schema LIKE 'guards_%' AND t.table_type = 'BASE TABLE'"
                  + " AND c.column_name = 'observation_id'")) {
        while (found.next()) {
          tables.add(quoted(found.getString(1)) + "." + quoted(found.getString(2)));
        }
      }
      assertThat(tables).isNotEmpty();
      statement.execute("CREATE SCHEMA unchecked");
      for (int i = 0; i < tables.size(); i++) {
        String more = "unchecked.t" + i;
        statement.execute("CREATE TABLE " + more + " () INHERITS (" + tables.get(i) + ")");
        statement.execute(
            "CREATE FUNCTION unchecked.f"
                + i
                + "() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO "
                + more
                + " SELECT NEW.*; RETURN NULL; END'");
        statement.execute(
            "CREATE TRIGGER unchecked BEFORE INSERT ON "
                + tables.get(i)
                + " FOR EACH ROW EXECUTE FUNCTION unchecked.f"
                + i
                + "()");
      }
    }
  }

  private static String quoted(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }
}
