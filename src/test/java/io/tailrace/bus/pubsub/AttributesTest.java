package io.tailrace.bus.pubsub;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.common.collect.Range;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.Test;

/** What Pub/Sub has room for beside a payload. */
public class AttributesTest {
  private static final byte[] PAYLOAD = {1};

  @Test
  public void headersAreAttributesAndTheKeyIsBase64() {
    OutgoingMessage message =
        new OutgoingMessage(
            new byte[] {0, -1},
            PAYLOAD,
            Headers.of(Header.of("name", "välue"), Header.of("b", "")));

    assertThat(Attributes.of(message))
        .containsExactly("name", "välue", "b", "", "tailrace.key", "AP8=");
  }

  @Test
  public void aMessageThatHasNothingSaysSo() {
    assertThat(Attributes.of(new OutgoingMessage(null, new byte[0], Headers.NONE)))
        .containsExactly("tailrace.value", "empty");
    assertThat(Attributes.of(new OutgoingMessage(null, null, Headers.NONE)))
        .containsExactly("tailrace.value", "null");
    assertThat(Attributes.of(OutgoingMessage.of(PAYLOAD))).isEmpty();
  }

  @Test
  public void whatNoAttributeCanHoldIsHeldTogether() {
    List<Header> headers =
        List.of(
            Header.of("twice", "1"),
            Header.of("twice", "2"),
            new Header("null", null),
            new Header("bytes", new byte[] {-1}),
            Header.of("", "no name"),
            Header.of("googles", "own"),
            Header.of("n".repeat(257), "long name"),
            Header.of("long", "x".repeat(1_025)),
            Header.of("tailrace.key", "somebody's"));
    Map<String, String> attributes =
        Attributes.of(new OutgoingMessage(null, PAYLOAD, Headers.of(headers)));

    assertThat(attributes.keySet()).containsExactly("tailrace.headers", "tailrace.headers.1");
    assertThat(Attributes.message(attributes, PAYLOAD, "").headers().all())
        .containsExactlyElementsIn(headers);
  }

  @Test
  public void anyMessageComesBackAsItWas() {
    for (int seed = 0; seed < 2_000; seed++) {
      OutgoingMessage message = random(new Random(seed));
      Map<String, String> attributes = Attributes.of(message);
      attributes.forEach(
          (name, value) -> {
            assertThat(name.getBytes(UTF_8).length).isIn(Range.closed(1, 256));
            assertThat(value.getBytes(UTF_8).length).isAtMost(1_024);
          });

      OutgoingMessage read = Attributes.message(new TreeMap<>(attributes), message.bytes(), "");

      assertWithMessage("seed " + seed).that(sorted(read)).isEqualTo(sorted(message));
      assertThat(message.bytes().length > 0 || !attributes.isEmpty()).isTrue();
    }
  }

  private static OutgoingMessage sorted(OutgoingMessage message) {
    return new OutgoingMessage(
        message.key(),
        message.payload(),
        Headers.of(
            message.headers().all().stream().sorted(Comparator.comparing(Header::name)).toList()));
  }

  private static OutgoingMessage random(Random random) {
    List<Header> headers = new ArrayList<>();
    for (int i = random.nextInt(5); i > 0; i--) {
      headers.add(
          new Header(
              List.of(
                      "a",
                      "a",
                      "größe",
                      "tailrace.key",
                      "tailrace.value",
                      "tailrace.headers.1",
                      "",
                      "x".repeat(300))
                  .get(random.nextInt(8)),
              bytes(random, 1_500)));
    }
    return new OutgoingMessage(bytes(random, 3_000), bytes(random, 3), Headers.of(headers));
  }

  private static byte @Nullable [] bytes(Random random, int most) {
    if (random.nextInt(4) == 0) {
      return null;
    }
    byte[] bytes = new byte[random.nextInt(most)];
    if (random.nextBoolean()) {
      random.nextBytes(bytes);
    }
    return bytes;
  }

  @Test
  public void whatOthersPublishIsReadAsTheyMeantIt() {
    OutgoingMessage read =
        Attributes.message(
            new TreeMap<>(Map.of("tailrace.key", "not base64!", "tailrace.headers", "AAA")),
            PAYLOAD,
            "order");

    assertThat(read.key()).isEqualTo("order".getBytes(UTF_8));
    assertThat(read.headers().text("tailrace.key")).hasValue("not base64!");
  }

  @Test
  public void thereIsRoomForAHundredAttributes() {
    assertThat(Attributes.fit(withHeaders(100))).isTrue();
    assertThat(Attributes.fit(withHeaders(101))).isFalse();
    assertThat(Attributes.fit(OutgoingMessage.of(new byte[90_000], PAYLOAD))).isFalse();
  }

  private static OutgoingMessage withHeaders(int count) {
    return new OutgoingMessage(
        null,
        PAYLOAD,
        Headers.of(IntStream.range(0, count).mapToObj(i -> Header.of("h" + i, "v")).toList()));
  }
}
