package io.tailrace.sql.postgres;

import io.tailrace.endpoint.ResourceUri;
import io.tailrace.endpoint.Secret;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Where a PostgreSQL is and how to talk to it, as a URI says. Immutable.
 *
 * @param text the URI, without secrets
 * @param hosts {@code host:port} of the server, or of several of which one can be written to
 * @param database name of the database
 * @param user empty: the name of whoever runs this program, as PostgreSQL's own tools have it
 * @param password where the password is
 * @param sslMode as PostgreSQL's own tools have it; empty: TLS if the server speaks it
 * @param caFile a PEM file with the certificates to trust; empty: the JVM's
 * @param connectTimeout for opening a connection
 * @param timeout for a statement
 * @param retryFor for how long a server that is down is tried again before the bundle fails
 */
public record PostgresServer(
    String text,
    List<String> hosts,
    String database,
    Optional<String> user,
    Optional<Secret> password,
    Optional<String> sslMode,
    Optional<String> caFile,
    Duration connectTimeout,
    Duration timeout,
    Duration retryFor) {
  private static final int DEFAULT_PORT = 5432;

  private static final Set<String> SSL_MODES =
      Set.of("disable", "allow", "prefer", "require", "verify-ca", "verify-full");

  /** Takes the server out of a URI, whose other parts and problems are left to the caller. */
  public static PostgresServer of(ResourceUri uri) {
    List<String> hosts = uri.hosts(DEFAULT_PORT).stream().map(ResourceUri.Host::toString).toList();
    if (uri.path().isEmpty() || uri.path().contains("/")) {
      uri.problem(
          uri.path().isEmpty()
              ? "the name of the database is missing: postgresql://host/DATABASE"
              : "'" + uri.path() + "' is not the name of a database");
    }
    Optional<String> user = uri.take("user");
    Optional<Secret> password = uri.takeSecret("password");
    if (password.isPresent() && user.isEmpty()) {
      uri.problem("password=" + password.get() + " needs user=NAME");
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
    PostgresServer server =
        new PostgresServer(
            uri.withoutSecrets(),
            hosts,
            uri.path(),
            user,
            password,
            sslMode,
            caFile,
            uri.takeDuration("connectTimeout").orElse(Duration.ofSeconds(5)),
            uri.takeDuration("timeout").orElse(Duration.ofMinutes(1)),
            uri.takeDuration("retryFor").orElse(Duration.ofSeconds(30)));
    if (server.timeout().isZero() || server.connectTimeout().isZero()) {
      uri.problem("timeout and connectTimeout must be longer than nothing");
    }
    return server;
  }

  /** Returns how long a statement may take, as the server wants it. */
  public int timeoutMillis() {
    return (int) Math.min(Integer.MAX_VALUE, timeout.toMillis());
  }

  /** Returns the address as the driver wants it. */
  public String jdbcUrl() {
    return "jdbc:postgresql://"
        + String.join(",", hosts)
        + "/"
        + URLEncoder.encode(database, StandardCharsets.UTF_8);
  }
}
