package io.tailrace.offline.duckdb;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection;
import io.tailrace.offline.Catalog;
import io.tailrace.offline.GroupedInserts;
import io.tailrace.offline.InsertInBundle;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.OfflineReader.Table;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.bulk.BulkLoader;
import io.tailrace.offline.staging.DirectoryStage;
import io.tailrace.offline.staging.Limits;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Search;
import io.tailrace.offline.staging.SessionLoader;
import io.tailrace.offline.staging.StageOwner;
import io.tailrace.offline.staging.StageThenLoad;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.QueryLog;
import io.tailrace.parquet.TableNames;
import io.tailrace.sql.duckdb.DuckDbFile;
import io.tailrace.sql.duckdb.DuckDbIdentity;
import io.tailrace.sql.duckdb.DuckDbSettings;
import io.tailrace.stage.Failure;
import java.io.Serializable;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;
import org.jspecify.annotations.Nullable;

/**
 * A file of DuckDB, which one process can have open at a time: all writers in it share one instance
 * of the database, and their inserts wait for each other. Immutable.
 *
 * <p>{@code duckdb:///data/offline.db} is the file {@code /data/offline.db}. Parameters: {@code
 * schema} (default {@code tailrace}; {@code {environment}} in it stands for the environment),
 * {@code memoryLimit} (default {@code 1GB}; what DuckDB takes beside the heap), {@code threads}
 * (default: half the processors), {@code compression=fast} (skip the compression of texts that
 * costs most), {@code logMegabytes} (default 64; how large the log grows before it is written back
 * into the tables: after a crash it has to be read).
 *
 * <p>With {@code stage=file:///data/stage}, files are staged in that directory and loaded together
 * by one owner, as a warehouse does it ({@link StageThenLoad}): {@code loadEvery} (default {@code
 * 1m}) says how long a file waits for others. What is loaded stands in the table {@code
 * staged_files} of each environment's schema.
 */
public final class DuckDbOfflineStore implements OfflineStore {
  private static final long serialVersionUID = 1;

  /** A correct URI. */
  public static final String EXAMPLE =
      "duckdb:///data/offline.db?schema={environment}&memoryLimit=1GB";

  /**
   * What a row takes of DuckDB's memory: 170 bytes while it waits, as much again while it is
   * sorted, and others wait or are sorted at the same time.
   */
  private static final int BYTES_PER_ROW = 500;

  private static final String ENVIRONMENT = "{environment}";

  private final String uri;
  private final String path;
  private final String schema;
  private final DuckDbSettings settings;
  // None: files are inserted in the bundle that brings them.
  private final @Nullable Staging staging;

  /** Where files are staged, and how long they wait for others there. */
  private record Staging(DirectoryStage stage, Limits limits) implements Serializable {
    private static final long serialVersionUID = 1;
  }

  private DuckDbOfflineStore(
      String uri, String path, String schema, DuckDbSettings settings, Optional<Staging> staging) {
    this.uri = uri;
    this.path = path;
    this.schema = schema;
    this.settings = settings;
    this.staging = staging.orElse(null);
  }

