package io.tailrace.offline.redshift;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.bulk.ResultsPlace;
import io.tailrace.offline.bulk.WideFilesContract;
import io.tailrace.testing.WarehouseFixture;
import io.tailrace.testing.fakes.FakeRedshift;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.junit.Before;
import org.junit.ClassRule;

/** What files with results become that a simulated Redshift copies from a bucket. */
public class RedshiftWideFilesTest extends WideFilesContract {
  @ClassRule public static final RedshiftFixture REDSHIFT = new RedshiftFixture();

  @Before
  public void clear() throws Exception {
    REDSHIFT.clear("prod", "decoded");
  }

  @Override
  protected ResultsPlace place() {
    return ResultsPlace.in(REDSHIFT::s3, RedshiftFixture.BUCKET);
  }

  /** Redshift reads no ZSTD. */
  @Override
  protected CompressionCodecName codec() {
    return CompressionCodecName.SNAPPY;
  }

  @Override
  protected OfflineStore store() {
    return OfflineStores.at(REDSHIFT.uri() + "&copyFrom=s3://stage/team");
  }

  @Override
  protected OfflineStore without() {
    return OfflineStores.at(
        REDSHIFT.uri().replace(FakeRedshift.ROLE, "arn:aws:iam::123456789012:role/other")
            + "&copyFrom=s3://stage/team");
  }

  @Override
  protected String correction() {
    return "Redshift can't read copyFrom=s3://stage/team by the role"
        + " arn:aws:iam::123456789012:role/other (";
  }

  @Override
  protected String grant() {
    return "GRANT ASSUMEROLE ON … TO … FOR COPY";
  }

  @Override
  protected WarehouseFixture warehouse() {
    return REDSHIFT;
  }
}
