package io.tailrace.offline;

import io.tailrace.endpoint.Endpoint;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.bulk.BulkLoader;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.Failure;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;

/**
 * A kind of offline store at an address: a factory of what creates its tables, inserts into them
 * and reads them. Immutable and serializable.
 *
 * <p>A store implements it in a folder of its own, with one line in {@link OfflineStores}. It
 * chooses the sink that suits it: {@link InsertInBundle} for a database, which takes a few rows
 * from many sessions at any time; {@link io.tailrace.offline.staging.StageThenLoad} for a store
 * that wants a minute of rows in one load by one owner; or one of its own.
 *
 * <p>What the stores that are meant to come need of this interface, and find in it:
 *
 * <ul>
 *   <li>BigQuery has a sink of Beam's own: {@link #inserts} may be any transform, also one that
 *       splits a file into rows for the Storage Write API. Its {@link Catalog} creates {@code
 *       <table>__rows} and the view in front of it: to whoever asks, a {@link FeatureTable} is what
 *       readers see. That a stream sees a new table late is the sink's affair.
 *   <li>Snowflake, Redshift and Databricks are a {@link io.tailrace.offline.staging.Stage} and a
 *       {@link io.tailrace.offline.staging.Loader} each. A catalog is asked for many tables at
 *       once, so that DDL which commits a transaction comes before the load, in few statements.
 *   <li>Bulk loads are another way into the same tables: {@link #bulkLoads} gives what a store
 *       loads files with results by.
 * </ul>
 */
public interface OfflineStore extends Endpoint {
  /** The writer that inserts into most stores. */
  String WRITER = "streaming-insert-writer";

  /** What somebody does with a store, each with rights of its own. */
  enum Role {
    /** Creates schemas and tables. */
    CREATE_TABLES,
    /** Inserts rows. */
    INSERT,
    /** Loads files that the store itself reads from a bucket. */
    BULK_LOAD,
    /** Reads. */
    READ;

    /** Returns whether rows are inserted, of whatever files. */
    public static boolean insertsRows(Set<Role> roles) {
      return roles.contains(INSERT) || roles.contains(BULK_LOAD);
    }
  }

  /**
   * Returns whether each environment has a place of its own, because the URI contains {@code
   * {environment}}; otherwise the store holds one environment.
   */
  boolean separatesEnvironments();

  /**
   * Checks that the store can be reached, and used in some roles.
   *
   * @throws UnavailableException with one sentence that names it and the correction
   */
  void check(Set<Role> roles) throws UnavailableException;

  /** Checks that the store can be reached, and used in every role. */
  @Override
  default void check() throws UnavailableException {
    check(EnumSet.allOf(Role.class));
  }

  /**
   * Returns what time it is by the store's clock, against which a writer holds its own; a store in
   * the writer's own process has none but the writer's.
   *
   * @throws UnavailableException if the store can't be asked now
   */
  default Instant now() throws UnavailableException {
    return Instant.now();
  }

  /**
   * Returns the name of the writer that inserts into it from the streaming-insert bus: most stores
   * are served by one.
   */
  default String writer() {
    return WRITER;
  }

  /** Opens the catalog of its tables, which is for one thread and connects when first used. */
  Catalog openCatalog();

  /**
   * Returns what inserts the rows of files, each once, however often its file comes: see {@link
   * InsertObservations} for what it promises, and for the counters that it keeps.
   */
  PTransform<PCollection<ObservationFile>, WithFailures.Result<PCollection<InsertOutcome>, Failure>>
      inserts();

  /**
   * Returns the same where some environments are served: of what waits in a stage, files of others
   * are left to others.
   *
   * @param environments empty: all
   */
  default PTransform<
          PCollection<ObservationFile>, WithFailures.Result<PCollection<InsertOutcome>, Failure>>
      inserts(Set<String> environments) {
    return inserts();
  }

  /**
   * Returns what loads files with results into it; empty: they are decoded, and their rows go
   * through {@link #inserts}.
   */
  default Optional<BulkLoader.Factory> bulkLoads() {
    return Optional.empty();
  }

  /** Returns what reads it. */
  OfflineReader reader();

  /**
   * Returns a query for the columns of a table as readers see it, to be asked of {@link #reader}:
   * name, type, and the schema that the table is in, a row for each in their order, and no row
   * where there is no such table; empty where nothing tells.
   */
  default Optional<String> columnsOf(String environment, String table) {
    return Optional.empty();
  }
}
