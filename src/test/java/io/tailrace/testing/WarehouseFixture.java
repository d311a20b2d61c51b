package io.tailrace.testing;

import org.junit.rules.ExternalResource;

/** A simulated warehouse with its stage, for the tests of a class or one of them. */
public abstract class WarehouseFixture extends ExternalResource {
  /** Returns the store's URI, with a schema for each environment. */
  public abstract String uri();

  /** Answers the next requests as a service does that is asked too much, or has a conflict. */
  public abstract void throttle();

  /** Breaks the next load off between copy and commit, and loses the answer that ends the one. */
  public abstract void breakLoads();

  /** Returns whether all that was to go wrong has. */
  public abstract boolean isHarmless();

  /** Ends all sessions, as when they were idle for too long. */
  public abstract void endSessions() throws Exception;
}
