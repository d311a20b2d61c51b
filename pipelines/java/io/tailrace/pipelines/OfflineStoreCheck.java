package io.tailrace.pipelines;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStore.Role;
import io.tailrace.offline.OfflineStores;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Looks at the option of those writers that use an offline store. */
final class OfflineStoreCheck {
  private OfflineStoreCheck() {}

  /** Looks at the option alone. */
  static Optional<OfflineStore> parse(
      OptionCheck check, @Nullable String uri, Set<String> environments) {
    Optional<OfflineStore> store = check.required("offlineStore", uri, OfflineStores::at);
    if (store.isPresent() && !store.get().separatesEnvironments() && environments.size() != 1) {
      check.problem(
          "--offlineStore="
              + store.get().uri()
              + " holds one environment: name it with --environments=NAME, or give each its own"
              + " schema with schema=tailrace_{environment}");
    }
    return store;
  }

  /** Asks the store whether it can be used in the roles that a writer has. */
  static void ask(OptionCheck check, Optional<OfflineStore> store, Set<Role> roles) {
    store.ifPresent(
        it -> {
          var unused =
              check.ask(
                  "offlineStore",
                  () -> {
                    it.check(roles);
                    return it;
                  });
        });
  }
}
