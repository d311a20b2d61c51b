package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusReading;
import io.tailrace.testing.ClassPathWithout;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import org.apache.beam.runners.flink.FlinkPipelineOptions;
import org.apache.beam.runners.flink.FlinkRunner;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.StreamingOptions;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

@RunWith(JUnit4.class)
public class BeamOptionsTest {
  @Test
  public void flinkHasItsDefaultsHoweverItIsNamed() throws Exception {
    for (String name :
        List.of("FlinkRunner", "flinkrunner", "flink", FlinkRunner.class.getName())) {
      FlinkPipelineOptions options = parse(false, "--runner=" + name);

      assertWithMessage(name).that(options.getCheckpointingInterval()).isEqualTo(10_000);
      assertWithMessage(name).that(options.getFinishBundleBeforeCheckpointing()).isTrue();
      assertWithMessage(name).that(options.getMaxBundleTimeMills()).isEqualTo(500);
    }
  }

  @Test
  public void aWriterThatGathersHasLongerBundles() throws Exception {
    FlinkPipelineOptions options = parse(true, "--runner=flinkrunner");

    assertThat(options.getMaxBundleTimeMills()).isEqualTo(2_000);
    assertThat(options.getMinPauseBetweenCheckpoints()).isEqualTo(2_000);
    assertThat(options.getCheckpointingInterval()).isEqualTo(10_000);
  }

  @Test
  public void whatIsGivenWins() throws Exception {
    FlinkPipelineOptions options =
        parse(true, "--runner=FlinkRunner", "--maxBundleTimeMills=7", "--objectReuse=false");

    assertThat(options.getMaxBundleTimeMills()).isEqualTo(7);
    assertThat(options.getObjectReuse()).isFalse();
  }

  @Test
  public void whatBreaksAPromiseOnFlinkIsRefused() throws Exception {
    for (String unsafe :
        List.of(
            "--checkpointingInterval=-1",
            "--checkpointingInterval=0",
            "--finishBundleBeforeCheckpointing=false",
            "--finishBundleBeforeCheckpointing=FALSE",
            "--checkpointingMode=AT_LEAST_ONCE")) {
      for (String name : List.of("FlinkRunner", "flink", FlinkRunner.class.getName())) {
        assertWithMessage(name + " " + unsafe)
            .that(problems("--runner=" + name, unsafe, "--objectReuse=false").toString())
            .startsWith("[" + unsafe + ": ");
      }
      assertThat(parse(false, "--runner=DirectRunner", unsafe)).isNotNull();
    }
    assertThat(
            problems(
                "--runner=flink",
                "--checkpointingInterval=-1",
                "--finishBundleBeforeCheckpointing=false"))
        .hasSize(2);
    parse(
        false,
        "--runner=flink",
        "--checkpointingInterval=100",
        "--finishBundleBeforeCheckpointing");
  }

  @Test
  public void onDataflowBeamsOwnSourceReadsAndTheJobIsStreaming() throws Exception {
    for (String runner : List.of("DataflowRunner", "dataflow")) {
      PipelineOptions options = parse(true, "--runner=" + runner);

      assertThat(BusReading.of(options)).isEqualTo(BusReading.KAFKA_IO);
      assertThat(options.as(StreamingOptions.class).isStreaming()).isTrue();
      assertThat(BusReading.of(parse(true, "--runner=" + runner, "--busReader=batching")))
          .isEqualTo(BusReading.BATCHING);
    }
    for (String runner : List.of("FlinkRunner", "DirectRunner")) {
      assertThat(BusReading.of(parse(true, "--runner=" + runner))).isEqualTo(BusReading.BATCHING);
      assertThat(BusReading.of(parse(true, "--runner=" + runner, "--busReader=kafkaio")))
          .isEqualTo(BusReading.KAFKA_IO);
    }
  }

