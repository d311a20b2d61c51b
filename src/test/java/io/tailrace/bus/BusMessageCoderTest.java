package io.tailrace.bus;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.testing.FrozenBytes;
import io.tailrace.testing.Messages;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.apache.beam.sdk.testing.CoderProperties;
import org.apache.beam.sdk.util.CoderUtils;
import org.junit.Test;

/** That messages of a bus travel between workers. */
public class BusMessageCoderTest {
  private static final byte[] EMPTY = {};

  private static final List<BusMessage> MESSAGES =
      List.of(
          BusMessage.of(EMPTY, EMPTY, Place.numbered("", 0, 0), MessageTime.ABSENT, Headers.NONE),
          BusMessage.of(null, null, Place.numbered("t", 0, 0), MessageTime.ABSENT, Headers.NONE),
          BusMessage.of(
              new byte[] {0, -1},
              new byte[] {1},
              new Place("größe", "an-id", 7, Long.MAX_VALUE, ""),
              MessageTime.ofPublisher(5),
              Headers.of(
                  Header.of("größe", "välue"),
                  new Header("", null),
                  new Header("größe", EMPTY),
                  new Header("größe", new byte[] {-1}))),
          BusMessage.of(
              new byte[300],
              null,
              Place.numbered("t", 1, 2),
              MessageTime.ofBus(7),
              Messages.letterOf("online-writer").and(Header.of(Replayed.PUBLISHED_AT, "12"))),
          BusMessage.of(
              new byte[300],
              Place.identified("subscription", "id-1"),
              MessageTime.ofBus(Long.MIN_VALUE)));

  @Test
  public void itsBytesAreThoseOfSavepoints() throws Exception {
    BusMessage full = FrozenBytes.fullMessage(new byte[] {0, -1});
    BusMessage empty =
        BusMessage.of(null, null, Place.numbered("", 0, 0), MessageTime.ABSENT, Headers.NONE);

    assertThat(FrozenBytes.of("BusMessageCoder", "full").writtenFor(BusMessageCoder.of(), full))
        .isEqualTo(full);
    assertThat(FrozenBytes.of("BusMessageCoder", "empty").writtenFor(BusMessageCoder.of(), empty))
        .isEqualTo(empty);
  }

  @Test
  public void theBytesOfAMessageToBePublishedAreThoseOfSavepoints() throws Exception {
    OutgoingMessage full =
        new OutgoingMessage(
            new byte[] {1},
            new byte[] {0, -1},
            Headers.of(Header.of("größe", "välue"), new Header("null", null)));
    OutgoingMessage empty = new OutgoingMessage(null, null, Headers.NONE);

    assertThat(
            FrozenBytes.of("OutgoingMessage.MessageCoder", "full")
                .writtenFor(OutgoingMessage.MessageCoder.of(), full))
        .isEqualTo(full);
    assertThat(
            FrozenBytes.of("OutgoingMessage.MessageCoder", "empty")
                .writtenFor(OutgoingMessage.MessageCoder.of(), empty))
        .isEqualTo(empty);
  }

