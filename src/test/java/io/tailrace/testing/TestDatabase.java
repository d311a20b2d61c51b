package io.tailrace.testing;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.pipelines.local.servers.LocalPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.rules.ExternalResource;

/** A database of its own for each test, on one server for all tests of this JVM. */
public final class TestDatabase extends ExternalResource {
  private static final AtomicInteger NUMBER = new AtomicInteger();

  private String name = "";

  /** Started by the first test that needs it, and removed at the end of the JVM. */
  private static final class Server {
    @GuardedBy("Server.class")
    private static @Nullable LocalPostgres postgres;

    /** A start that has failed is tried again by the next test. */
    static synchronized LocalPostgres get() {
      if (postgres == null) {
        postgres = start();
      }
      return postgres;
    }

    private static LocalPostgres start() {
      try {
        Path directory = Files.createTempDirectory("postgres");
        LocalPostgres postgres =
            LocalPostgres.in(directory)
                // Nothing here outlives the machine.
                .setting("fsync", "off")
                .setting("full_page_writes", "off")
                .start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(postgres, directory)));
        return postgres;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static void remove(LocalPostgres postgres, Path directory) {
      postgres.close();
      try (Stream<Path> files = Files.walk(directory)) {
        files.sorted((a, b) -> b.compareTo(a)).forEach(file -> file.toFile().delete());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  @Override
  protected void before() throws SQLException {
    name = "test_" + NUMBER.incrementAndGet();
    try (Connection connection = server().connect();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE " + name);
    }
  }

  public LocalPostgres server() {
    return Server.get();
  }

  public String name() {
    return name;
  }

  /** Returns the URI of the database with more parameters, such as {@code schema=a&index=none}. */
  public String uri(String parameters) {
    return server().uri().replace("/postgres?", "/" + name + "?")
        + (parameters.isEmpty() ? "" : "&" + parameters);
  }

  /** Returns the URI of the database for another user. */
  public String uriOf(String user, String password) {
    try {
      Path file = Files.createTempFile("password", "");
      file.toFile().deleteOnExit();
      Files.writeString(file, password + "\n");
      return uri("").replaceFirst("user=.*", "user=" + user + "&password=file:" + file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns a store in the database; see {@link #uri}. */
  public OfflineStore store(String parameters) {
    return OfflineStores.at(uri(parameters));
  }

  /** Returns a new connection of the user who may do everything, which the caller closes. */
  public Connection connect() throws SQLException {
    try (Connection other = server().connect()) {
      String url = other.getMetaData().getURL().replace("/postgres", "/" + name);
      String password = Files.readString(Path.of(server().uri().replaceFirst(".*file:", "")));
      return DriverManager.getConnection(url, other.getMetaData().getUserName(), password);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public void execute(String... statements) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  /** Returns the rows of a query, each as its values as text, joined with a bar. */
  public List<String> rows(String sql) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      statement.execute("SET TimeZone = 'UTC'");
      List<String> found = new ArrayList<>();
      try (ResultSet rows = statement.executeQuery(sql)) {
        while (rows.next()) {
          List<String> values = new ArrayList<>();
          for (int column = 1; column <= rows.getMetaData().getColumnCount(); column++) {
            values.add(String.valueOf(rows.getString(column)));
          }
          found.add(String.join("|", values));
        }
      }
      return found;
    }
  }

  /** Waits until somebody waits for a lock. */
  public void awaitWaiting() throws Exception {
    String sql =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = '"
            + name
            + "'";
    while (!rows(sql).equals(List.of("1"))) {
      Thread.sleep(10);
    }
  }
}
