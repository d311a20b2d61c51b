package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.tailrace.bus.Bus;
import io.tailrace.bus.BusMessageCoder;
import io.tailrace.bus.BusReader;
import io.tailrace.bus.Buses;
import io.tailrace.pipelines.MetricsWriter;
import io.tailrace.pipelines.ResultBusOptions;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.local.servers.FlinkCluster;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.servers.StandaloneFlink;
import io.tailrace.result.DecodeResults;
import io.tailrace.testing.EndingSource;
import io.tailrace.testing.ReadBus;
import io.tailrace.testing.TallyWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.beam.sdk.io.Read;
import org.apache.flink.api.common.JobID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.After;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.TestName;

/**
 * Jobs that read Kafka on a real Flink, stopped, killed and restored, and what each message saw.
 */
public class KafkaRestoreTest {
  private static final int PARTITIONS = 8;
  private static final long PATIENCE_NANOS = 240_000_000_000L;

  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();
  @Rule public final TestName topic = new TestName();

  private static LocalKafka kafka;
  private static LocalFlink flink;

  @BeforeClass
  public static void start() {
    kafka = LocalKafka.start(folder.getRoot().toPath().resolve("kafka"), 0);
    flink = LocalFlink.in(folder.getRoot().toPath().resolve("flink")).slots(8).start();
  }

  @AfterClass
  public static void stop() {
    flink.close();
    kafka.close();
  }

  @After
  public void cancelJobs() throws Exception {
    flink.cancelAll();
    // Whoever comes next takes the only job that runs for its own.
    await(() -> running().isEmpty());
  }

  @Test
  public void everyMessageIsReadOnceAtWhateverParallelismAJobIsRestored() throws Exception {
    kafka.createTopic(topic(), PARTITIONS);
    Bus bus = bus("").found(BusReader.of("group"));
    List<String> all = new ArrayList<>();
    String savepoint = "";
    int published = 0;
    for (int parallelism : List.of(1, 4, 8, 1)) {
      publish(published, published + 80);
      ReadBus reading = run(bus, parallelism, savepoint);
      reading.await(80);
      // Each of the partitions has ten of the messages, so each reader has some.
      assertThat(reading.readers()).isEqualTo(parallelism);
      savepoint = flink.stopWithSavepoint(job());
      all.addAll(texts(reading));
      published += 80;
    }

    assertThat(all).containsExactlyElementsIn(numbers(0, published));
  }

  @Test
  public void partitionsThatAreAddedAreReadByTheJobThatRunsAndByOneThatIsRestored()
      throws Exception {
    kafka.createTopic(topic(), 2);
    Bus bus = bus("").found(BusReader.of("group"));
    publish(0, 16, 2);
    ReadBus first = run(bus, 2, "");
    first.await(16);
    increase(4);
    publish(16, 48, 4);
    first.await(48);
    String savepoint = flink.stopWithSavepoint(job());
    increase(PARTITIONS);
    publish(48, 128);

    ReadBus restored = run(bus, 1, savepoint);
    restored.await(80);
    flink.cancel(job());

    List<String> all = new ArrayList<>(texts(first));
    all.addAll(texts(restored));
    assertThat(all).containsExactlyElementsIn(numbers(0, 128));
  }

  @Test
  public void aJobThatBeginsWithoutABrokerReadsAllWhenThereIsOne() throws Exception {
    kafka.createTopic(topic(), PARTITIONS);
    Bus bus = bus("").found(BusReader.of("group"));
    publish(0, 80);
    kafka.stop();
    ReadBus reading;
    try {
      reading = run(bus, 2, "", "--checkpointingInterval=100");
      Thread.sleep(1_000);
      assertThat(flink.jobs().stream().anyMatch(each -> each.id().equals(job()))).isTrue();
    } finally {
      kafka.restart();
    }

    assertThat(reading.await(80)).hasSize(80);
  }

  @Test
  public void aProgramWhoseJobIsStoppedWithASavepointHasSucceeded() throws Exception {
    Program program = start(TallyWriter.WRITER, "--checkpointingInterval=100");
    await(() -> !running().isEmpty() && flink.completedCheckpoints(job()) > 0);

    String savepoint = flink.stopWithSavepoint(job());

    assertThat(program.status()).isEqualTo(0);
    assertThat(program.printed()).contains("tally-writer: stopped with the savepoint " + savepoint);
  }

  @Test
  public void aProgramWhoseJobEndsByItselfHasFailedThoughSomebodyTookASavepoint() throws Exception {
    Program program =
        start(
            Writer.named("ending-writer", ResultBusOptions.class)
                .says("Ends.")
                .reads("resultBus", ResultBusOptions::getResultBus)
                .with(
                    (options, check) -> () -> EndingSource.of(BusMessageCoder.of()),
                    (start, source) ->
                        start
                            .pipeline()
                            .apply(Read.from(source))
                            .apply(DecodeResults.forWriter("ending-writer"))
                            .failuresTo(start.failures())),
            "--checkpointingInterval=100",
            "--shutdownSourcesAfterIdleMs=0");
    await(() -> !running().isEmpty() && flink.completedCheckpoints(job()) > 0);
    takeSavepoint(job());

    EndingSource.end();

    assertThat(program.status()).isEqualTo(1);
    assertThat(program.printed()).contains("ending-writer: the job has ended");
  }