  /**
   * Returns the store that a {@code duckdb} URI names.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static DuckDbOfflineStore at(EndpointUri uri) {
    String text = uri.withoutSecrets();
    if (!text.startsWith("duckdb:///")) {
      uri.problem("the path of the file follows three slashes");
    } else if (uri.path().isEmpty() || uri.path().endsWith("/")) {
      uri.problem("the path of the file is missing");
    } else if (uri.path().contains(ENVIRONMENT)) {
      uri.problem(ENVIRONMENT + " belongs into schema=, one file holds all environments");
    }
    String schema = uri.take("schema").orElse("tailrace");
    if (!schema.replace(ENVIRONMENT, "x").matches("[a-z_][a-z0-9_]{0,30}")) {
      uri.problem(
          "schema="
              + schema
              + " is not a name of up to 31 small letters, digits and '_', with or without "
              + ENVIRONMENT);
    }
    DuckDbSettings settings = DuckDbSettings.of(uri);
    Optional<Staging> staging = staging(uri);
    uri.finish(EXAMPLE);
    return new DuckDbOfflineStore(text, "/" + uri.path(), schema, settings, staging);
  }

  private static Optional<Staging> staging(EndpointUri uri) {
    Optional<String> stage = uri.take("stage");
    Optional<Duration> every = uri.takeDuration("loadEvery");
    if (stage.isEmpty()) {
      if (every.isPresent()) {
        uri.problem("loadEvery is for files that are staged: name a directory with stage=");
      }
      return Optional.empty();
    }
    Limits limits = Limits.DEFAULT;
    if (every.isPresent()) {
      if (every.get().isZero()) {
        uri.problem("loadEvery must be above zero");
      } else {
        limits = limits.waiting(every.get());
      }
    }
    try {
      return Optional.of(new Staging(new DirectoryStage(stage.get()), limits));
    } catch (IllegalArgumentException e) {
      uri.problem("stage: " + e.getMessage());
      return Optional.empty();
    }
  }

  @Override
  public String uri() {
    return uri;
  }

  @Override
  public boolean isForOneProcess() {
    return true;
  }

  @Override
  public boolean separatesEnvironments() {
    return schema.contains(ENVIRONMENT);
  }

  String schema(String environment) {
    return schema.replace(ENVIRONMENT, TableNames.ofEnvironment(environment));
  }

  String memoryLimit() {
    return settings.memoryLimit();
  }

  DuckDbFile open() throws UnavailableException {
    return DuckDbFile.open(Path.of(path), settings);
  }

  @Override
  public void check(Set<Role> roles) throws UnavailableException {
    if (!roles.equals(Set.of(Role.READ))) {
      open().release();
      if (staging != null && roles.contains(Role.INSERT)) {
        staging.stage.check();
        StageOwner.check(staging.stage, identity());
      }
    } else {
      Table unused = reader().query("SELECT 1", 1);
    }
  }

  @Override
  public String identity() throws UnavailableException {
    return DuckDbIdentity.of(open(), schema);
  }

  /** Opens a connection, which is for one thread. */
  public BatchConnection connect() {
    return connect(QueryLog.CURRENT);
  }

  /**
   * Opens a connection to a log of queries with other columns, such as a later version's, which the
   * log gets where it lacks them. Connections of both versions may be used at once.
   */
  public BatchConnection connect(QueryLog log) {
    return new DuckDbConnection(this, log);
  }

  /** Opens what loads staged files, which is for one thread. */
  public Loader openLoader() {
    DuckDbConnection connection = new DuckDbConnection(this, QueryLog.CURRENT);
    return SessionLoader.by(
        GroupedInserts.over(connection),
        new DuckDbLedger(DuckDbLedger.Files.STAGED, this, connection.session()));
  }

  @Override
  public Catalog openCatalog() {
    return connect();
  }

  @Override
  public PTransform<
          PCollection<ObservationFile>, WithFailures.Result<PCollection<InsertOutcome>, Failure>>
      inserts() {
    return inserts(Set.of());
  }

  @Override
  public PTransform<
          PCollection<ObservationFile>, WithFailures.Result<PCollection<InsertOutcome>, Failure>>
      inserts(Set<String> environments) {
    if (staging != null) {
      return StageThenLoad.from(staging.stage, this::openLoader)
          .searching(Search.DEFAULT.ofEnvironments(environments))
          .within(staging.limits);
    }
    return InsertInBundle.by(() -> GroupedInserts.over(connect()))
        .gathering(settings.memoryBytes() / BYTES_PER_ROW);
  }

  @Override
  public Optional<BulkLoader.Factory> bulkLoads() {
    return Optional.of(this::openBulkLoader);
  }

  private BulkLoader openBulkLoader() {
    DuckDbConnection connection = new DuckDbConnection(this, QueryLog.CURRENT);
    return new BulkLoader(
        new DuckDbWideLoads(this, connection, connection.ledger()),
        GroupedInserts.over(connection),
        connection.ledger());
  }

  @Override
  public OfflineReader reader() {
    return new DuckDbReader(uri, path, settings);
  }

  @Override
  public Optional<String> columnsOf(String environment, String table) {
    return Optional.of(
        OfflineReader.columns(
            "information_schema.columns", "data_type", schema(environment), table));
  }

  @Override
  public String toString() {
    return uri;
  }
}
