package io.tailrace.offline.postgres;

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
final class SqlState {
  /** What to do about a refusal. */
  enum Meaning {
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

  private static final String READ_ONLY = "25006";
  private static final String STATEMENT_TIMEOUT = "57014";
  private static final String NO_PERMISSION = "42501";
  private static final String NO_DATABASE = "3D000";

  private SqlState() {}

  static Meaning meaning(SQLException e) {
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
  static boolean isThere(SQLException e) {
    return switch (of(e)) {
      // In an index of the catalog; a schema, a table, a column, a constraint.
      case "23505", "42P06", "42P07", "42701", "42710" -> true;
      default -> false;
    };
  }

  /** Returns whether no schema or table can have the name that one was to have. */
  static boolean isBadName(SQLException e) {
    return switch (of(e)) {
      // Reserved, invalid, too long.
      case "42939", "42602", "42622" -> true;
      default -> false;
    };
  }

  /** Returns whether a row breaks a rule of a table, such as that of its partitions. */
  static boolean isCheckViolation(SQLException e) {
    return of(e).equals(CHECK_VIOLATION);
  }

  /** Returns whether a transaction that only reads was asked to write. */
  static boolean isReadOnly(SQLException e) {
    return of(e).equals(READ_ONLY);
  }

  /** Returns the server's words, without the row that it says them of. */
  static String message(SQLException e) {
    return server(e)
        .map(ServerErrorMessage::getMessage)
        .orElseGet(() -> String.valueOf(cause(e).getMessage()))
        .strip()
        .replaceFirst("\\.$", "");
  }

  /** Returns one sentence that names the store and, where there is one, the correction. */
  static String sentence(PostgresAddress address, SQLException e) {
    String message = message(e);
    return switch (of(e)) {
      case "28P01", "28000" ->
          address.text()
              + ": the server refuses the user or the password ("
              + message
              + "); give ?user=NAME&password=env:VARIABLE";
      case NO_DATABASE ->
          address.text()
              + ": the database '"
              + address.database()
              + "' does not exist; create it: CREATE DATABASE \""
              + address.database()
              + "\"";
      case NO_PERMISSION -> address.text() + ": the user lacks a permission: " + message;
      default ->
          meaning(e) == Meaning.CONNECTION && server(e).isEmpty()
              ? unreachable(address, e)
              : address.text() + ": the server answers: " + message;
    };
  }

  private static String unreachable(PostgresAddress address, SQLException e) {
    String message = message(e);
    if (message.contains("targetServerType")) {
      return address.text()
          + " is a replica, which can't be written to; name the primary, or all of them as"
          + " host1:5432,host2:5432";
    }
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return address.text()
        + " can't be reached: "
        + (root instanceof UnknownHostException
            ? "the host " + root.getMessage() + " is unknown"
            : message)
        + "; check host and port"
        + (address.sslMode().isEmpty() ? "" : ", and that the server speaks TLS as sslmode asks");
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

  private static Optional<ServerErrorMessage> server(SQLException e) {
    return cause(e) instanceof PSQLException refused
        ? Optional.ofNullable(refused.getServerErrorMessage())
        : Optional.empty();
  }
}
