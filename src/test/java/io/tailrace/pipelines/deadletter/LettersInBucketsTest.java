package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assume.assumeTrue;

import io.tailrace.bus.BusMessage;
import io.tailrace.testing.Results;
import io.tailrace.testing.fakes.FakeGcs;
import io.tailrace.testing.fakes.FakeS3;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.apache.beam.sdk.io.FileSystems;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.junit.After;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.RuleChain;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;

/** Letters with bytes in a bucket, which is reached with the options that the writers have. */
@RunWith(Parameterized.class)
public class LettersInBucketsTest {
  private static final String BUCKET = "letters";
  private static final String HASH = "0123456789abcdef0123456789abcdef";
  private static final String KEY = "dead/results-0-1-" + HASH + ".value";
  private static final String OLD = "dead/results-0-9-" + HASH + ".value";

  private static final TemporaryFolder folder = new TemporaryFolder();
  private static final LetterServers servers = new LetterServers(folder);

  @ClassRule public static final RuleChain rules = RuleChain.outerRule(folder).around(servers);

  @Parameter(0)
  public LetterServers.Kind kind = LetterServers.Kind.KAFKA;

  @Parameter(1)
  public Supplier<Bucket> started = S3Bucket::new;

  private Bucket bucket;

  @Parameters(name = "{0} {index}")
  public static Object[][] kinds() {
    return new Object[][] {
      {LetterServers.Kind.KAFKA, (Supplier<Bucket>) S3Bucket::new},
      {LetterServers.Kind.PUBSUB, (Supplier<Bucket>) S3Bucket::new},
      {LetterServers.Kind.KAFKA, (Supplier<Bucket>) GcsBucket::new}
    };
  }

  /** A simulated bucket, and how commands reach it. */
  interface Bucket extends AutoCloseable {
    /** Returns its address. */
    String uri();

    void put(String key, byte[] bytes, Instant at);

    boolean has(String key);

    /** Returns the options that a writer has, too; the last says who asks. */
    List<String> options();

    @Override
    void close();
  }

  private static final class S3Bucket implements Bucket {
    private final FakeS3 s3;

