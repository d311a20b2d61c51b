package io.tailrace.offline;

import com.google.common.collect.ImmutableSet;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.Failure;
import java.util.Set;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.values.PCollection;

/**
 * Inserts the rows of files into an offline store, each once, however often its file comes, by the
 * sink that the store chooses.
 *
 * <p>Creates the tables that are missing. Puts out what became of each file when its rows are
 * durable. Rows that the store can never hold, or whose table has another type, become a {@link
 * Failure} with the file; so does a file that the store refuses. A store that is down is no
 * failure: the bundle fails and is repeated.
 */
public final class InsertObservations
    extends PTransform<
        PCollection<ObservationFile>, WithFailures.Result<PCollection<InsertOutcome>, Failure>> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in dead letters and metrics. */
  public static final String STAGE = "InsertObservations";

  private final OfflineStore store;
  private final Set<String> environments;

  private InsertObservations(OfflineStore store, Set<String> environments) {
    this.store = store;
    this.environments = ImmutableSet.copyOf(environments);
  }

  /**
   * Inserts into the store that a URI names.
   *
   * @throws IllegalArgumentException if it names none; see {@link OfflineStores#at}
   */
  public static InsertObservations into(String uri) {
    return into(OfflineStores.at(uri));
  }

  /** Inserts into a store. */
  public static InsertObservations into(OfflineStore store) {
    return new InsertObservations(store, Set.of());
  }

  /**
   * Leaves files of other environments that wait in the store's stage, if it has one, to others; no
   * environments: there are no others. What comes in is not looked at.
   */
  public InsertObservations ofEnvironments(Set<String> served) {
    return new InsertObservations(store, served);
  }

  @Override
  public WithFailures.Result<PCollection<InsertOutcome>, Failure> expand(
      PCollection<ObservationFile> files) {
    // No step of its own: a sink's steps are this transform's, by whose names state is found.
    return store.inserts(environments).expand(files);
  }

  @Override
  public void populateDisplayData(DisplayData.Builder builder) {
    builder.add(DisplayData.item("offlineStore", store.uri()).withLabel("Offline store"));
  }
}
