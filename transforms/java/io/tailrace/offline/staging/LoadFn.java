package io.tailrace.offline.staging;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.BusMessage;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.InsertCounters;
import io.tailrace.offline.InsertFailures;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.Inserted;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.Outputs;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.values.KV;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Loads staged files, those of an owner that were gathered, and puts out what became of each. */
final class LoadFn extends DoFn<KV<String, Iterable<StagedFile>>, InsertOutcome> {
  private static final long serialVersionUID = 1;
  private static final Logger LOG = LoggerFactory.getLogger(LoadFn.class);

  private final Stage stage;
  private final Loader.Factory loaders;
  private final InsertCounters counters = new InsertCounters();
  private final StagingCounters loads = new StagingCounters();

  private transient @Nullable Loader loader;
  private transient Map<String, Stage.Connection> stages;

  LoadFn(Stage stage, Loader.Factory loaders) {
    this.stage = stage;
    this.loaders = loaders;
  }

  @Setup
  public void setUp() {
    stages = new HashMap<>();
  }

  @StartBundle
  public void startBundle() {
    counters.clear();
    loads.clear();
  }

  @ProcessElement
  public void load(@Element KV<String, Iterable<StagedFile>> gathered, MultiOutputReceiver out)
      throws UnavailableException, IOException {
    // Each once, by its name: what was found in the stage may be on its way, too.
    Map<String, Map<String, StagedFile>> byStage = new LinkedHashMap<>();
    for (StagedFile file : gathered.getValue()) {
      byStage
          .computeIfAbsent(file.stage(), unused -> new LinkedHashMap<>())
          .putIfAbsent(file.name(), file);
    }
    for (Map.Entry<String, Map<String, StagedFile>> each : byStage.entrySet()) {
      Stage.Connection from = stages.computeIfAbsent(each.getKey(), uri -> stage.at(uri).open());
      load(from, List.copyOf(each.getValue().values()), out);
    }
  }

  private void load(Stage.Connection from, List<StagedFile> files, MultiOutputReceiver out)
      throws UnavailableException, IOException {
    if (loader == null) {
      loader = loaders.open();
    }
    files.forEach(file -> counters.receive(file.size().rows()));
    Inserted inserted = requireNonNull(loader).load(from, files);
    long now = Micros.now();
    loads.loads.add(1);
    loads.flush();
    List<InsertCounters.File> counted = new ArrayList<>();
    for (StagedFile file : files) {
      counted.add(
          InsertCounters.File.of(
              file.size().bytes(),
              file.size().rows(),
              file.size().publishedFrom(),
              file.origin().publishedAt()));
    }
    InsertFailures failures = InsertFailures.of(inserted, new StagedFiles(from, files));
    failures.putOut((file, failure) -> Outputs.failures(out).output(failure), counters);
    counters.count(counted, inserted, now);
    for (int i = 0; i < files.size(); i++) {
      StagedFile file = files.get(i);
      if (!failures.isRefused(i)) {
        Outputs.<InsertOutcome>main(out)
            .output(
                new InsertOutcome(
                    file.size().rows(),
                    file.origin().publishedAt(),
                    file.size().publishedFrom(),
                    now));
      }
    }
  }

  @FinishBundle
  public void finishBundle() {
    counters.finish();
    loads.finish();
  }

  private record StagedFiles(Stage.Connection from, List<StagedFile> files)
      implements InsertFailures.Files {
    @Override
    public BusMessage message(int position) throws UnavailableException {
      StagedFile file = files.get(position);
      return file.origin().withPayload(from.read(file.name()).orElse(new byte[0]));
    }

    @Override
    public Optional<ObservationFile> at(int position) throws UnavailableException {
      StagedFile file = files.get(position);
      Optional<byte[]> bytes = from.read(file.name());
      if (bytes.isEmpty()) {
        return Optional.empty();
      }
      try {
        return Optional.of(FileDecoder.decode(file.origin().withPayload(bytes.get())));
      } catch (InvalidMessageException e) {
        LOG.warn(
            "{} in {} is not what was loaded any more: {}",
            file.name(),
            file.stage(),
            e.getMessage());
        return Optional.empty();
      }
    }
  }

  @Teardown
  public void tearDown() {
    Loader open = loader;
    loader = null;
    if (open != null) {
      open.close();
    }
    stages.values().forEach(Stage.Connection::close);
    stages.clear();
  }
}
