package io.tailrace.offline.databricks;

import static io.tailrace.sql.databricks.DatabricksDialect.DATABRICKS;

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
import io.tailrace.offline.warehouse.WarehouseBulk;
import io.tailrace.offline.warehouse.WarehouseCatalog;
import io.tailrace.offline.warehouse.WarehouseDialect;
import io.tailrace.offline.warehouse.WarehouseLoader;
import io.tailrace.offline.warehouse.WarehouseReader;
import io.tailrace.offline.warehouse.WarehouseSession;
import io.tailrace.offline.warehouse.WideCopy;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Databricks with Unity Catalog, by a SQL warehouse, at {@code
 * databricks://host/sql/1.0/warehouses/ID?catalog=C&schema=tailrace_{environment}&token=env:VARIABLE&stage=/Volumes/C/S/V}.
 *
 * <p>Each environment has a schema of its own; files wait in a volume, or a bucket that is an
 * external location. A load copies them into tables of its own and merges these into the tables of
 * their types, one after the other, and the ledger last: see {@link WarehouseLoader}. A load that
 * breaks off in between is repeated, which the ids of the rows make harmless.
 *
 * <p>Immutable.
 */
public final class DatabricksOfflineStore implements StagedStore {
  private static final long serialVersionUID = 1;
  private static final Logger LOG = LoggerFactory.getLogger(DatabricksOfflineStore.class);

  /** A correct URI. */
  public static final String EXAMPLE = DatabricksAddress.EXAMPLE;

  /** Tables of owners that have gone are dropped by whoever starts so many days later. */
  private static final int ABANDONED_DAYS = 2;

  private static final int OWNER_LETTERS = 8;

  private final DatabricksAddress address;

  private DatabricksOfflineStore(DatabricksAddress address) {
    this.address = address;
  }

  /**
   * Returns the store that a {@code databricks} URI names.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static DatabricksOfflineStore at(EndpointUri uri) {
    return new DatabricksOfflineStore(DatabricksAddress.of(uri));
  }

  private static String day(LocalDate day) {
    return "_of_" + DateTimeFormatter.BASIC_ISO_DATE.format(day) + "_";
  }

  /** Each owner copies into tables that have its own name and day. */
  private DatabricksStatements statements() {
    return new DatabricksStatements(
        address.place().catalog(),
        address.place().schema(),
        day(LocalDate.now(ZoneOffset.UTC))
            + UUID.randomUUID().toString().substring(0, OWNER_LETTERS));
  }

  private WarehouseSession session() {
    return new WarehouseSession(address.server());
  }

  @Override
  public String uri() {
    return address.server().text();
  }

  @Override
  public boolean separatesEnvironments() {
    return address.place().schema().contains(WarehouseDialect.ENVIRONMENT);
  }

  @Override
  public void check(Set<Role> roles) throws UnavailableException {
    List<String> abandoned =
        ask("SELECT table_schema || '.' || table_name FROM " + abandoned()).stream()
            .filter(table -> isOurs(table.substring(0, table.indexOf('.'))))
            .toList();
    if (roles.contains(Role.BULK_LOAD)) {
      checkBucket();
    }
    if (Role.insertsRows(roles)) {
      address.stage().check();
      StageOwner.check(address.stage(), identity());
      try (WarehouseSession session = session()) {
        for (String table : abandoned) {
          drop(table, session);
        }
      }
    }
  }

  /** One that is somebody else's to drop takes room, and is in nobody's way. */
  private void drop(String table, WarehouseSession session) throws UnavailableException {
    String[] names = table.split("\\.", 2);
    try {
      boolean unused =
          session.run(
              open -> {
                open.execute("DROP TABLE IF EXISTS " + statements().place(names[0], names[1]));
                return true;
              });
    } catch (WarehouseSession.RefusedException e) {
      LOG.warn(
          "{}: {}, into which somebody copied days ago, stays: {}",
          uri(),
          table,
          address.server().message(e.refusal()));
    }
  }

  /** Returns whether a schema may be one of this store's environments. */
  private boolean isOurs(String schema) {
    return schema.matches(
        Arrays.stream(
                address.place().schema().split(Pattern.quote(WarehouseDialect.ENVIRONMENT), -1))
            .map(Pattern::quote)
            .collect(Collectors.joining(".+")));
  }

  /** Lists the bucket as COPY INTO will. */
  private void checkBucket() throws UnavailableException {
    WideCopy copy = address.loads().copy();
    if (copy == null) {
      return;
    }
    String list = "LIST " + DATABRICKS.literal(copy.folder() + "/") + " LIMIT 1";
    try (WarehouseSession session = session()) {
      boolean unused =
          session.run(
              statements -> {
                statements.execute(list);
                return true;
              });
    } catch (WarehouseSession.RefusedException e) {
      throw new UnavailableException(
          uri()
              + ": Databricks can't read copyFrom="
              + copy.folder()
              + " ("
              + address.server().message(e.refusal())
              + "): CREATE EXTERNAL LOCATION … URL '"
              + copy.folder()
              + "' WITH (STORAGE CREDENTIAL …); GRANT READ FILES ON EXTERNAL LOCATION … TO …",
          e);
    }
  }

  /**
   * Tables into which somebody copied days ago. Their names say when their owner started, which may
   * be long ago: each load makes them anew.
   */
  private String abandoned() {
    return DATABRICKS.quoted(address.place().catalog())
        + ".information_schema.tables WHERE table_name LIKE 'staged_%' AND"
        + " substring(table_name, length(table_name) - 20, 12) BETWEEN '_of_20000101' AND"
        + " '_of_99991231' AND last_altered < current_timestamp() - INTERVAL "
        + ABANDONED_DAYS
        + " DAYS";
  }

  private List<String> ask(String query) throws UnavailableException {
    try (WarehouseSession session = session()) {
      return session.require(statements -> statements.query(query, row -> row.getString(1)));
    }
  }

  @Override
  public Instant now() throws UnavailableException {
    return Micros.instant(Long.parseLong(ask("SELECT unix_micros(current_timestamp())").get(0)));
  }

  /** Returns when the catalog was made, and the schema: a catalog made anew is another one. */
  @Override
  public String identity() throws UnavailableException {
    List<String> made =
        ask(
            "SELECT unix_micros(created) FROM "
                + DATABRICKS.quoted(address.place().catalog())
                + ".information_schema.catalogs WHERE catalog_name = "
                + DATABRICKS.literal(address.place().catalog()));
    return made.isEmpty()
        ? ""
        : address.place().catalog() + "/" + made.get(0) + "/" + address.place().schema();
  }

  @Override
  public Catalog openCatalog() {
    return new WarehouseCatalog(session(), statements());
  }

  @Override
  public Optional<BulkLoader.Factory> bulkLoads() {
    return Optional.of(
        () ->
            new WarehouseBulk(statements(), address.loads().latest(), address.loads().copy())
                .open(this, session()));
  }

  @Override
  public Loader openLoader() {
    return new WarehouseLoader(session(), statements(), address.loads().latest());
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
            statements().columnsView(), "full_data_type", statements().schema(environment), table));
  }

  @Override
  public String toString() {
    return uri();
  }
}
