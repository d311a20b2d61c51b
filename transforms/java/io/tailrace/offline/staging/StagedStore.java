package io.tailrace.offline.staging;

import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.OfflineStore;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.Failure;
import java.time.Duration;
import java.util.Set;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;

/**
 * An offline store that loads its rows from a stage, as warehouses do: see {@link StageThenLoad}.
 * Immutable.
 */
public interface StagedStore extends OfflineStore {
  /** Returns where files wait for their load. */
  Stage stage();

  /** Opens a loader, which is for one thread; the caller closes it. */
  Loader openLoader();

  /** Returns for how long a file waits for others at most. */
  Duration loadEvery();

  @Override
  default PTransform<
          PCollection<ObservationFile>, WithFailures.Result<PCollection<InsertOutcome>, Failure>>
      inserts() {
    return inserts(Set.of());
  }

  @Override
  default PTransform<
          PCollection<ObservationFile>, WithFailures.Result<PCollection<InsertOutcome>, Failure>>
      inserts(Set<String> environments) {
    StagedStore store = this;
    return StageThenLoad.from(stage(), store::openLoader)
        .searching(Search.DEFAULT.ofEnvironments(environments))
        .within(Limits.DEFAULT.waiting(loadEvery()));
  }
}
