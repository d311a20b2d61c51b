package io.tailrace.stage;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.bus.Bus;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Buses;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.bus.Replayed;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.testing.Letters;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** What a letter says, and that it fits whatever its message is like. */
public class LetterCutterTest {
  private static final long T = 1_769_860_800_123_456L;
  private static final String BUS = "kafka://b:9092/results";
  private static final int MOST = 64 << 10;
  private static final ObjectMapper JSON = new ObjectMapper();

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private static final BusMessage MESSAGE =
      BusMessage.of(
          "payload".getBytes(UTF_8),
          "key".getBytes(UTF_8),
          Place.numbered("results", 7, 42),
          MessageTime.ofBus(T),
          Headers.of(Header.of("trace", "a"), new Header("trace", null)));

  @Test
  public void aLetterIsTheOriginalWithHeadersThatSayWhatIsKnownOfIt() throws Exception {
    long before = Micros.now();

    OutgoingMessage letter =
        letter(Failure.ofMessage("DecodeResults", Reason.UNKNOWN_TYPE, "frames[0]", "no", MESSAGE));

    assertThat(letter.key()).isEqualTo(MESSAGE.key());
    assertThat(letter.payload()).isEqualTo(MESSAGE.payload());
    assertThat(letter.headers().all().subList(0, 2)).isEqualTo(MESSAGE.headers().all());
    Map<String, String> ours = ours(letter);
    assertThat(Micros.of(java.time.Instant.parse(ours.remove("tailrace.failed-at"))))
        .isAtLeast(before);
    assertThat(ours)
        .containsExactly(
            "tailrace.writer", "online-writer",
            "tailrace.group", "blue",
            "tailrace.stage", "DecodeResults",
            "tailrace.reason", "UNKNOWN_TYPE",
            "tailrace.retryable", "true",
            "tailrace.field", "frames[0]",
            "tailrace.message", "no",
            "tailrace.attempts", "1",
            "tailrace.bus", BUS,
            "tailrace.topic", "results",
            "tailrace.partition", "7",
            "tailrace.offset", "42",
            "tailrace.published-at", "2026-01-31T12:00:00.123456Z",
            "tailrace.published-by", "bus",
            "__connect.errors.topic", "results",
            "__connect.errors.partition", "7",
            "__connect.errors.offset", "42",
            "__connect.errors.exception.message", "no");
    assertThat(Replayed.of(letter.headers()).orElseThrow().isFor("online-writer", "blue")).isTrue();
  }

  @Test
  public void aMessageWithAnIdIsNamedByIt() throws Exception {
    BusMessage message =
        BusMessage.of(new byte[1], Place.identified("subscription", "id-1"), MessageTime.ABSENT);

    Map<String, String> ours =
        ours(letter(Failure.ofMessage("DecodeResults", Reason.UNDECODABLE, "", "no", message)));

    assertThat(ours).containsEntry("tailrace.message-id", "id-1");
    assertThat(ours).containsEntry("tailrace.published-by", "publisher");
    assertThat(ours).doesNotContainKey("tailrace.partition");
    assertThat(ours).doesNotContainKey("__connect.errors.offset");
    assertThat(ours).doesNotContainKey("tailrace.field");
  }

  @Test
  public void aMessageOfASubscriptionNamesItAndTheTopicThatItCanBeSentBackTo() throws Exception {
    BusMessage message =
        BusMessage.of(new byte[1], Place.identified("results-online", "17"), MessageTime.ABSENT);
    LetterCutter cutter =
        new LetterCutter(
            "online-writer",
            "results-online",
            "pubsub://my-project/results",
            MOST,
            Optional.empty());

    Map<String, String> ours = ours(cutter.letter(refused(message)).letter());

    assertThat(ours).containsEntry("tailrace.bus", "pubsub://my-project/results");
    assertThat(ours).containsEntry("tailrace.topic", "results");
    assertThat(ours).containsEntry("tailrace.subscription", "results-online");
    assertThat(ours).containsEntry("tailrace.message-id", "17");
    assertThat(ours).containsEntry("__connect.errors.topic", "results");
  }

