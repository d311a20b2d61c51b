package io.tailrace.offline.snowflake;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.staging.Limits;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StageThenLoad;
import io.tailrace.offline.warehouse.WarehouseCatalog;
import io.tailrace.offline.warehouse.WarehouseDialect;
import io.tailrace.offline.warehouse.WarehouseLoader;
import io.tailrace.offline.warehouse.WarehouseSession;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.Failure;
import java.time.Instant;
import java.util.Set;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;

/**
 * Snowflake, at {@code
 * snowflake://account/database/tailrace_{environment}?warehouse=W&role=R&user=U&privateKey=file:PATH}.
 *
 * <p>Each environment has a schema of its own; files wait in an internal stage, which is in the
 * schema that {@code stage} names. A load copies them into temporary tables and merges these into
 * the tables of their types, all in one transaction with the ledger: see {@link WarehouseLoader}.
 *
 * <p>Immutable.
 */
public final class SnowflakeOfflineStore implements OfflineStore {
  private static final long serialVersionUID = 1;

  /** A correct URI. */
  public static final String EXAMPLE = SnowflakeAddress.EXAMPLE;

  private final SnowflakeAddress address;

  private SnowflakeOfflineStore(SnowflakeAddress address) {
    this.address = address;
  }

  /**
   * Returns the store that a {@code snowflake} URI names.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static SnowflakeOfflineStore at(EndpointUri uri) {
    return new SnowflakeOfflineStore(SnowflakeAddress.of(uri));
  }

  @Override
  public String uri() {
    return address.server().text();
  }

  @Override
  public boolean separatesEnvironments() {
    return address.statements().schemaPattern().contains(SnowflakeStatements.ENVIRONMENT);
  }

  @Override
  public void check(Set<Role> roles) throws UnavailableException {
    SnowflakeCheck.check(address, roles);
  }

  @Override
  public Instant now() throws UnavailableException {
    return SnowflakeCheck.now(address.server());
  }

  @Override
  public String identity() throws UnavailableException {
    return SnowflakeCheck.identity(address);
  }

  @Override
  public Catalog openCatalog() {
    return new WarehouseCatalog(new WarehouseSession(address.server()), address.statements());
  }

  /** Opens a loader, which is for one thread. */
  public Loader openLoader() {
    return new WarehouseLoader(
        new WarehouseSession(address.server()), address.statements(), address.latest());
  }

  SnowflakeServer server() {
    return address.server();
  }

  WarehouseDialect dialect() {
    return address.statements();
  }

  /** Returns where files wait for their load. */
  public Stage stage() {
    return new SnowflakeStage(address.server(), address.stage());
  }

  @Override
  public PTransform<
          PCollection<ObservationFile>, WithFailures.Result<PCollection<InsertOutcome>, Failure>>
      inserts() {
    SnowflakeOfflineStore store = this;
    return StageThenLoad.from(stage(), store::openLoader)
        .within(Limits.DEFAULT.waiting(address.loadEvery()));
  }

  @Override
  public OfflineReader reader() {
    return new SnowflakeReader(address.server());
  }

  @Override
  public String toString() {
    return uri();
  }
}
