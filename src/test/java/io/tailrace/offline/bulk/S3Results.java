package io.tailrace.offline.bulk;

import io.tailrace.testing.fakes.FakeS3;
import java.util.function.Supplier;
import org.apache.beam.sdk.io.FileSystems;
import org.apache.beam.sdk.io.aws2.options.S3Options;
import org.apache.beam.sdk.options.PipelineOptionsFactory;

/** A folder in a bucket of a simulated S3, reached by Beam's file system. */
public final class S3Results extends ResultsPlace {
  private final Supplier<FakeS3> s3;
  private final String bucket;

  /** Uses a bucket of a server that has started when a test does. */
  public S3Results(Supplier<FakeS3> s3, String bucket) {
    this.s3 = s3;
    this.bucket = bucket;
  }

  @Override
  protected void before() {
    reach(s3.get().endpoint());
  }

  /** Tells Beam's file system where S3 is. */
  static void reach(String endpoint) {
    FileSystems.setDefaultPipelineOptions(
        PipelineOptionsFactory.fromArgs(
                "--awsRegion=us-east-1",
                "--endpoint=" + endpoint,
                "--s3ClientFactoryClass=io.tailrace.pipelines.PathStyleS3",
                "--awsCredentialsProvider={\"@type\":\"StaticCredentialsProvider\","
                    + "\"accessKeyId\":\""
                    + FakeS3.ACCESS_KEY
                    + "\",\"secretAccessKey\":\"secret\"}")
            .as(S3Options.class));
  }

  @Override
  protected void after() {
    FileSystems.setDefaultPipelineOptions(PipelineOptionsFactory.create());
  }

  @Override
  public String uri() {
    return "s3://" + bucket + "/team";
  }

  private String key(String file) {
    return file.substring(("s3://" + bucket + "/").length());
  }

  @Override
  public void put(String file, byte[] bytes) {
    s3.get().put(bucket, key(file), bytes);
  }

  @Override
  public byte[] get(String file) {
    return s3.get().object(bucket, key(file)).orElseThrow();
  }

  @Override
  public void remove(String file) {
    s3.get().remove(bucket, key(file));
  }

  @Override
  public void touch(String file) {
    s3.get().touch(bucket, key(file));
  }
}
