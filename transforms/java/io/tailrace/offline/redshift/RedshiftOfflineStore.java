package io.tailrace.offline.redshift;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.bulk.BulkLoader;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StageOwner;
import io.tailrace.offline.staging.StagedStore;
import io.tailrace.offline.warehouse.Meaning;
import io.tailrace.offline.warehouse.WarehouseCatalog;
import io.tailrace.offline.warehouse.WarehouseDialect;
import io.tailrace.offline.warehouse.WarehouseLoader;
import io.tailrace.offline.warehouse.WarehouseReader;
import io.tailrace.offline.warehouse.WarehouseSession;
import io.tailrace.offline.warehouse.WideCopy;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Amazon Redshift, a cluster or a workgroup, at {@code
 * redshift://host:5439/database?schema=tailrace_{environment}&user=U&password=env:VARIABLE&iamRole=ARN&stage=s3://bucket/folder}.
 *
 * <p>Each environment has a schema of its own; files wait in the bucket. A load copies them by a
 * manifest into temporary tables, and from there what is new goes into the tables of their types,
 * all in one transaction with the ledger: see {@link WarehouseLoader}.
 *
 * <p>Immutable.
 */
public final class RedshiftOfflineStore implements StagedStore {
  private static final long serialVersionUID = 1;

  /** A correct URI. */
  public static final String EXAMPLE = RedshiftAddress.EXAMPLE;

  private final RedshiftAddress address;

  private RedshiftOfflineStore(RedshiftAddress address) {
    this.address = address;
  }

  /**
   * Returns the store that a {@code redshift} URI names.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static RedshiftOfflineStore at(EndpointUri uri) {
    return new RedshiftOfflineStore(RedshiftAddress.of(uri));
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
    if (Role.insertsRows(roles)) {
      stage().check();
      StageOwner.check(stage(), identity());
    }
    boolean mayCreate =
        ask("SELECT has_database_privilege(current_database(), 'CREATE')").equals("t");
    if (roles.contains(Role.CREATE_TABLES) && separatesEnvironments() && !mayCreate) {
      throw new UnavailableException(
          uri()
              + ": the user may not create schemas: GRANT CREATE ON DATABASE … TO …, or create"
              + " them and let the user own them");
    }
    if (Role.insertsRows(roles)
        && !ask("SELECT has_database_privilege(current_database(), 'TEMP')").equals("t")) {
      throw new UnavailableException(
          uri() + ": the user may not create temporary tables: GRANT TEMP ON DATABASE … TO …");
    }
    if (roles.contains(Role.BULK_LOAD)) {
      checkBucket();
    }
  }

  /**
   * Copies what is not there: Redshift says so if the role may list the bucket, and that it may not
   * otherwise.
   */
  private void checkBucket() throws UnavailableException {
    WideCopy copy = address.bulk().copy();
    if (copy == null) {
      return;
    }
    RedshiftStatements statements = address.statements();
    String nothing = copy.folder() + "/tailrace-looks-for-nothing-" + UUID.randomUUID() + "/";
    try (WarehouseSession session = new WarehouseSession(address.server())) {
      boolean unused =
          session.run(
              open -> {
                open.execute("DROP TABLE IF EXISTS nothing_copied");
                open.execute("CREATE TEMP TABLE nothing_copied (c0 BIGINT)");
                open.execute(statements.copyAllStatement("nothing_copied", nothing));
                return true;
              });
    } catch (WarehouseSession.RefusedException e) {
      if (address.server().meaning(e.refusal()) != Meaning.CONTENT) {
        throw mayNotRead(copy, e);
      }
    } catch (UnavailableException e) {
      throw mayNotRead(copy, e);
    }
  }

  private UnavailableException mayNotRead(WideCopy copy, Exception e) {
    return new UnavailableException(
        uri()
            + ": Redshift can't read copyFrom="
            + copy.folder()
            + " by the role "
            + address.statements().iamRole()
            + " ("
            + e.getMessage()
            + "): let the role read it (s3:ListBucket, s3:GetObject), attach it to the cluster, and"
            + " GRANT ASSUMEROLE ON … TO … FOR COPY",
        e);
  }

  /** Returns the only text that a query finds. */
  private String ask(String query) throws UnavailableException {
    try (WarehouseSession session = new WarehouseSession(address.server())) {
      List<String> found =
          session.require(statements -> statements.query(query, row -> row.getString(1)));
      return String.valueOf(found.get(0));
    }
  }

  @Override
  public Instant now() throws UnavailableException {
    return Micros.instant(Long.parseLong(ask("SELECT " + address.statements().micros("SYSDATE"))));
  }

  /** Returns the database's id in its cluster, and who owns that, and the schema. */
  @Override
  public String identity() throws UnavailableException {
    return ask("SELECT oid || '/' || datname FROM pg_database WHERE datname = current_database()")
        + "/"
        + address.server().place().host()
        + "/"
        + address.statements().schemaPattern();
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

  @Override
  public Stage stage() {
    return address.statements().stage();
  }

  @Override
  public Duration loadEvery() {
    return address.loadEvery();
  }

  @Override
  public OfflineReader reader() {
    // The session's time zone is UTC.
    return new WarehouseReader(
        address.server(),
        List.of("BEGIN READ ONLY"),
        (row, type, column) ->
            type == Types.TIMESTAMP
                ? Optional.ofNullable(row.getObject(column, LocalDateTime.class))
                    .map(time -> time.toInstant(ZoneOffset.UTC))
                : Optional.ofNullable(row.getObject(column, OffsetDateTime.class))
                    .map(OffsetDateTime::toInstant));
  }

  @Override
  public Optional<String> columnsOf(String environment, String table) {
    return Optional.of(
        OfflineReader.columns(
            "information_schema.columns",
            "data_type",
            address.statements().schema(environment),
            table));
  }

  @Override
  public String toString() {
    return uri();
  }
}
