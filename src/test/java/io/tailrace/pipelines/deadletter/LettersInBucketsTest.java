package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.BusMessage;
import io.tailrace.testing.Results;
import io.tailrace.testing.fakes.FakeS3;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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

  @Parameter public LetterServers.Kind kind = LetterServers.Kind.KAFKA;

  private FakeS3 s3;

  @Parameters(name = "{0}")
  public static LetterServers.Kind[] kinds() {
    return LetterServers.Kind.values();
  }

  @Before
  public void publishLetters() throws Exception {
    s3 = FakeS3.start(BUCKET);
    byte[] result = Results.of(Results.user("u", Results.int64("age", 1, 1))).toByteArray();
    s3.put(BUCKET, KEY, result);
    s3.put(BUCKET, OLD, new byte[1], Instant.now().minus(Duration.ofDays(40)));
    servers.createTopics(kind);
    servers.publish(
        servers
            .letter(1)
            .value(new byte[0])
            .with("tailrace.payload-uri", "s3://" + BUCKET + "/" + KEY)
            .message(),
        servers.letter(2).message());
  }

  @After
  public void stop() {
    s3.close();
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
    assertThat(s3.object(BUCKET, KEY).isEmpty()).isEqualTo(goes);
    assertThat(run("sweep").out()).isEqualTo("1 file deleted from s3://" + BUCKET + "/dead\n");
    assertThat(s3.object(BUCKET, OLD)).isEmpty();
  }

  @Test
  public void aBucketThatIsNotReachedKeepsItsLetter() throws Exception {
    LetterServers.Run replay =
        servers.run("replay", "--yes", overflow(), "--endpoint=" + s3.endpoint(), PATHS, REGION);

    assertThat(replay.out()).contains("1 letter sent");
    assertThat(replay.err()).contains("was not sent: the rest of it can't be read");
    assertThat(replay.code()).isEqualTo(1);
    assertThat(servers.waiting()).hasSize(1);
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

  private static final String PATHS = "--s3ClientFactoryClass=io.tailrace.pipelines.PathStyleS3";
  private static final String REGION = "--awsRegion=eu-west-1";

  private static String overflow() {
    return "--deadLetterOverflow=s3://" + BUCKET + "/dead";
  }

  private LetterServers.Run run(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add(overflow());
    all.add("--endpoint=" + s3.endpoint());
    all.add(PATHS);
    all.add(REGION);
    all.add(
        "--awsCredentialsProvider={\"@type\":\"StaticCredentialsProvider\",\"accessKeyId\":\""
            + FakeS3.ACCESS_KEY
            + "\",\"secretAccessKey\":\"secret\"}");
    return servers.run(all.toArray(String[]::new));
  }
}
