package io.tailrace.offline.snowflake;

import io.tailrace.endpoint.Secrets;
import io.tailrace.offline.warehouse.Meaning;
import java.sql.SQLException;
import java.util.Set;

/** What a refusal of Snowflake means, by its number and its SQLSTATE. Stateless and thread-safe. */
final class SnowflakeCodes {
  private static final int THERE = 2_002;

  /** Somebody has the table for longer than this session waits. */
  static final int LOCKED = 625;

  private static final int NO_WAREHOUSE = 606;

  /** Canceled, a time that was over, a lock that is not to be had, too many that wait for it. */
  private static final Set<Integer> LATER = Set.of(604, 618, LOCKED, 630, 707, 1_044);

  /** A file that is not there or can't be read, a value that doesn't fit. */
  private static final Set<Integer> CONTENT = Set.of(91_016, 100_016, 100_069, 100_152);

  private static final Set<Integer> TABLES = Set.of(904, 2_003, 2_043);

  private SnowflakeCodes() {}

  static Meaning meaning(SQLException e) {
    int code = e.getErrorCode();
    String state = e.getSQLState() == null ? "" : e.getSQLState();
    if (code == THERE) {
      return Meaning.THERE;
    }
    if (code >= 390_000 && code < 391_000) {
      return isSession(code) ? Meaning.SESSION : Meaning.FINAL;
    }
    if (state.startsWith("08") || state.startsWith("58")) {
      // Of the driver, which could not reach anybody, or was told to come later (HTTP 429, 503).
      return Meaning.SESSION;
    }
    if (LATER.contains(code) || (state.startsWith("57") && code != NO_WAREHOUSE)) {
      return Meaning.LATER;
    }
    if (state.startsWith("40")) {
      return Meaning.LATER;
    }
    if (TABLES.contains(code)) {
      return Meaning.TABLES;
    }
    if (CONTENT.contains(code) || (code >= 100_000 && code < 101_000) || state.startsWith("22")) {
      return Meaning.CONTENT;
    }
    return state.isEmpty() && code >= 200_000 && code < 200_100 ? Meaning.SESSION : Meaning.FINAL;
  }

  /** The session or its token is over, or the driver gave up on the connection. */
  private static boolean isSession(int code) {
    return switch (code) {
      case 390_110, 390_111, 390_112, 390_113, 390_114, 390_115, 390_195 -> true;
      default -> false;
    };
  }

  /** Returns Snowflake's words on one line. */
  static String message(SQLException e) {
    return String.valueOf(e.getMessage())
        .strip()
        .replaceAll("\\s*\\R\\s*", " ")
        .replaceFirst("\\.$", "");
  }

  static String sentence(SnowflakeServer server, SQLException e) {
    String message = message(e);
    return switch (e.getErrorCode()) {
      case 390_100, 390_144 ->
          server.text()
              + ": Snowflake refuses the user, the password or the key ("
              + message
              + "); give ?user=NAME&privateKey="
              + Secrets.example()
              + ", and the public key to the user: ALTER USER … SET RSA_PUBLIC_KEY = '…'";
      case NO_WAREHOUSE ->
          server.text() + ": no warehouse computes (" + message + "); give warehouse=NAME";
      default ->
          meaning(e) == Meaning.SESSION
              ? server.text() + " can't be reached: " + message + "; check account and endpoint"
              : server.text() + ": Snowflake answers: " + message;
    };
  }
}
