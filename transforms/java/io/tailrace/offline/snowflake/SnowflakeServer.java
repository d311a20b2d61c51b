package io.tailrace.offline.snowflake;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Login;
import io.tailrace.endpoint.Secret;
import io.tailrace.endpoint.Secrets;
import io.tailrace.endpoint.Timeouts;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.warehouse.Meaning;
import io.tailrace.offline.warehouse.WarehouseServer;
import java.io.Serializable;
import java.net.URI;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.Properties;
import net.snowflake.client.api.driver.SnowflakeDriver;
import org.jspecify.annotations.Nullable;

/**
 * Where a Snowflake account is and who logs in, as a URI says. Immutable.
 *
 * @param text the URI, without secrets
 * @param place where statements are sent to
 * @param context in which they run
 * @param login who logs in
 * @param timeouts for how long to wait
 */
record SnowflakeServer(
    String text, Place place, Context context, Credentials login, Timeouts timeouts)
    implements WarehouseServer {
  private static final long serialVersionUID = 1;

  private static final Duration STATEMENT_TIMEOUT = Duration.ofMinutes(10);

  /**
   * An account.
   *
   * @param endpoint {@code http://host:port} or {@code https://…}
   */
  record Place(String account, String endpoint) implements Serializable {
    private static final long serialVersionUID = 1;
  }

  /**
   * In what statements run.
   *
   * @param warehouse what computes; null: the user's default
   * @param role whose rights count; null: the user's default
   */
  record Context(String database, @Nullable String warehouse, @Nullable String role)
      implements Serializable {
    private static final long serialVersionUID = 1;
  }

  /**
   * Who logs in.
   *
   * @param user the name, and where the password is, if it is by one
   * @param key where the private key is; null: by password
   * @param keyPassword where the key's own password is; null: it has none
   */
  record Credentials(Login user, @Nullable Secret key, @Nullable Secret keyPassword)
      implements Serializable {
    private static final long serialVersionUID = 1;
  }

  /** Takes the account out of a URI, whose other parts and problems are left to the caller. */
  static SnowflakeServer of(EndpointUri uri, String database) {
    String account = uri.hosts(443).stream().findFirst().map(EndpointUri.Host::name).orElse("");
    Optional<String> endpoint = uri.take("endpoint");
    if (endpoint.isPresent() && !endpoint.get().matches("https?://[^/?#]+")) {
      uri.problem("endpoint=" + endpoint.get() + " is not such as https://host:443");
    }
    Login user = Login.of(uri);
    Optional<Secret> key = uri.takeSecret("privateKey");
    Optional<Secret> keyPassword = uri.takeSecret("privateKeyPassword");
    if (user.user().isEmpty()) {
      uri.problem("user=NAME is missing");
    }
    if (key.isPresent() == user.password().isPresent()) {
      uri.problem(
          key.isPresent()
              ? "privateKey and password are both given: give one"
              : "give privateKey=" + Secrets.example() + " or password=" + Secrets.example());
    }
    if (keyPassword.isPresent() && key.isEmpty()) {
      uri.problem("privateKeyPassword needs privateKey");
    }
    return new SnowflakeServer(
        uri.withoutSecrets(),
        new Place(account, endpoint.orElse("https://" + account + ".snowflakecomputing.com")),
        new Context(database, uri.take("warehouse").orElse(null), uri.take("role").orElse(null)),
        new Credentials(user, key.orElse(null), keyPassword.orElse(null)),
        Timeouts.of(uri, STATEMENT_TIMEOUT));
  }

  @Override
  public Connection open() throws SQLException, UnavailableException {
    Properties properties = new Properties();
    URI endpoint = URI.create(place.endpoint);
    properties.put("account", place.account);
    properties.put("db", context.database);
    put(properties, "warehouse", context.warehouse);
    put(properties, "role", context.role);
    properties.put("user", login.user.user().orElse(""));
    properties.put("ssl", endpoint.getScheme().equals("http") ? "off" : "on");
    try {
      if (login.key != null) {
        PrivateKeys.put(
            properties,
            login.key.read(),
            login.keyPassword == null ? "" : login.keyPassword.read());
      } else {
        login.user.password().ifPresent(password -> properties.put("password", password.read()));
      }
    } catch (IllegalStateException e) {
      throw new UnavailableException(text + ": " + e.getMessage(), e);
    }
    properties.put("loginTimeout", Long.toString(seconds(timeouts.connect())));
    properties.put("networkTimeout", Long.toString(timeouts.reply().plusSeconds(10).toMillis()));
    // What may work later is tried again here, until a deadline of ours.
    properties.put("maxHttpRetries", "1");
    properties.put("application", "tailrace");
    // Otherwise it asks the metadata addresses of clouds, wherever it runs.
    properties.put("disablePlatformDetection", "true");
    properties.put("CLIENT_TELEMETRY_ENABLED", "false");
    properties.put("JDBC_QUERY_RESULT_FORMAT", "JSON");
    // What a role or an account may have otherwise.
    properties.put("TIMEZONE", "UTC");
    properties.put("AUTOCOMMIT", "true");
    properties.put("TRANSACTION_ABORT_ON_ERROR", "true");
    properties.put("ABORT_DETACHED_QUERY", "true");
    properties.put("STATEMENT_TIMEOUT_IN_SECONDS", Long.toString(seconds(timeouts.reply())));
    properties.put("LOCK_TIMEOUT", Long.toString(seconds(timeouts.reply())));
    properties.put("QUERY_TAG", "tailrace");
    Connection connection =
        new SnowflakeDriver()
            .connect(
                "jdbc:snowflake://"
                    + endpoint.getAuthority()
                    + (endpoint.getPort() < 0 ? ":443" : "")
                    + "/",
                properties);
    if (connection == null) {
      throw new UnavailableException(text + " is not understood by the JDBC driver");
    }
    return connection;
  }

  private static void put(Properties properties, String name, @Nullable String value) {
    if (value != null) {
      properties.put(name, value);
    }
  }

  private static long seconds(Duration duration) {
    return Math.max(1, duration.plusMillis(999).toSeconds());
  }

  @Override
  public Meaning meaning(SQLException e) {
    return SnowflakeCodes.meaning(e);
  }

  @Override
  public String message(SQLException e) {
    return SnowflakeCodes.message(e);
  }

  @Override
  public String sentence(SQLException e) {
    return SnowflakeCodes.sentence(this, e);
  }
}
