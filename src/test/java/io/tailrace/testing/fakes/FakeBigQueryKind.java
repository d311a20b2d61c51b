package io.tailrace.testing.fakes;

import io.tailrace.endpoint.AddedKind;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Kinds.Kind;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.bigquery.BigQueryOfflineStore;

/**
 * BigQuery whose streams are those of a {@link FakeBigQuery}, for writers, which know a store by
 * its URI alone: {@code fakebigquery://} in place of {@code bigquery://}.
 */
public final class FakeBigQueryKind implements AddedKind<OfflineStore> {
  private static final String SCHEME = "fakebigquery";

  @Override
  public Class<OfflineStore> sort() {
    return OfflineStore.class;
  }

  @Override
  public Kind<OfflineStore> kind() {
    return Kind.of(SCHEME, SCHEME + "://my-project/data", FakeBigQueryKind::at);
  }

  /** Returns the URI by which writers find a store. */
  public static String uri(String bigQueryUri) {
    return bigQueryUri.replace("bigquery://", SCHEME + "://");
  }

  private static OfflineStore at(EndpointUri uri) {
    EndpointUri real = EndpointUri.parse(uri.toString().replace(SCHEME + "://", "bigquery://"));
    String project = real.hosts(0).get(0).name();
    return BigQueryOfflineStore.at(EndpointUri.parse(real.toString()))
        .writtenBy(FakeBigQuery.of(project).storageWrite());
  }
}
