package io.tailrace.offline.snowflake;

import static io.tailrace.sql.snowflake.SnowflakeDialect.SNOWFLAKE;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStore.Role;
import io.tailrace.offline.staging.StageOwner;
import io.tailrace.offline.warehouse.WarehouseSession;
import io.tailrace.offline.warehouse.WideCopy;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks Snowflake whether it can be used, and what it is. Stateless and thread-safe. */
final class SnowflakeCheck {
  private static final Logger LOG = LoggerFactory.getLogger(SnowflakeCheck.class);

  private SnowflakeCheck() {}

  /** Does what the writer will do, before it starts. */
  static void check(SnowflakeAddress address, Set<Role> roles) throws UnavailableException {
    SnowflakeServer server = address.server();
    try (WarehouseSession session = new WarehouseSession(server)) {
      String database =
          session.require(
              statements ->
                  String.valueOf(
                      statements
                          .query("SELECT CURRENT_DATABASE()", row -> row.getString(1))
                          .get(0)));
      if (!database.equals(server.context().database())) {
        throw new UnavailableException(
            server.text()
                + ": the database "
                + server.context().database()
                + " does not exist, or the role may not use it: GRANT USAGE ON DATABASE "
                + server.context().database()
                + " TO ROLE …");
      }
      if (Role.insertsRows(roles)) {
        checkStage(session, address);
        StageOwner.check(address.stage(), identity(address));
      }
      WideCopy copy = address.bulk().copy();
      String integration = address.statements().integration();
      if (roles.contains(Role.BULK_LOAD) && copy != null && integration != null) {
        String location = SnowflakeStage.location(copy.folder());
        checkAllowed(session, integration, location);
        validate(session, integration, location);
      }
    }
  }

  private static void checkStage(WarehouseSession session, SnowflakeAddress address)
      throws UnavailableException {
    SnowflakeStage stage = address.stage();
    String integration = address.statements().integration();
    if (stage.isInternal() || integration == null) {
      boolean unused =
          session.require(
              statements -> {
                stage.create(statements);
                return true;
              });
      return;
    }
    stage.check();
    checkAllowed(session, integration, SnowflakeStage.location(stage.uri()));
  }

  private static void checkAllowed(WarehouseSession session, String integration, String location)
      throws UnavailableException {
    String allowed = allowed(session, integration);
    if (Arrays.stream(allowed.split(",", -1))
        .map(String::strip)
        .noneMatch(each -> location.startsWith(each.replaceFirst("[*]$", "")))) {
      throw new UnavailableException(
          session.server().text()
              + ": the storage integration "
              + integration
              + " lets Snowflake read "
              + allowed
              + ", not "
              + location
              + ": ALTER STORAGE INTEGRATION "
              + integration
              + " SET STORAGE_ALLOWED_LOCATIONS = ('"
              + location
              + "')");
    }
  }

  /** Lets Snowflake itself list the location, if the role may ask for that. */
  private static void validate(WarehouseSession session, String integration, String location)
      throws UnavailableException {
    String answer;
    try {
      answer =
          session.run(
              statements ->
                  statements
                      .query(
                          "SELECT SYSTEM$VALIDATE_STORAGE_INTEGRATION("
                              + SNOWFLAKE.literal(integration.toUpperCase(Locale.ROOT))
                              + ", "
                              + SNOWFLAKE.literal(location)
                              + ", 'tailrace.txt', 'list')",
                          row -> String.valueOf(row.getString(1)))
                      .get(0));
    } catch (WarehouseSession.RefusedException e) {
      LOG.warn(
          "{}: whether the storage integration {} reads {} can't be asked: {}",
          session.server().text(),
          integration,
          location,
          session.server().message(e.refusal()));
      return;
    }
    if (!isSuccess(answer)) {
      throw new UnavailableException(
          session.server().text()
              + ": Snowflake can't list "
              + location
              + " by the storage integration "
              + integration
              + " ("
              + answer
              + "): let the user or account that DESCRIBE INTEGRATION "
              + integration
              + " names list and read the bucket");
    }
  }

  private static boolean isSuccess(String answer) {
    try {
      return new ObjectMapper().readTree(answer).path("status").asText().equals("success");
    } catch (JsonProcessingException e) {
      return false;
    }
  }

  /** Returns the locations that an integration lets Snowflake read, with commas between them. */
  private static String allowed(WarehouseSession session, String integration)
      throws UnavailableException {
    try {
      return session.run(
          statements -> {
            Map<String, String> properties = new HashMap<>();
            statements
                .query(
                    "DESCRIBE INTEGRATION " + integration,
                    row ->
                        Map.entry(
                            row.getString("property"),
                            String.valueOf(row.getString("property_value"))))
                .forEach(each -> properties.put(each.getKey(), each.getValue()));
            return properties.getOrDefault("STORAGE_ALLOWED_LOCATIONS", "");
          });
    } catch (WarehouseSession.RefusedException e) {
      throw new UnavailableException(
          session.server().text()
              + ": the storage integration "
              + integration
              + " can't be used ("
              + session.server().message(e.refusal())
              + "): GRANT USAGE ON INTEGRATION "
              + integration
              + " TO ROLE …",
          e);
    }
  }

  static Instant now(SnowflakeServer server) throws UnavailableException {
    try (WarehouseSession session = new WarehouseSession(server)) {
      return session.require(
          statements ->
              statements
                  .query(
                      "SELECT DATE_PART(EPOCH_MICROSECOND, CURRENT_TIMESTAMP())",
                      row -> Micros.instant(row.getLong(1)))
                  .get(0));
    }
  }

  /**
   * Returns account, when the database was made, and the schema: a database that was made anew, or
   * cloned, is another one.
   */
  static String identity(SnowflakeAddress address) throws UnavailableException {
    try (WarehouseSession session = new WarehouseSession(address.server())) {
      List<String> found =
          session.require(
              statements ->
                  statements.query(
                      "SELECT CURRENT_ACCOUNT() || '/' || DATABASE_NAME || '/' ||"
                          + " DATE_PART(EPOCH_MICROSECOND, CREATED) FROM "
                          + SNOWFLAKE.quoted(address.server().context().database())
                          + ".INFORMATION_SCHEMA.DATABASES WHERE DATABASE_NAME = "
                          + SNOWFLAKE.literal(address.server().context().database()),
                      row -> row.getString(1)));
      return found.isEmpty() ? "" : found.get(0) + "/" + address.statements().schemaPattern();
    }
  }
}
