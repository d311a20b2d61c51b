package io.tailrace.offline.staging;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;
import static org.junit.Assume.assumeTrue;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Secret;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.testing.StagePromise;
import io.tailrace.testing.fakes.FakeS3;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.io.FileSystems;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** A bucket keeps what a stage promises, on a simulated S3, and on moto's where that is there. */
@RunWith(JUnit4.class)
public class BucketStageTest {
  private static final String BUCKET = "stage";

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private Secret secret(String content) throws IOException {
    Path file = folder.newFile().toPath();
    Files.writeString(file, content);
    return Secret.parse("file:" + file).orElseThrow();
  }

  private BucketAccess access(String endpoint) throws IOException {
    return new BucketAccess(
        endpoint,
        null,
        secret(FakeS3.ACCESS_KEY),
        secret("the secret of the key"),
        Duration.ofMillis(300));
  }

  @Test
  public void aBucketKeepsThePromiseOfAStage() throws Exception {
    try (FakeS3 s3 = FakeS3.start(BUCKET)) {
      StagePromise.isKeptBy(
          new BucketStage("s3://stage/a/folder/", access(s3.endpoint()), StagedForm.CANONICAL));
      s3.put(BUCKET, "elsewhere.parquet", new byte[1]);
      StagePromise.isKeptBy(
          new BucketStage("s3://stage/a", access(s3.endpoint()), StagedForm.CANONICAL));
      assertThat(s3.keys(BUCKET)).containsExactly("elsewhere.parquet");
    }
  }

  @Test
  public void anyOfBeamsFileSystemsKeepsThePromiseOfAStage() throws Exception {
    FileSystems.setDefaultPipelineOptions(PipelineOptionsFactory.create());
    File directory = folder.newFolder("file-system");

    Stage stage =
        new Stage() {
          private static final long serialVersionUID = 1;

          @Override
          public String uri() {
            return directory.getPath();
          }

          @Override
          public Stage at(String uri) {
            return this;
          }

          @Override
          public Connection open() {
            return new FileSystemFolder(uri());
          }
        };
    StagePromise.isKeptBy(stage);
    assertThat(directory.list((unused, name) -> name.endsWith(".unfinished"))).isEmpty();
  }

  @Test
  public void allPagesOfAListAreRead() throws Exception {
    try (FakeS3 s3 = FakeS3.start(BUCKET)) {
      s3.pagesOf(3);
      Map<String, byte[]> files = new LinkedHashMap<>();
      for (int i = 0; i < 20; i++) {
        files.put("production/t-0-" + i + "-a.parquet", new byte[] {(byte) i});
      }
      try (Stage.Connection connection =
          new BucketStage("s3://stage/x", access(s3.endpoint()), StagedForm.CANONICAL).open()) {
        connection.put(files);
        assertThat(connection.list()).hasSize(20);
      }
    }
  }

  @Test
  public void aServiceThatIsAskedTooMuchIsAskedAgain() throws Exception {
    try (FakeS3 s3 = FakeS3.start(BUCKET);
        Stage.Connection connection =
            new BucketStage("s3://stage/x", access(s3.endpoint()), StagedForm.CANONICAL).open()) {
      s3.refuseNext(6, 503);
      connection.put(Map.of("a.parquet", new byte[3]));
      assertThat(s3.object(BUCKET, "x/a.parquet")).isPresent();
    }
  }

