package io.tailrace.offline.redshift;

import com.amazon.redshift.Driver;
import io.tailrace.endpoint.Durations;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Timeouts;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.warehouse.Meaning;
import io.tailrace.offline.warehouse.WarehouseServer;
import java.io.Serializable;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;

/**
 * Where a Redshift is and who logs in, as a URI says. Immutable.
 *
 * @param text the URI, without secrets
 * @param place host, port and database
 * @param login who logs in
 * @param sslMode how the server's certificate is looked at; disable: no TLS
 * @param timeouts for how long to wait
 */
record RedshiftServer(
    String text, Place place, RedshiftLogin login, String sslMode, Timeouts timeouts)
    implements WarehouseServer {
  private static final long serialVersionUID = 1;

  private static final int DEFAULT_PORT = 5439;
  private static final Duration STATEMENT_TIMEOUT = Duration.ofMinutes(10);

  /** How much longer than a statement may take the client waits for its answer. */
  private static final Duration ANSWER_GRACE = Duration.ofSeconds(10);

  private static final Set<String> SSL_MODES = Set.of("disable", "verify-ca", "verify-full");

  /** A database. */
  record Place(String host, String database) implements Serializable {
    private static final long serialVersionUID = 1;
  }

  /** Takes the server out of a URI, whose other parts and problems are left to the caller. */
  static RedshiftServer of(EndpointUri uri) {
    String host =
        uri.hosts(DEFAULT_PORT).stream().findFirst().map(Object::toString).orElse("host:5439");
    if (uri.path().isEmpty() || uri.path().contains("/")) {
      uri.problem(
          uri.path().isEmpty()
              ? "the name of the database is missing: redshift://host/DATABASE"
              : "'" + uri.path() + "' is not the name of a database");
    }
    RedshiftLogin login = RedshiftLogin.of(uri, host);
    Optional<String> sslMode = uri.take("sslmode");
    sslMode
        .filter(mode -> !SSL_MODES.contains(mode))
        .ifPresent(
            mode -> uri.problem("sslmode=" + mode + " is none of disable, verify-ca, verify-full"));
    if (login.iam() != null && sslMode.orElse("").equals("disable")) {
      uri.problem("iamLogin=true needs TLS: leave sslmode=disable out");
    }
    return new RedshiftServer(
        uri.withoutSecrets(),
        new Place(host, uri.path()),
        login,
        sslMode.orElse("verify-full"),
        Timeouts.of(uri, STATEMENT_TIMEOUT));
  }

  /** Returns the address that the driver is given. */
  String driverUrl() {
    return login.scheme()
        + place.host
        + "/"
        + URLEncoder.encode(place.database, StandardCharsets.UTF_8);
  }

  /** Returns what the driver is told beside it; secrets are read anew. */
  Properties properties() throws UnavailableException {
    Properties properties = new Properties();
    try {
      login.put(properties);
    } catch (IllegalStateException e) {
      throw new UnavailableException(text + ": " + e.getMessage(), e);
    }
    boolean isOpen = sslMode.equals("disable");
    properties.setProperty("ssl", isOpen ? "false" : "true");
    if (!isOpen) {
      properties.setProperty("sslMode", sslMode);
    }
    properties.setProperty("connectTimeout", seconds(timeouts.connect()));
    properties.setProperty("loginTimeout", seconds(timeouts.connect().multipliedBy(2)));
    properties.setProperty("socketTimeout", seconds(timeouts.reply().plus(ANSWER_GRACE)));
    properties.setProperty("tcpKeepAlive", "true");
    properties.setProperty("ApplicationName", "tailrace");
    return properties;
  }

  @Override
  public Connection open() throws SQLException, UnavailableException {
    Optional<String> missing = login.missingLibrary();
    if (missing.isPresent()) {
      throw new UnavailableException(text + ": " + missing.get());
    }
    Connection connection = new Driver().connect(driverUrl(), properties());
    if (connection == null) {
      throw new UnavailableException(text + " is not understood by the JDBC driver");
    }
    try (Statement statement = connection.createStatement()) {
      // What a user or a database may have otherwise.
      boolean unused =
          statement.execute("SET statement_timeout TO " + Durations.intMillis(timeouts.reply()));
      unused = statement.execute("SET timezone TO 'UTC'");
      return connection;
    } catch (SQLException e) {
      connection.close();
      throw e;
    }
  }

  private static String seconds(Duration duration) {
    return Long.toString(
        Math.min(Integer.MAX_VALUE / 1_000, Math.max(1, duration.plusMillis(999).toSeconds())));
  }

  @Override
  public Meaning meaning(SQLException e) {
    return RedshiftStates.meaning(e);
  }

  @Override
  public String message(SQLException e) {
    return RedshiftStates.message(e);
  }

  @Override
  public String sentence(SQLException e) {
    return RedshiftStates.sentence(this, e);
  }
}
