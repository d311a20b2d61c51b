package io.tailrace.sql.postgres;

import io.tailrace.endpoint.Durations;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Login;
import io.tailrace.endpoint.Timeouts;
import java.io.Serializable;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where a PostgreSQL is and how to talk to it, as a URI says. Immutable.
 *
 * @param text the URI, without secrets
 * @param hosts {@code host:port} of the server, or of several of which one can be written to
 * @param database name of the database
 * @param login who logs in; without a name whoever runs this program, as PostgreSQL's own tools
 *     have it
 * @param tls how connections are encrypted
 * @param timeouts for how long to wait
 */
public record PostgresServer(
    String text, List<String> hosts, String database, Login login, Tls tls, Timeouts timeouts)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /**
   * How connections are encrypted.
   *
   * @param sslMode as PostgreSQL's own tools have it; null: TLS if the server speaks it
   * @param caFile a PEM file with the certificates to trust; null: the JVM's
   */
  public record Tls(@Nullable String sslMode, @Nullable String caFile) implements Serializable {
    private static final long serialVersionUID = 1;
  }

  private static final int DEFAULT_PORT = 5432;
  private static final Duration STATEMENT_TIMEOUT = Duration.ofMinutes(1);

  private static final Set<String> SSL_MODES =
      Set.of("disable", "allow", "prefer", "require", "verify-ca", "verify-full");

  /** Takes the server out of a URI, whose other parts and problems are left to the caller. */
  public static PostgresServer of(EndpointUri uri) {
    List<String> hosts = uri.hosts(DEFAULT_PORT).stream().map(EndpointUri.Host::toString).toList();
    if (uri.path().isEmpty() || uri.path().contains("/")) {
      uri.problem(
          uri.path().isEmpty()
              ? "the name of the database is missing: postgresql://host/DATABASE"
              : "'" + uri.path() + "' is not the name of a database");
    }
    Login login = Login.of(uri);
    if (login.password().isPresent() && login.user().isEmpty()) {
      uri.problem("password=" + login.password().get() + " needs user=NAME");
    }
    Optional<String> sslMode = uri.take("sslmode");
    if (sslMode.isPresent() && !SSL_MODES.contains(sslMode.get())) {
      uri.problem(
          "sslmode="
              + sslMode.get()
              + " is none of disable, allow, prefer, require, verify-ca, verify-full");
    }
    Optional<String> caFile = uri.take("caFile");
    if (caFile.isPresent() && !sslMode.map(mode -> mode.startsWith("verify-")).orElse(false)) {
      uri.problem("caFile needs sslmode=verify-full, or verify-ca to accept any host's name");
    }
    return new PostgresServer(
        uri.withoutSecrets(),
        hosts,
        uri.path(),
        login,
        new Tls(sslMode.orElse(null), caFile.orElse(null)),
        Timeouts.of(uri, STATEMENT_TIMEOUT));
  }

  /** Returns {@code sslmode}; empty: TLS if the server speaks it. */
  public Optional<String> sslMode() {
    return Optional.ofNullable(tls.sslMode);
  }

  /** Returns the PEM file with the certificates to trust; empty: the JVM's. */
  public Optional<String> caFile() {
    return Optional.ofNullable(tls.caFile);
  }

  /** Returns how long a statement may take, as the server wants it. */
  public int timeoutMillis() {
    return Durations.intMillis(timeouts.reply());
  }

  /** Returns the address as the driver wants it. */
  public String jdbcUrl() {
    return "jdbc:postgresql://"
        + String.join(",", hosts)
        + "/"
        + URLEncoder.encode(database, StandardCharsets.UTF_8);
  }
}