  @Test
  public void aBucketThatCantBeUsedIsOneSentence() throws Exception {
    try (FakeS3 s3 = FakeS3.start(BUCKET)) {
      assertThat(
              whyNot(new BucketStage("s3://other/x", access(s3.endpoint()), StagedForm.CANONICAL)))
          .containsMatch("the stage s3://other/x can't be used: .*create the bucket other");
      BucketAccess stranger =
          new BucketAccess(
              s3.endpoint(), null, secret("SOMEBODY"), secret("else"), Duration.ofMillis(1));
      assertThat(whyNot(new BucketStage("s3://stage/x", stranger, StagedForm.CANONICAL)))
          .contains("grant s3:PutObject, s3:GetObject and s3:DeleteObject of stage/x/*");
      Secret missing = Secret.parse("env:TAILRACE_NO_SUCH_VARIABLE").orElseThrow();
      BucketAccess unset =
          new BucketAccess(s3.endpoint(), null, missing, missing, Duration.ofMillis(1));
      assertThat(whyNot(new BucketStage("s3://stage/x", unset, StagedForm.CANONICAL)))
          .contains("TAILRACE_NO_SUCH_VARIABLE is not set");
      s3.refuseNext(1_000, 500);
      assertThat(
              whyNot(new BucketStage("s3://stage/x", access(s3.endpoint()), StagedForm.CANONICAL)))
          .contains("the stage s3://stage/x can't be used for 300 ms");
    }
    assertThat(
            whyNot(
                new BucketStage(
                    "s3://stage/x", access("http://127.0.0.1:1"), StagedForm.CANONICAL)))
        .contains("the stage s3://stage/x can't be used for 300 ms");
  }

  private static String whyNot(Stage stage) {
    return assertThrows(UnavailableException.class, stage::check).getMessage();
  }

  @Test
  public void anAddressThatIsNoneIsRefusedWithACorrectOne() {
    assertThat(Stages.whyNot("s3://stage/x")).isEmpty();
    assertThat(Stages.whyNot("gs://stage")).isEmpty();
    assertThat(Stages.whyNot("file:///data/stage")).isEmpty();
    assertThat(Stages.whyNot("gcs://stage/x").orElseThrow()).contains("gs://bucket");
    assertThat(Stages.whyNot("s3a://stage/x").orElseThrow()).contains("s3://bucket");
    for (String none : List.of("s3:/stage", "s3://", "s3://UPPER/x", "stage", "file:stage")) {
      assertThat(Stages.whyNot(none).orElseThrow()).contains("file:///data/stage");
    }
  }

  @Test
  public void howABucketIsReachedIsSaidInTheUriOfItsStore() {
    EndpointUri uri =
        EndpointUri.parse(
            "redshift://h/d?stageEndpoint=minio&stageAccessKey=env:A&stageSecretKey=plain");
    BucketAccess unused = BucketAccess.of(uri, Duration.ZERO);

    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> uri.finish("EXAMPLE"));

