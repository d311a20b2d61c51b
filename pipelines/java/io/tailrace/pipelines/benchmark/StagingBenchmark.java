package io.tailrace.pipelines.benchmark;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.EncodeObservations;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.ResultEncoder;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.offline.staging.StagedStore;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.result.ResultDecoder;
import io.tailrace.stage.InvalidMessageException;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.beam.runners.core.metrics.MetricsContainerImpl;
import org.apache.beam.sdk.metrics.MetricsEnvironment;

/**
 * Measures how files are staged and loaded, without a pipeline: into a simulated warehouse, through
 * the vendor's driver. What is said to it, and the time beside its own, are ours. Not thread-safe.
 */
final class StagingBenchmark implements AutoCloseable {
  private final SimulatedWarehouse warehouse;
  private final Stage place;
  private final Loader loader;
  private final Stage.Connection stage;
  private final BenchmarkTraffic traffic;
  private final ResultDecoder decoder = new ResultDecoder();
  private long messages;

  /**
   * What a load took.
   *
   * @param rows those of features
   * @param statements what was said to the warehouse, from the first file that was staged
   * @param bytes of the files
   * @param time from the first file that was staged to the end of the load
   * @param ours that time without what the simulation took
   */
  record Load(long rows, long statements, long bytes, Duration time, Duration ours) {}

  /** Measures a warehouse, which is closed with it. */
  StagingBenchmark(SimulatedWarehouse warehouse, int namespaces) {
    StagedStore store = warehouse.store();
    this.warehouse = warehouse;
    this.place = store.stage();
    this.loader = store.openLoader();
    this.stage = place.open();
    this.traffic = new BenchmarkTraffic(BenchmarkTraffic.Keys.UNIFORM, namespaces);
  }

  /** Stages and loads the files of results, which are one bundle of an offline writer. */
  Load load(int results) throws InvalidMessageException, IOException, UnavailableException {
    List<ObservationFile> files = files(results);
    Map<String, byte[]> staged = new LinkedHashMap<>();
    List<StagedFile> references = new ArrayList<>();
    long bytes = 0;
    for (ObservationFile file : files) {
      String name = file.environment() + "/benchmark-" + ++messages + ".parquet";
      byte[] formed = place.form().of(file, name);
      staged.put(name, formed);
      bytes += formed.length;
      references.add(
          new StagedFile(
              place.uri(),
              name,
              new StagedFile.Type(
                  file.environment(), file.kind(), file.stringKeys(), file.valueType()),
              new StagedFile.Size(formed.length, file.rowCount(), file.publishedFrom().orElse(0L)),
              file.message().withPayload(new byte[0])));
    }
    long unused = warehouse.takeStatements();
    Duration before = warehouse.busy();
    long start = System.nanoTime();
    stage.put(staged);
    Inserted inserted = loader.load(stage, references);
    Duration time = Duration.ofNanos(System.nanoTime() - start);
    if (inserted.rows().inserted() != (long) results * BenchmarkTraffic.FEATURES) {
      throw new IllegalStateException("not all rows are new: " + inserted.rows());
    }
    return new Load(
        inserted.rows().inserted(),
        warehouse.takeStatements(),
        bytes,
        time,
        time.minus(warehouse.busy().minus(before)));
  }

  @SuppressWarnings("try") // The scope is all that matters of the metrics' container.
  private List<ObservationFile> files(int results)
      throws InvalidMessageException, IOException, UnavailableException {
    List<OutgoingMessage> encoded = new ArrayList<>();
    // Somebody must take what is counted.
    try (Closeable unused =
            MetricsEnvironment.scopedMetricsContainer(new MetricsContainerImpl("stage"));
        ResultEncoder encoder =
            new ResultEncoder(
                EncodeObservations.DEFAULT_MAX_FILE_BYTES,
                EncodeObservations.DEFAULT_MAX_CLOCK_SKEW)) {
      for (int i = 0; i < results; i++) {
        byte[] result = traffic.result(traffic.entity(), Micros.now()).toByteArray();
        encoder.add(decoder.decode(message(result)), encoded::add, failure -> refused());
      }
      encoder.flush(encoded::add, failure -> refused());
    }
    List<ObservationFile> files = new ArrayList<>();
    for (OutgoingMessage file : encoded) {
      files.add(FileDecoder.decode(message(file.bytes())));
    }
    return files;
  }

  private BusMessage message(byte[] payload) {
    return BusMessage.of(
        payload, Place.numbered("files", 0, messages), MessageTime.ofBus(Micros.now()));
  }

  private static void refused() {
    throw new IllegalStateException("no row of the benchmark's can be refused");
  }

  @Override
  public void close() {
    loader.close();
    stage.close();
    warehouse.close();
  }
}