  @Test
  public void whatATopicHasNoPlaceForGoesToAFileHoweverSmallItIs() throws Exception {
    // As Pub/Sub, which takes a hundred attributes.
    Bus bus = Buses.at("pubsub://my-project/letters?emulator=localhost:1");
    List<Header> many = new ArrayList<>();
    for (int i = 0; i < 95; i++) {
      many.add(Header.of("h" + i, "v"));
    }
    for (BusMessage message :
        List.of(
            message(new byte[] {2}, new byte[] {1}, Headers.of(many)),
            message(new byte[] {2}, new byte[90_000], Headers.NONE))) {
      LetterCutter.Topic topic = new LetterCutter.Topic(7_000_000, bus::takes);
      OutgoingMessage withFile =
          new LetterCutter("w", "g", BUS, topic, Optional.of(overflow()))
              .letter(refused(message))
              .letter();
      OutgoingMessage without =
          new LetterCutter("w", "g", BUS, topic, Optional.empty())
              .letter(refused(message))
              .letter();

      for (OutgoingMessage letter : List.of(withFile, without)) {
        assertThat(bus.takes(letter)).isTrue();
        assertThat(letter.payload()).isEqualTo(new byte[] {2});
      }
      assertThat(ours(withFile)).containsKey("tailrace.payload-uri");
      assertThat(ours(without)).containsEntry("tailrace.reason", "TOO_LARGE");
    }
  }

  @Test
  public void rejectedCellsAreListedAndCounted() throws Exception {
    List<RejectedCell> cells = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      cells.add(
          new RejectedCell(
              i == 0 ? Reason.TOO_LARGE : Reason.MISSING_FIELD, "user", "u" + i, "user.age", "no"));
    }
    Failure failure =
        Failure.ofCells(
            "WriteOnline",
            Reason.TOO_LARGE,
            "some",
            new Failure.Cells(cells, Map.of(Reason.TOO_LARGE, 1, Reason.MISSING_FIELD, 899)),
            MESSAGE);

    Map<String, String> ours = ours(letter(failure));

