package io.tailrace.endpoint;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;
import static org.junit.Assume.assumeTrue;

import io.tailrace.testing.InstalledServer;
import io.tailrace.testing.fakes.FakeSecretManagers;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** Secrets of both clouds' managers, which are simulated, and of moto's where that is there. */
@RunWith(JUnit4.class)
public class CloudSecretsTest {
  private static final String ARN =
      "arn:aws:secretsmanager:eu-west-1:123456789012:secret:tailrace/redis-a1B2c3";

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private FakeSecretManagers managers;

  @Before
  public void start() throws Exception {
    managers = FakeSecretManagers.start();
    System.setProperty("aws.region", "us-east-1");
  }

  @After
  public void stop() {
    managers.close();
  }

  private static String read(String name) {
    return Secret.parse(name).orElseThrow().read();
  }

  private static String refused(String name) {
    return assertThrows(IllegalStateException.class, () -> read(name)).getMessage();
  }

  @Test
  public void aSecretOfAwsIsReadByItsNameOrArnAnewEachTime() {
    managers.put("tailrace/redis", "first");
    managers.put(ARN, "by its ARN");
    assertThat(read("aws:tailrace/redis")).isEqualTo("first");
    assertThat(read("aws:" + ARN)).isEqualTo("by its ARN");

    managers.put("tailrace/redis", "second");

    assertThat(read("aws:tailrace/redis")).isEqualTo("second");
  }

  @Test
  public void aValueOfAJsonObjectIsReadByItsKey() {
    managers.put("db", "{\"username\":\"me\",\"password\":\"hunter2\",\"port\":5432,\"o\":{}}");
    managers.put("text", "hunter2");

    assertThat(read("aws:db#password")).isEqualTo("hunter2");
    assertThat(read("aws:db#port")).isEqualTo("5432");
    assertThat(refused("aws:db#nothing"))
        .isEqualTo("aws:db#nothing names a key that the secret does not have");
    assertThat(refused("aws:db#o")).contains("names a key that the secret does not have");
    assertThat(refused("aws:text#password"))
        .isEqualTo("aws:text#password names a key, and the secret is no JSON object");
  }

  @Test
  public void aSecretOfGoogleIsReadByItsName() {
    managers.put("projects/my-project/secrets/redis", "größe");

    assertThat(read("gcp:projects/my-project/secrets/redis")).isEqualTo("größe");
    assertThat(read("gcp:projects/my-project/secrets/redis/versions/latest")).isEqualTo("größe");
    assertThat(refused("gcp:redis"))
        .isEqualTo("gcp:redis is not such as gcp:projects/PROJECT/secrets/NAME");
  }

  @Test
  public void whatIsMissingIsNamedAndWhatIsBusyIsAskedAgain() {
    assertThat(refused("aws:nothing"))
        .isEqualTo(
            "aws:nothing can't be read: it answers 400: ResourceNotFoundException: Secrets Manager"
                + " can't find the specified secret.");
    assertThat(refused("gcp:projects/my-project/secrets/nothing"))
        .contains("it answers 404: Secret [projects/my-project/secrets/nothing] not found.");
    managers.put("later", "there");
    managers.refuseNext(3);
    assertThat(read("aws:later")).isEqualTo("there");
  }

  @Test
  public void motosSecretsAreReadToo() throws Exception {
    assumeTrue(
        "moto_server is not installed: the fake is held to nothing",
        InstalledServer.Kind.MOTO.isThere());
    try (InstalledServer moto =
        InstalledServer.start(InstalledServer.Kind.MOTO, folder.newFile().toPath())) {
      var unused =
          HttpClient.newHttpClient()
              .send(
                  HttpRequest.newBuilder(URI.create(moto.endpoint()))
                      .header("X-Amz-Target", "secretsmanager.CreateSecret")
                      .header("Content-Type", "application/x-amz-json-1.1")
                      .header(
                          "Authorization",
                          "AWS4-HMAC-SHA256"
                              + " Credential=a/20260131/us-east-1/secretsmanager/aws4_request,"
                              + " SignedHeaders=host, Signature=b")
                      .POST(
                          HttpRequest.BodyPublishers.ofString(
                              "{\"Name\":\"tailrace/db\",\"SecretString\":\"{\\\"password\\\":\\\"p\\\"}\"}"))
                      .build(),
                  HttpResponse.BodyHandlers.ofString());
      System.setProperty("AWS_ENDPOINT_URL_SECRETS_MANAGER", moto.endpoint());

      assertThat(read("aws:tailrace/db#password")).isEqualTo("p");
      assertThat(refused("aws:nothing"))
          .contains("ResourceNotFoundException: Secrets Manager can't find the specified secret.");
    }
  }
}