    S3Bucket() {
      try {
        s3 = FakeS3.start(BUCKET);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public String uri() {
      return "s3://" + BUCKET;
    }

    @Override
    public void put(String key, byte[] bytes, Instant at) {
      s3.put(BUCKET, key, bytes, at);
    }

    @Override
    public boolean has(String key) {
      return s3.object(BUCKET, key).isPresent();
    }

    @Override
    public List<String> options() {
      return List.of(
          "--endpoint=" + s3.endpoint(),
          "--s3ClientFactoryClass=io.tailrace.pipelines.PathStyleS3",
          "--awsRegion=eu-west-1",
          "--awsCredentialsProvider={\"@type\":\"StaticCredentialsProvider\",\"accessKeyId\":\""
              + FakeS3.ACCESS_KEY
              + "\",\"secretAccessKey\":\"secret\"}");
    }

    @Override
    public void close() {
      s3.close();
    }
  }

  private static final class GcsBucket implements Bucket {
    private final FakeGcs gcs;

    GcsBucket() {
      try {
        gcs = FakeGcs.start(BUCKET);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public String uri() {
      return "gs://" + BUCKET;
    }

    @Override
    public void put(String key, byte[] bytes, Instant at) {
      gcs.put(key, bytes, at);
    }

    @Override
    public boolean has(String key) {
      return gcs.object(key).isPresent();
    }

    @Override
    public List<String> options() {
      return List.of(
          "--project=tailrace-test",
          "--gcsEndpoint=" + gcs.endpoint(),
          "--credentialFactoryClass="
              + "org.apache.beam.sdk.extensions.gcp.auth.NoopCredentialFactory");
    }

    @Override
    public void close() {
      gcs.close();
    }
  }

  @Before
  public void publishLetters() throws Exception {
    bucket = started.get();
    byte[] result = Results.of(Results.user("u", Results.int64("age", 1, 1))).toByteArray();
    bucket.put(KEY, result, Instant.now());
    bucket.put(OLD, new byte[1], Instant.now().minus(Duration.ofDays(40)));
    servers.createTopics(kind);
    servers.publish(
        servers
            .letter(1)
            .value(new byte[0])
            .with("tailrace.payload-uri", bucket.uri() + "/" + KEY)
            .message(),
        servers.letter(2).message());
  }

  @After
  public void stop() {
    bucket.close();
    FileSystems.setDefaultPipelineOptions(PipelineOptionsFactory.create());
  }

  @Test
  public void theyAreListedShownReplayedAndSwept() throws Exception {
    assertThat(run("list", "--feature=user.age").out()).contains("1 letter waits");
    assertThat(run("show", "--feature=user.age").out())
        .contains("= environment " + Results.ENVIRONMENT);
    LetterServers.Run replay = run("replay", "--yes");
    assertThat(replay.code()).isEqualTo(0);
    assertThat(replay.out()).contains("2 letters sent");
    List<byte[]> sent = new ArrayList<>();
    for (BusMessage each : servers.read(servers.results())) {
      sent.add(each.payload());
    }
    assertThat(sent.stream().map(Arrays::toString))
        .containsExactly(
            Arrays.toString(
                Results.of(Results.user("u", Results.int64("age", 1, 1))).toByteArray()),
            Arrays.toString("message 2".getBytes(UTF_8)));
    // A subscription does not show for certain that no other letter needs the file.
    boolean goes = kind == LetterServers.Kind.KAFKA;
    assertThat(bucket.has(KEY)).isEqualTo(!goes);
    assertThat(run("sweep").out()).isEqualTo("1 file deleted from " + bucket.uri() + "/dead\n");
    assertThat(bucket.has(OLD)).isFalse();
  }

  @Test
  public void aBucketThatIsNotReachedKeepsItsLetter() throws Exception {
    assumeTrue("nobody is asked who he is on Google Cloud here", bucket instanceof S3Bucket);
    List<String> all = new ArrayList<>(List.of("replay", "--yes", overflow()));
    all.addAll(bucket.options().subList(0, bucket.options().size() - 1));

    LetterServers.Run replay = servers.run(all.toArray(String[]::new));

    assertThat(replay.out()).contains("1 letter sent");
    assertThat(replay.err()).contains("was not sent: the rest of it can't be read");
    assertThat(replay.code()).isEqualTo(1);
    assertThat(servers.waiting()).hasSize(1);
  }

  @Test
  public void aBucketThatIsNotThereIsSaid() {
    List<String> all = new ArrayList<>(bucket.options());
    all.add(0, "sweep");
    all.add("--deadLetterOverflow=" + bucket.uri() + "x/dead");

    LetterServers.Run sweep = servers.run(all.toArray(String[]::new));

    assertThat(sweep.code()).isEqualTo(1);
    assertThat(sweep.err()).startsWith(bucket.uri() + "x/dead can't be listed: ");
  }

  @Test
  public void whatIsWrongWithAnOptionIsSaidInALine() {
    LetterServers.Run provider = servers.run("list", overflow(), "--awsCredentialsProvider=none");
    assertThat(provider.code()).isEqualTo(1);
    assertThat(provider.err()).startsWith("--awsCredentialsProvider=none: ");
    assertThat(provider.err().lines()).hasSize(1);

    LetterServers.Run alone = servers.run("list", "--endpoint=http://localhost:1");
    assertThat(alone.code()).isEqualTo(2);
    assertThat(alone.err()).contains("say which that is, with --deadLetterOverflow=");

    assertThat(servers.run("list", "--endpiont=x").err())
        .contains("Unknown option: '--endpiont=x'");
  }

  private String overflow() {
    return "--deadLetterOverflow=" + bucket.uri() + "/dead";
  }

  private LetterServers.Run run(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add(overflow());
    all.addAll(bucket.options());
    return servers.run(all.toArray(String[]::new));
  }
}
