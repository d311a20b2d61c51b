package io.tailrace.pipelines.local.servers.snowflake;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** How a simulated Snowflake fails: as it is told, and as its database does. Thread-safe. */
public final class Faults {
  /** What happens instead of an answer. */
  enum Kind {
    NONE,
    /** The connection breaks, and the session is over, before anything is done. */
    CUT_BEFORE,
    /** The same when it is done. */
    CUT_BEHIND,
    REFUSE
  }

  /**
   * What happens to a statement.
   *
   * @param part of its text
   */
  record Fault(Kind kind, String part, String code, String sqlState, String message) {
    static final Fault NONE = new Fault(Kind.NONE, "", "", "", "");
  }

  private final Logins logins = new Logins();
  private final List<Fault> planned = new ArrayList<>();
  private int throttled;
  private int status;

  /** Returns who may log in. */
  public Logins logins() {
    return logins;
  }

  /** Answers the next requests with an HTTP status, such as 429 or 503, and does nothing else. */
  public synchronized void throttle(int requests, int httpStatus) {
    throttled = requests;
    status = httpStatus;
  }

  /** Breaks the connection at the next statement with a text in it, before it is run. */
  public synchronized void cutBefore(String part) {
    planned.add(new Fault(Kind.CUT_BEFORE, part, "", "", ""));
  }

  /** Runs the next statement with a text in it, and breaks the connection before the answer. */
  public synchronized void cutBehind(String part) {
    planned.add(new Fault(Kind.CUT_BEHIND, part, "", "", ""));
  }

  /** Refuses the next statement with a text in it. */
  public synchronized void refuse(String part, String code, String sqlState, String message) {
    planned.add(new Fault(Kind.REFUSE, part, code, sqlState, message));
  }

  /** Forgets all that was not met. */
  public synchronized void clear() {
    planned.clear();
    throttled = 0;
  }

  /** Returns whether all that was to go wrong has. */
  public synchronized boolean areMet() {
    return planned.isEmpty() && throttled == 0;
  }

  synchronized boolean isThrottled(String path) {
    if (throttled == 0 || !path.startsWith("/queries/")) {
      return false;
    }
    throttled--;
    return true;
  }

  synchronized int status() {
    return status;
  }

  synchronized Fault of(String sql) {
    for (Fault fault : planned) {
      if (sql.contains(fault.part)) {
        planned.remove(fault);
        return fault;
      }
    }
    return Fault.NONE;
  }

  /** Says what DuckDB says with the number that Snowflake has for it. */
  static ObjectNode answer(SQLException e) {
    String message = String.valueOf(e.getMessage());
    if (message.contains("already exists")) {
      return Answer.failure("002002", "42710", message);
    }
    if (message.startsWith("Catalog Error")) {
      return Answer.failure("002003", "42S02", message);
    }
    if (message.startsWith("Binder Error")) {
      return Answer.failure("000904", "42000", message);
    }
    if (message.startsWith("Constraint Error")) {
      return Answer.failure("100072", "22000", message);
    }
    if (message.startsWith("Conversion Error") || message.startsWith("Invalid Input Error")) {
      return Answer.failure("100038", "22018", message);
    }
    return Answer.failure("001003", "42000", message);
  }
}
