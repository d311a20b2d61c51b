package io.tailrace.pipelines;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusFacts;
import io.tailrace.offline.EncodeObservations;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStore.Role;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.beam.sdk.options.Default;
import org.apache.beam.sdk.options.Description;
import org.jspecify.annotations.Nullable;

/** Options of the {@link OfflineWriter}, beside those of Beam and of the runner. */
public interface OfflineWriterOptions extends ResultBusOptions, OfflineStoreOptions {
  @Description(
      "The bus for Parquet files, which the streaming-insert-writer reads. Files become as large as"
          + " its messages may be.")
  @Nullable String getStreamingInsertBus();

  void setStreamingInsertBus(@Nullable String uri);

  @Description(
      "How far an observation may lie after its publication before it is taken for the error of a"
          + " clock and becomes a dead letter; and how far this writer's clock may be behind the"
          + " store's and the brokers' before it judges nothing.")
  @Default.String("5m")
  String getMaxClockSkew();

  void setMaxClockSkew(String duration);

  @Description(
      "For how long to gather results before they are encoded, for runners whose bundles are small"
          + " (Dataflow): 2s. Default: not at all.")
  @Nullable String getGathering();

  void setGathering(@Nullable String duration);

  /**
   * What the options mean.
   *
   * @param gathering how long to gather results; zero: not at all
   */
  record Parsed(
      Bus streamingInsertBus,
      int maxFileBytes,
      OfflineStore offlineStore,
      Duration maxClockSkew,
      Duration gathering) {
    /** Room for what a bus keeps beside a message's payload. */
    private static final int ENVELOPE_BYTES = 4 << 10;

    /** Larger files would gain nothing, and cost memory everywhere. */
    private static final int LARGEST_FILE_BYTES = 8 << 20;

    private static int maxFileBytes(Optional<BusFacts> bus) {
      return bus.flatMap(BusFacts::maxMessageBytes)
          .map(max -> Math.max(10_000, Math.min(LARGEST_FILE_BYTES, max - ENVELOPE_BYTES)))
          .orElse(EncodeObservations.DEFAULT_MAX_FILE_BYTES);
    }
  }

  /** Looks at the options; what it returns is to be asked for when all are right. */
  static Supplier<Parsed> parse(OfflineWriterOptions options, OptionCheck check) {
    Optional<Bus> files = check.writable("streamingInsertBus", options.getStreamingInsertBus());
    Optional<OfflineStore> store =
        OfflineStoreOptions.offlineStore(options, Set.of(Role.CREATE_TABLES), check);
    Optional<Duration> maxClockSkew = check.duration("maxClockSkew", options.getMaxClockSkew());
    Optional<Duration> gathering =
        check.optional("gathering", options.getGathering(), TextForm.DURATION_OR_ZERO);
    return () ->
        new Parsed(
            files.orElseThrow(),
            Parsed.maxFileBytes(check.facts("streamingInsertBus")),
            store.orElseThrow(),
            maxClockSkew.orElseThrow(),
            gathering.orElse(Duration.ZERO));
  }
}
