package io.tailrace.testing;

import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.staging.StagedStore;
import java.util.List;
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

  /** Ends what is done before the next statement that holds a text. */
  public abstract void cutBefore(String text);

  /** Loses the answer to the next statement that holds a text. */
  public abstract void cutBehind(String text);

  /** Runs a statement as somebody else. */
  public abstract void execute(String statement) throws Exception;

  /** Returns the statements that were sent, and forgets them. */
  public abstract List<String> statementsSent();

  /** Forgets all that was stored, staged and said. */
  public abstract void clear(String... schemas) throws Exception;

  /** Returns the store with more parameters, which stand in the place of those of the URI. */
  public final StagedStore store(String more) {
    String uri = more.contains("retryFor=") ? uri().replace("&retryFor=1s", "") : uri();
    return (StagedStore) OfflineStores.at(uri + more);
  }

  /** Ends all sessions, as when they were idle for too long. */
  public abstract void endSessions() throws Exception;
}
