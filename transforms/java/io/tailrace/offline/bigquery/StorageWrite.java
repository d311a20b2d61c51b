package io.tailrace.offline.bigquery;

import org.apache.beam.sdk.io.gcp.bigquery.BigQueryServices;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryServicesImpl;

/** Google's own services, which are loaded where they are used and nowhere else. Stateless. */
final class StorageWrite {
  private StorageWrite() {}

  static BigQueryServices ofGoogle() {
    return new BigQueryServicesImpl();
  }
}
