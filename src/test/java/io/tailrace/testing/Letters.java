package io.tailrace.testing;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.stage.Letter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Puts letters together again with the files that hold what had no room in them. */
public final class Letters {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Letters() {}

  /** Returns the message that a letter is of, without headers of ours. */
  public static OutgoingMessage original(OutgoingMessage letter) throws IOException {
    byte @Nullable [] key = letter.key();
    byte @Nullable [] value = letter.payload();
    List<Header> headers =
        new ArrayList<>(
            letter.headers().all().stream().filter(each -> !isOurs(each.name())).toList());
    String file = letter.headers().text(Letter.PAYLOAD_URI).orElse("");
    if (file.endsWith(".value")) {
      assertThat(value).isEmpty();
      value = Files.readAllBytes(Path.of(file));
    } else if (file.endsWith(".json")) {
      JsonNode json = JSON.readTree(Path.of(file).toFile());
      if (json.has("headers")) {
        assertThat(headers).isEmpty();
        for (JsonNode each : json.get("headers")) {
          headers.add(new Header(each.get("name").asText(), bytes(each.get("value"))));
        }
      }
      key = json.has("key") ? bytes(json.get("key")) : key;
      value = json.has("value") ? bytes(json.get("value")) : value;
    } else {
      assertThat(file).isEmpty();
    }
    return new OutgoingMessage(key, value, Headers.of(headers));
  }

  /** Returns whether a header says something of the letter. */
  public static boolean isOurs(String name) {
    return name.startsWith("tailrace.") || name.startsWith("__connect.errors.");
  }

  /** Checks that every header of ours is a short text, and all of them are not long. */
  public static void assertShort(Headers headers) {
    int all = 0;
    for (Header each : headers.all()) {
      if (isOurs(each.name())) {
        byte[] value = each.value();
        assertThat(value).isNotNull();
        assertThat(new String(value, UTF_8).getBytes(UTF_8)).isEqualTo(value);
        assertThat(value.length).isAtMost(1_000);
        all += each.name().length() + value.length;
      }
    }
    assertThat(all).isAtMost(16 << 10);
  }

  private static byte @Nullable [] bytes(JsonNode value) throws IOException {
    return value.isNull() ? null : value.binaryValue();
  }
}
