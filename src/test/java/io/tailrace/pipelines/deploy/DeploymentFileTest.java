package io.tailrace.pipelines.deploy;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.deploy.DeploymentFile.Beside;
import io.tailrace.pipelines.deploy.MessageQueue.Kafka;
import io.tailrace.pipelines.deploy.MessageQueue.PubSub;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.Test;

/** What a file of writers may say, and what is said of one that is wrong. */
public class DeploymentFileTest {
  static final String HEAD =
      """
      image: registry.example.com/tailrace:1
      state: s3://bucket/tailrace
      secret: tailrace-secrets
      options:
        deadLetterBus: kafka://b:9092/dead-letters
        resultBus: kafka://b:9092/result-bus
      writers:
      """;

  static final String ONLINE =
      """
      - name: online-writer
        options: {onlineStore: "rediss://cache:6380?user=w&password=env:REDIS_PASSWORD"}
      """;

  @Test
  public void aWriterHasItsOwnOptionsAndOfTheCommonOnesWhatItTakes() throws Exception {
    WriterDeployment writer =
        only(
            HEAD.replace("options:", "options:\n  metricsBus: kafka://b/metrics\n  awsRegion: eu")
                + ONLINE);

    assertThat(writer.name()).isEqualTo("online-writer");
    assertThat(writer.job().arguments())
        .containsExactly(
            "online-writer",
            "--runner=FlinkRunner",
            "--attachedMode=false",
            "--jobName=online-writer",
            "--checkpointingInterval=10000",
            "--awsRegion=eu",
            "--deadLetterBus=kafka://b:9092/dead-letters",
            "--resultBus=kafka://b:9092/result-bus",
            "--onlineStore=rediss://cache:6380?user=w&password=env:REDIS_PASSWORD")
        .inOrder();
    assertThat(writer.job().ports()).containsExactly(6380, 9092);
    assertThat(writer.job().queue())
        .isEqualTo(
            Optional.of(
                new Kafka("b:9092", "result-bus", "online-writer", true, Optional.empty())));
  }

  @Test
  public void everythingThatIsWrongIsSaidAtOnceEachWithItsPath() {
    List<String> problems =
        problems(
            """
            imgae: x
            state: /tmp/x
            options: {resultBuss: "kafka://a/b"}
            writers:
            - name: online-wrter
            - name: Online
              writer: online-writer
              replicas: {minimum: 3, maximum: 2, messagePerReplica: 1}
              options: {onlineStore: "redis://localhost:6379", parallelism: 3, environmnts: a}
            - name: metrics-bus-writer
              image: a
              replicas: {maximum: 2}
              options:
                metricsStore: duckdb:///x.db
                metricsBus: kafka://b/x?grup=a
                deadLetterBus: kafka://b/d?password=env:P&user=x&security.protocol=SASL_SSL
              resources: {requests: {memory: 1Gi}, limits: {memory: 2Gi, cpu: lots}}
            """);

    assertThat(problems.stream().map(problem -> problem.replaceFirst(": .*", "")).toList())
        .containsExactly(
            "state",
            "imgae",
            "options.resultBuss",
            "writers[0].name",
            "writers[0].image",
            "writers[1].name",
            "writers[1].image",
            "writers[1].replicas.maximum",
            "writers[1].replicas.messagePerReplica",
            "writers[1].options.parallelism",
            "writers[1].options.environmnts",
            "writers[1].options.resultBus",
            "writers[1].options.deadLetterBus",
            "writers[1].options.onlineStore",
            "writers[2].replicas.messagesPerReplica",
            "writers[2].resources.limits.cpu",
            "writers[2].resources.requests.memory",
            "writers[2].options.metricsBus",
            "writers[2].options.metricsStore",
            "writers[2].options.deadLetterBus");
    assertThat(problems).contains("imgae: there is no such key; did you mean 'image'?");
    assertThat(problems)
        .contains(
            "writers[1].replicas.messagePerReplica: there is no such key; did you mean"
                + " 'messagesPerReplica'?");
    assertThat(String.join("\n", problems)).contains("Did you mean 'environments'");
  }

  @Test
  public void whatIsNoFileOfWritersIsRefusedInASentence() {
    assertThat(problems("a: [")).hasSize(1);
    assertThat(problems("- a").get(0)).contains("must hold an object");
    assertThat(problems("").get(0)).contains("must hold an object");
    assertThat(problems("image: a\nimage: b").get(0)).contains("Duplicate field 'image'");
    assertThat(problems(HEAD + ONLINE + "  suspended:\n"))
        .containsExactly("writers[0].suspended: has no value: give it one, or leave it out");
    assertThat(problems(HEAD + ONLINE + "  suspended: perhaps\n"))
        .containsExactly("writers[0].suspended: must be true or false, not \"perhaps\"");
    assertThat(problems(HEAD + "- 1")).contains("writers[0]: must be an object, not 1");
  }

