package io.tailrace.pipelines.benchmark;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.MetricsWriter;
import io.tailrace.pipelines.benchmark.rivals.PlainCombinePipeline;
import io.tailrace.pipelines.local.servers.LocalKafka;
import java.nio.file.Path;
import java.util.List;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.flink.api.common.JobID;
import org.apache.kafka.clients.producer.KafkaProducer;

/** The servers and the topic of {@link MetricsBenchmarkCommand}. Not thread-safe. */
final class MetricsBenchmark implements AutoCloseable {
  static final int PARALLELISM = BenchmarkFlink.PARALLELISM;

  private static final long POLL_MILLIS = 50;

  private final LocalKafka kafka;
  private final BenchmarkFlink flink;

  MetricsBenchmark(Path directory, List<String> writerArguments) {
    this.kafka = LocalKafka.start(directory.resolve("kafka"), 0);
    this.flink = BenchmarkFlink.start(directory.resolve("flink"), 1, writerArguments);
    kafka.createTopic("dead-letters", 1);
    kafka.createTopic("metrics", 1);
  }

  /** Publishes results of so many namespaces, each with ten features of its own. */
  void publish(String topic, long results, int namespaces) {
    kafka.createTopic(topic, PARALLELISM);
    try (KafkaProducer<byte[], byte[]> producer =
        BenchmarkTraffic.producer(kafka.bootstrapServers())) {
      new BenchmarkTraffic(BenchmarkTraffic.Keys.UNIFORM, namespaces)
          .publish(producer, topic, results, entity -> entity & 1);
    }
  }

  /**
   * What a run of the writer showed.
   *
   * @param resultsPerSecond in the steady state
   * @param stateBytes of the checkpoint after the last result
   */
  record Run(double resultsPerSecond, double stateBytes) {}

  Run writer(String topic, long results) throws CommandException, InterruptedException {
    CountFn.COUNTED.reset();
    List<String> arguments = flink.arguments();
    arguments.addAll(
        List.of(
            "--resultBus=" + bus(topic) + "?group=" + topic + "-" + System.nanoTime(),
            "--metricsBus=" + bus("metrics"),
            "--deadLetterBus=" + bus("dead-letters")));
    var unused =
        MetricsWriter.WRITER.start(
            summarized -> summarized.apply("CountResults", ParDo.of(new CountFn<>())),
            arguments.toArray(String[]::new));
    JobID job = flink.cluster().jobs().get(flink.cluster().jobs().size() - 1).id();
    try {
      double rate = SteadyRate.of(CountFn.COUNTED::sum, results);
      while (CountFn.COUNTED.sum() < results) {
        Thread.sleep(POLL_MILLIS);
      }
      // One that begins now has everything.
      long before = flink.cluster().completedCheckpoints(job);
      while (flink.cluster().completedCheckpoints(job) < before + 2) {
        Thread.sleep(POLL_MILLIS);
      }
      return new Run(rate, flink.cluster().checkpointBytes(job));
    } finally {
      flink.cancelJobs();
    }
  }

  double plainCombine(String topic, long results) throws InterruptedException {
    PlainCombinePipeline.DONE.reset();
    // Without checkpoints: Beam's quantiles are changed in place, also while one is written, and
    // the job fails then.
    List<String> arguments = flink.bareArguments();
    arguments.addAll(List.of("--maxBundleSize=50000", "--maxBundleTimeMills=500"));
    PlainCombinePipeline.start(
        bus(topic) + "?group=plain-" + System.nanoTime(), arguments.toArray(String[]::new));
    try {
      return SteadyRate.of(PlainCombinePipeline.DONE::sum, results);
    } finally {
      flink.cancelJobs();
    }
  }

  private String bus(String topic) {
    return "kafka://" + kafka.bootstrapServers() + "/" + topic;
  }

  @Override
  public void close() {
    flink.close();
    kafka.close();
  }
}
