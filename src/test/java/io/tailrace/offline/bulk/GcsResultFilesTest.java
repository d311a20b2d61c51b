package io.tailrace.offline.bulk;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.testing.fakes.FakeGcs;
import java.io.IOException;
import org.apache.beam.sdk.extensions.gcp.options.GcsOptions;
import org.apache.beam.sdk.io.FileSystems;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.junit.Test;

/** Files with results from a simulated Cloud Storage, over Beam's own file system. */
public class GcsResultFilesTest extends DuckDbFilesRules {
  private static final String BUCKET = "results";

  private FakeGcs gcs;

  @Override
  protected ResultsPlace place() {
    return new Place();
  }

  private final class Place extends ResultsPlace {
    @Override
    protected void before() throws IOException {
      gcs = FakeGcs.start(BUCKET);
      FileSystems.setDefaultPipelineOptions(
          PipelineOptionsFactory.fromArgs(
                  "--gcsEndpoint=" + gcs.endpoint(),
                  "--project=tailrace-test",
                  "--credentialFactoryClass="
                      + "org.apache.beam.sdk.extensions.gcp.auth.NoopCredentialFactory")
              .as(GcsOptions.class));
    }

    @Override
    protected void after() {
      gcs.close();
      FileSystems.setDefaultPipelineOptions(PipelineOptionsFactory.create());
    }

    @Override
    public String uri() {
      return "gs://" + BUCKET + "/team";
    }

    private String name(String file) {
      return file.substring(("gs://" + BUCKET + "/").length());
    }

    @Override
    public void put(String file, byte[] bytes) {
      gcs.put(name(file), bytes);
    }

    @Override
    public byte[] get(String file) {
      return gcs.object(name(file)).orElseThrow();
    }

    @Override
    public void remove(String file) {
      gcs.remove(name(file));
    }

    @Override
    public void touch(String file) {
      gcs.compose(name(file));
    }
  }

  @Test
  public void aBucketIsCheckedWithTheRightsThatItNeeds() throws Exception {
    bucket.check();
    gcs.put("team/x.parquet", new byte[12]);
    bucket.check();

    UnavailableException none =
        assertThrows(UnavailableException.class, () -> new ResultBucket("gs://nobodys").check());
    assertThat(none).hasMessageThat().contains("roles/storage.objectViewer of the bucket");

    gcs.denyNext(50);
    UnavailableException denied = assertThrows(UnavailableException.class, () -> bucket.check());
    assertThat(denied).hasMessageThat().contains("gs://results/team/ can't be reached");
  }

  @Test
  public void aPrefixIsListedPageByPage() throws Exception {
    gcs.pagesOf(2);
    aPrefixIsLoadedWhenAllOfItIsThere();
  }
}
