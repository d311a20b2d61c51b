package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import com.sun.net.httpserver.HttpServer;
import io.tailrace.pipelines.local.servers.LoopbackHttp;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.extensions.gcp.auth.NoopCredentialFactory;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What is said before a job is submitted to Dataflow; nobody is asked for it. */
@RunWith(JUnit4.class)
public class DataflowCheckTest {
  private static final List<String> PLACES =
      List.of("--project=my-project", "--region=europe-west1", "--tempLocation=gs://my-bucket/tmp");
  private static final String BUS = "--resultBus=kafka://broker-1:9092/results";
  private static final String LETTERS = "--deadLetterBus=pubsub://my-project/letters";

  /** One that is wrong by its text, so that no server is asked. */
  private static final String NOT_ASKED = "--maxClockSkew=never";

  private static final String NOT_ASKED_IS =
      "--maxClockSkew: never is not a duration such as 500ms, 30s, 10m, 1h or 14d";

  /**
   * Returns what is wrong with the online writer's arguments, but for what keeps it from asking.
   */
  private static List<String> problems(Object... arguments) {
    List<String> words = new ArrayList<>(List.of("--runner=DataflowRunner", NOT_ASKED));
    for (Object each : arguments) {
      words.addAll(
          each instanceof List<?> list
              ? list.stream().map(String.class::cast).toList()
              : List.of((String) each));
    }
    List<String> said = said(OnlineWriter.WRITER, words);
    assertThat(said).contains(NOT_ASKED_IS);
    return said.stream().filter(line -> !line.equals(NOT_ASKED_IS)).toList();
  }

  private static List<String> said(Writer<?> writer, List<String> words) {
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    int exit =
        writer.run(System.out, new PrintStream(said, true, UTF_8), words.toArray(String[]::new));

    assertThat(exit).isEqualTo(2);
    List<String> lines = said.toString(UTF_8).lines().toList();
    assertThat(lines.get(lines.size() - 1)).startsWith("Try '");
    return lines.stream()
        .limit(lines.size() - 1)
        .map(line -> line.replaceFirst("^" + writer.name() + ": ", ""))
        .toList();
  }

  @Test
  public void aProjectARegionAndABucketAreAskedForAtOnce() {
    String store = "--onlineStore=redis://cache.example.com:6379";

    assertThat(problems(BUS, LETTERS, store))
        .containsExactly(
            "--project is missing: name the project of Google Cloud in which the job runs, as in"
                + " --project=my-project",
            "--region is missing: say where the job runs, as in --region=europe-west1",
            "--tempLocation is missing: name a bucket for the job's files, as in"
                + " --tempLocation=gs://my-bucket/tmp");
    assertThat(problems(BUS, LETTERS, store, PLACES)).isEmpty();
    // The launcher of a template knows what to give.
    assertThat(problems(BUS, LETTERS, store, "--templateLocation=gs://my-bucket/job")).isEmpty();
  }

  @Test
  public void filesOfAJobBelongIntoABucket() {
    for (String option : List.of("tempLocation", "gcpTempLocation", "stagingLocation")) {
      for (String place : List.of("/tmp", "s3://my-bucket/tmp", "gs://", "my-bucket")) {
        assertThat(
                problems(
                    BUS,
                    LETTERS,
                    "--onlineStore=redis://cache.example.com:6379",
                    PLACES.subList(0, 2),
                    "--" + option + "=" + place))
            .containsExactly(
                "--"
                    + option
                    + "="
                    + place
                    + " is no bucket, where Dataflow keeps the files of a job: gs://my-bucket/tmp");
      }
    }
  }

  @Test
  public void whatIsReachedOnThisMachineAloneIsRefused() {
    for (String[] each :
        new String[][] {
          {"--onlineStore=redis://127.0.0.1:6379/3", "127.0.0.1"},
          {"--onlineStore=redis://localhost", "localhost"},
          {"--onlineStore=rediss://LOCALHOST:6379", "LOCALHOST"},
          {"--onlineStore=redis://[::1]:6379", "[::1]"},
          {"--onlineStore=redis://0.0.0.0:6379", "0.0.0.0"}
        }) {
      assertWithMessage(each[0])
          .that(problems(BUS, LETTERS, PLACES, each[0]))
          .containsExactly(
              "--onlineStore: "
                  + each[1]
                  + " is the machine that starts the job, and Dataflow runs the writer on others:"
                  + " name a host that those reach, in the network of --subnetwork");
    }
    String store = "--onlineStore=redis://cache.example.com:6379";
    for (String bus :
        List.of(
            "kafka://broker-1:9092,localhost:9092/results",
            "kafka://127.0.0.3:9092/results?start=latest",
            "pubsub://my-project/results?emulator=localhost:8085")) {
      assertWithMessage(bus)
          .that(problems(LETTERS, PLACES, store, "--resultBus=" + bus))
          .hasSize(1);
    }
    // These only have such names in them.
    for (String bus :
        List.of(
            "kafka://localhost.example.com:9092/results",
            "kafka://my-localhost:9092/results",
            "kafka://broker-1:9092/localhost",
            "kafka://broker-1:9092/results?group=localhost",
            "pubsub://my-project/localhost")) {
      assertWithMessage(bus).that(problems(LETTERS, PLACES, store, "--resultBus=" + bus)).isEmpty();
    }
  }

  @Test
  public void aFileIsRefusedAsAStore() {
    List<String> words = new ArrayList<>(PLACES);
    words.addAll(
        List.of(
            "--runner=DataflowRunner",
            "--metricsBus=kafka://broker-1:9092/metrics",
            LETTERS,
            "--metricsStore=duckdb:///data/metrics.db"));

    assertThat(said(MetricsBusWriter.WRITER, words))
        .containsExactly(
            "--metricsStore=duckdb:///data/metrics.db is a file, which one process alone can have"
                + " open, and Dataflow runs the writer on other machines: use a server, such as"
                + " postgresql://host/database");
  }

