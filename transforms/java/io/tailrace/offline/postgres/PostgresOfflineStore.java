package io.tailrace.offline.postgres;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection;
import io.tailrace.offline.Catalog;
import io.tailrace.offline.GroupedInserts;
import io.tailrace.offline.InsertInBundle;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.bulk.BulkLoader;
import io.tailrace.offline.bulk.WideLoads;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.QueryLog;
import io.tailrace.sql.postgres.PostgresCheck;
import io.tailrace.sql.postgres.PostgresIdentity;
import io.tailrace.sql.postgres.PostgresSession;
import io.tailrace.sql.postgres.SqlState;
import io.tailrace.stage.Failure;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;

/**
 * PostgreSQL 12 or later, at {@code
 * postgresql://host:5432/database?schema=tailrace_{environment}&user=NAME&password=env:VARIABLE}.
 *
 * <p>A table's primary key is {@code observation_id}, by which inserting is idempotent. It has a
 * second index, on {@code (pkey, observed_at)}, that serves reading an entity's values as of a
 * time; {@code index=none} leaves it out of tables that are created from then on, which makes
 * inserting about a third faster. With the index, primary keys have at most 2,600 bytes.
 *
 * <p>With {@code partitions=monthly}, tables that are created from then on are partitioned by the
 * month of {@code observed_at}, in UTC: the partition of {@code user__age} for November 2026 is
 * {@code user__age#2026_11}, created when its first row comes. Rows from before the year 2000 and
 * from 2100 on are in {@code user__age#before_2000} and {@code user__age#from_2100}, so that wrong
 * times do not make thousands of partitions. The primary key is then {@code (observation_id,
 * observed_at)}. A partition may be detached or dropped at any time; a row of its month that comes
 * later creates it anew.
 *
 * <p>Who creates tables and who inserts may be two users: the one who inserts needs {@code USAGE}
 * of the schemas, {@code SELECT} and {@code INSERT} of their tables, and {@code UPDATE} of {@code
 * query_log} and {@code feature_tables}. A feature whose table the other one has not created then
 * makes dead letters {@code TABLE_REFUSES}.
 *
 * <p>Immutable.
 */
public final class PostgresOfflineStore implements OfflineStore {
  private static final long serialVersionUID = 1;

  /** A correct URI. */
  public static final String EXAMPLE = PostgresAddress.EXAMPLE;

  private final PostgresAddress address;

  private PostgresOfflineStore(PostgresAddress address) {
    this.address = address;
  }

  /**
   * Returns the store that a {@code postgresql} URI names.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static PostgresOfflineStore at(EndpointUri uri) {
    return new PostgresOfflineStore(PostgresAddress.of(uri));
  }

  @Override
  public String uri() {
    return address.text();
  }

  @Override
  public boolean separatesEnvironments() {
    return address.separatesEnvironments();
  }

  @Override
  public void check(Set<Role> roles) throws UnavailableException {
    PostgresCheck.check(
        address.server(),
        check -> {
          if (Role.insertsRows(roles)) {
            check.temporaryTables();
          }
          if (roles.equals(Set.of(Role.READ))) {
            return;
          }
          String schema = address.schema();
          String pattern = schema.replace(PostgresAddress.ENVIRONMENT, ".+");
          if (!roles.contains(Role.CREATE_TABLES)) {
            check.usableSchemas(schema, pattern);
          } else if (address.separatesEnvironments()) {
            check.schemas(schema, pattern);
          } else {
            check.schema(schema);
          }
        });
  }

  @Override
  public Instant now() throws UnavailableException {
    try (PostgresSession session = new PostgresSession(address.server())) {
      return session.read(
          connection -> {
            try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT clock_timestamp()")) {
              row.next();
              return row.getTimestamp(1).toInstant();
            }
          });
    } catch (PostgresSession.RefusedException e) {
      throw new UnavailableException(SqlState.sentence(address.server(), e.refusal()), e);
    }
  }

  @Override
  public String identity() throws UnavailableException {
    return PostgresIdentity.of(address.server(), address.schema());
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
    return new PostgresConnection(address, log);
  }

  @Override
  public Catalog openCatalog() {
    return connect();
  }

  @Override
  public PTransform<
          PCollection<ObservationFile>, WithFailures.Result<PCollection<InsertOutcome>, Failure>>
      inserts() {
    return InsertInBundle.by(() -> GroupedInserts.over(connect())).decodingRows();
  }

  @Override
  public Optional<BulkLoader.Factory> bulkLoads() {
    return Optional.of(
        () -> {
          PostgresConnection connection = new PostgresConnection(address, QueryLog.CURRENT);
          return new BulkLoader(
              WideLoads.NONE, GroupedInserts.over(connection), connection.ledger());
        });
  }

  @Override
  public OfflineReader reader() {
    return new PostgresReader(address);
  }

  @Override
  public Optional<String> columnsOf(String environment, String table) {
    return Optional.of(
        OfflineReader.columns(
            "information_schema.columns", "data_type", address.schema(environment), table));
  }

  @Override
  public String toString() {
    return uri();
  }
}
