package io.tailrace.testing;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.junit.Test;

/** What a command sees of every bus that it can look through. */
public abstract class BusLogContract {
  /** Makes a topic and returns its URI, which is that of what a command reads, too. */
  protected abstract String newTopic() throws Exception;

  /** Returns the URI of a topic that is not there. */
  protected abstract String missingTopic() throws Exception;

  @Test
  public void whatComesLaterIsNewsAndNotPartOfWhatWasThere() throws Exception {
    Bus bus = newBus("a", "b", "c");
    try (BusLog log = bus.log(BusLog.Use.LOOK)) {
      publish(bus, "d");
      assertThat(read(log)).containsExactly("a", "b", "c");
      assertThat(news(log)).containsExactly("d");
      assertThat(news(log)).isEmpty();
      publish(bus, "e");
      // As often as it is asked.
      assertThat(read(log)).containsExactly("a", "b", "c");
      assertThat(news(log)).containsExactly("e");
    }
  }

  @Test
  public void whatWasThereIsKnownWhenTheLogIsClosed() throws Exception {
    Bus bus = newBus("a", "b", "c");
    Predicate<Place> extent;
    try (BusLog log = bus.log(BusLog.Use.LOOK)) {
      publish(bus, "d");
      assertThat(news(log)).containsExactly("d");
      extent = log.extent();
    }
    try (BusLog log = bus.log(BusLog.Use.LOOK)) {
      Set<String> within = new TreeSet<>();
      log.read(message -> !extent.test(message.place()) || within.add(text(message)));
      assertThat(within).containsExactly("a", "b", "c");
      assertThat(read(log)).hasSize(4);
    }
  }

  @Test
  public void whoHasSeenEnoughIsShownNoMore() throws Exception {
    try (BusLog log = newBus("a", "b", "c").log(BusLog.Use.LOOK)) {
      List<String> seen = new ArrayList<>();
      log.read(message -> seen.add(text(message)) && seen.size() < 2);
      assertThat(seen).hasSize(2);
      assertThat(read(log)).hasSize(3);
    }
  }

  @Test
  public void whatAVisitorThrowsIsThrown() throws Exception {
    try (BusLog log = newBus("a").log(BusLog.Use.LOOK)) {
      assertThat(
              assertThrows(
                  UnavailableException.class,
                  () ->
                      log.read(
                          message -> {
                            throw new UnavailableException("enough");
                          })))
          .hasMessageThat()
          .isEqualTo("enough");
    }
  }

  @Test
  public void aMessageIsShownAsItIs() throws Exception {
    Bus bus = Buses.at(newTopic());
    List<OutgoingMessage> messages =
        List.of(
            new OutgoingMessage(null, null, Headers.of(Header.of("h", ""), new Header("n", null))),
            new OutgoingMessage(new byte[] {0, -1}, new byte[0], Headers.of(Header.of("h", "ü"))),
            new OutgoingMessage(new byte[0], new byte[300_000], Messages.letterOf("one-writer")));
    publish(bus, messages);

    try (BusLog log = bus.log(BusLog.Use.LOOK)) {
      for (int i = 0; i < 2; i++) {
        List<String> shown = new ArrayList<>();
        log.read(
            message ->
                shown.add(
                    words(
                        new OutgoingMessage(
                            message.hasKey() ? message.key() : null,
                            message.hasPayload() ? message.payload() : null,
                            message.headers()))));
        assertThat(shown)
            .containsExactlyElementsIn(messages.stream().map(BusLogContract::words).toList());
      }
    }
  }

  @Test
  public void whoLooksTakesNothingAway() throws Exception {
    Bus bus = newBus("a", "b");
    for (int i = 0; i < 3; i++) {
      try (BusLog log = bus.log(BusLog.Use.LOOK)) {
        assertThat(read(log)).containsExactly("a", "b");
        assertThrows(IllegalStateException.class, () -> log.note(placeOf(log), Headers.NONE));
        assertThrows(IllegalStateException.class, () -> log.publisher(bus));
      }
    }
  }

