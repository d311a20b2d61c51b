package io.tailrace.pipelines.dataflow;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.pipelines.OnlineWriter;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.Writers;
import io.tailrace.pipelines.dataflow.JobFile.JobStep;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.beam.sdk.extensions.gcp.auth.NoopCredentialFactory;
import org.apache.beam.sdk.extensions.gcp.storage.NoopPathValidator;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/**
 * What every writer would send to Dataflow, on each bus and for both of Dataflow's ways to run it.
 * Nothing is sent: Beam writes each job to a file, in a JVM that can reach nobody.
 */
@RunWith(JUnit4.class)
public class DataflowJobsTest {
  /** What Dataflow's service knows. */
  private static final Set<String> STEPS =
      Set.of(
          "ParallelRead",
          "ParallelDo",
          "GroupByKey",
          "CombineValues",
          "Flatten",
          "Bucket",
          "Reshuffle",
          "CollectionToSingleton",
          // And, where it takes Beam's own pipeline:
          "beam:transform:impulse:v1",
          "beam:transform:pardo:v1",
          "beam:transform:group_by_key:v1",
          "beam:transform:flatten:v1",
          "beam:transform:window_into:v1");

  /**
   * How Dataflow runs a job: by default, with the runner that other languages need, and with the
   * reader that is not the default there.
   */
  private static final Map<String, List<String>> WAYS =
      Map.of(
          "v1", List.of(),
          "v2", List.of("--experiments=use_runner_v2"),
          "batching", List.of("--busReader=batching"));

  @ClassRule public static final TemporaryFolder FOLDER = new TemporaryFolder();

  private static final Map<String, JobFile> JOBS = new LinkedHashMap<>();
  private static DataflowServers servers;

