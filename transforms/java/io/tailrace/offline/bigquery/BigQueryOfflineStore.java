package io.tailrace.offline.bigquery;

import com.google.api.services.bigquery.model.Dataset;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.bigquery.BigQueryClient.RefusedException;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.Failure;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryServices;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;

/**
 * BigQuery, at {@code bigquery://my-project/tailrace_{environment}?location=EU}: a dataset for each
 * environment, or one for the only one. Immutable.
 *
 * <p>The table that readers see of a feature is a view, {@code user__age}. Its observations are
 * appended to {@code user__age__rows}, partitioned by the day of {@code observed_at} and clustered
 * by {@code pkey}, perhaps more than once, and the view shows each id once, the first inserted. The
 * deletions of all features are in {@code deletions__rows__string} and {@code
 * deletions__rows__int64}, by the type of the keys, and the view shows its own. {@code query_log}
 * is a view, too, that unites the parts of a result.
 *
 * <p>Parameters: {@code location} (where datasets are created), {@code exactlyOnce=true} (append in
 * streams with offsets, committed every {@code commitEvery}, 5 s unless set), {@code latest=true}
 * (keep the newest observation of each entity and feature in {@code latest_<namespace>}), {@code
 * endpoint} (another address of the REST interface), {@code connectTimeout}, {@code timeout} and
 * {@code retryFor}. The rights are those of Google's application default credentials.
 */
public final class BigQueryOfflineStore implements OfflineStore {
  private static final long serialVersionUID = 1;

  /** A correct URI. */
  public static final String EXAMPLE = BigQueryAddress.EXAMPLE;

  /** The writer that inserts into it. */
  public static final String WRITER = "bigquery-streaming-writer";

  private final BigQueryAddress address;
  private final BigQueryServices services;

  private BigQueryOfflineStore(BigQueryAddress address, BigQueryServices services) {
    this.address = address;
    this.services = services;
  }

  /**
   * Returns the store that a {@code bigquery} URI names.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static BigQueryOfflineStore at(EndpointUri uri) {
    return new BigQueryOfflineStore(BigQueryAddress.of(uri), StorageWrite.ofGoogle());
  }

  /** Returns the same store, written to by other services, such as those of a test. */
  public BigQueryOfflineStore writtenBy(BigQueryServices other) {
    return new BigQueryOfflineStore(address, other);
  }

  @Override
  public String uri() {
    return address.text();
  }

  @Override
  public String writer() {
    return WRITER;
  }

  /**
   * Returns the project, the name of the datasets, and when the dataset was made, of several the
   * oldest: one that was dropped and made anew is another store. Empty as long as there is none.
   */
  @Override
  public String identity() throws UnavailableException {
    try {
      return new BigQueryClient(address)
          .oldestDataset()
          .map(created -> "bigquery:" + address.project() + "." + address.dataset() + "/" + created)
          .orElse("");
    } catch (RefusedException e) {
      throw new UnavailableException(address.text() + " can't be used: " + e.getMessage(), e);
    }
  }

  @Override
  public boolean separatesEnvironments() {
    return address.separatesEnvironments();
  }

  @Override
  public void check(Set<Role> roles) throws UnavailableException {
    BigQueryClient client = new BigQueryClient(address);
    try {
      if (address.separatesEnvironments()) {
        client.listDatasets();
        return;
      }
      Optional<Dataset> found = client.dataset(address.dataset());
      if (found.isEmpty() && !roles.contains(Role.CREATE_TABLES)) {
        throw new UnavailableException(
            address.text()
                + ": there is no dataset "
                + address.dataset()
                + " in the project "
                + address.project()
                + ": start the offline-writer, which creates it, or correct the name");
      }
      if (found.isEmpty()) {
        client.createDataset(address.dataset());
      }
    } catch (RefusedException e) {
      throw new UnavailableException(
          address.text()
              + " can't be used: "
              + e.getMessage()
              + (e.isForbidden()
                  ? ": grant the writer roles/bigquery.user on the project "
                      + address.project()
                      + " and roles/bigquery.dataEditor on its datasets"
                  : ""),
          e);
    }
  }

  @Override
  public Instant now() throws UnavailableException {
    String now =
        String.valueOf(reader().query("SELECT CURRENT_TIMESTAMP()", 1).rows().get(0).get(0));
    return Instant.parse(now);
  }

  @Override
  public Catalog openCatalog() {
    return new BigQueryTables(address, new BigQueryClient(address));
  }

  @Override
  public PTransform<
          PCollection<ObservationFile>, WithFailures.Result<PCollection<InsertOutcome>, Failure>>
      inserts() {
    return new BigQueryAppends(address, services);
  }

  @Override
  public OfflineReader reader() {
    return new BigQueryReader(address);
  }

  @Override
  public Optional<String> columnsOf(String environment, String table) {
    return Optional.of(
        OfflineReader.columns(
            address.place(address.dataset(environment), "INFORMATION_SCHEMA.COLUMNS"),
            "data_type",
            address.dataset(environment),
            table));
  }

  @Override
  public String toString() {
    return uri();
  }
}
