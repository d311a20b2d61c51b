package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.BundleWriter;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineStore;
import io.tailrace.online.OnlineStores;
import io.tailrace.testing.OnlineWriters;
import io.tailrace.testing.Results;
import io.tailrace.testing.SilentServer;
import java.util.List;
import org.junit.Test;

/** A server that answers nothing, or says the same again and again, is given up in time. */
public class RedisFrozenTest {
  private static final long T = OnlineWriters.START;

  /** A try takes 500 ms, and pauses alone would fill the 600 ms with some ten tries. */
  private static final String TIMES = "?timeout=500ms&connectTimeout=500ms&retryFor=600ms";

  /** The first, and those that may begin within 600 ms of its end. */
  private static final int MOST_TRIES = 3;

  @Test
  public void aWriteToAFrozenServerEnds() throws Exception {
    try (SilentServer frozen = SilentServer.start();
        BundleWriter writer =
            BundleWriter.of(OnlineWriters.to("redis://" + frozen.address() + TIMES))) {
      UnavailableException e = assertThrows(UnavailableException.class, () -> write(writer));

      assertThat(e)
          .hasMessageThat()
          .isEqualTo(
              "redis://"
                  + frozen.address()
                  + TIMES
                  + " can't be used for 600 ms: "
                  + frozen.address()
                  + ": Read timed out");
      assertThat(frozen.connections()).isAtMost(MOST_TRIES);
    }
  }

  @Test
  public void aReadFromAFrozenServerEnds() throws Exception {
    try (SilentServer frozen = SilentServer.start();
        OnlineStore.Connection connection =
            OnlineStores.at("redis://" + frozen.address() + TIMES).connect()) {
      UnavailableException e =
          assertThrows(
              UnavailableException.class,
              () -> connection.read(List.of(new EntityKey("production", "user", "ann"))));

      assertThat(e).hasMessageThat().endsWith(" can't be used for 600 ms: Read timed out");
      assertThat(frozen.connections()).isAtMost(MOST_TRIES);
    }
  }

  @Test
  public void anAnswerThatSaysWhatToDoIsNotFollowedForEver() throws Exception {
    for (String answer : List.of("NOSCRIPT No matching script.", "ASK 1 SELF")) {
      try (AnsweringServer proxy = AnsweringServer.start(answer);
          BundleWriter writer =
              BundleWriter.of(OnlineWriters.to(proxy.uri() + "?retryFor=300ms"))) {
        UnavailableException e = assertThrows(UnavailableException.class, () -> write(writer));

        assertThat(e).hasMessageThat().contains(" can't be used for 300 ms: 127.0.0.1:");
        assertThat(e).hasMessageThat().contains(" answers: " + answer.substring(0, 4));
        // A hot loop would have asked some thousand times.
        assertWithMessage(answer).that(proxy.calls()).isLessThan(100);
      }
    }
  }

  private static void write(BundleWriter writer) throws Exception {
    writer.write(T, Results.of(Results.user("ann", Results.int64("age", T, 42))));
  }
}