  @Test
  public void aSecretThatWorkersDoNotHaveIsRefused() {
    String store =
        "--onlineStore=redis://cache.example.com:6379?user=writer&password=env:REDIS_PASSWORD";
    String bus =
        "--resultBus=kafka://broker-1:9092/results?security.protocol=SASL_SSL&user=writer"
            + "&password=file:/etc/kafka/password";

    List<String> said = problems(LETTERS, PLACES, bus, store);

    assertThat(said).hasSize(2);
    assertThat(said.get(0)).startsWith("--resultBus: file:/etc/kafka/password would be of ");
    assertThat(said.get(1)).startsWith("--onlineStore: env:REDIS_PASSWORD would be of ");
    for (String each : said) {
      assertThat(each).contains("Dataflow's workers, which have what is in their image alone: ");
      assertThat(each).endsWith("name an image that has it with --sdkContainerImage");
    }
    assertThat(problems(LETTERS, PLACES, bus, store, "--sdkContainerImage=my/image")).isEmpty();
  }

  @Test
  public void credentialsInAUriAreRefusedWhereTheRunnersOwnSourceReads() {
    String bus =
        "--resultBus=pubsub://my-project/results?credentials=gcp:projects/p/secrets/writer";
    String store = "--onlineStore=redis://cache.example.com:6379";

    assertThat(problems(bus, LETTERS, store, PLACES))
        .containsExactly(
            "--resultBus: PubsubIO, which reads on this runner, takes the credentials of the"
                + " runner's workers alone. Leave credentials out of the URI and give those the"
                + " right, or say --busReader=batching");
    assertThat(problems(bus, LETTERS, store, PLACES, "--busReader=batching")).isEmpty();
  }

  @Test
  public void aBucketThatDataflowMayNotWriteToIsSaidInASentence() throws Exception {
    HttpServer storage = LoopbackHttp.create();
    storage.createContext(
        "/",
        exchange -> {
          byte[] answer = "{\"error\":{\"code\":404,\"message\":\"no bucket\"}}".getBytes(UTF_8);
          exchange.getResponseHeaders().set("Content-Type", "application/json");
          exchange.sendResponseHeaders(404, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    storage.start();
    try {
      List<String> words = new ArrayList<>(PLACES);
      words.addAll(
          List.of(
              "--runner=DataflowRunner",
              "--credentialFactoryClass=" + NoopCredentialFactory.class.getName(),
              "--filesToStage=pom.xml",
              "--gcsEndpoint=http://127.0.0.1:" + storage.getAddress().getPort() + "/storage/v1/"));
      PipelineOptions options =
          PipelineOptionsFactory.fromArgs(words.toArray(String[]::new)).create();

      CommandException e =
          assertThrows(
              CommandException.class,
              () -> RunnerRefusals.toldBy(options, () -> Pipeline.create(options)));

      assertThat(e).hasMessageThat().startsWith("DataflowRunner refuses the job: ");
      assertThat(e).hasMessageThat().contains("gs://my-bucket/tmp");
      assertThat(e).hasMessageThat().doesNotContain("Exception");
      assertThat(e)
          .hasMessageThat()
          .endsWith(
              ". Look at --project, --region and --tempLocation, and at whose right it is: `gcloud"
                  + " auth application-default login`, or the service account of this machine");
    } finally {
      storage.stop(0);
    }
  }

  @Test
  public void whatAJobHasThrownIsNotTakenForARefusal() {
    PipelineOptions options = PipelineOptionsFactory.fromArgs("--runner=DirectRunner").create();
    IllegalStateException thrown =
        new IllegalStateException("the job failed", new IOException("a broker is away"));

    assertThat(
            assertThrows(
                IllegalStateException.class,
                () ->
                    RunnerRefusals.toldBy(
                        options,
                        () -> {
                          throw thrown;
                        })))
        .isSameInstanceAs(thrown);
  }

  @Test
  public void whatCountsIsNotGivenMessagesTwice() {
    List<String> words = new ArrayList<>(PLACES);
    words.addAll(
        List.of(
            "--runner=DataflowRunner",
            "--dataflowServiceOptions=enable_prime,streaming_mode_at_least_once",
            BUS,
            LETTERS));

    List<String> ofMetrics = new ArrayList<>(words);
    ofMetrics.add("--metricsBus=kafka://broker-1:9092/metrics");
    ofMetrics.add("--experiments=streaming_mode_at_least_once");
    assertThat(said(MetricsWriter.WRITER, ofMetrics))
        .containsExactly(
            "--dataflowServiceOptions=streaming_mode_at_least_once: Dataflow would then give it"
                + " some messages twice, and the metrics-writer counts each. Leave it out",
            "--experiments=streaming_mode_at_least_once: Dataflow would then give it some messages"
                + " twice, and the metrics-writer counts each. Leave it out");
    words.add("--onlineStore=redis://cache.example.com:6379");
    words.add(NOT_ASKED);
    assertThat(said(OnlineWriter.WRITER, words)).containsExactly(NOT_ASKED_IS);
  }

  @Test
  public void elsewhereNothingOfThisIsLookedAt() {
    List<String> words =
        List.of(
            "--runner=FlinkRunner",
            BUS,
            LETTERS,
            "--onlineStore=redis://127.0.0.1:6379?password=env:REDIS_PASSWORD",
            NOT_ASKED);

    assertThat(said(OnlineWriter.WRITER, words)).containsExactly(NOT_ASKED_IS);
  }
}
