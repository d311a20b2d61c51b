package io.tailrace.offline.staging;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.MemoryBudget;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.Gathered;
import io.tailrace.stage.Held;
import io.tailrace.stage.Outputs;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.values.KV;
import org.joda.time.Instant;
import org.jspecify.annotations.Nullable;

/** Stages files and puts out references to them, each beside the name of its owner. */
final class StageFn extends DoFn<ObservationFile, KV<String, StagedFile>> {
  private static final long serialVersionUID = 1;

  /** Files that are held before they are staged, in bytes: an eighth of the heap. */
  private static final long MAX_BUFFERED_BYTES =
      Math.min(64L << 20, Math.max(4L << 20, Runtime.getRuntime().maxMemory() / 8));

  private final Stage stage;
  private final int owners;
  private final StagingCounters counters = new StagingCounters();

  private transient Stage.@Nullable Connection connection;
  private transient MemoryBudget.@Nullable Share memory;
  private transient Gathered<ObservationFile> gathered;
  private transient Outputs<KV<String, StagedFile>> outputs;

  StageFn(Stage stage, int owners) {
    this.stage = stage;
    this.owners = owners;
  }

  @Setup
  public void setUp() {
    memory = MemoryBudget.ofProcess().share();
  }

  @StartBundle
  public void startBundle() {
    gathered =
        Gathered.<ObservationFile>upTo(MAX_BUFFERED_BYTES, ObservationFile::heldBytes)
            .within(requireNonNull(memory));
    outputs = new Outputs<>();
    counters.clear();
  }

  @ProcessElement
  public void stage(
      @Element ObservationFile file,
      @Timestamp Instant timestamp,
      BoundedWindow window,
      MultiOutputReceiver out)
      throws UnavailableException {
    counters.filesToStage.add(1);
    gathered.add(file, timestamp, window);
    if (gathered.isDue()) {
      stage(gathered.take(), outputs.now(out, window));
    }
  }

  @FinishBundle
  public void finishBundle(FinishBundleContext context) throws UnavailableException {
    stage(gathered.take(), outputs.atEnd(context));
    counters.finish();
  }

  private void stage(
      List<Held<ObservationFile>> files, Outputs.Receiver<KV<String, StagedFile>> out)
      throws UnavailableException {
    if (files.isEmpty()) {
      return;
    }
    if (connection == null) {
      connection = stage.open();
    }
    Map<String, byte[]> named = new LinkedHashMap<>();
    long bytes = 0;
    for (Held<ObservationFile> file : files) {
      String name = StagedNames.of(file.element());
      byte[] formed = stage.form().of(file.element(), name);
      named.put(name, formed);
      bytes += formed.length;
    }
    requireNonNull(connection).put(named);
    counters.filesStaged.add(files.size());
    counters.bytesStaged.add(bytes);
    counters.flush();
    for (Held<ObservationFile> file : files) {
      String name = StagedNames.of(file.element());
      StagedFile reference =
          StagedFile.of(file.element(), stage.uri(), name, requireNonNull(named.get(name)).length);
      out.put(file, KV.of(StageThenLoad.owner(reference, owners), reference));
    }
    gathered.written();
  }

  @Teardown
  public void tearDown() {
    if (memory != null) {
      memory.close();
    }
    Stage.Connection open = connection;
    connection = null;
    if (open != null) {
      open.close();
    }
  }
}
