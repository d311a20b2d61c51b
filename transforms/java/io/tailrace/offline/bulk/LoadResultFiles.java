package io.tailrace.offline.bulk;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.InsertObservations;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.OfflineStore;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.result.Admission;
import io.tailrace.stage.Failure;
import io.tailrace.stage.Outputs;
import java.io.Serializable;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;

/**
 * Loads the files that notifications name into an offline store, each once: a column of a feature
 * becomes rows of its table, with the ids that the streaming path gives them, so that a result that
 * came both ways is there once.
 *
 * <p>A file is known by its address, its version, the operation and the mapping, and the store's
 * {@link io.tailrace.offline.staging.Ledger} knows which are loaded, and what was refused of them:
 * that is told again when its notification comes again, and loaded again when its letter is
 * replayed. Files are loaded together as the store likes it ({@link WideLoads}), and decoded here
 * where the store's statements leave something.
 *
 * <p>A store that says nothing of bulk loads, such as BigQuery, gets the rows through its own sink,
 * and has no ledger of files: the ids make repetition harmless.
 *
 * <p>Puts out what became of each notification when its files' rows are durable. What is refused,
 * files and cells, becomes one {@link Failure} of the notification that lists them by name; the
 * other files are loaded. A store or a bucket that is down is no failure: the bundle fails and is
 * repeated.
 */
public final class LoadResultFiles
    extends PTransform<
        PCollection<Notification>, WithFailures.Result<PCollection<InsertOutcome>, Failure>> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in dead letters and metrics. */
  public static final String STAGE = "LoadResultFiles";

  /**
   * How files are loaded.
   *
   * @param environments those that are served; empty: all
   * @param maxClockSkew how far a row may be observed after its notification's publication
   */
  record Rules(ResultBucket bucket, Set<String> environments, Duration maxClockSkew)
      implements Serializable {
    private static final long serialVersionUID = 1;

    Rules {
      environments = Set.copyOf(environments);
    }
  }

  private final Rules rules;
  private final OfflineStore store;

  private LoadResultFiles(Rules rules, OfflineStore store) {
    this.rules = rules;
    this.store = store;
  }

  /** Loads files of a bucket. */
  public static From from(ResultBucket bucket) {
    return new From(bucket);
  }

  /** Where files are loaded from. Immutable. */
  public record From(ResultBucket bucket) {
    /** Loads them into a store. */
    public LoadResultFiles into(OfflineStore store) {
      return new LoadResultFiles(
          new Rules(bucket, Set.of(), Admission.DEFAULT_MAX_CLOCK_SKEW), store);
    }
  }

  /** Serves only these environments; empty: all. */
  public LoadResultFiles ofEnvironments(Set<String> environments) {
    return new LoadResultFiles(new Rules(rules.bucket, environments, rules.maxClockSkew), store);
  }

  /** Refuses rows that were observed further than this after their notification's publication. */
  public LoadResultFiles withMaxClockSkew(Duration skew) {
    return new LoadResultFiles(new Rules(rules.bucket, rules.environments, skew), store);
  }

  @Override
  public WithFailures.Result<PCollection<InsertOutcome>, Failure> expand(
      PCollection<Notification> notifications) {
    Optional<BulkLoader.Factory> loaders = store.bulkLoads();
    if (loaders.isPresent()) {
      return Outputs.of(notifications, "Load", new LoadFilesFn(rules, loaders.get()));
    }
    WithFailures.Result<PCollection<ObservationFile>, Failure> decoded =
        Outputs.of(notifications, "Decode", new DecodeFilesFn(rules));
    WithFailures.Result<PCollection<InsertOutcome>, Failure> inserted =
        decoded.output().apply("Insert", InsertObservations.into(store));
    return WithFailures.Result.of(
        inserted.output(),
        PCollectionList.of(decoded.failures())
            .and(inserted.failures())
            .apply("Failures", Flatten.pCollections()));
  }

  /**
   * Opens what loads files in the thread that asks, for tools that run no pipeline.
   *
   * @throws IllegalArgumentException if the store has its rows from its own sink alone
   */
  public Loading open() {
    return new Loading(
        rules,
        store
            .bulkLoads()
            .orElseThrow(
                () -> new IllegalArgumentException(store.uri() + " takes rows by its sink alone"))
            .open());
  }

  /** Loads the files of one notification after the other. Not thread-safe. */
  public static final class Loading implements AutoCloseable {
    private final Rules rules;
    private final BulkLoader loader;
    private final LoadCounts counts = new LoadCounts();

    private Loading(Rules rules, BulkLoader loader) {
      this.rules = rules;
      this.loader = loader;
    }

    /**
     * Loads the files that a notification names.
     *
     * @return what was refused; empty: nothing
     * @throws UnavailableException if the store or the bucket can't be used now
     */
    public Optional<Failure> load(Notification notification) throws UnavailableException {
      NotificationLoad load = new NotificationLoad(rules, loader, counts, notification);
      long unused = load.run();
      counts.clear();
      return load.failure();
    }

    @Override
    public void close() {
      loader.close();
    }
  }

  @Override
  public void populateDisplayData(DisplayData.Builder builder) {
    builder
        .add(DisplayData.item("uploadBucket", rules.bucket.uri()).withLabel("Upload bucket"))
        .add(DisplayData.item("offlineStore", store.uri()).withLabel("Offline store"));
  }
}