  @BeforeClass
  public static void translate() throws Exception {
    servers = DataflowServers.start(FOLDER.newFolder().toPath());
    Path directory = FOLDER.newFolder().toPath();
    for (Writer<?> writer : Writers.ALL) {
      for (String bus : DataflowServers.BUSES) {
        Map<String, String> endpoints = servers.endpoints(writer, bus, bus);
        for (String way : WAYS.keySet()) {
          String name = String.join(".", bus, way, writer.name());
          List<String> lines = new ArrayList<>();
          lines.add(writer.name());
          lines.addAll(arguments(directory.resolve(name + ".json")));
          lines.addAll(WAYS.get(way));
          endpoints.forEach((option, uri) -> lines.add("--" + option + "=" + uri));
          Files.write(directory.resolve(name + ".arguments"), lines);
        }
      }
    }

    servers.run(
        List.of(
            "-cp",
            System.getProperty("java.class.path"),
            LauncherJvm.class.getName(),
            directory.toString()));

    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(each -> each.toString().endsWith(".arguments")).toList()) {
        String job = file.toString().replaceFirst("\\.arguments$", "");
        assertWithMessage(job).that(Files.readString(Path.of(job + ".exit"))).isEqualTo("0\n");
        JOBS.put(Path.of(job).getFileName().toString(), JobFile.read(Path.of(job + ".json")));
      }
    }
    assertThat(JOBS).hasSize(Writers.ALL.size() * DataflowServers.BUSES.size() * WAYS.size());
  }

  /** Returns what a job is started with; bucket and credentials are replaced. */
  private static List<String> arguments(Path job) {
    return List.of(
        "--runner=DataflowRunner",
        "--project=my-project",
        "--region=europe-west1",
        "--gcpTempLocation=gs://my-bucket/tmp",
        "--sdkContainerImage=europe-west1-docker.pkg.dev/my-project/tailrace/worker",
        "--templateLocation=" + job,
        "--filesToStage=pom.xml",
        "--stagerClass=" + FakeStager.class.getName(),
        "--pathValidatorClass=" + NoopPathValidator.class.getName(),
        "--credentialFactoryClass=" + NoopCredentialFactory.class.getName());
  }

  @AfterClass
  public static void stop() {
    servers.close();
    JOBS.clear();
  }

  @Test
  public void everyWriterIsAStreamingJobOfStepsThatDataflowKnows() throws Exception {
    for (Map.Entry<String, JobFile> each : JOBS.entrySet()) {
      assertWithMessage(each.getKey())
          .that(each.getValue().job().getType())
          .isEqualTo("JOB_TYPE_STREAMING");
      Set<String> kinds =
          each.getValue().steps().stream().map(JobStep::kind).collect(Collectors.toSet());
      assertWithMessage(each.getKey()).that(STEPS).containsAtLeastElementsIn(kinds);
    }
  }

  @Test
  public void everyWriterPublishesItsDeadLetters() throws Exception {
    for (Map.Entry<String, JobFile> each : JOBS.entrySet()) {
      String steps =
          each.getValue().steps().stream().map(JobStep::name).collect(Collectors.joining("\n"));

      assertWithMessage(each.getKey()).that(steps).contains("DeadLetters/Describe");
      assertWithMessage(each.getKey()).that(steps).contains("DeadLetters/Publish/Publish");
    }
  }

  @Test
  public void beamsOwnSourcesReadTheBuses() throws Exception {
    for (Map.Entry<String, JobFile> each : JOBS.entrySet()) {
      String name = each.getKey();
      List<JobStep> sources =
          each.getValue().steps().stream().filter(step -> step.name().contains("/Poll/")).toList();

      assertWithMessage(name).that(sources).isNotEmpty();
      for (JobStep source : sources) {
        assertWithMessage(name)
            .that(source.name())
            .contains(
                name.contains(".batching.")
                    ? "Bus/Poll/"
                    : name.startsWith("kafka.") ? "/KafkaIO/Poll/KafkaIO.Read" : "/PubsubIO/Poll/");
      }
      if (name.startsWith("pubsub.v1.")) {
        // The runner's own.
        assertWithMessage(name)
            .that(sources.get(0).properties())
            .containsAtLeast("format", "pubsub");
        assertWithMessage(name)
            .that(sources.get(0).properties().get("pubsub_subscription"))
            .startsWith("/subscriptions/");
      }
    }
  }

  @Test
  public void theCommandLineOfATemplatesLauncherWritesTheJobAndEnds() throws Exception {
    Path job = FOLDER.newFolder().toPath().resolve("job_object");
    List<String> command = new ArrayList<>();
    // As the image has it; FLEX_TEMPLATE_JAVA_CLASSPATH is the bundled jar.
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(OnlineWriter.WRITER.program().getName());
    command.addAll(
        List.of(
            "--jobName=online-writer",
            "--labels={\"goog-dataflow-provided-template-type\":\"flex\"}",
            "--serviceAccount=writer@my-project.iam.gserviceaccount.com",
            "--tempLocation=gs://my-bucket/tmp",
            "--stagingLocation=gs://my-bucket/staging",
            "--enableStreamingEngine=true",
            "--maxNumWorkers=4"));
    command.addAll(arguments(job));
    servers
        .endpoints(OnlineWriter.WRITER, "kafka", "launched")
        .forEach((option, uri) -> command.add("--" + option + "=" + uri));

    servers.run(command);

    JobFile file = JobFile.read(job);
    assertThat(file.job().getName()).isEqualTo("online-writer");
    assertThat(file.job().getLabels())
        .containsEntry("goog-dataflow-provided-template-type", "flex");
    assertThat(file.steps()).isNotEmpty();
  }

  @Test
  public void noSecretIsInAJobButWhereItIs() throws Exception {
    Map<String, String> secrets = servers.secrets();
    for (Map.Entry<String, JobFile> each : JOBS.entrySet()) {
      String everything = each.getValue().everything();

      for (Map.Entry<String, String> secret : secrets.entrySet()) {
        assertWithMessage("%s of %s", secret.getKey(), each.getKey())
            .that(everything.contains(secret.getValue()))
            .isFalse();
      }
      // Found where objects are serialized, too: one name is in the options and in each of them.
      if (each.getKey().startsWith("kafka.")) {
        assertWithMessage(each.getKey())
            .that(everything.split("KAFKA_PASSWORD", -1).length)
            .isAtLeast(6);
      }
    }
  }

  @Test
  public void noPathOfThisMachineIsInAJob() throws Exception {
    for (Map.Entry<String, JobFile> each : JOBS.entrySet()) {
      // Where this test has the job written to is among its options.
      String everything = each.getValue().everything().replace(FOLDER.getRoot() + "/", "/the/job/");

      for (String property : List.of("user.dir", "user.home", "java.home", "java.io.tmpdir")) {
        assertWithMessage("%s of %s", property, each.getKey())
            .that(everything.contains(System.getProperty(property) + "/"))
            .isFalse();
      }
    }
  }
}
