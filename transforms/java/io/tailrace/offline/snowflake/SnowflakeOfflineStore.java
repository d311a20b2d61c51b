package io.tailrace.offline.snowflake;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.bulk.BulkLoader;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedStore;
import io.tailrace.offline.warehouse.WarehouseCatalog;
import io.tailrace.offline.warehouse.WarehouseDialect;
import io.tailrace.offline.warehouse.WarehouseLoader;
import io.tailrace.offline.warehouse.WarehouseReader;
import io.tailrace.offline.warehouse.WarehouseSession;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Snowflake, at {@code
 * snowflake://account/database/tailrace_{environment}?warehouse=W&role=R&user=U&privateKey=file:PATH}.
 *
 * <p>Each environment has a schema of its own; files wait in an internal stage, which is in the
 * schema that {@code stage} names, or in a bucket. A load copies them into temporary tables and
 * merges these into the tables of their types, all in one transaction with the ledger: see {@link
 * WarehouseLoader}.
 *
 * <p>Immutable.
 */
public final class SnowflakeOfflineStore implements StagedStore {
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
    return address.statements().schemaPattern().contains(WarehouseDialect.ENVIRONMENT);
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

  @Override
  public Optional<BulkLoader.Factory> bulkLoads() {
    return Optional.of(() -> address.bulk().open(this, new WarehouseSession(address.server())));
  }

  @Override
  public Loader openLoader() {
    return new WarehouseLoader(
        new WarehouseSession(address.server()), address.statements(), address.bulk().latest());
  }

  SnowflakeServer server() {
    return address.server();
  }

  WarehouseDialect dialect() {
    return address.statements();
  }

  @Override
  public Stage stage() {
    return address.stage();
  }

  @Override
  public Duration loadEvery() {
    return address.loadEvery();
  }

  @Override
  public OfflineReader reader() {
    return new WarehouseReader(address.server(), List.of(), WarehouseReader.Times.OF_SESSION);
  }

  @Override
  public Optional<String> columnsOf(String environment, String table) {
    return Optional.of(
        OfflineReader.columns(
            address.statements().columnsView(),
            "data_type",
            address.statements().schema(environment),
            table));
  }

  @Override
  public String toString() {
    return uri();
  }
}
