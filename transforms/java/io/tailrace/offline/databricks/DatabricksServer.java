package io.tailrace.offline.databricks;

import com.databricks.client.jdbc.Driver;
import io.tailrace.endpoint.Timeouts;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.warehouse.Meaning;
import io.tailrace.offline.warehouse.WarehouseServer;
import java.net.URI;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;

/**
 * A SQL warehouse of Databricks. Immutable.
 *
 * @param workspace where it is, and who is known there
 * @param httpPath its path, such as {@code /sql/1.0/warehouses/ID}
 * @param catalog in which names are looked for that say none
 */
record DatabricksServer(DatabricksWorkspace workspace, String httpPath, String catalog)
    implements WarehouseServer {
  private static final long serialVersionUID = 1;

  /** How much longer than a statement may take the client waits for its answer. */
  private static final Duration ANSWER_GRACE = Duration.ofSeconds(10);

  @Override
  public String text() {
    return workspace.text();
  }

  @Override
  public Timeouts timeouts() {
    return workspace.timeouts();
  }

  @Override
  public Connection open() throws SQLException, UnavailableException {
    URI endpoint = URI.create(workspace.endpoint());
    boolean isTls = endpoint.getScheme().equals("https");
    Properties properties = new Properties();
    properties.setProperty("httpPath", httpPath);
    properties.setProperty("ConnCatalog", catalog);
    properties.setProperty("transportMode", "http");
    properties.setProperty("ssl", isTls ? "1" : "0");
    // Tokens of service principals are asked for here, too: stages need them as well.
    properties.setProperty("AuthMech", "11");
    properties.setProperty("Auth_Flow", "0");
    properties.setProperty("Auth_AccessToken", workspace.token(workspace.client()));
    properties.setProperty("useThriftClient", "0");
    properties.setProperty("EnableQueryResultDownload", "0");
    properties.setProperty("EnableTelemetry", "0");
    // What may work later is tried again here, until a deadline of ours.
    properties.setProperty("TemporarilyUnavailableRetry", "0");
    properties.setProperty("RateLimitRetry", "0");
    properties.setProperty("SocketTimeout", seconds(timeouts().reply().plus(ANSWER_GRACE)));
    properties.setProperty("UserAgentEntry", "tailrace");
    int port = endpoint.getPort() < 0 ? (isTls ? 443 : 80) : endpoint.getPort();
    Connection connection;
    try {
      connection =
          new Driver()
              .connect("jdbc:databricks://" + endpoint.getHost() + ":" + port + ";", properties);
    } catch (SQLException e) {
      if (DatabricksErrors.isRefusedToken(e)) {
        throw new UnavailableException(sentence(e), e);
      }
      throw e;
    }
    if (connection == null) {
      throw new UnavailableException(text() + " is not understood by the JDBC driver");
    }
    try (Statement statement = connection.createStatement()) {
      boolean unused = statement.execute("SET STATEMENT_TIMEOUT = " + seconds(timeouts().reply()));
      unused = statement.execute("SET TIME ZONE 'UTC'");
      return connection;
    } catch (SQLException e) {
      connection.close();
      throw e;
    }
  }

  private static String seconds(Duration duration) {
    return Long.toString(Math.max(1, duration.plusMillis(999).toSeconds()));
  }

  @Override
  public Meaning meaning(SQLException e) {
    return DatabricksErrors.meaning(e);
  }

  @Override
  public String message(SQLException e) {
    return DatabricksErrors.message(e);
  }

  @Override
  public String sentence(SQLException e) {
    return DatabricksErrors.sentence(this, e);
  }
}
