package io.tailrace.bus;

import static com.google.common.truth.Truth.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.beam.sdk.testing.CoderProperties;
import org.apache.beam.sdk.util.CoderUtils;
import org.junit.Test;

/** That messages of a bus travel between workers. */
public class BusMessageCoderTest {
  private static final byte[] EMPTY = {};

  private static final List<BusMessage> MESSAGES =
      List.of(
          BusMessage.numbered(EMPTY, EMPTY, "", 0, 0, 0, ""),
          BusMessage.numbered(
              new byte[] {0, -1}, new byte[] {1}, "größe", 7, Long.MAX_VALUE, -1, "online-writer"),
          BusMessage.of(new byte[300], EMPTY, "subscription", -1, -1, "id-1", Long.MIN_VALUE, ""));

  @Test
  public void aMessageComesBackFromItsBytes() throws Exception {
    for (BusMessage message : MESSAGES) {
      CoderProperties.coderDecodeEncodeEqual(BusMessageCoder.of(), message);
      BusMessage copy = CoderUtils.clone(BusMessageCoder.of(), message);

      assertThat(copy.payload()).isEqualTo(message.payload());
      assertThat(copy.key()).isEqualTo(message.key());
      assertThat(copy.topic()).isEqualTo(message.topic());
      assertThat(copy.partition()).isEqualTo(message.partition());
      assertThat(copy.offset()).isEqualTo(message.offset());
      assertThat(copy.messageId()).isEqualTo(message.messageId());
      assertThat(copy.publishedAt()).isEqualTo(message.publishedAt());
      assertThat(copy.addressee()).isEqualTo(message.addressee());
    }
  }

  @Test
  public void theCoderIsSerializableAndDeterministic() throws Exception {
    CoderProperties.coderSerializable(BusMessageCoder.of());
    for (BusMessage message : MESSAGES) {
      CoderProperties.coderDeterministic(
          BusMessageCoder.of(), message, CoderUtils.clone(BusMessageCoder.of(), message));
    }
  }

  @Test
  public void messagesThatDifferAnywhereAreNotEqual() {
    BusMessage message = BusMessage.of(new byte[] {1}, new byte[] {2}, "t", 3, 4, "5", 6, "7");

    assertThat(message)
        .isEqualTo(BusMessage.of(new byte[] {1}, new byte[] {2}, "t", 3, 4, "5", 6, "7"));
    for (BusMessage other :
        Arrays.asList(
            BusMessage.of(new byte[] {9}, new byte[] {2}, "t", 3, 4, "5", 6, "7"),
            BusMessage.of(new byte[] {1}, new byte[] {9}, "t", 3, 4, "5", 6, "7"),
            BusMessage.of(new byte[] {1}, new byte[] {2}, "9", 3, 4, "5", 6, "7"),
            BusMessage.of(new byte[] {1}, new byte[] {2}, "t", 9, 4, "5", 6, "7"),
            BusMessage.of(new byte[] {1}, new byte[] {2}, "t", 3, 9, "5", 6, "7"),
            BusMessage.of(new byte[] {1}, new byte[] {2}, "t", 3, 4, "9", 6, "7"),
            BusMessage.of(new byte[] {1}, new byte[] {2}, "t", 3, 4, "5", 9, "7"),
            BusMessage.of(new byte[] {1}, new byte[] {2}, "t", 3, 4, "5", 6, "9"))) {
      assertThat(other).isNotEqualTo(message);
    }
  }

  @Test
  public void aMessageIsNamedByItsPlaceAndNotByItsContent() {
    byte[] payload = "hunter2".getBytes(StandardCharsets.UTF_8);

    assertThat(BusMessage.numbered(payload, payload, "t", 3, 4, 5, "").toString())
        .isEqualTo("t[3]@4 (7 bytes)");
    assertThat(BusMessage.of(payload, payload, "t", -1, -1, "id", 5, "").toString())
        .isEqualTo("t id (7 bytes)");
  }

  @Test
  public void aMessageToBePublishedComesBackFromItsBytes() throws Exception {
    OutgoingMessage.MessageCoder coder = OutgoingMessage.MessageCoder.of();

    CoderProperties.coderSerializable(coder);
    CoderProperties.coderDecodeEncodeEqual(coder, new OutgoingMessage(EMPTY, EMPTY, Map.of()));
    CoderProperties.coderDecodeEncodeEqual(
        coder,
        new OutgoingMessage(new byte[] {1}, new byte[] {0, -1}, Map.of("a", "größe", "b", "")));
  }
}
