package io.tailrace.bus;

import static com.google.common.truth.Truth.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.Test;

/** That a message which was sent back says whom it is for, and when the original was published. */
public class ReplayedTest {
  private static final long T = 1_769_860_800_123_456L;
  private static final Header WRITER = Header.of("tailrace.writer", "online-writer");
  private static final Header FAILED_AT = Header.of("tailrace.failed-at", "2026-01-31T12:00:00.5Z");

  @Test
  public void aLettersHeadersAddressItsWriterAndGroup() {
    Replayed anyGroup = replayed(WRITER, FAILED_AT).orElseThrow();
    Replayed oneGroup =
        replayed(WRITER, Header.of("tailrace.group", "blue"), FAILED_AT).orElseThrow();

    assertThat(anyGroup.isFor("online-writer", "blue")).isTrue();
    assertThat(anyGroup.isFor("offline-writer", "blue")).isFalse();
    assertThat(oneGroup.isFor("online-writer", "blue")).isTrue();
    assertThat(oneGroup.isFor("online-writer", "green")).isFalse();
    assertThat(oneGroup.isFor("offline-writer", "blue")).isFalse();
  }

  @Test
  public void aWritersNameAloneAddressesNobody() {
    for (Header[] headers :
        List.of(
            new Header[] {},
            new Header[] {WRITER},
            new Header[] {FAILED_AT},
            new Header[] {WRITER, new Header("tailrace.failed-at", null)},
            new Header[] {WRITER, Header.of("tailrace.failed-at", "yesterday")},
            new Header[] {WRITER, Header.of("tailrace.failed-at", "99999999999999999999")},
            new Header[] {new Header("tailrace.writer", null), FAILED_AT},
            new Header[] {Header.of("tailrace.writer", ""), FAILED_AT},
            new Header[] {Header.of("tailrace-writer", "online-writer"), FAILED_AT})) {
      assertThat(replayed(headers)).isEmpty();
    }
  }

  @Test
  public void theLastHeaderOfANameStands() {
    assertThat(replayed(Header.of("tailrace.writer", "x"), WRITER, FAILED_AT).orElseThrow())
        .isEqualTo(new Replayed("online-writer", "", Optional.empty(), 1));
    assertThat(replayed(WRITER, new Header("tailrace.writer", null), FAILED_AT)).isEmpty();
  }

  @Test
  public void aReplayedMessageHasTheTimeOfItsOriginal() {
    Header publishedAt = Header.of("tailrace.published-at", "2026-01-31T12:00:00.123456Z");

    assertThat(message(WRITER, FAILED_AT, publishedAt).time()).isEqualTo(MessageTime.ofBus(T));
    assertThat(message(WRITER, FAILED_AT, publishedAt).publishedAt()).isEqualTo(T);
    assertThat(
            message(WRITER, FAILED_AT, Header.of("tailrace.published-at", Long.toString(T))).time())
        .isEqualTo(MessageTime.ofBus(T));
    assertThat(
            message(WRITER, FAILED_AT, publishedAt, Header.of("tailrace.published-by", "publisher"))
                .time())
        .isEqualTo(MessageTime.ofPublisher(T));
    // Whoever copies headers has not replayed anything.
    assertThat(message(WRITER, publishedAt).time()).isEqualTo(MessageTime.ofBus(7));
    assertThat(
            message(WRITER, FAILED_AT, Header.of("tailrace.published-at", "once upon a time"))
                .time())
        .isEqualTo(MessageTime.ofBus(7));
  }

  @Test
  public void triesAreCountedFromOne() {
    for (String broken : List.of("", "0", "-3", "many", "99999999999")) {
      assertThat(
              replayed(WRITER, FAILED_AT, Header.of("tailrace.attempts", broken))
                  .orElseThrow()
                  .attempts())
          .isEqualTo(1);
    }
    assertThat(
            replayed(WRITER, FAILED_AT, Header.of("tailrace.attempts", "3"))
                .orElseThrow()
                .attempts())
        .isEqualTo(3);
  }

  private static BusMessage message(Header... headers) {
    return BusMessage.of(
        new byte[0],
        null,
        Place.numbered("results", 0, 1),
        MessageTime.ofBus(7),
        Headers.of(headers));
  }

  private static Optional<Replayed> replayed(Header... headers) {
    return Replayed.of(Headers.of(headers));
  }
}
