package io.tailrace.stage;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Replayed;
import io.tailrace.endpoint.Micros;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The headers that say what is known of a letter: each a text of at most {@link
 * Failure#MAX_TEXT_BYTES}, and all of them at most {@link #MAX_BYTES}, names counted. Not
 * thread-safe.
 */
final class LetterHeaders {
  /** What all of them take at most, and how long one may be: the contract. */
  static final int MAX_BYTES = 16 << 10;

  /** What generic tools read. */
  private static final String GENERIC_TOPIC = "__connect.errors.topic";

  private static final String GENERIC_PARTITION = "__connect.errors.partition";
  private static final String GENERIC_OFFSET = "__connect.errors.offset";
  private static final String GENERIC_MESSAGE = "__connect.errors.exception.message";
  private static final Set<String> GENERIC =
      Set.of(GENERIC_TOPIC, GENERIC_PARTITION, GENERIC_OFFSET, GENERIC_MESSAGE);

  /** How long each text of a cell may be, from the longest on: what is escaped grows. */
  private static final int[] CELL_TEXTS = {500, 200, 100, 50, 25};

  private static final JsonFactory JSON = new JsonFactory();

  private final List<Header> headers = new ArrayList<>();
  private int bytes;

  /** Returns whether a header of an incoming message is one of ours. */
  static boolean isOurs(String name) {
    return name.startsWith(Letter.PREFIX) || GENERIC.contains(name);
  }

  /**
   * Says whose letter it is, and of what.
   *
   * @param bus the bus that the message came from
   */
  LetterHeaders of(Failure failure, String writer, String group, String bus) {
    BusMessage original = failure.original();
    whole(Replayed.WRITER, writer);
    whole(Replayed.GROUP, group);
    whole(Letter.STAGE, failure.stage());
    whole(
        Replayed.ATTEMPTS,
        Integer.toString(original.replayed().map(Replayed::attempts).orElse(0) + 1));
    whole(Replayed.FAILED_AT, Micros.instant(Micros.now()).toString());
    published(original);
    whole(Letter.BUS, bus);
    if (original.messageId().isEmpty()) {
      whole(Letter.TOPIC, original.topic());
      whole(Letter.TOPIC_ID, original.place().topicId());
      whole(Letter.PARTITION, Integer.toString(original.partition()));
      whole(Letter.OFFSET, Long.toString(original.offset()));
      whole(GENERIC_TOPIC, original.topic());
      whole(GENERIC_PARTITION, Integer.toString(original.partition()));
      whole(GENERIC_OFFSET, Long.toString(original.offset()));
    } else {
      // It was read from a subscription, and is published to its topic.
      String topic = bus.substring(bus.lastIndexOf('/') + 1);
      whole(Letter.SUBSCRIPTION, original.topic());
      whole(Letter.TOPIC, topic);
      whole(Letter.MESSAGE_ID, original.messageId());
      whole(GENERIC_TOPIC, topic);
    }
    if (failure.rows().isPresent()) {
      whole(Letter.PART, "rows");
    }
    whole(Letter.FIELD, failure.field());
    return this;
  }

  /** Says why. */
  LetterHeaders because(Reason reason, boolean retryable, String message) {
    whole(Letter.REASON, reason.name());
    whole(Letter.RETRYABLE, Boolean.toString(retryable));
    String cut = Quoted.cut(message, Failure.MAX_TEXT_BYTES);
    whole(Letter.MESSAGE, cut);
    whole(GENERIC_MESSAGE, cut);
    return this;
  }

  /** Says where the rest of the message is. */
  LetterHeaders payloadUri(String uri) {
    whole(Letter.PAYLOAD_URI, uri);
    return this;
  }

  /** Says what of the message is nowhere. */
  LetterHeaders missing(String parts) {
    whole(Letter.MISSING, parts);
    return this;
  }

  /** Lists the cells at fault, as many as there is room for; to be called last. */
  LetterHeaders cells(Failure failure) {
    if (failure.cellCount() == 0) {
      return this;
    }
    whole(Letter.CELL_COUNT, Integer.toString(failure.cellCount()));
    whole(Letter.REASONS, reasons(failure.reasons()));
    int number = 0;
    StringBuilder list = new StringBuilder();
    int listBytes = 0;
    for (RejectedCell cell : failure.cells()) {
      String json = json(cell);
      int more = json.getBytes(StandardCharsets.UTF_8).length + 1;
      if (listBytes > 0 && listBytes + more + 1 > Failure.MAX_TEXT_BYTES) {
        if (!cellList(number++, list) || number > Letter.MORE_CELLS) {
          return this;
        }
        list.setLength(0);
        listBytes = 0;
      }
      list.append(list.isEmpty() ? '[' : ',').append(json);
      listBytes += more;
    }
    var unused = cellList(number, list);
    return this;
  }

  private boolean cellList(int number, StringBuilder list) {
    return whole(
        number == 0 ? Letter.CELLS : Letter.CELLS + "." + number, list.append(']').toString());
  }

  List<Header> all() {
    return List.copyOf(headers);
  }

  private void published(BusMessage original) {
    Optional<MessageTime> before = original.replayed().flatMap(Replayed::time);
    long micros = before.map(MessageTime::micros).orElseGet(original::publishedAt);
    boolean byBus = original.time().by() == MessageTime.By.BUS;
    whole(Replayed.PUBLISHED_AT, Micros.instant(micros).toString());
    whole(
        Replayed.PUBLISHED_BY,
        Replayed.publishedBy(byBus ? MessageTime.By.BUS : MessageTime.By.PUBLISHER));
  }

  /** Adds a text as it is, if it says anything and there is room: half of an address is none. */
  private boolean whole(String name, String text) {
    byte[] value = text.getBytes(StandardCharsets.UTF_8);
    int more = name.length() + value.length;
    if (value.length == 0 || value.length > Failure.MAX_TEXT_BYTES || bytes + more > MAX_BYTES) {
      return false;
    }
    bytes += more;
    headers.add(new Header(name, value));
    return true;
  }

  private static String reasons(Map<Reason, Integer> counts) {
    return json(
        to -> {
          for (Map.Entry<Reason, Integer> each : counts.entrySet()) {
            to.writeNumberField(each.getKey().name(), each.getValue());
          }
        });
  }

  /** Returns a cell as JSON that fits into one header, as an array of one. */
  private static String json(RejectedCell cell) {
    String json = "";
    for (int most : CELL_TEXTS) {
      json =
          json(
              to -> {
                to.writeStringField("reason", cell.reason().name());
                to.writeStringField("namespace", Quoted.cut(cell.namespace(), most));
                to.writeStringField("key", Quoted.cut(cell.key(), most));
                to.writeStringField("feature", Quoted.cut(cell.feature(), most));
                to.writeStringField("message", Quoted.cut(cell.message(), most));
              });
      if (json.getBytes(StandardCharsets.UTF_8).length + 2 <= Failure.MAX_TEXT_BYTES) {
        break;
      }
    }
    return json;
  }

  private interface Fields {
    void write(JsonGenerator to) throws IOException;
  }

  private static String json(Fields fields) {
    // Characters, as what makes bytes refuses half a surrogate pair.
    StringWriter text = new StringWriter();
    try (JsonGenerator to = JSON.createGenerator(text)) {
      to.writeStartObject();
      fields.write(to);
      to.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException("a text in memory can't be written", e);
    }
    return text.toString();
  }
}
