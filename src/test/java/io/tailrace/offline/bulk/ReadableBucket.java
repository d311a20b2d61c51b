package io.tailrace.offline.bulk;

import io.tailrace.testing.fakes.FakeS3;
import java.util.Optional;
import org.junit.rules.ExternalResource;

/** A simulated bucket with results that a simulated warehouse may read itself. */
public final class ReadableBucket extends ExternalResource {
  /** Its name. */
  public static final String NAME = "results";

  /** Everything in it. */
  public static final String ALL = "s3://" + NAME + "/";

  private FakeS3 s3;

  @Override
  protected void before() throws Exception {
    s3 = FakeS3.start(NAME);
  }

  @Override
  protected void after() {
    s3.close();
  }

  /** Returns a place in it for files. */
  public ResultsPlace place() {
    return ResultsPlace.in(() -> s3, NAME);
  }

  /** Returns its server. */
  public FakeS3 server() {
    return s3;
  }

  /** Returns the bytes of an object, as a warehouse asks for them. */
  public Optional<byte[]> object(String bucket, String key) {
    return s3.object(bucket, key);
  }

  /** Deletes all objects. */
  public void clear() {
    s3.clear(NAME);
  }
}
