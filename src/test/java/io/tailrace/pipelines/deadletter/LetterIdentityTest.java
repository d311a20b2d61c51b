package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.Test;

/** Which letters are copies of one. */
public class LetterIdentityTest {
  private static final Map<String, String> OURS =
      Map.ofEntries(
          Map.entry("tailrace.writer", "online-writer"),
          Map.entry("tailrace.group", "blue"),
          Map.entry("tailrace.stage", "DecodeResults"),
          Map.entry("tailrace.attempts", "1"),
          Map.entry("tailrace.failed-at", "2026-01-31T12:00:00Z"),
          Map.entry("tailrace.published-at", "2026-01-31T11:00:00Z"),
          Map.entry("tailrace.published-by", "bus"),
          Map.entry("tailrace.bus", "kafka://a:9092/results"),
          Map.entry("tailrace.topic", "results"),
          Map.entry("tailrace.topic-id", "id-1"),
          Map.entry("tailrace.partition", "0"),
          Map.entry("tailrace.offset", "0"));
  private static final Header OWN = Header.of("trace", "a");

  @Test
  public void aLetterThatIsWrittenAgainIsTheSameWhateverElseItSays() {
    LetterIdentity first = identity(Map.of());

    for (String name : List.of("failed-at", "message", "bus", "cells")) {
      assertWithMessage(name)
          .that(identity(Map.of("tailrace." + name, "2026-02-01T12:00:00Z")))
          .isEqualTo(first);
    }
    // Some buses keep no order of them.
    Header other = Header.of("b", "b");
    assertThat(LetterIdentity.of(letter(Map.of(), null, null, OWN, other)))
        .isEqualTo(LetterIdentity.of(letter(Map.of(), null, null, other, OWN)));
  }

  @Test
  public void aPublishersTimeIsNoPartOfIt() {
    assertThat(
            identity(
                Map.of("tailrace.published-by", "publisher", "tailrace.published-at", "another")))
        .isEqualTo(identity(Map.of("tailrace.published-by", "publisher")));
  }

  @Test
  public void whereTopicsHaveNoIdsThatOfAnotherBusIsAnother() {
    assertThat(identity(Map.of("tailrace.topic-id", "", "tailrace.bus", "kafka://b:9092/results")))
        .isNotEqualTo(identity(Map.of("tailrace.topic-id", "")));
  }

  @Test
  public void whatIsOfAnotherMessageOrRefusalIsAnother() {
    List<LetterIdentity> all = new ArrayList<>(List.of(identity(Map.of())));
    for (String name :
        List.of(
            "writer",
            "group",
            "stage",
            "attempts",
            "published-at",
            "topic",
            "topic-id",
            "partition",
            "offset",
            "payload-uri")) {
      all.add(identity(Map.of("tailrace." + name, name.equals("attempts") ? "2" : "another")));
    }
    for (byte[] bytes : new byte[][] {{}, {1}, {1, 1}}) {
      all.add(LetterIdentity.of(letter(Map.of(), bytes, null, OWN)));
      all.add(LetterIdentity.of(letter(Map.of(), null, new byte[] {7}, new Header("h", bytes))));
    }
    all.add(LetterIdentity.of(letter(Map.of(), null, null)));
    all.add(LetterIdentity.of(letter(Map.of(), null, null, OWN, OWN)));
    all.add(LetterIdentity.of(letter(Map.of(), null, null, new Header("trace", null))));
    all.add(LetterIdentity.of(letter(Map.of(), null, "value".getBytes(UTF_8), OWN)));

    assertThat(all).containsNoDuplicates();
  }

  @Test
  public void whatEarlierVersionsNotedIsKnown() {
    LetterIdentity then = LetterIdentity.parse("af410417136dfc9a6fb61e0df42064a5").orElseThrow();

    for (String id : List.of("id-1", "id-2", "")) {
      assertThat(
              LetterIdentity.ofEarlierVersions(
                  letter(Map.of("tailrace.topic-id", id), null, "value".getBytes(UTF_8))))
          .isEqualTo(then);
    }
  }

  private static LetterIdentity identity(Map<String, String> other) {
    return LetterIdentity.of(letter(other, null, null, OWN));
  }

  private static StoredLetter letter(
      Map<String, String> other, byte @Nullable [] key, byte @Nullable [] value, Header... own) {
    Map<String, String> ours = new LinkedHashMap<>(OURS);
    ours.putAll(other);
    List<Header> headers = new ArrayList<>(List.of(own));
    ours.forEach((name, text) -> headers.add(Header.of(name, text)));
    return StoredLetter.of(
            BusMessage.of(
                value,
                key,
                Place.numbered("letters", 0, 1),
                MessageTime.ABSENT,
                Headers.of(headers)))
        .orElseThrow();
  }
}
