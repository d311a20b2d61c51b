package io.tailrace.offline.databricks;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.Secret;
import io.tailrace.endpoint.Timeouts;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.databricks.DatabricksWorkspace.Credentials;
import io.tailrace.offline.staging.Stage;
import io.tailrace.testing.StagePromise;
import io.tailrace.testing.StallingServer;
import io.tailrace.testing.fakes.FakeDatabricks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** A volume keeps what a stage promises, on a simulated workspace. */
@RunWith(JUnit4.class)
public class VolumeStageTest {
  private static final String VOLUME = "/Volumes/features/stage/files";

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private FakeDatabricks databricks;

  @Before
  public void start() throws Exception {
    databricks = FakeDatabricks.start(folder.newFolder().toPath());
  }

  @After
  public void stop() throws Exception {
    databricks.close();
  }

  private Secret secret(String content) throws IOException {
    Path file = folder.newFile().toPath();
    Files.writeString(file, content);
    return Secret.parse("file:" + file).orElseThrow();
  }

  private VolumeStage stage(Credentials login, String path) {
    return new VolumeStage(
        new DatabricksWorkspace(
            "databricks://fake",
            databricks.endpoint(),
            login,
            new Timeouts(Duration.ofSeconds(5), Duration.ofSeconds(5), Duration.ofSeconds(30))),
        path);
  }

  private Credentials token() throws IOException {
    return new Credentials(secret(FakeDatabricks.TOKEN), null, null);
  }

  @Test
  public void aVolumeKeepsThePromiseOfAStage() throws Exception {
    StagePromise.isKeptBy(stage(token(), VOLUME + "/a folder"));
  }

  @Test
  public void aFolderIsListedPageByPage() throws Exception {
    databricks.pagesOf(2);
    try (Stage.Connection connection = stage(token(), VOLUME).open()) {
      for (int i = 0; i < 5; i++) {
        connection.put(Map.of("a/b" + i + ".parquet", new byte[3]));
      }
      assertThat(connection.list()).hasSize(5);
    }
  }

  @Test
  public void aServicePrincipalIsGivenATokenAndAnotherWhenThatIsOver() throws Exception {
    Credentials principal =
        new Credentials(null, FakeDatabricks.CLIENT, secret(FakeDatabricks.CLIENT_SECRET));
    try (Stage.Connection connection = stage(principal, VOLUME).open()) {
      connection.put(Map.of("a/b.parquet", new byte[3]));
      databricks.refuse("/fs/files/", 401, "UNAUTHENTICATED");
      assertThat(connection.read("a/b.parquet").orElseThrow()).hasLength(3);
      assertThat(databricks.isHarmless()).isTrue();
    }
    Credentials other = new Credentials(null, FakeDatabricks.CLIENT, secret("another"));
    assertThat(whyNot(stage(other, VOLUME)))
        .contains("gives the service principal principal no token (401");
  }

  @Test
  public void aServiceThatIsAskedTooMuchIsAskedAgain() throws Exception {
    try (Stage.Connection connection = stage(token(), VOLUME).open()) {
      databricks.refuse("/fs/files/", 429, "RESOURCE_EXHAUSTED");
      databricks.refuse("/fs/files/", 503, "TEMPORARILY_UNAVAILABLE");
      connection.put(Map.of("a/b.parquet", new byte[3]));
      assertThat(databricks.files()).containsExactly(VOLUME + "/a/b.parquet");
    }
  }

  @Test
  public void anAnswerThatBeginsAndDoesNotEndIsLate() throws Exception {
    try (StallingServer stalling = StallingServer.start()) {
      for (Credentials login :
          List.of(token(), new Credentials(null, FakeDatabricks.CLIENT, secret("another")))) {
        DatabricksWorkspace workspace =
            new DatabricksWorkspace(
                "databricks://fake",
                "http://" + stalling.address(),
                login,
                new Timeouts(Duration.ofSeconds(5), Duration.ofMillis(200), Duration.ZERO));

        assertThat(whyNot(new VolumeStage(workspace, VOLUME)))
            .contains("no whole answer within 200 ms");
      }
    }
  }

  @Test
  public void aVolumeThatCantBeUsedIsOneSentence() throws Exception {
    assertThat(whyNot(stage(token(), "/Volumes/features/missing/files/x")))
        .containsMatch("can't be used: 404 .*; create it: CREATE VOLUME features.missing.files");
    assertThat(whyNot(stage(new Credentials(secret("no"), null, null), VOLUME)))
        .contains("can't be used: 401 the token is not known");
    Secret unset = Secret.parse("env:TAILRACE_NO_SUCH_VARIABLE").orElseThrow();
    assertThat(whyNot(stage(new Credentials(unset, null, null), VOLUME)))
        .contains("TAILRACE_NO_SUCH_VARIABLE is not set");
    assertThat(VolumeStage.whyNot("/Volumes/a/b").orElseThrow())
        .contains("/Volumes/catalog/schema/volume/folder");
    assertThat(VolumeStage.whyNot(VOLUME)).isEmpty();
  }

  private static String whyNot(Stage stage) {
    return assertThrows(UnavailableException.class, stage::check).getMessage();
  }
}
