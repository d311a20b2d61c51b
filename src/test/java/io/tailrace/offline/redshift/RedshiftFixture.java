package io.tailrace.offline.redshift;

import io.tailrace.testing.WarehouseFixture;
import io.tailrace.testing.fakes.FakeRedshift;
import io.tailrace.testing.fakes.FakeS3;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.rules.TemporaryFolder;

/** A simulated Redshift and its bucket, for the tests of a class. */
public final class RedshiftFixture extends WarehouseFixture {
  static final String BUCKET = "stage";

  private final TemporaryFolder folder = new TemporaryFolder();
  private FakeS3 s3;
  private FakeRedshift redshift;
  private Path accessKey;

  @Override
  protected void before() throws Throwable {
    folder.create();
    s3 = FakeS3.start(BUCKET);
    redshift = FakeRedshift.start(s3, folder.newFolder().toPath());
    accessKey = folder.newFile().toPath();
    Files.writeString(accessKey, FakeS3.ACCESS_KEY);
  }

  @Override
  protected void after() {
    try {
      redshift.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    s3.close();
    folder.delete();
  }

  FakeS3 s3() {
    return s3;
  }

  FakeRedshift server() {
    return redshift;
  }

  @Override
  public String uri() {
    return "redshift://127.0.0.1:"
        + redshift.port()
        + "/postgres?schema={environment}&"
        + redshift.login()
        + "&sslmode=disable&iamRole="
        + FakeRedshift.ROLE
        + "&stage=s3://stage/files&stageEndpoint="
        + s3.endpoint()
        + "&stageAccessKey=file:"
        + accessKey
        + "&stageSecretKey=file:"
        + accessKey
        + "&retryFor=1s&connectTimeout=2s&timeout=20s";
  }

  RedshiftOfflineStore store() {
    return (RedshiftOfflineStore) store("");
  }

  @Override
  public void throttle() {
    redshift.refuse("COPY", "53300", "too many connections");
    redshift.refuse("INSERT INTO", "XX000", "Serializable isolation violation on table");
  }

  @Override
  public void breakLoads() {
    redshift.loseBefore("INSERT INTO");
    redshift.loseAnswerTo("COMMIT");
  }

  @Override
  public void cutBefore(String text) {
    redshift.loseBefore(text);
  }

  @Override
  public void cutBehind(String text) {
    redshift.loseAnswerTo(text);
  }

  @Override
  public boolean isHarmless() {
    return redshift.isHarmless();
  }

  @Override
  public void endSessions() throws IOException {
    redshift.endSessions();
  }

  @Override
  public void execute(String statement) throws SQLException {
    execute(new String[] {statement});
  }

  /** Runs statements of the database behind it. */
  void execute(String... statements) throws SQLException {
    try (Connection connection = redshift.postgres().connect();
        Statement statement = connection.createStatement()) {
      for (String each : statements) {
        statement.execute(each);
      }
    }
  }

  @Override
  public List<String> statementsSent() {
    return redshift.takeStatements();
  }

  @Override
  public void clear(String... schemas) throws SQLException {
    for (String schema : schemas) {
      execute("DROP SCHEMA IF EXISTS " + schema + " CASCADE");
    }
    s3.clear(BUCKET);
    redshift.forgetFaults();
    List<String> unused = statementsSent();
  }
}