  @Test
  public void whatIsSentAndNotedIsThereWithItsNoteWhichSaysWhereItIs() throws Exception {
    Bus bus = newBus("a");
    Bus to = Buses.at(newTopic());
    List<Place> places = new ArrayList<>();
    try (BusLog log = bus.log(BusLog.Use.SETTLE);
        BusPublisher publisher = log.publisher(to)) {
      publisher.publish(OutgoingMessage.of("sent".getBytes(UTF_8)), places::add);
      publisher.flush();
      assertThat(places).hasSize(1);
      log.note(placeOf(log), Headers.of(Header.of("about", "a")));
      log.flush();

      List<BusMessage> notes = new ArrayList<>();
      log.readNews(notes::add);
      assertThat(notes).hasSize(1);
      assertThat(notes.get(0).headers().text("about")).hasValue("a");
      assertThat(notes.get(0).hasKey()).isFalse();
      assertThat(notes.get(0).payload()).isEmpty();
    }
    try (BusLog log = to.log(BusLog.Use.LOOK)) {
      assertThat(read(log)).containsExactly("sent");
      Place there = placeOf(log);
      Place told = places.get(0);
      assertThat(List.of(told.topic(), told.partition(), told.offset(), told.messageId()))
          .isEqualTo(List.of(there.topic(), there.partition(), there.offset(), there.messageId()));
    }
    try (BusLog log = bus.log(BusLog.Use.LOOK)) {
      List<String> notes = new ArrayList<>();
      log.read(
          message -> {
            message.headers().text("about").ifPresent(notes::add);
            return true;
          });
      assertThat(notes).containsExactly("a");
    }
  }

  @Test
  public void manyMessagesAreShownEachOnce() throws Exception {
    Bus bus = Buses.at(newTopic());
    List<OutgoingMessage> messages = new ArrayList<>();
    for (int i = 0; i < 4_000; i++) {
      messages.add(OutgoingMessage.of(Integer.toString(i).getBytes(UTF_8)));
    }
    publish(bus, messages);

    try (BusLog log = bus.log(BusLog.Use.LOOK)) {
      List<String> shown = new ArrayList<>();
      log.read(message -> shown.add(text(message)));
      assertThat(shown).hasSize(4_000);
      assertThat(new TreeSet<>(shown)).hasSize(4_000);
      assertThat(news(log)).isEmpty();
    }
  }

  @Test
  public void aTopicThatIsMissingIsNamed() throws Exception {
    Bus missing = Buses.at(missingTopic());

    UnavailableException e =
        assertThrows(UnavailableException.class, () -> missing.log(BusLog.Use.LOOK).close());

    assertThat(e).hasMessageThat().contains("'" + missing.topic() + "' does not exist");
  }

  /** Returns a new topic with messages of these texts. */
  protected final Bus newBus(String... texts) throws Exception {
    Bus bus = Buses.at(newTopic());
    publish(bus, texts);
    return bus;
  }

  protected static void publish(Bus bus, String... texts) throws Exception {
    List<OutgoingMessage> messages = new ArrayList<>();
    for (String text : texts) {
      messages.add(OutgoingMessage.of(text.getBytes(UTF_8), text.getBytes(UTF_8)));
    }
    publish(bus, messages);
  }

  private static void publish(Bus bus, List<OutgoingMessage> messages) throws Exception {
    try (BusPublisher publisher = bus.publisher()) {
      for (OutgoingMessage each : messages) {
        publisher.publish(each);
      }
      publisher.flush();
    }
  }

  /** Returns the place of the first message that a log shows. */
  protected static Place placeOf(BusLog log) throws Exception {
    List<Place> places = new ArrayList<>();
    log.read(message -> !places.add(message.place()));
    return places.get(0);
  }

  protected static Set<String> read(BusLog log) throws Exception {
    Set<String> texts = new TreeSet<>();
    log.read(message -> texts.add(text(message)));
    return texts;
  }

  protected static Set<String> news(BusLog log) throws Exception {
    Set<String> texts = new TreeSet<>();
    log.readNews(message -> texts.add(text(message)));
    return texts;
  }

  private static String words(OutgoingMessage message) {
    byte[] key = message.key();
    List<String> headers = new ArrayList<>();
    message
        .headers()
        .all()
        .forEach(
            each -> {
              byte[] value = each.value();
              headers.add(each.name() + "=" + (value == null ? null : new String(value, UTF_8)));
            });
    return (key == null ? null : new String(key, UTF_8))
        + " "
        + (message.payload() == null ? null : message.bytes().length)
        + " "
        + new TreeSet<>(headers);
  }

  private static String text(BusMessage message) {
    return new String(message.payload(), UTF_8);
  }
}
