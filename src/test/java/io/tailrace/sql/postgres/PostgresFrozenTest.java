package io.tailrace.sql.postgres;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.testing.SilentServer;
import org.junit.Test;

/** A server that takes connections and answers nothing is given up in time. */
public class PostgresFrozenTest {
  /** Waiting for an answer takes a try 1 s, and pauses alone would fill 1,100 ms with some ten. */
  private static final String TIMES = "&connectTimeout=500ms&timeout=500ms&retryFor=1100ms";

  @Test
  public void aFrozenServerIsGivenUp() throws Exception {
    try (SilentServer frozen = SilentServer.start();
        PostgresSession session =
            new PostgresSession(
                PostgresServer.of(
                    EndpointUri.parse(
                        "postgresql://" + frozen.address() + "/db?sslmode=disable" + TIMES)))) {
      UnavailableException e =
          assertThrows(UnavailableException.class, () -> session.write(connection -> 0L));

      assertThat(e).hasMessageThat().contains(" can't be used for 1 s: ");
      // The first, and those that may begin within 1,100 ms of its end.
      assertThat(frozen.connections()).isAtMost(3);
    }
  }
}
