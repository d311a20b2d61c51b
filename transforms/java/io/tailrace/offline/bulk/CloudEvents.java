package io.tailrace.offline.bulk;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Headers;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads what a cloud says by itself of objects in a bucket: an event of S3, as it is, in a message
 * of SQS or SNS or of EventBridge; or of Cloud Storage, as a message of Pub/Sub, whose attributes
 * are the message's headers. Stateless and thread-safe.
 */
final class CloudEvents {
  /** What is behind a text that is JSON makes it another: a protobuf may begin so. */
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  /** How many messages an event may be wrapped in. */
  private static final int MAX_DEPTH = 4;

  private static final String EVENT_TYPE = "eventType";
  private static final String FINALIZED = "OBJECT_FINALIZE";

  private CloudEvents() {}

  /**
   * Returns the addresses of the objects that were made, by an event; none of those that were
   * deleted, or of an event that is a test. Empty: it is no event.
   */
  static Optional<List<String>> created(BusMessage message) {
    Optional<List<String>> ofStorage = ofStorage(message.headers());
    if (ofStorage.isPresent()) {
      return ofStorage;
    }
    return parse(message.payload()).flatMap(json -> created(json, 0));
  }

  /** Returns whether bytes are an object in JSON, and nothing else. */
  static boolean isJson(byte[] payload) {
    return parse(payload).isPresent();
  }

  private static Optional<JsonNode> parse(byte[] payload) {
    try {
      return Optional.ofNullable(JSON.readTree(payload)).filter(JsonNode::isObject);
    } catch (IOException e) {
      // What else it is, is looked at by others.
      return Optional.empty();
    }
  }

  private static Optional<List<String>> ofStorage(Headers headers) {
    Optional<String> type = headers.text(EVENT_TYPE);
    Optional<String> bucket = headers.text("bucketId");
    Optional<String> object = headers.text("objectId");
    if (type.isEmpty() || bucket.isEmpty() || object.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        type.get().equals(FINALIZED)
            ? List.of("gs://" + bucket.get() + "/" + object.get())
            : List.of());
  }

  private static Optional<List<String>> created(JsonNode json, int depth) {
    if (json.path("Event").asText().equals("s3:TestEvent")) {
      return Optional.of(List.of());
    }
    if (json.path("Records").isArray()) {
      return records(json.path("Records"));
    }
    if (json.path("source").asText().equals("aws.s3")) {
      JsonNode detail = json.path("detail");
      return Optional.of(
          json.path("detail-type").asText().equals("Object Created")
              ? List.of(
                  "s3://"
                      + detail.path("bucket").path("name").asText()
                      + "/"
                      + detail.path("object").path("key").asText())
              : List.of());
    }
    if (json.path("kind").asText().equals("storage#object")) {
      return Optional.of(
          List.of("gs://" + json.path("bucket").asText() + "/" + json.path("name").asText()));
    }
    // SNS has it as a text, SQS too, and each may carry the other's.
    for (String wrapping : List.of("Message", "Body", "body")) {
      JsonNode inner = json.path(wrapping);
      if (inner.isTextual() && depth < MAX_DEPTH) {
        Optional<List<String>> found =
            parse(inner.asText().getBytes(StandardCharsets.UTF_8))
                .flatMap(it -> created(it, depth + 1));
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<List<String>> records(JsonNode records) {
    List<String> created = new ArrayList<>();
    for (JsonNode each : records) {
      JsonNode object = each.path("s3");
      if (object.isMissingNode()) {
        return Optional.empty();
      }
      if (each.path("eventName").asText().replaceFirst("^s3:", "").startsWith("ObjectCreated")) {
        created.add(
            "s3://"
                + object.path("bucket").path("name").asText()
                + "/"
                + decoded(object.path("object").path("key").asText()));
      }
    }
    return Optional.of(created.stream().distinct().toList());
  }

  /** Amazon encodes keys as in a form: a plus is a space. Others that speak as S3 does may not. */
  private static String decoded(String key) {
    try {
      return URLDecoder.decode(key, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return key;
    }
  }
}
