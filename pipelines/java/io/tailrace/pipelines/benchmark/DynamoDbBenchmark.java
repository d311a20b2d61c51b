package io.tailrace.pipelines.benchmark;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.OnlineStores;
import io.tailrace.online.WriteOnline;
import io.tailrace.pipelines.benchmark.rivals.DynamoDbIoPipeline;
import io.tailrace.pipelines.local.servers.dynamodb.FakeDynamoDb;
import io.tailrace.result.DecodeResults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.coders.ByteArrayCoder;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.Create;

/**
 * Counts what the online writer asks of a simulated DynamoDB, by that one's count, with one, two
 * and four writers at once, beside {@code DynamoDBIO}. Entities are chosen as people are, some of
 * them often, and every writer gets results of each: the worst case, as a bus keeps those of an
 * entity together, mostly. Units are what it can tell, not speed.
 */
final class DynamoDbBenchmark {
  /** Of a million nobody learns more. */
  private static final int MAX_RESULTS = 50_000;

  /** One of so many requests is throttled. */
  private static final int THROTTLED = 500;

  private static final String SCHEME = "dynamodb://";

  private final List<byte[]> results = new ArrayList<>();
  private final String uri;
  private final Figures figures;
  private final Path key;

  /**
   * Makes the results.
   *
   * @param uri names region and table
   * @throws IllegalArgumentException if it names no table, or a server
   */
  DynamoDbBenchmark(String uri, long results, Figures figures) throws IOException {
    if (!uri.startsWith(SCHEME) || uri.contains("endpoint=") || uri.contains("{environment}")) {
      throw new IllegalArgumentException(
          "--onlineStore="
              + uri
              + " is not to be measured: name a table, such as dynamodb://eu-west-1/features. It is"
              + " simulated, and started by the benchmark, as requests and units are counted there;"
              + " without --onlineStore a Redis is measured");
    }
    var unused = OnlineStores.at(uri);
    this.uri = uri;
    this.figures = figures;
    this.key = Files.writeString(Files.createTempFile("key", ""), "benchmark");
    BenchmarkTraffic traffic = new BenchmarkTraffic(BenchmarkTraffic.Keys.ZIPF);
    long count = Math.min(MAX_RESULTS, results);
    long now = Micros.now();
    for (long i = 0; i < count; i++) {
      this.results.add(traffic.result(traffic.entity(), now - (count - i)).toByteArray());
    }
  }

  void run() throws InterruptedException, ExecutionException, IOException {
    figures.fact("dynamodb", "simulated; one request of " + THROTTLED + " is throttled");
    figures.fact("dynamodb_results", Integer.toString(results.size()));
    for (int writers : new int[] {1, 2, 4}) {
      try (FakeDynamoDb server = FakeDynamoDb.start()) {
        OnlineStores.at(at(server)).check();
        measure("writers_" + writers, server, () -> write(server, writers));
        if (writers == 1) {
          measure("replay", server, () -> write(server, writers));
        }
      } catch (UnavailableException e) {
        throw new IllegalStateException(e);
      }
    }
    try (FakeDynamoDb server = FakeDynamoDb.start()) {
      server.createTable("rival", "__id__", "__ns__");
      measure("dynamodb_io", server, () -> rival(server));
    }
    Files.deleteIfExists(key);
  }

  private interface Work {
    void run() throws InterruptedException, ExecutionException;
  }

  private void measure(String name, FakeDynamoDb server, Work work)
      throws InterruptedException, ExecutionException {
    server.refuseEvery(THROTTLED);
    FakeDynamoDb.Counts before = server.counts();
    work.run();
    FakeDynamoDb.Counts counts = server.counts().since(before);
    double thousands = results.size() / 1_000.0;
    figures.put(name + ".requests_per_thousand", counts.requests() / thousands);
    figures.put(name + ".conflicts_per_thousand", counts.conflicts() / thousands);
    figures.put(name + ".retries_per_thousand", counts.throttled() / thousands);
    figures.put(name + ".write_units_per_thousand", counts.writeUnits() / thousands);
    figures.put(name + ".read_units_per_thousand", counts.readUnits() / thousands);
    figures.say(
        "%s: %d requests, %d conflicts, %.0f write units",
        name, counts.requests(), counts.conflicts(), counts.writeUnits());
  }

  private String at(FakeDynamoDb server) {
    return uri
        + (uri.contains("?") ? "&" : "?")
        + "create=true&endpoint="
        + server.endpoint()
        + "&accessKey=file:"
        + key
        + "&secretKey=file:"
        + key;
  }

  private void write(FakeDynamoDb server, int writers)
      throws InterruptedException, ExecutionException {
    ExecutorService threads = Executors.newFixedThreadPool(writers);
    try {
      List<Future<?>> running = new ArrayList<>();
      for (int writer = 0; writer < writers; writer++) {
        List<BusMessage> share = share(writer, writers);
        running.add(threads.submit(() -> write(server, share)));
      }
      for (Future<?> each : running) {
        var unused = each.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private List<BusMessage> share(int writer, int writers) {
    List<BusMessage> share = new ArrayList<>();
    for (int i = writer; i < results.size(); i += writers) {
      share.add(
          BusMessage.of(
              results.get(i),
              Place.numbered("results", writer, i),
              MessageTime.ofBus(Micros.now())));
    }
    return share;
  }

  private static Pipeline pipeline() {
    return Pipeline.create(
        PipelineOptionsFactory.fromArgs(
                "--runner=DirectRunner",
                "--targetParallelism=1",
                "--enforceImmutability=false",
                "--enforceEncodability=false",
                "--awsRegion=eu-west-1")
            .create());
  }

  private void write(FakeDynamoDb server, List<BusMessage> messages) {
    Pipeline pipeline = pipeline();
    var unused =
        pipeline
            .apply("Results", Create.of(messages))
            .apply("DecodeResults", DecodeResults.forWriter("benchmark"))
            .output()
            .apply("WriteOnline", WriteOnline.to(at(server)));
    var unusedState = pipeline.run().waitUntilFinish();
  }

  private void rival(FakeDynamoDb server) {
    Pipeline pipeline = pipeline();
    var unused =
        pipeline
            .apply("Results", Create.of(results).withCoder(ByteArrayCoder.of()))
            .apply("Write", DynamoDbIoPipeline.write(server.endpoint(), "rival"));
    var unusedState = pipeline.run().waitUntilFinish();
  }
}