  /** Takes a savepoint of a job that goes on. */
  private static void takeSavepoint(JobID job) throws Exception {
    String path = "/jobs/" + job + "/savepoints";
    String directory = folder.getRoot().toPath().resolve("taken").toUri().toString();
    JsonNode begun =
        ask(
            HttpRequest.newBuilder()
                .header("Content-Type", "application/json")
                .POST(
                    HttpRequest.BodyPublishers.ofString(
                        "{\"target-directory\": \"" + directory + "\"}")),
            path);
    JsonNode[] answer = {MissingNode.getInstance()};
    await(
        () -> {
          answer[0] = ask(HttpRequest.newBuilder(), path + "/" + begun.path("request-id").asText());
          return answer[0].path("status").path("id").asText().equals("COMPLETED");
        });
    assertThat(answer[0].path("operation").path("location").asText()).isNotEmpty();
  }

  private static JsonNode ask(HttpRequest.Builder request, String path) {
    try {
      return new ObjectMapper()
          .readTree(
              HttpClient.newHttpClient()
                  .send(
                      request.uri(URI.create("http://" + flink.flinkMaster() + path)).build(),
                      HttpResponse.BodyHandlers.ofString())
                  .body());
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  public void anApplicationClusterWhoseJobIsStoppedWithASavepointHasSucceeded() throws Exception {
    List<String> options = new ArrayList<>(List.of("--runner=FlinkRunner"));
    options.addAll(buses());
    options.add("--metricsBus=" + bus("-summaries").uri());
    options.add("--checkpointingInterval=100");
    kafka.createTopic(topic() + "-summaries", 1);
    try (StandaloneFlink own =
        StandaloneFlink.in(folder.getRoot().toPath().resolve("application"))
            .taskManagers(1)
            .slots(1)
            .setting("scheduler-mode", "reactive")
            .application(MetricsWriter.class, options)
            .start()) {
      FlinkCluster cluster = own.cluster();
      JobID job = own.awaitApplication();
      await(() -> cluster.completedCheckpoints(job) > 0);

      // Throws if the JobManager ends with anything but 0.
      assertThat(own.stopApplication(job)).contains("/savepoints/");
    }
  }

  /** A program that stays as long as its job. */
  private record Program(Future<Integer> running, ByteArrayOutputStream out) {
    int status() throws Exception {
      return running.get();
    }

    String printed() {
      return out.toString(StandardCharsets.UTF_8);
    }
  }

  private List<String> buses() {
    kafka.createTopic(topic(), 1);
    kafka.createTopic(topic() + "-letters", 1);
    return List.of("--resultBus=" + bus("").uri(), "--deadLetterBus=" + bus("-letters").uri());
  }

  private Program start(Writer<?> writer, String... more) {
    List<String> arguments = new ArrayList<>(flink.pipelineArguments());
    arguments.remove("--attachedMode=false");
    arguments.addAll(List.of(more));
    arguments.addAll(buses());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream printing = new PrintStream(out, true, StandardCharsets.UTF_8);
    ExecutorService thread = Executors.newSingleThreadExecutor();
    Future<Integer> running =
        thread.submit(() -> writer.run(printing, printing, arguments.toArray(String[]::new)));
    thread.shutdown();
    return new Program(running, out);
  }

  private static void await(BooleanSupplier what) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (!what.getAsBoolean()) {
      assertThat(System.nanoTime()).isLessThan(end);
      Thread.sleep(20);
    }
  }

  private String topic() {
    return topic.getMethodName();
  }

  private Bus bus(String more) {
    return Buses.at("kafka://" + kafka.bootstrapServers() + "/" + topic() + more);
  }

  private static ReadBus run(Bus bus, int parallelism, String savepoint, String... more) {
    return ReadBus.startOn(
        flink,
        bus,
        "group",
        Stream.of(
                Stream.of("--parallelism=" + parallelism),
                Stream.of(savepoint).filter(it -> !it.isEmpty()).map(it -> "--savepointPath=" + it),
                more.length == 0
                    ? Stream.of("--checkpointingInterval=3600000")
                    : Arrays.stream(more))
            .flatMap(it -> it)
            .toArray(String[]::new));
  }

  private static List<JobID> running() {
    return flink.jobs().stream()
        .filter(each -> !each.status().isGloballyTerminalState())
        .map(FlinkCluster.Job::id)
        .toList();
  }

  private static JobID job() {
    return running().get(0);
  }

  private void publish(int from, int to) {
    publish(from, to, PARTITIONS);
  }

  private void publish(int from, int to, int partitions) {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (int i = from; i < to; i++) {
        byte[] text = Integer.toString(i).getBytes(StandardCharsets.UTF_8);
        producer.send(new ProducerRecord<>(topic(), i % partitions, null, text));
      }
    }
  }

  private void increase(int partitions) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
      admin.createPartitions(Map.of(topic(), NewPartitions.increaseTo(partitions))).all().get();
      while (partitions(admin) < partitions) {
        Thread.sleep(20);
      }
    }
    // It is there: this waits until each partition can be written.
    kafka.createTopic(topic(), partitions);
  }

  private int partitions(Admin admin) throws Exception {
    return admin
        .describeTopics(List.of(topic()))
        .allTopicNames()
        .get()
        .get(topic())
        .partitions()
        .size();
  }

  private static List<String> texts(ReadBus reading) {
    return reading.messages().stream()
        .map(message -> new String(message.payload(), StandardCharsets.UTF_8))
        .toList();
  }

  private static List<String> numbers(int from, int to) {
    return IntStream.range(from, to).mapToObj(Integer::toString).toList();
  }
}
