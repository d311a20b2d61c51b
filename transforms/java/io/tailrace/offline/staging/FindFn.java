package io.tailrace.offline.staging;

import io.tailrace.bus.BusMessage;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.InvalidMessageException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.beam.sdk.coders.VarLongCoder;
import org.apache.beam.sdk.state.StateSpec;
import org.apache.beam.sdk.state.StateSpecs;
import org.apache.beam.sdk.state.ValueState;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.values.KV;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lists the stage at every start and now and then: puts out references to files that were staged
 * and never loaded, and deletes what was loaded long enough ago. Its input has one key, so that one
 * worker does so.
 */
final class FindFn extends DoFn<KV<String, Long>, KV<String, StagedFile>> {
  private static final long serialVersionUID = 1;
  private static final Logger LOG = LoggerFactory.getLogger(FindFn.class);

  @StateId("searchedAt")
  @SuppressWarnings("unused") // Beam reads it.
  private final StateSpec<ValueState<Long>> searchedAtSpec = StateSpecs.value(VarLongCoder.of());

  private final Stage stage;
  private final Loader.Factory loaders;
  private final Search search;
  private final int owners;
  private final StagingCounters counters = new StagingCounters();

  private transient boolean searchedSinceStart;

  FindFn(Stage stage, Loader.Factory loaders, Search search, int owners) {
    this.stage = stage;
    this.loaders = loaders;
    this.search = search;
    this.owners = owners;
  }

  @StartBundle
  public void startBundle() {
    counters.clear();
  }

  @ProcessElement
  public void find(
      @Element KV<String, Long> tick,
      @StateId("searchedAt") ValueState<Long> searchedAt,
      OutputReceiver<KV<String, StagedFile>> out)
      throws UnavailableException {
    long now = System.currentTimeMillis();
    Long last = searchedAt.read();
    // State says what a worker of before did; whatever it has not loaded, it may never load.
    if (searchedSinceStart && last != null && now - last < search.every().toMillis()) {
      return;
    }
    try (Stage.Connection connection = stage.open();
        Loader loader = loaders.open()) {
      Map<String, List<Stage.Entry>> byEnvironment = new TreeMap<>();
      List<Stage.Entry> all = connection.list();
      delete(abandoned(all), connection);
      for (Stage.Entry entry : all) {
        String environment = StagedNames.environment(entry.name());
        if (!environment.isEmpty() && search.includes(environment)) {
          byEnvironment.computeIfAbsent(environment, unused -> new ArrayList<>()).add(entry);
        }
      }
      for (Map.Entry<String, List<Stage.Entry>> each : byEnvironment.entrySet()) {
        find(each.getKey(), each.getValue(), connection, loader.ledger(), out);
      }
    }
    counters.flush();
    searchedSinceStart = true;
    searchedAt.write(now);
  }

  /** What a session staged is its own to load; of one that died it stays until nobody loads it. */
  private static List<String> abandoned(List<Stage.Entry> files) {
    Instant before = Instant.now().minus(Search.REMEMBERED);
    return files.stream()
        .filter(file -> StagedNames.isOfSession(file.name()) && file.stagedAt().isBefore(before))
        .map(Stage.Entry::name)
        .toList();
  }

  private void delete(List<String> names, Stage.Connection connection) throws UnavailableException {
    if (!names.isEmpty()) {
      connection.delete(names);
      counters.filesDeleted.add(names.size());
    }
  }

  private void find(
      String environment,
      List<Stage.Entry> files,
      Stage.Connection connection,
      Ledger ledger,
      OutputReceiver<KV<String, StagedFile>> out)
      throws UnavailableException {
    Instant now = Instant.now();
    Map<String, Ledger.Entry> loaded =
        ledger.find(environment, files.stream().map(Stage.Entry::name).toList());
    List<String> over = new ArrayList<>();
    for (Stage.Entry file : files) {
      Ledger.Entry entry = loaded.get(file.name());
      if (entry != null) {
        // A file that was staged again is referred to again, however long ago it was loaded.
        if (file.stagedAt().plus(search.keep()).isBefore(now)
            && entry
                .loadedAt()
                .plus(entry.isWhole() ? search.keep() : Search.REMEMBERED)
                .isBefore(now)) {
          over.add(file.name());
        }
      } else if (!file.stagedAt().plus(search.olderThan()).isAfter(now)) {
        Optional<StagedFile> reference = refer(environment, file, connection);
        if (reference.isPresent()) {
          counters.filesFound.add(1);
          out.output(KV.of(StageThenLoad.owner(reference.get(), owners), reference.get()));
        }
      }
    }
    delete(over, connection);
    ledger.forget(environment, now.minus(Search.REMEMBERED.multipliedBy(2)));
  }

  private Optional<StagedFile> refer(
      String environment, Stage.Entry file, Stage.Connection connection)
      throws UnavailableException {
    Optional<byte[]> bytes = connection.read(file.name());
    if (bytes.isEmpty()) {
      // Another searcher has deleted it since.
      return Optional.empty();
    }
    long stagedAt = Micros.of(file.stagedAt());
    BusMessage message = StagedNames.message(file.name(), bytes.get(), stagedAt);
    try {
      ObservationFile decoded = FileDecoder.decode(message);
      if (decoded.environment().equals(environment)) {
        return Optional.of(StagedFile.of(decoded, stage.uri(), file.name(), bytes.get().length));
      }
    } catch (InvalidMessageException e) {
      LOG.warn("{} in {} is none of ours: {}", file.name(), stage.uri(), e.getMessage());
      return Optional.empty();
    }
    LOG.warn("{} in {} is of another environment", file.name(), stage.uri());
    return Optional.empty();
  }
}
