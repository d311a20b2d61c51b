package io.tailrace.sql.postgres;

import io.tailrace.endpoint.Secrets;
import java.net.UnknownHostException;
import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.util.Optional;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * What a refusal of PostgreSQL means for whoever asked, by its SQLSTATE (appendix A of PostgreSQL's
 * manual). Stateless and thread-safe.
 */
public final class SqlState {
  /** What to do about a refusal. */
  public enum Meaning {
    /** Ask again later, on another connection. */
    CONNECTION,
    /** Ask again later. */
    LATER,
    /** A schema, a table, a column or a partition is not there, or is not as expected. */
    TABLES,
    /** The content can never be stored. */
    CONTENT,
    /** Somebody has to change something. */
    FINAL
  }

  /** Also of a row for which there is no partition. */
  private static final String CHECK_VIOLATION = "23514";

  /** A table or an index that can't be read. */
  private static final String DAMAGED = "XX";

  private static final String READ_ONLY = "25006";
  private static final String STATEMENT_TIMEOUT = "57014";
  private static final String NO_PERMISSION = "42501";
  private static final String NO_DATABASE = "3D000";

  private SqlState() {}

  /** Returns what to do about a refusal. */
  public static Meaning meaning(SQLException e) {
    String state = of(e);
    return switch (state.length() < 2 ? "" : state.substring(0, 2)) {
      // A connection that fails; a server that is full; its disk that fails.
      case "08", "53", "58" -> Meaning.CONNECTION;
      // A server that stops or starts.
      case "57" -> state.equals(STATEMENT_TIMEOUT) ? Meaning.LATER : Meaning.CONNECTION;
      // It became a replica: the next connection looks for the one that is none.
      case "25" -> Meaning.CONNECTION;
      // A deadlock, a conflict with another transaction, a lock that is not to be had.
      case "40", "55" -> Meaning.LATER;
      case "3F" -> Meaning.TABLES;
      case "42" -> state.equals(NO_PERMISSION) ? Meaning.FINAL : Meaning.TABLES;
      case "23" -> state.equals(CHECK_VIOLATION) ? Meaning.TABLES : Meaning.CONTENT;
      case "22", "54" -> Meaning.CONTENT;
      default -> Meaning.FINAL;
    };
  }

  /** Returns whether it says that what was to be created is there, because others were faster. */
  public static boolean isThere(SQLException e) {
    return switch (of(e)) {
      // In an index of the catalog; a schema, a table, a column, a constraint.
      case "23505", "42P06", "42P07", "42701", "42710" -> true;
      default -> false;
    };
  }

  /** Returns whether no schema or table can have the name that one was to have. */
  public static boolean isBadName(SQLException e) {
    return switch (of(e)) {
      // Reserved, invalid, too long.
      case "42939", "42602", "42622" -> true;
      default -> false;
    };
  }

  /** Returns whether a row breaks a rule of a table, such as that of its partitions. */
  public static boolean isCheckViolation(SQLException e) {
    return of(e).equals(CHECK_VIOLATION);
  }

  /**
   * Returns whether a table that refuses some rows so may take others: it is their values that it
   * refuses, or a trigger that does.
   */
  public static boolean mayBeOfRows(SQLException e) {
    return switch (meaning(e)) {
      case CONTENT -> true;
      case TABLES -> isCheckViolation(e);
      case FINAL ->
          of(e).equals(NO_PERMISSION)
              ? message(e).contains("row-level security")
              : !of(e).startsWith(DAMAGED);
      case CONNECTION, LATER -> false;
    };
  }

  /** Returns whether a value is refused for what it is, whatever table it is for. */
  public static boolean isOfValue(SQLException e) {
    return of(e).startsWith("22") || of(e).startsWith("54");
  }

  /** Returns whether a transaction that only reads was asked to write. */
  public static boolean isReadOnly(SQLException e) {
    return of(e).equals(READ_ONLY);
  }

  /** Returns the server's words, without the row that it says them of. */
  public static String message(SQLException e) {
    return reply(e)
        .map(ServerErrorMessage::getMessage)
        .orElseGet(() -> String.valueOf(cause(e).getMessage()))
        .strip()
        .replaceFirst("\\.$", "");
  }

  /** Returns one sentence that names the store and, where there is one, the correction. */
  public static String sentence(PostgresServer server, SQLException e) {
    String message = message(e);
    return switch (of(e)) {
      case "28P01", "28000" ->
          server.text()
              + ": the server refuses the user or the password ("
              + message
              + "); give ?user=NAME&password="
              + Secrets.example();
      case NO_DATABASE ->
          server.text()
              + ": the database '"
              + server.database()
              + "' does not exist; create it: CREATE DATABASE \""
              + server.database()
              + "\"";
      case NO_PERMISSION -> server.text() + ": the user lacks a permission: " + message;
      default ->
          meaning(e) == Meaning.CONNECTION && reply(e).isEmpty()
              ? unreachable(server, e)
              : server.text() + ": the server answers: " + message;
    };
  }

  private static String unreachable(PostgresServer server, SQLException e) {
    String message = message(e);
    if (message.contains("targetServerType")) {
      return server.text()
          + " is a replica, which can't be written to; name the primary, or all of them as"
          + " host1:5432,host2:5432";
    }
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return server.text()
        + " can't be reached: "
        + (root instanceof UnknownHostException
            ? "the host " + root.getMessage() + " is unknown"
            : message)
        + "; check host and port"
        + (server.sslMode().isEmpty() ? "" : ", and that the server speaks TLS as sslmode asks");
  }

  private static String of(SQLException e) {
    return e.getSQLState() == null ? "" : e.getSQLState();
  }

  /** A batch's own message is the whole statement that failed. */
  private static SQLException cause(SQLException e) {
    return e instanceof BatchUpdateException && e.getNextException() != null
        ? e.getNextException()
        : e;
  }

  private static Optional<ServerErrorMessage> reply(SQLException e) {
    return cause(e) instanceof PSQLException refused
        ? Optional.ofNullable(refused.getServerErrorMessage())
        : Optional.empty();
  }
}
