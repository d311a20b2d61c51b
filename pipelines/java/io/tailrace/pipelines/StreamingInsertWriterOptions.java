package io.tailrace.pipelines;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStore.Role;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.beam.sdk.options.Description;
import org.jspecify.annotations.Nullable;

/** Options of the {@link StreamingInsertWriter}, beside those of Beam and of the runner. */
public interface StreamingInsertWriterOptions extends OfflineStoreOptions {
  @Description("The bus with Parquet files, of the offline-writer and others.")
  @Nullable String getStreamingInsertBus();

  void setStreamingInsertBus(@Nullable String uri);

  /** What the options mean. */
  record Parsed(OfflineStore offlineStore) {}

  /** Looks at the options; what it returns is to be asked for when all are right. */
  static Supplier<Parsed> parse(StreamingInsertWriterOptions options, OptionCheck check) {
    Optional<OfflineStore> store =
        OfflineStoreOptions.offlineStore(options, Set.of(Role.CREATE_TABLES, Role.INSERT), check);
    return () -> new Parsed(store.orElseThrow());
  }
}