  @Test
  public void anotherRunnerHasItsOwnDefaults() throws Exception {
    FlinkPipelineOptions options = parse(true, "--runner=DirectRunner", "--jobName=FlinkRunner");

    assertThat(options.getCheckpointingInterval()).isEqualTo(-1);
  }

  @Test
  public void aRunnerOfAnotherProfileIsNamedWithIt() throws Exception {
    try (ClassPathWithout build =
        ClassPathWithout.artifact("beam-runners-google-cloud-dataflow-java")) {
      Object writer = build.loadClass(OnlineWriter.class.getName()).getField("WRITER").get(null);
      for (String name :
          List.of(
              "DataflowRunner", "dataflow", "org.apache.beam.runners.dataflow.DataflowRunner")) {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        Object exit =
            writer
                .getClass()
                .getMethod("run", PrintStream.class, PrintStream.class, String[].class)
                .invoke(
                    writer,
                    System.out,
                    new PrintStream(said, true, UTF_8),
                    new String[] {"--runner=" + name});

        assertThat(exit).isEqualTo(2);
        assertThat(said.toString(UTF_8).lines().toList())
            .containsExactly(
                "online-writer: --runner="
                    + name
                    + " is not in this build: add its profile, as in mvn -Pdataflow-runner compile"
                    + " exec:java … or mvn -Pdataflow-runner,bundle package; here are"
                    + " DirectRunner, FlinkRunner, TestFlinkRunner",
                "Try 'online-writer --help'.")
            .inOrder();
      }
    }
  }

  @Test
  public void aRunnerThatThereIsNotIsNamedWithThoseThatThereAre() {
    assertThat(problems("--runner=SprakRunner"))
        .containsExactly(
            "--runner=SprakRunner names no runner; here are DataflowRunner, DirectRunner,"
                + " FlinkRunner, TestDataflowRunner, TestFlinkRunner");
  }

  @Test
  public void everyArgumentThatIsWrongIsNamedInALine() {
    assertThat(
            problems(
                "--runer=FlinkRunner",
                "--parallelism=x",
                "--checkpointingInterval=soon",
                "--objectReuse=maybe",
                "word",
                "--deadLetterBus=a",
                "--nothingLikeIt=1"))
        .containsExactly(
            "there is no option named 'runer'. Did you mean 'runner'?",
            "--parallelism=x: it must be a whole number",
            "--checkpointingInterval=soon: it must be a whole number",
            "--objectReuse=maybe: it must be true or false",
            "Argument 'word' does not begin with '--'",
            "there is no option named 'nothingLikeIt'.")
        .inOrder();
  }

  @Test
  public void anOptionThatIsGivenTwiceIsNamed() throws Exception {
    assertThat(problems("--deadLetterBus=a", "--environments=a", "--deadLetterBus=b"))
        .containsExactly("--deadLetterBus is given more than once");

    WriterOptions list =
        BeamOptions.parse(WriterOptions.class, false, "--environments=a", "--environments=b");
    assertThat(WriterOptions.environments(list)).containsExactly("a", "b");
  }

  @Test
  public void aJobWithoutANameHasThatOfItsWriter() throws Exception {
    assertThat(BeamOptions.parse(OnlineWriterOptions.class, false).getJobName())
        .startsWith("onlinewriter-");
    assertThat(BeamOptions.parse(OnlineWriterOptions.class, false, "--jobName=mine").getJobName())
        .isEqualTo("mine");
    assertThat(BeamOptions.parse(OnlineWriterOptions.class, false, "--appName=Mine").getJobName())
        .startsWith("mine-");
  }

  private static FlinkPipelineOptions parse(boolean gathering, String... args) throws Exception {
    return BeamOptions.parse(WriterOptions.class, gathering, args).as(FlinkPipelineOptions.class);
  }

  private static List<String> problems(String... args) {
    return assertThrows(
            CommandException.class, () -> BeamOptions.parse(WriterOptions.class, false, args))
        .getMessage()
        .lines()
        .toList();
  }
}
