package io.tailrace.offline.redshift;

import com.amazon.redshift.util.RedshiftException;
import com.amazon.redshift.util.ServerErrorMessage;
import io.tailrace.endpoint.Secrets;
import io.tailrace.offline.warehouse.Meaning;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What a refusal of Redshift means, by its SQLSTATE and its words. Stateless and thread-safe. */
final class RedshiftStates {
  /** Redshift has one state for nearly all that is its own, and says in words what it is. */
  private static final String INTERNAL = "XX000";

  /** A file is not there, or not as its table is. */
  private static final List<String> OF_FILES =
      List.of(
          "spectrum scan error",
          "does not exist",
          "stl_load_errors",
          "incompatible",
          "unmatched number of columns",
          "json_parse",
          "exceeds ddl length",
          "value too long");

  private RedshiftStates() {}

  private static String state(SQLException e) {
    return e.getSQLState() == null ? "" : e.getSQLState();
  }

  static Meaning meaning(SQLException e) {
    String state = state(e);
    String message = message(e).toLowerCase(Locale.ROOT);
    switch (state) {
      case "42P06", "42P07", "42710", "42701" -> {
        return Meaning.THERE;
      }
      case "42P01", "42703", "3F000" -> {
        return Meaning.TABLES;
      }
      case "40001", "40P01", "55P03", "57014" -> {
        return Meaning.LATER;
      }
      case "23505" -> {
        // Two create one thing at once: of the catalog's own tables.
        return message.contains("pg_") ? Meaning.THERE : Meaning.CONTENT;
      }
      case INTERNAL -> {
        return OF_FILES.stream().anyMatch(message::contains) ? Meaning.CONTENT : Meaning.LATER;
      }
      default -> {
        if (state.startsWith("08") || state.startsWith("57P")) {
          return Meaning.SESSION;
        }
        if (state.startsWith("53") || state.startsWith("58")) {
          return Meaning.LATER;
        }
        return state.startsWith("22") || state.startsWith("23") ? Meaning.CONTENT : Meaning.FINAL;
      }
    }
  }

  /** Returns Redshift's words on one line, without the row that a detail shows. */
  static String message(SQLException e) {
    String words =
        reply(e)
            .map(ServerErrorMessage::getMessage)
            .orElseGet(() -> String.valueOf(e.getMessage()));
    return words.strip().replaceAll("\\s*\\R\\s*", " ").replaceFirst("\\.$", "");
  }

  private static Optional<ServerErrorMessage> reply(SQLException e) {
    return e instanceof RedshiftException refused
        ? Optional.ofNullable(refused.getServerErrorMessage())
        : Optional.empty();
  }

  static String sentence(RedshiftServer server, SQLException e) {
    String message = message(e);
    String state = state(e);
    if (state.startsWith("28")) {
      return server.text()
          + ": Redshift refuses user or password ("
          + message
          + "); give user=NAME&password="
          + Secrets.example();
    }
    if (state.equals("3D000")) {
      return server.text() + ": " + message + "; create the database, or name another";
    }
    if (state.equals("42501")) {
      return server.text() + ": the user lacks a right: " + message;
    }
    return meaning(e) == Meaning.SESSION
        ? server.text() + " can't be reached: " + message + "; check host, port and sslmode"
        : server.text() + ": Redshift answers: " + message;
  }
}
