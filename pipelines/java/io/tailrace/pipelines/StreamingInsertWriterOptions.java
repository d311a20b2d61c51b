package io.tailrace.pipelines;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStore.Role;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.beam.sdk.options.Default;
import org.apache.beam.sdk.options.Description;
import org.jspecify.annotations.Nullable;

/**
 * Options of the {@link StreamingInsertWriter} and the {@link BigQueryStreamingWriter}, beside
 * those of Beam and of the runner.
 */
public interface StreamingInsertWriterOptions extends OfflineStoreOptions {
  @Description("The bus with Parquet files, of the offline-writer and others.")
  @Nullable String getStreamingInsertBus();

  void setStreamingInsertBus(@Nullable String uri);

  @Description(
      "How far a row of another publisher may lie after its file's publication before it is taken"
          + " for the error of a clock, or of a unit, and becomes a dead letter.")
  @Default.String("5m")
  String getMaxClockSkew();

  void setMaxClockSkew(String duration);

  /** What the options mean. */
  record Parsed(OfflineStore offlineStore, Duration maxClockSkew) {}

  /**
   * Looks at the options; what it returns is to be asked for when all are right. A store that
   * another writer inserts into is a problem.
   *
   * @param writer the writer's name
   */
  static Supplier<Parsed> parse(
      String writer, StreamingInsertWriterOptions options, OptionCheck check) {
    Optional<OfflineStore> store =
        OfflineStoreOptions.offlineStore(options, Set.of(Role.INSERT), check);
    store
        .filter(it -> !it.writer().equals(writer))
        .ifPresent(
            it ->
                check.problem(
                    "--offlineStore: the "
                        + writer
                        + " does not insert into "
                        + it.uri()
                        + ": start the "
                        + it.writer()
                        + ", which does"));
    Optional<Duration> maxClockSkew = check.duration("maxClockSkew", options.getMaxClockSkew());
    return () -> new Parsed(store.orElseThrow(), maxClockSkew.orElseThrow());
  }
}
