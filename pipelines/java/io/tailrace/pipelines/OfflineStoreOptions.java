package io.tailrace.pipelines;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStore.Role;
import io.tailrace.offline.OfflineStores;
import java.util.Optional;
import java.util.Set;
import org.apache.beam.sdk.options.Description;
import org.jspecify.annotations.Nullable;

/** The option of every writer that uses an offline store. */
public interface OfflineStoreOptions extends WriterOptions {
  @Description("The store with the features' tables, the same for all writers of the offline path.")
  @Nullable String getOfflineStore();

  void setOfflineStore(@Nullable String uri);

  /**
   * Looks at the option: a store that keeps environments in one place serves one of them.
   *
   * @param roles what the writer does with the store
   */
  static Optional<OfflineStore> offlineStore(
      OfflineStoreOptions options, Set<Role> roles, OptionCheck check) {
    Optional<OfflineStore> store =
        check.endpoint(
            "offlineStore",
            options.getOfflineStore(),
            OfflineStores.KINDS,
            asked -> asked.check(roles));
    store.ifPresent(it -> Workers.checkProcesses("offlineStore", it, options, check));
    store
        .filter(it -> !it.separatesEnvironments())
        .filter(it -> WriterOptions.environments(options).size() != 1)
        .ifPresent(
            it ->
                check.problem(
                    "--offlineStore="
                        + it.uri()
                        + " holds one environment: name it with --environments=NAME, or give each"
                        + " its own schema with schema=tailrace_{environment}"));
    return store;
  }
}
