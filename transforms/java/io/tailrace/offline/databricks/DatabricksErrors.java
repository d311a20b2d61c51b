package io.tailrace.offline.databricks;

import io.tailrace.endpoint.Secrets;
import io.tailrace.offline.warehouse.Meaning;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a refusal of Databricks means, by its error class, such as {@code [PATH_NOT_FOUND]}, or by
 * the words of the driver where nobody has answered. Stateless and thread-safe.
 */
final class DatabricksErrors {
  private static final Pattern CLASS = Pattern.compile("\\[([A-Z][A-Z0-9_.]+)\\]");

  /** By how an error class begins. */
  private static final Map<String, Meaning> CLASSES =
      Map.ofEntries(
          Map.entry("DELTA_CONCURRENT", Meaning.LATER),
          Map.entry("DELTA_METADATA_CHANGED", Meaning.LATER),
          Map.entry("DELTA_PROTOCOL_CHANGED", Meaning.LATER),
          Map.entry("CONCURRENT_", Meaning.LATER),
          Map.entry("QUERY_EXECUTION_TIMEOUT", Meaning.LATER),
          Map.entry("OPERATION_CANCELED", Meaning.LATER),
          Map.entry("TABLE_OR_VIEW_ALREADY_EXISTS", Meaning.THERE),
          Map.entry("TABLE_ALREADY_EXISTS", Meaning.THERE),
          Map.entry("VIEW_ALREADY_EXISTS", Meaning.THERE),
          Map.entry("SCHEMA_ALREADY_EXISTS", Meaning.THERE),
          Map.entry("FIELDS_ALREADY_EXISTS", Meaning.THERE),
          Map.entry("FIELD_ALREADY_EXISTS", Meaning.THERE),
          Map.entry("TABLE_OR_VIEW_NOT_FOUND", Meaning.TABLES),
          Map.entry("SCHEMA_NOT_FOUND", Meaning.TABLES),
          Map.entry("UNRESOLVED_COLUMN", Meaning.TABLES),
          Map.entry("PATH_NOT_FOUND", Meaning.CONTENT),
          Map.entry("FAILED_READ_FILE", Meaning.CONTENT),
          Map.entry("CANNOT_READ_FILE", Meaning.CONTENT),
          Map.entry("PARQUET_", Meaning.CONTENT),
          Map.entry("COPY_INTO_", Meaning.CONTENT),
          Map.entry("DELTA_FAILED_TO_MERGE_FIELDS", Meaning.CONTENT),
          Map.entry("CAST_", Meaning.CONTENT));

  /** The driver's words, or those of a service in front of the warehouse. */
  private static final List<Map.Entry<Pattern, Meaning>> WORDS =
      List.of(
          word("SESSION_NOT_FOUND|INVALID_HANDLE|session.{0,20}(expired|closed)", Meaning.SESSION),
          word("UNAUTHENTICATED|\\b401\\b|token.{0,20}expired", Meaning.SESSION),
          word("RESOURCE_EXHAUSTED|TEMPORARILY_UNAVAILABLE|ABORTED", Meaning.LATER),
          word("\\b(429|502|503|504)\\b|rate limit|BAD_GATEWAY", Meaning.LATER),
          // Of a service in front of the warehouse, whatever it says.
          word("core\\.DatabricksError", Meaning.SESSION),
          word("communication|connect|timed out|I/O|socket|reset", Meaning.SESSION));

  private static final Pattern REFUSED_TOKEN =
      Pattern.compile("UNAUTHENTICATED|HTTP 40[13]|\\b40[13] ");

  private static Map.Entry<Pattern, Meaning> word(String pattern, Meaning meaning) {
    return Map.entry(Pattern.compile(pattern, Pattern.CASE_INSENSITIVE), meaning);
  }

  private DatabricksErrors() {}

  static Meaning meaning(SQLException e) {
    String message = String.valueOf(e.getMessage());
    Optional<String> errorClass = errorClass(message);
    if (errorClass.isPresent()) {
      for (Map.Entry<String, Meaning> each : CLASSES.entrySet()) {
        if (errorClass.get().startsWith(each.getKey())) {
          return each.getValue();
        }
      }
    }
    String state = e.getSQLState() == null ? "" : e.getSQLState();
    if (state.startsWith("22") || state.startsWith("23")) {
      return Meaning.CONTENT;
    }
    if (state.startsWith("40") || state.startsWith("2D5")) {
      return Meaning.LATER;
    }
    if (errorClass.isEmpty()) {
      for (Throwable cause = e; cause != null; cause = cause.getCause()) {
        for (Map.Entry<Pattern, Meaning> each : WORDS) {
          if (each.getKey().matcher(String.valueOf(cause.getMessage())).find()) {
            return each.getValue();
          }
        }
      }
    }
    return Meaning.FINAL;
  }

  private static Optional<String> errorClass(String message) {
    Matcher matcher = CLASS.matcher(message);
    return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
  }

  /** Returns Databricks' words on one line. */
  static String message(SQLException e) {
    return String.valueOf(e.getMessage())
        .strip()
        .replaceAll("\\s*\\R\\s*", " ")
        .replaceFirst("\\.$", "");
  }

  /** Returns whether it is the token that is refused, or what it may do. */
  static boolean isRefusedToken(SQLException e) {
    return REFUSED_TOKEN.matcher(message(e)).find();
  }

  static String sentence(DatabricksServer server, SQLException e) {
    String message = message(e);
    if (isRefusedToken(e)) {
      return server.text()
          + ": Databricks refuses the token ("
          + message
          + "); give token="
          + Secrets.example()
          + " or clientId=ID&clientSecret="
          + Secrets.example();
    }
    return meaning(e) == Meaning.SESSION
        ? server.text() + " can't be reached: " + message + "; check host and path"
        : server.text() + ": Databricks answers: " + message;
  }
}
