package io.tailrace.online;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.result.ResultDecoder;
import io.tailrace.testing.Messages;
import io.tailrace.testing.Results;
import org.junit.Test;

/** That what is held of a result until it has been written is counted. */
public class ResultWriteTest {
  @Test
  public void theWholeMessageIsHeldWithKeyAndHeaders() throws Exception {
    BusMessage plain = Messages.of(Results.of(Results.user("1")), 1);
    BusMessage large =
        BusMessage.of(
            plain.payload(),
            new byte[1_000],
            plain.place(),
            plain.ownTime(),
            Headers.of(new Header("name", new byte[20_000])));

    assertThat(held(plain)).isAtLeast(plain.heldBytes());
    assertThat(held(large)).isEqualTo(held(plain) + large.heldBytes() - plain.heldBytes());
  }

  private static long held(BusMessage message) throws Exception {
    return new ResultWrite(new ResultDecoder().decode(message)).heldBytes();
  }
}