    assertThat(ours).containsEntry("tailrace.cell-count", "900");
    assertThat(JSON.readTree(ours.get("tailrace.reasons")))
        .isEqualTo(JSON.readTree("{\"TOO_LARGE\":1,\"MISSING_FIELD\":899}"));
    assertThat(JSON.readTree(ours.get("tailrace.cells")).get(0))
        .isEqualTo(
            JSON.readTree(
                """
                {"reason":"TOO_LARGE","namespace":"user","key":"u0","feature":"user.age","message":"no"}
                """));
    int listed = 0;
    for (String name : cellHeaders(ours)) {
      for (JsonNode cell : JSON.readTree(ours.get(name))) {
        assertThat(cell.get("key").asText()).isEqualTo("u" + listed++);
      }
    }
    assertThat(listed).isAtLeast(80);
  }

  @Test
  public void longNamesLeaveLessRoomForCells() throws Exception {
    String name = "n".repeat(900);
    // Two of them fill a header.
    String text = "t".repeat(200);
    List<RejectedCell> cells =
        Collections.nCopies(
            100, new RejectedCell(Reason.TOO_LARGE, "user", text, "user.age", text));
    Failure failure =
        Failure.ofCells(
            name,
            Reason.TOO_LARGE,
            "m".repeat(2_000),
            new Failure.Cells(cells, Map.of(Reason.TOO_LARGE, 100)),
            BusMessage.of(new byte[9], Place.numbered(name, 0, 0), MessageTime.ofBus(0)));

    Headers headers =
        new LetterCutter(name, name, "kafka://" + name, MOST, Optional.empty())
            .letter(failure)
            .letter()
            .headers();

    // Sixteen kilobytes: all names are there, and not all of the cells that there is a place for.
    Letters.assertShort(headers);
    assertThat(headers.text("tailrace.writer")).hasValue(name);
    assertThat(headers.text("tailrace.cells")).isPresent();
    assertThat(headers.text("tailrace.cells.9")).isEmpty();
  }

  @Test
  public void headersOfOursOnAMessageAreReplaced() throws Exception {
    List<Header> before =
        new ArrayList<>(
            List.of(
                Header.of("mine", "1"),
                Header.of("tailrace.writer", "online-writer"),
                Header.of("tailrace.failed-at", "2026-01-31T12:00:00Z"),
                Header.of("tailrace.attempts", "2"),
                Header.of("tailrace.published-at", "2026-01-30T12:00:00Z"),
                Header.of("tailrace.published-by", "publisher"),
                Header.of("tailrace.cells.3", "[]"),
                Header.of("tailrace.payload-uri", "/old"),
                new Header("tailrace.reason", null),
                Header.of("__connect.errors.topic", "old"),
                Header.of("mine", "2")));

    OutgoingMessage letter = letter(refused(message(new byte[1], null, Headers.of(before))));

    assertThat(Letters.original(letter).headers())
        .isEqualTo(Headers.of(Header.of("mine", "1"), Header.of("mine", "2")));
    Map<String, String> ours = ours(letter);
    assertThat(ours).containsEntry("tailrace.attempts", "3");
    assertThat(ours).containsEntry("tailrace.published-at", "2026-01-30T12:00:00Z");
    assertThat(ours).containsEntry("tailrace.published-by", "publisher");
    assertThat(ours).containsEntry("tailrace.topic", "results");
    assertThat(ours).doesNotContainKey("tailrace.cells.3");
    assertThat(ours).doesNotContainKey("tailrace.payload-uri");
  }

  @Test
  public void aPublishersTimeFromLongAgoIsNoTimeOfPublication() throws Exception {
    long before = Micros.now();
    BusMessage message =
        BusMessage.of(new byte[1], Place.numbered("t", 0, 0), MessageTime.ofPublisher(5));

    Map<String, String> ours = ours(letter(refused(message)));

    assertThat(Micros.of(java.time.Instant.parse(ours.get("tailrace.published-at"))))
        .isAtLeast(before);
    assertThat(ours).containsEntry("tailrace.published-by", "publisher");
  }

  @Test
  public void whatIsAbsentStaysAbsentAndWhatIsEmptyEmpty() throws Exception {
    for (byte[] bytes : new byte[][] {null, {}, {1}}) {
      OutgoingMessage letter = letter(refused(message(bytes, bytes, Headers.NONE)));

      assertThat(letter.key()).isEqualTo(bytes);
      assertThat(letter.payload()).isEqualTo(bytes);
    }
  }

  @Test
  public void rowsOfAFileStandForTheFile() throws Exception {
    OutgoingMessage letter = letter(refused(MESSAGE).ofRows(new byte[] {4, 2}));

    assertThat(letter.payload()).isEqualTo(new byte[] {4, 2});
    assertThat(letter.key()).isEqualTo(MESSAGE.key());
    assertThat(ours(letter)).containsEntry("tailrace.part", "rows");
  }

  @Test
  public void whatHasNoRoomGoesHeadersFirstThenKeyThenValue() throws Exception {
    byte[] much = new byte[MOST];
    Headers large = Headers.of(new Header("large", much), new Header("large", null));
    byte[] some = {1};

    assertMoved(message(some, some, large), Set.of("headers"));
    assertMoved(message(some, much, Headers.NONE), Set.of("headers", "key"));
    assertMoved(message(some, much, large), Set.of("headers", "key"));
    assertMoved(message(null, much, large), Set.of("headers", "key"));
    assertMoved(message(much, some, MESSAGE.headers()), Set.of());
    assertMoved(message(much, null, large), Set.of("headers", "value"));
    assertMoved(message(much, much, large), Set.of("headers", "key", "value"));
    // Many headers without a byte have a size too.
    assertMoved(
        message(some, some, Headers.of(Collections.nCopies(20_000, new Header("", null)))),
        Set.of("headers"));
  }

  @Test
  public void withoutAPlaceForItALetterSaysWhereItsMessageWas() throws Exception {
    LetterCutter.Cut cut =
        new LetterCutter("online-writer", "blue", BUS, MOST, Optional.empty())
            .letter(
                Failure.ofMessage(
                    "DecodeResults",
                    Reason.UNKNOWN_TYPE,
                    "frames[0]",
                    "no",
                    message(new byte[MOST], new byte[] {1}, MESSAGE.headers())));

    assertThat(cut.reason()).isEqualTo(Reason.TOO_LARGE);
    assertThat(cut.toFile()).isFalse();
    assertThat(cut.letter().payload()).isEmpty();
    assertThat(cut.letter().key()).isEqualTo(new byte[] {1});
    Map<String, String> ours = ours(cut.letter());
    assertThat(ours).containsEntry("tailrace.reason", "TOO_LARGE");
    assertThat(ours).containsEntry("tailrace.retryable", "false");
    assertThat(ours).containsEntry("tailrace.field", "frames[0]");
    assertThat(ours).containsEntry("tailrace.offset", "42");
    assertThat(ours.get("tailrace.message"))
        .isEqualTo(
            "there was no room for its value in the dead-letter topic: read it where it was, and"
                + " give larger ones a place with --deadLetterOverflow. It was refused as"
                + " UNKNOWN_TYPE: no");
    assertThat(ours).doesNotContainKey("tailrace.payload-uri");
  }

  @Test
  public void withoutAPlaceForItALetterNamesWhatIsMissing() throws Exception {
    byte[] much = new byte[MOST];
    Headers large = Headers.of(new Header("large", much));
    byte[] some = {1};

    assertThat(missing(message(some, some, large))).isEqualTo("headers");
    assertThat(missing(message(some, much, large))).isEqualTo("headers,key");
    assertThat(missing(message(much, some, MESSAGE.headers()))).isEqualTo("value");
    assertThat(missing(message(much, much, large))).isEqualTo("headers,key,value");
    assertThat(missing(message(some, some, MESSAGE.headers()))).isNull();
    assertThat(ours(letter(refused(message(some, some, large)))))
        .doesNotContainKey("tailrace.missing");
  }

  private static @Nullable String missing(BusMessage message) throws IOException {
    return ours(new LetterCutter("online-writer", "blue", BUS, MOST, Optional.empty())
            .letter(refused(message))
            .letter())
        .get("tailrace.missing");
  }

  @Test
  public void everyLetterOfAMessageHasAFileOfItsOwn() throws Exception {
    BusMessage large = message(new byte[MOST], null, Headers.NONE);
    List<String> files = new ArrayList<>();
    for (String writer : List.of("online-writer", "offline-writer")) {
      for (String group : List.of("blue", "green")) {
        for (String stage : List.of("DecodeResults", "WriteOnline")) {
          LetterCutter cutter = new LetterCutter(writer, group, BUS, MOST, Optional.of(overflow()));
          Failure failure = Failure.ofMessage(stage, Reason.UNDECODABLE, "", "no", large);
          files.add(ours(cutter.letter(failure).letter()).get("tailrace.payload-uri"));
        }
      }
    }

    assertThat(files).containsNoDuplicates();
    for (String file : files) {
      assertThat(Path.of(file).getFileName().toString())
          .matches("results-7-42-[0-9a-f]{32}\\.value");
    }
  }

  @Test
  public void noTwoMessagesShareAFileAndOneThatComesAgainHasTheSame() throws Exception {
    byte[] value = new byte[MOST];
    byte[] other = value.clone();
    other[7] = 1;
    MessageTime time = MessageTime.ABSENT;
    String long1 = "t".repeat(240) + "1";
    List<BusMessage> different =
        List.of(
            BusMessage.of(value, Place.numbered("a", 0, 1), time),
            BusMessage.of(other, Place.numbered("a", 0, 1), time),
            BusMessage.of(value, new Place("a", "made anew", 0, 1, ""), time),
            BusMessage.of(value, Place.numbered("a", 1, 1), time),
            BusMessage.of(value, Place.numbered("a", 0, 11), time),
            BusMessage.of(value, Place.numbered(long1, 0, 1), time),
            BusMessage.of(value, Place.numbered("t".repeat(240) + "2", 0, 1), time),
            BusMessage.of(value, Place.identified("projects/p/subscriptions/s", "1"), time),
            BusMessage.of(value, Place.identified("projects/p/subscriptions/s", "../2"), time));

    List<String> files = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      for (BusMessage each : different) {
        files.add(ours(letter(refused(each))).get("tailrace.payload-uri"));
      }
    }
    files.add(
        ours(new LetterCutter(
                    "online-writer",
                    "blue",
                    "kafka://another:9092/a",
                    MOST,
                    Optional.of(overflow()))
                .letter(refused(different.get(0)))
                .letter())
            .get("tailrace.payload-uri"));

    assertThat(Set.copyOf(files)).hasSize(different.size() + 1);
    assertThat(files.subList(0, different.size()))
        .isEqualTo(files.subList(different.size(), 2 * different.size()));
    try (Stream<Path> written = Files.list(folder.getRoot().toPath())) {
      assertThat(written.map(Path::toString).toList()).containsExactlyElementsIn(Set.copyOf(files));
    }
  }

  @Test
  public void anyFailureOfAnyMessageIsALetterThatFits() throws Exception {
    Random random = new Random(7);
    for (int round = 0; round < 400; round++) {
      int most = LetterCutter.LEAST_BYTES + random.nextInt(MOST);
      boolean keeps = random.nextBoolean();
      Failure failure = failure(random, most);

      LetterCutter.Cut cut =
          new LetterCutter(
                  text(random, 300),
                  text(random, 300),
                  "kafka://" + text(random, 1_200),
                  most,
                  keeps ? Optional.of(overflow()) : Optional.empty())
              .letter(failure);

      Letters.assertShort(cut.letter().headers());
      assertThat(size(cut.letter())).isAtMost(most - 1_024);
      assertThat(cut.letter().headers().text("tailrace.reason")).hasValue(cut.reason().name());
      assertThat(cut.letter().headers().text("tailrace.offset")).isPresent();
      if (keeps) {
        OutgoingMessage original = Letters.original(cut.letter());
        BusMessage message = failure.original();
        assertThat(original.key()).isEqualTo(message.hasKey() ? message.key() : null);
        assertThat(original.payload())
            .isEqualTo(failure.rows().orElse(message.hasPayload() ? message.payload() : null));
        assertThat(original.headers()).isEqualTo(message.headers());
        assertThat(cut.reason()).isEqualTo(failure.reason());
      }
    }
  }

  @Test
  public void aPlaceThatCannotBeWrittenIsNamed() throws Exception {
    Path file = folder.newFile().toPath();

    UnavailableException e =
        assertThrows(
            UnavailableException.class,
            () -> Overflow.in(file.resolve("below").toString()).check());
    assertThat(e).hasMessageThat().contains("'" + file + "/below' can't be written");

    overflow().check();
    assertThat(folder.getRoot().list()).asList().containsExactly(file.getFileName().toString());
  }

  @Test
  public void aPlaceThatNothingHereWritesToIsRefused() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Overflow.in("nowhere://bucket"));

    assertThat(e).hasMessageThat().contains("'nowhere://bucket'");
    assertThat(e).hasMessageThat().contains("the Beam file system for it");
    assertThrows(IllegalArgumentException.class, () -> Overflow.in("/" + "d".repeat(700)));
  }

  private void assertMoved(BusMessage message, Set<String> inJson) throws Exception {
    LetterCutter.Cut cut = cutter().letter(refused(message));

    assertThat(cut.toFile()).isTrue();
    assertThat(size(cut.letter())).isAtMost(MOST - 1_024);
    String file = ours(cut.letter()).get("tailrace.payload-uri");
    if (inJson.isEmpty()) {
      assertThat(Files.readAllBytes(Path.of(file))).isEqualTo(message.payload());
    } else {
      Set<String> found = new java.util.HashSet<>();
      JSON.readTree(Path.of(file).toFile()).fieldNames().forEachRemaining(found::add);
      assertThat(found).isEqualTo(inJson);
    }
    OutgoingMessage original = Letters.original(cut.letter());
    assertThat(original.payload()).isEqualTo(message.hasPayload() ? message.payload() : null);
    assertThat(original.key()).isEqualTo(message.hasKey() ? message.key() : null);
    assertThat(original.headers()).isEqualTo(message.headers());
  }

  private static Failure failure(Random random, int most) {
    Headers headers = Headers.NONE;
    for (int i = random.nextInt(5); i > 0; i--) {
      headers = headers.and(new Header(text(random, 1 << random.nextInt(15)), bytes(random, most)));
    }
    BusMessage message = message(bytes(random, 2 * most), bytes(random, most), headers);
    Reason reason = Reason.forNumber(random.nextInt(Reason.values().length - 1));
    if (random.nextInt(3) == 0) {
      return Failure.ofMessage(
          text(random, 50), reason, text(random, 3_000), text(random, 600_000), message);
    }
    RejectedCells cells = new RejectedCells();
    for (int i = random.nextInt(150); i >= 0; i--) {
      cells.add(
          Reason.forNumber(random.nextInt(Reason.values().length - 1)),
          text(random, 1_000),
          text(random, 1_000),
          text(random, 1_000),
          text(random, 3_000),
          1 + random.nextInt(1_000_000));
    }
    Failure failure = cells.failure("WriteOnline", message).orElseThrow();
    byte[] rows = bytes(random, 2 * most);
    return random.nextBoolean() || rows == null ? failure : failure.ofRows(rows);
  }

  private static byte @Nullable [] bytes(Random random, int most) {
    if (random.nextInt(5) == 0) {
      return null;
    }
    byte[] bytes = new byte[random.nextInt(3) == 0 ? random.nextInt(most) : random.nextInt(100)];
    random.nextBytes(bytes);
    return bytes;
  }

  /** Texts of every kind, those that JSON makes longer and halves of surrogate pairs among them. */
  private static String text(Random random, int most) {
    int length = 1 + random.nextInt(Math.max(1, most));
    String some =
        List.of("a", "\0", "\"", "ö", "中", "\uD83D\uDE00", "\uD83D").get(random.nextInt(7));
    return some.repeat(length);
  }

  private static BusMessage message(
      byte @Nullable [] value, byte @Nullable [] key, Headers headers) {
    return BusMessage.of(
        value, key, Place.numbered("results", 7, 42), MessageTime.ofBus(T), headers);
  }

  private static Failure refused(BusMessage message) {
    return Failure.ofMessage("DecodeResults", Reason.UNDECODABLE, "", "no", message);
  }

  private OutgoingMessage letter(Failure failure) throws IOException {
    return cutter().letter(failure).letter();
  }

  private LetterCutter cutter() {
    return new LetterCutter("online-writer", "blue", BUS, MOST, Optional.of(overflow()));
  }

  private Overflow overflow() {
    return Overflow.in(folder.getRoot().toString());
  }

  private static Map<String, String> ours(OutgoingMessage letter) {
    return letter.headers().all().stream()
        .filter(each -> Letters.isOurs(each.name()))
        // A name that came twice would fail here.
        .collect(Collectors.toMap(Header::name, each -> new String(each.value(), UTF_8)));
  }

  private static List<String> cellHeaders(Map<String, String> ours) {
    List<String> names = new ArrayList<>(List.of(Letter.CELLS));
    for (int i = 1; i <= Letter.MORE_CELLS; i++) {
      names.add(Letter.CELLS + "." + i);
    }
    return names.stream().filter(ours::containsKey).toList();
  }

  /** Returns what a record of Kafka takes, as its own code counts it. */
  private static int size(OutgoingMessage letter) {
    List<org.apache.kafka.common.header.Header> headers = new ArrayList<>();
    letter
        .headers()
        .all()
        .forEach(
            each ->
                headers.add(
                    new org.apache.kafka.common.header.internals.RecordHeader(
                        each.name(), each.value())));
    return org.apache.kafka.common.record.DefaultRecordBatch.sizeInBytes(
        List.of(
            new org.apache.kafka.common.record.SimpleRecord(
                0,
                letter.key(),
                letter.payload(),
                headers.toArray(org.apache.kafka.common.header.Header[]::new))));
  }
}