  @Test
  public void jsonIsTakenAsWell() throws Exception {
    assertThat(
            only("""
            {"image": "a", "state": "gs://b/c", "secret": "s", "writers": [
              {"name": "metrics-writer", "replicas": {"minimum": 0, "maximum": 4, "rate": 1000},
               "options": {"resultBus": "pubsub://my-project/results", "metricsBus":
                "pubsub://my-project/metrics", "deadLetterBus": "pubsub://my-project/letters"}}]}
            """)
                .job()
                .queue())
        .isEqualTo(Optional.of(new PubSub("my-project", "results")));
  }

  @Test
  public void aSecretIsNamedAndNeverInTheFile() {
    assertThat(problems(HEAD.replace("secret: tailrace-secrets\n", "") + ONLINE).get(0))
        .startsWith("writers[0].options.onlineStore: names the variable REDIS_PASSWORD");
    assertThat(problems(HEAD + ONLINE + "  environment: {REDIS_PASSWORD: geheim}\n").get(0))
        .startsWith("writers[0].environment.REDIS_PASSWORD: is a secret");
    String literal = String.join("\n", problems(HEAD + ONLINE.replace("env:REDIS_", "geheim")));
    assertThat(literal).contains("password must say where the secret is");
    assertThat(literal).doesNotContain("geheim");
  }

  @Test
  public void aFileIsAKeyOfTheSecret() throws Exception {
    String inSecret = "file:/etc/tailrace/secrets/redis";
    assertThat(problems(HEAD + ONLINE.replace("env:REDIS_PASSWORD", "file:/etc/redis/password")))
        .containsExactly(
            "writers[0].options.onlineStore: names file:/etc/redis/password as password, and no"
                + " secret belongs into an image: make it a key of the Secret and write"
                + " file:/etc/tailrace/secrets/KEY");
    assertThat(
            problems(
                    HEAD.replace("secret: tailrace-secrets\n", "")
                        + ONLINE.replace("env:REDIS_PASSWORD", inSecret))
                .get(0))
        .contains("names " + inSecret + ", which nothing puts there");
    assertThat(only(HEAD + ONLINE.replace("env:REDIS_PASSWORD", inSecret)).name())
        .isEqualTo("online-writer");
  }

  @Test
  public void whatIsOfThisMachineIsNotOfThePods() {
    assertThat(problems(HEAD + ONLINE.replace("{online", "{deadLetterOverflow: /letters, online")))
        .containsExactly(
            "writers[0].options.deadLetterOverflow: '/letters' is a directory of this machine, and"
                + " the writer runs on others, whose disks may vanish with them: use"
                + " gs://bucket/prefix or s3://bucket/prefix");
    assertThat(problems(HEAD + ONLINE.replace("rediss://cache:6380", "redis://localhost")).get(0))
        .contains("is this machine, and in a pod it would be the pod");
    assertThat(
            problems(
                HEAD.replace("resultBus", "bulkUploadBus")
                    + """
                    - name: bulk-insert-writer
                      options: {uploadBucket: "file:///uploads", offlineStore: "duckdb:///a.db?schema={environment}"}
                    """))
        .containsExactly(
            "writers[0].options.uploadBucket: 'file:///uploads' is a folder of this machine, and"
                + " the writer runs on others: use gs://bucket/folder or s3://bucket/folder",
            "writers[0].options.offlineStore: duckdb:///a.db?schema={environment} is a file, which"
                + " one process alone can have open and which vanishes with its pod: use a server,"
                + " such as postgresql://host/database");
  }

  @Test
  public void theConsumerGroupIsOneOfTheBusThatIsRead() throws Exception {
    WriterDeployment writer = only(HEAD + ONLINE + "  consumerGroup: blue\n");

    assertThat(((Kafka) writer.job().queue().orElseThrow()).group()).isEqualTo("blue");
    assertThat(writer.job().arguments())
        .contains("--resultBus=kafka://b:9092/result-bus?group=blue");
    assertThat(
            problems(
                HEAD.replace("result-bus", "result-bus?group=red")
                    + ONLINE
                    + "  consumerGroup: blue\n"))
        .containsExactly(
            "writers[0].consumerGroup: is in the URI, too, as group: leave one of them out");
  }

  @Test
  public void twoThatWouldShareMessagesAreRefused() {
    String other = ONLINE.replace("name: online", "writer: online-writer\n  name: other");

    assertThat(problems(HEAD + ONLINE + other).get(0))
        .contains("online-writer and other-writer would read as one group");
    assertThat(problems(HEAD + ONLINE + ONLINE).get(0)).contains("two are called 'online-writer'");
  }

  @Test
  public void aBusThatNobodyReadsIsNoted() throws Exception {
    Deployment deployment =
        DeploymentFile.parse(
            HEAD
                + """
                - name: metrics-writer
                  options: {metricsBus: "kafka://b/metrics"}
                """,
            Beside.NOTHING);

    assertThat(deployment.notes()).hasSize(1);
    assertThat(deployment.notes().get(0)).contains("--metricsBus, which no writer of this file");
  }