  @Test
  public void aMessageComesBackFromItsBytes() throws Exception {
    for (BusMessage message : MESSAGES) {
      CoderProperties.coderDecodeEncodeEqual(BusMessageCoder.of(), message);
      BusMessage copy = CoderUtils.clone(BusMessageCoder.of(), message);

      assertThat(copy.payload()).isEqualTo(message.payload());
      assertThat(copy.hasPayload()).isEqualTo(message.hasPayload());
      assertThat(copy.key()).isEqualTo(message.key());
      assertThat(copy.hasKey()).isEqualTo(message.hasKey());
      assertThat(copy.place()).isEqualTo(message.place());
      assertThat(copy.time()).isEqualTo(message.time());
      assertThat(copy.headers()).isEqualTo(message.headers());
      assertThat(copy.replayed()).isEqualTo(message.replayed());
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
    byte[] one = {1};
    Place place = new Place("t", "id", 3, 4, "5");
    MessageTime time = MessageTime.ofBus(6);
    Headers headers = Headers.of(Header.of("a", "b"));
    BusMessage message = BusMessage.of(one, one, place, time, headers);

    assertThat(message)
        .isEqualTo(
            BusMessage.of(
                one.clone(),
                one.clone(),
                new Place("t", "id", 3, 4, "5"),
                MessageTime.ofBus(6),
                Headers.of(Header.of("a", "b"))));
    for (BusMessage other :
        Arrays.asList(
            BusMessage.of(new byte[] {9}, one, place, time, headers),
            BusMessage.of(null, one, place, time, headers),
            BusMessage.of(one, new byte[] {9}, place, time, headers),
            BusMessage.of(one, null, place, time, headers),
            BusMessage.of(one, one, new Place("9", "id", 3, 4, "5"), time, headers),
            BusMessage.of(one, one, new Place("t", "9", 3, 4, "5"), time, headers),
            BusMessage.of(one, one, new Place("t", "id", 9, 4, "5"), time, headers),
            BusMessage.of(one, one, new Place("t", "id", 3, 9, "5"), time, headers),
            BusMessage.of(one, one, new Place("t", "id", 3, 4, "9"), time, headers),
            BusMessage.of(one, one, place, MessageTime.ofBus(9), headers),
            BusMessage.of(one, one, place, MessageTime.ofPublisher(6), headers),
            BusMessage.of(one, one, place, time, Headers.NONE),
            BusMessage.of(one, one, place, time, Headers.of(Header.of("9", "b"))),
            BusMessage.of(one, one, place, time, Headers.of(Header.of("a", "9"))),
            BusMessage.of(one, one, place, time, Headers.of(new Header("a", null))),
            BusMessage.of(one, one, place, time, headers.and(Header.of("a", "b"))))) {
      assertThat(other).isNotEqualTo(message);
    }
    assertThat(BusMessage.of(EMPTY, EMPTY, place, time, headers))
        .isNotEqualTo(BusMessage.of(null, EMPTY, place, time, headers));
  }

  @Test
  public void aMessageIsNamedByItsPlaceAndNotByItsContent() {
    byte[] payload = "hunter2".getBytes(StandardCharsets.UTF_8);
    Headers headers = Headers.of(Header.of("token", "hunter2"), new Header("none", null));

    assertThat(
            BusMessage.of(payload, payload, Place.numbered("t", 3, 4), MessageTime.ABSENT, headers)
                .toString())
        .isEqualTo("t[3]@4 (7 bytes)");
    assertThat(BusMessage.of(payload, Place.identified("t", "id"), MessageTime.ABSENT).toString())
        .isEqualTo("t id (7 bytes)");
    assertThat(headers.toString()).isEqualTo("[token (7 bytes), none]");
    assertThat(new OutgoingMessage(null, null, headers).toString()).isEqualTo("message of 0 bytes");
  }

  @Test
  public void aMessageToBePublishedComesBackFromItsBytes() throws Exception {
    OutgoingMessage.MessageCoder coder = OutgoingMessage.MessageCoder.of();

    CoderProperties.coderSerializable(coder);
    for (OutgoingMessage message :
        List.of(
            OutgoingMessage.of(EMPTY),
            new OutgoingMessage(EMPTY, EMPTY, Headers.NONE),
            new OutgoingMessage(null, null, Headers.NONE),
            new OutgoingMessage(
                new byte[] {1},
                new byte[] {0, -1},
                Headers.of(
                    Header.of("a", "größe"), new Header("a", null), new Header("b", EMPTY))))) {
      CoderProperties.coderDecodeEncodeEqual(coder, message);
    }
    assertThat(new OutgoingMessage(EMPTY, null, Headers.NONE))
        .isNotEqualTo(new OutgoingMessage(EMPTY, EMPTY, Headers.NONE));
    assertThat(OutgoingMessage.of(EMPTY, EMPTY).key()).isNull();
  }
}
