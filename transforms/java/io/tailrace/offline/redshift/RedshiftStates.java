package io.tailrace.offline.redshift;

import com.amazon.redshift.util.RedshiftException;
import com.amazon.redshift.util.ServerErrorMessage;
import io.tailrace.endpoint.Secrets;
import io.tailrace.offline.warehouse.Meaning;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a refusal of Redshift means, by its SQLSTATE and its words. Stateless and thread-safe. */
final class RedshiftStates {
  /** Redshift has one state for nearly all that is its own, and says in words what it is. */
  private static final String INTERNAL = "XX000";

  private static final String OVER_TIME = "57014";

  /** A file is not as its table is, whatever its columns are called. */
  private static final List<String> OF_FILES =
      List.of(
          "incompatible",
          "unmatched number of columns",
          "json_parse",
          "exceeds ddl length",
          "longer than the length defined",
          "value too long");

  /** A file is not there or not as its table is, unless it is an outage. */
  private static final List<String> OF_READING =
      List.of("spectrum scan error", "does not exist", "stl_load_errors");

  /** Redshift, or the layer of it that reads files, can't read the bucket now, or at all. */
  private static final Pattern OUTAGE =
      Pattern.compile(
          "forbidden|access ?denied|not authorized|assume(d)? (iam )?role|slow ?down|speed limit"
              + "|throttl|(status|status code|error code)[ :=]*(401|403|429|5\\d\\d)\\b"
              + "|timed? ?out|curl ?error|s3curlexception|connection|retries exceeded"
              + "|temporarily unavailable|service ?unavailable|no ?such ?bucket"
              + "|bucket does not exist|expired|invalidaccesskeyid|\\bkms\\b");

  /** What says why, in a detail that is drawn as a box; it never shows a row. */
  private static final Pattern CONTEXT =
      Pattern.compile(
          "^\\s*context:[ \\t]*(.*?)\\s*^\\s*(query|location|process):",
          Pattern.MULTILINE | Pattern.DOTALL);

  /** Names that somebody chose. */
  private static final Pattern ADDRESS = Pattern.compile("(https?|s3)://\\S+");

  private RedshiftStates() {}

  private static String state(SQLException e) {
    return e.getSQLState() == null ? "" : e.getSQLState();
  }

  /** Returns whether a statement took longer than statement_timeout. */
  static boolean isOverTime(SQLException e) {
    return state(e).equals(OVER_TIME);
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
      case "40001", "40P01", "55P03", OVER_TIME -> {
        return Meaning.LATER;
      }
      case "23505" -> {
        // Two create one thing at once: of the catalog's own tables.
        return message.contains("pg_") ? Meaning.THERE : Meaning.CONTENT;
      }
      case INTERNAL -> {
        return OF_FILES.stream().anyMatch(message::contains)
                || (OF_READING.stream().anyMatch(message::contains)
                    && !OUTAGE.matcher(ADDRESS.matcher(message).replaceAll("")).find())
            ? Meaning.CONTENT
            : Meaning.LATER;
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

  /** Returns Redshift's words on one line, with their context, without the row of a detail. */
  static String message(SQLException e) {
    String words =
        reply(e)
            .map(ServerErrorMessage::getMessage)
            .orElseGet(() -> String.valueOf(e.getMessage()));
    return line(words)
        + reply(e)
            .map(ServerErrorMessage::getDetail)
            .map(CONTEXT::matcher)
            .filter(Matcher::find)
            .map(context -> line(String.valueOf(context.group(1))))
            .filter(context -> !context.isEmpty())
            .map(context -> ": " + context)
            .orElse("");
  }

  private static String line(String words) {
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