  @Test
  public void theDepthOfTheQueueFollowsFromRateAndInterval() throws Exception {
    Scaling scaling =
        only(HEAD + ONLINE + "  replicas: {maximum: 8, rate: 20000}\n  checkpointInterval: 20s\n")
            .scaling();

    assertThat(scaling.messagesPerReplica()).isEqualTo(20_000 * 3 / 4 * 21);
    // Three commits in between: a group that has not moved is taken for stuck. And not always at
    // the same moment between two of them.
    assertThat(scaling.polling().toSeconds()).isEqualTo(67);
    assertThat(
            problems(HEAD + ONLINE + "  replicas: {maximum: 8, rate: 10, messagesPerReplica: 111}"))
        .containsExactly(
            "writers[0].replicas.messagesPerReplica: is more than the 110 messages that a copy with"
                + " that rate has on its way when it does all it can, so it would be taken for"
                + " idle: write 83, or leave it out");
  }

  @Test
  public void aJobManagerIsAsLargeAsTheFileSays() throws Exception {
    String head = HEAD.replace("options:", "jobManager: {limits: {cpu: 2, memory: 2Gi}}\noptions:");
    String own = "  jobManager: {requests: {cpu: 500m}, limits: {memory: 3Gi}}\n";

    assertThat(jobManager(HEAD + ONLINE)).containsExactly("0.25", "1024m", "4.0").inOrder();
    assertThat(jobManager(head + ONLINE)).containsExactly("2.0", "2048m", "1.0").inOrder();
    assertThat(jobManager(head + ONLINE + own)).containsExactly("0.5", "3072m", "1.0").inOrder();
    assertThat(problems(HEAD + ONLINE + "  jobManager: {limits: {memory: 512Mi}}\n"))
        .containsExactly(
            "writers[0].jobManager.limits.memory: is less than the 768Mi that a JVM needs here");
  }

  /** Returns processors, memory and how many times as many processors a job manager may use. */
  private static List<String> jobManager(String file) throws Exception {
    Deployment deployment = DeploymentFile.parse(file, Beside.NOTHING);
    JsonNode spec =
        new FlinkCluster(deployment.shared())
            .manifest(deployment.writers().get(0), "digest")
            .path("spec");
    return List.of(
        spec.at("/jobManager/resource/cpu").asText(),
        spec.at("/jobManager/resource/memory").asText(),
        spec.path("flinkConfiguration").path("kubernetes.jobmanager.cpu.limit-factor").asText());
  }

  @Test
  public void aTextThatLooksLikeANumberStaysAText() throws Exception {
    for (String text :
        List.of("1e3", "0x1F", "1_000", "0b1", ".inf", "12:30", "2026-11-26", "~", "true", "-.5")) {
      String yaml =
          Manifests.yaml(List.of(Tree.object("value", text, text + "", Tree.object("a", 1))));
      assertThat(yaml).contains("value: \"" + text + "\"");
      assertThat(yaml).contains("\"" + text + "\":");
    }
    assertThat(Manifests.yaml(List.of(Tree.object("interval", "10000 ms", "size", "1Gi"))))
        .contains("interval: 10000 ms\nsize: 1Gi");
  }

  @Test
  public void everyKeyOnThePageIsOne() throws Exception {
    String page = Files.readString(Path.of("docs/kubernetes.md"));
    for (String[] table :
        new String[][] {{"| key |", ""}, {"| key of a writer |", "writers[0]."}}) {
      List<String> rows =
          page.substring(page.indexOf(table[0]))
              .lines()
              .skip(2)
              .takeWhile(it -> it.startsWith("|"))
              .toList();
      assertThat(rows.size()).isAtLeast(8);
      for (String row : rows) {
        Matcher key = Pattern.compile("`(\\w+)`").matcher(row.substring(0, row.indexOf('|', 1)));
        while (key.find()) {
          // A list is what none of them may be, but for the writers.
          String file =
              table[1].isEmpty() ? key.group(1) + ": 0" : "writers: [{" + key.group(1) + ": 0}]";
          assertThat(problems(file).toString())
              .doesNotContain(key.group(1) + ": there is no such key");
        }
      }
    }
    assertThat(problems("writers: [{replica: 0}]").toString())
        .contains("writers[0].replica: there is no such key; did you mean 'replicas'?");
  }

  private static WriterDeployment only(String file) throws CommandException {
    List<WriterDeployment> writers = DeploymentFile.parse(file, Beside.NOTHING).writers();
    assertThat(writers).hasSize(1);
    return writers.get(0);
  }

  private static List<String> problems(String file) {
    return assertThrows(CommandException.class, () -> DeploymentFile.parse(file, Beside.NOTHING))
        .getMessage()
        .lines()
        .toList();
  }
}