    assertThat(e).hasMessageThat().contains("stageEndpoint=minio is no address such as https://");
    assertThat(e).hasMessageThat().contains("stageSecretKey must say where the secret is");
    assertThat(e).hasMessageThat().contains("are given together");
  }

  /** The fake and moto give the same answers, where moto is. */
  @Test
  public void theFakeAnswersAsMotoDoes() throws Exception {
    Optional<Path> moto =
        Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
            .map(each -> Path.of(each, "moto_server"))
            .filter(Files::isExecutable)
            .findFirst();
    assumeTrue("moto_server is not installed: the fake is held to nothing", moto.isPresent());
    int port = freePort();
    Process process =
        new ProcessBuilder(moto.get().toString(), "-H", "127.0.0.1", "-p", "" + port)
            .redirectErrorStream(true)
            .redirectOutput(folder.newFile())
            .start();
    try (FakeS3 s3 = FakeS3.start("another")) {
      awaitPort(process, port);
      List<String> ofFake = answers(s3.endpoint());
      List<String> ofMoto = answers("http://127.0.0.1:" + port);
      assertThat(ofFake).isEqualTo(ofMoto);
      StagePromise.isKeptBy(
          new BucketStage(
              "s3://stage/promise", access("http://127.0.0.1:" + port), StagedForm.CANONICAL));
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return any.getLocalPort();
    }
  }

  private static void awaitPort(Process process, int port) throws Exception {
    while (true) {
      try {
        new Socket(InetAddress.getLoopbackAddress(), port).close();
        return;
      } catch (IOException e) {
        assumeTrue("moto_server does not start", process.isAlive());
        Thread.sleep(100);
      }
    }
  }

  private interface Asked {
    Object of(S3Client client);
  }

  private static List<String> answers(String endpoint) {
    List<String> answers = new ArrayList<>();
    try (S3Client client =
        S3Client.builder()
            .endpointOverride(URI.create(endpoint))
            .httpClientBuilder(Apache5HttpClient.builder())
            .forcePathStyle(true)
            .region(Region.US_EAST_1)
            .credentialsProvider(
                StaticCredentialsProvider.create(
                    AwsBasicCredentials.create(FakeS3.ACCESS_KEY, "secret")))
            .build()) {
      String key = "f/a b+c&ü.bin";
      byte[] part = new byte[5 << 20];
      part[7] = 1;
      List<Asked> questions =
          List.of(
              s3 -> s3.listObjectsV2(it -> it.bucket(BUCKET)).keyCount(),
              s3 -> s3.createBucket(it -> it.bucket(BUCKET)).sdkHttpResponse().statusCode(),
              s3 -> s3.listObjectsV2(it -> it.bucket(BUCKET)).keyCount(),
              s3 -> s3.headObject(it -> it.bucket(BUCKET).key(key)).contentLength(),
              s3 -> s3.getObjectAsBytes(it -> it.bucket(BUCKET).key(key)).asUtf8String(),
              s3 ->
                  s3.putObject(it -> it.bucket(BUCKET).key(key), RequestBody.fromString("Grüße"))
                      .eTag(),
              s3 ->
                  s3.putObject(
                          it -> it.bucket(BUCKET).key(key).ifNoneMatch("*"),
                          RequestBody.fromString("again"))
                      .eTag(),
              s3 -> s3.headObject(it -> it.bucket(BUCKET).key(key)).contentLength(),
              s3 -> s3.getObjectAsBytes(it -> it.bucket(BUCKET).key(key)).asUtf8String(),
              s3 ->
                  s3.getObjectAsBytes(it -> it.bucket(BUCKET).key(key).range("bytes=0-1"))
                      .asUtf8String(),
              s3 ->
                  s3.putObject(it -> it.bucket(BUCKET).key("f/b"), RequestBody.empty())
                      .sdkHttpResponse()
                      .statusCode(),
              s3 ->
                  s3
                      .listObjectsV2(it -> it.bucket(BUCKET).prefix("f/").maxKeys(1))
                      .contents()
                      .stream()
                      .map(each -> each.key() + each.size())
                      .toList(),
              s3 -> s3.listObjectsV2(it -> it.bucket(BUCKET).prefix("f/").maxKeys(1)).isTruncated(),
              s3 ->
                  s3
                      .listObjectsV2Paginator(it -> it.bucket(BUCKET).prefix("f/").maxKeys(1))
                      .contents()
                      .stream()
                      .map(each -> each.key())
                      .toList(),
              s3 -> {
                String id =
                    s3.createMultipartUpload(it -> it.bucket(BUCKET).key("f/parts")).uploadId();
                String etag =
                    s3.uploadPart(
                            it -> it.bucket(BUCKET).key("f/parts").uploadId(id).partNumber(1),
                            RequestBody.fromBytes(part))
                        .eTag();
                String end =
                    s3.uploadPart(
                            it -> it.bucket(BUCKET).key("f/parts").uploadId(id).partNumber(2),
                            RequestBody.fromString("end"))
                        .eTag();
                s3.completeMultipartUpload(
                    it ->
                        it.bucket(BUCKET)
                            .key("f/parts")
                            .uploadId(id)
                            .multipartUpload(
                                all ->
                                    all.parts(
                                        CompletedPart.builder().partNumber(1).eTag(etag).build(),
                                        CompletedPart.builder().partNumber(2).eTag(end).build())));
                return s3.headObject(it -> it.bucket(BUCKET).key("f/parts")).contentLength();
              },
              s3 ->
                  s3.deleteObject(it -> it.bucket(BUCKET).key("f/none"))
                      .sdkHttpResponse()
                      .statusCode(),
              s3 -> s3.listObjectsV2(it -> it.bucket("absent")).keyCount());
      for (Asked each : questions) {
        try {
          answers.add(String.valueOf(each.of(client)));
        } catch (S3Exception e) {
          answers.add(e.statusCode() + " " + e.awsErrorDetails().errorCode());
        }
      }
    }
    return answers;
  }
}
