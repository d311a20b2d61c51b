package io.tailrace.pipelines.local.servers;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** All tests use one directory, one after the other, as the server in it is large. */
@RunWith(JUnit4.class)
public class LocalPostgresTest {
  @ClassRule public static final TemporaryFolder temporary = new TemporaryFolder();

  private static Path directory() {
    return temporary.getRoot().toPath().resolve("a directory & 100%");
  }

  private static String ask(LocalPostgres postgres, String sql) throws SQLException {
    try (Connection connection = postgres.connect();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getString(1);
    }
  }

  private static void execute(LocalPostgres postgres, String sql) throws SQLException {
    try (Connection connection = postgres.connect();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  @Test
  public void answersWhoHasThePassword() throws Exception {
    try (LocalPostgres postgres = LocalPostgres.start(directory())) {
      Path password = directory().resolve("password");
      String url = "jdbc:postgresql://127.0.0.1:" + postgres.port() + "/postgres";

      assertThat(ask(postgres, "SHOW server_version")).startsWith("16.");
      assertThat(ask(postgres, "SHOW server_encoding")).isEqualTo("UTF8");
      assertThat(ask(postgres, "SHOW unix_socket_directories")).isEmpty();
      assertThat(postgres.uri())
          .isEqualTo(
              "postgresql://127.0.0.1:"
                  + postgres.port()
                  + "/postgres?user=tailrace&password=file:"
                  + password.toString().replace("%", "%25").replace("&", "%26"));
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(password)))
          .isEqualTo("rw-------");
      SQLException refused =
          assertThrows(
              SQLException.class, () -> DriverManager.getConnection(url, "tailrace", "guessed"));
      assertThat(refused.getMessage()).contains("password authentication failed");
    }
  }

  @Test
  public void listensOnTheLoopbackAddressOnly() throws Exception {
    try (LocalPostgres postgres = LocalPostgres.start(directory())) {
      assertThat(ask(postgres, "SHOW listen_addresses")).isEqualTo("127.0.0.1");
    }
  }

  @Test
  public void restartKeepsPortDataAndSettings() throws Exception {
    try (LocalPostgres postgres =
        LocalPostgres.in(directory()).setting("work_mem", "1234kB").start()) {
      String uri = postgres.uri();
      execute(postgres, "CREATE TABLE kept AS SELECT 42");
      try (Connection open = postgres.connect()) {
        postgres.restart();

        assertThat(open.isValid(1)).isFalse();
      }
      assertThat(postgres.uri()).isEqualTo(uri);
      assertThat(ask(postgres, "SELECT * FROM kept")).isEqualTo("42");
      assertThat(ask(postgres, "SHOW work_mem")).isEqualTo("1234kB");
    }
  }

  @Test
  public void startsAgainOnTheDirectoryOfAClosedServer() throws Exception {
    try (LocalPostgres first = LocalPostgres.start(directory())) {
      execute(first, "CREATE TABLE closed AS SELECT 43");
    }
    try (LocalPostgres second = LocalPostgres.start(directory())) {
      assertThat(ask(second, "SELECT * FROM closed")).isEqualTo("43");
    }
  }

  @Test
  public void answersNobodyWhileStopped() {
    try (LocalPostgres postgres = LocalPostgres.start(directory())) {
      assertThat(postgres.isRunning()).isTrue();
      postgres.stop();
      assertThat(postgres.isRunning()).isFalse();
      assertThrows(SQLException.class, postgres::connect);
    }
  }

  @Test
  public void aPortThatIsTakenIsNamed() throws Exception {
    try (ServerSocket taken = new ServerSocket()) {
      taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      int port = taken.getLocalPort();
      IllegalStateException refused =
          assertThrows(
              IllegalStateException.class, () -> LocalPostgres.in(directory()).port(port).start());
      assertThat(refused)
          .hasMessageThat()
          .isEqualTo("PostgreSQL cannot start: port " + port + " is taken");
    }
  }

  @Test
  public void aSettingThatIsWrongIsNamed() {
    IllegalStateException refused =
        assertThrows(
            IllegalStateException.class,
            () -> LocalPostgres.in(directory()).setting("work_mem", "much").start());
    assertThat(refused).hasMessageThat().contains("invalid value for parameter \"work_mem\"");
  }

  @Test
  public void endsWithAJvmThatIsKilled() throws Exception {
    Process jvm =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                StartAndDie.class.getName(),
                directory().toString())
            .start();
    String output = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String port = output.strip().lines().reduce("", (before, last) -> last);
    assertThat(jvm.waitFor()).isEqualTo(StartAndDie.STATUS);

    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!FreePorts.isFree(Integer.parseInt(port))) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.sleep(10);
    }
    try (LocalPostgres again = LocalPostgres.start(directory())) {
      assertThat(ask(again, "SELECT 1")).isEqualTo("1");
    }
  }

  /** Starts a server, prints its port and ends like a JVM that is killed: without its hooks. */
  static final class StartAndDie {
    static final int STATUS = 137;

    public static void main(String[] arguments) {
      LocalPostgres postgres = LocalPostgres.start(Path.of(arguments[0]));
      System.out.println(postgres.port());
      System.out.flush();
      Runtime.getRuntime().halt(STATUS);
    }
  }
}
