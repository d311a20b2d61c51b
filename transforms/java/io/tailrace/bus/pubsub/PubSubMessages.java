package io.tailrace.bus.pubsub;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Turns messages into Pub/Sub's JSON and back. Stateless and thread-safe. */
final class PubSubMessages {
  /** What a message takes beside its payload, its key and its headers, in bytes, roughly. */
  static final int MESSAGE_OVERHEAD = 150;

  private static final byte[] NOTHING = {};

  private static final JsonFactory JSON =
      JsonFactory.builder()
          // A payload of 10 MB is a text of 14 million characters.
          .streamReadConstraints(
              StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
          .build();

  /**
   * What a pull has brought.
   *
   * @param ackIds of the messages
   * @param dropped the ids of messages that there was no room for
   * @param bytes what the messages take
   */
  record Pulled(List<BusMessage> messages, List<String> ackIds, List<String> dropped, long bytes) {}

  private PubSubMessages() {}

  /** Returns a message as the publish call has it. */
  static byte[] json(OutgoingMessage message) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(message.bytes().length / 3 * 4 + 256);
    try (JsonGenerator json = JSON.createGenerator(bytes, JsonEncoding.UTF8)) {
      json.writeStartObject();
      if (message.bytes().length > 0) {
        json.writeBinaryField("data", message.bytes());
      }
      Map<String, String> attributes = Attributes.of(message);
      if (!attributes.isEmpty()) {
        json.writeObjectFieldStart("attributes");
        for (Map.Entry<String, String> each : attributes.entrySet()) {
          json.writeStringField(each.getKey(), each.getValue());
        }
        json.writeEndObject();
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException("bytes in memory can't be written", e);
    }
    return bytes.toByteArray();
  }

  /** Returns a body with ids to be acknowledged. */
  static byte[] acknowledge(List<String> ackIds) {
    return "{\"ackIds\":%s}".formatted(array(ackIds)).getBytes(UTF_8);
  }

  /** Returns a body with ids that are leased for so long from now on; zero: given back. */
  static byte[] modifyAckDeadline(List<String> ackIds, int seconds) {
    return "{\"ackDeadlineSeconds\":%d,\"ackIds\":%s}"
        .formatted(seconds, array(ackIds))
        .getBytes(UTF_8);
  }

  private static String array(List<String> texts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(bytes, JsonEncoding.UTF8)) {
      json.writeArray(texts.toArray(String[]::new), 0, texts.size());
    } catch (IOException e) {
      throw new UncheckedIOException("bytes in memory can't be written", e);
    }
    return bytes.toString(UTF_8);
  }

  /** Returns the body of a pull. */
  static byte[] pull(int maxMessages) {
    // Marked as outdated, and what a poll needs: otherwise an answer that is empty takes as long as
    // Pub/Sub likes, and all that time room has to be kept for it.
    return "{\"maxMessages\":%d,\"returnImmediately\":true}".formatted(maxMessages).getBytes(UTF_8);
  }

  /**
   * Parses the answer to a pull.
   *
   * @param subscription the place of the messages
   * @param maxBytes what they may take together; what is beyond that is dropped, but for the first
   */
  static Pulled pulled(InputStream body, String subscription, long maxBytes) throws IOException {
    Pulled pulled = new Pulled(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), 0);
    try (JsonParser json = JSON.createParser(body)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        return pulled;
      }
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        boolean isList = json.currentName().equals("receivedMessages");
        json.nextToken();
        if (!isList) {
          json.skipChildren();
          continue;
        }
        while (json.nextToken() == JsonToken.START_OBJECT) {
          pulled = add(pulled, received(json), subscription, maxBytes);
        }
      }
    }
    return pulled;
  }

  /** One that was received; without a message where that was too large. */
  private static final class Received {
    private String ackId = "";
    private String messageId = "";
    private String publishTime = "";
    private String orderingKey = "";
    private byte[] payload = NOTHING;
    private final Map<String, String> attributes = new HashMap<>();

    private BusMessage message(String subscription) {
      OutgoingMessage message = Attributes.message(attributes, payload, orderingKey);
      return BusMessage.of(
          message.payload(),
          message.key(),
          Place.identified(subscription, messageId),
          time(publishTime),
          message.headers());
    }

    private long bytes() {
      long bytes = (long) payload.length + MESSAGE_OVERHEAD;
      for (Map.Entry<String, String> each : attributes.entrySet()) {
        bytes += (long) each.getKey().length() + each.getValue().length();
      }
      return bytes;
    }
  }

  private static Pulled add(Pulled before, Received received, String subscription, long maxBytes) {
    if (received.ackId.isEmpty()) {
      return before;
    }
    long bytes = before.bytes + received.bytes();
    if (!before.messages.isEmpty() && (bytes > maxBytes || !before.dropped.isEmpty())) {
      before.dropped.add(received.ackId);
      return before;
    }
    before.messages.add(received.message(subscription));
    before.ackIds.add(received.ackId);
    return new Pulled(before.messages, before.ackIds, before.dropped, bytes);
  }

  private static Received received(JsonParser json) throws IOException {
    Received received = new Received();
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String name = json.currentName();
      json.nextToken();
      if (name.equals("ackId")) {
        received.ackId = json.getText();
      } else if (name.equals("message")) {
        message(json, received);
      } else {
        json.skipChildren();
      }
    }
    return received;
  }

  private static void message(JsonParser json, Received received) throws IOException {
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String name = json.currentName();
      JsonToken value = json.nextToken();
      switch (name) {
        case "data" -> received.payload = json.getBinaryValue();
        case "messageId" -> received.messageId = json.getText();
        case "publishTime" -> received.publishTime = json.getText();
        case "orderingKey" -> received.orderingKey = json.getText();
        case "attributes" -> {
          while (value == JsonToken.START_OBJECT && json.nextToken() == JsonToken.FIELD_NAME) {
            String attribute = json.currentName();
            json.nextToken();
            received.attributes.put(attribute, json.getText());
          }
        }
        default -> json.skipChildren();
      }
    }
  }

  /** Returns Pub/Sub's own time of a message. */
  static MessageTime time(String publishTime) {
    try {
      return MessageTime.ofBus(Micros.of(Instant.parse(publishTime)));
    } catch (DateTimeParseException e) {
      return MessageTime.ABSENT;
    }
  }
}
