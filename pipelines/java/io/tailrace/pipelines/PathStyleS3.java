package io.tailrace.pipelines;

import org.apache.beam.sdk.io.aws2.options.S3Options;
import org.apache.beam.sdk.io.aws2.s3.DefaultS3ClientBuilderFactory;
import software.amazon.awssdk.services.s3.S3ClientBuilder;

/**
 * Lets Beam name a bucket in the path of a request and not in the name of the host, as services
 * other than Amazon's want it: {@code --s3ClientFactoryClass=io.tailrace.pipelines.PathStyleS3}
 * beside {@code --endpoint}. Stateless and thread-safe.
 */
public final class PathStyleS3 extends DefaultS3ClientBuilderFactory {
  /** Creates one; Beam does. */
  public PathStyleS3() {}

  @Override
  public S3ClientBuilder createBuilder(S3Options options) {
    return super.createBuilder(options).forcePathStyle(true);
  }
}
