package io.tailrace.bus.pubsub;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The key and the headers of a message as attributes, which is all that Pub/Sub has beside the
 * payload: names and texts, no name twice, and none of them long.
 *
 * <p>A header that an attribute can hold is one. The key is in {@link #KEY}, as base64. What no
 * attribute can hold (a name that comes twice, bytes that are no text, a value that is absent or
 * long) is in {@link #HEADERS}. A text that is too long for one attribute goes on in others: {@code
 * tailrace.key.1} and so on. Stateless and thread-safe.
 */
final class Attributes {
  /** The key, as base64; absent where the message has none. */
  static final String KEY = "tailrace.key";

  /** The headers that can't be attributes: names and values with their lengths, as base64. */
  static final String HEADERS = "tailrace.headers";

  /** What an empty payload stands for, where that is not known otherwise. */
  static final String VALUE = "tailrace.value";

  /** A payload that is absent. */
  private static final String NULL = "null";

  /** A payload of no bytes: Pub/Sub takes no message that has nothing at all. */
  private static final String EMPTY = "empty";

  /** See https://cloud.google.com/pubsub/quotas for the limits. */
  static final int MAX_COUNT = 100;

  private static final int MAX_NAME_BYTES = 256;
  private static final int MAX_VALUE_BYTES = 1_024;

  /** Names that begin so are Google's own, and refused. */
  private static final String RESERVED = "goog";

  /** The length of a value that is absent. */
  private static final int ABSENT = -1;

  private Attributes() {}

  /** Returns whether a message's key and headers fit. */
  static boolean fit(OutgoingMessage message) {
    return of(message).size() <= MAX_COUNT;
  }

  /** Returns the attributes of a message, in the order of their names; perhaps too many. */
  static Map<String, String> of(OutgoingMessage message) {
    Map<String, String> attributes = new TreeMap<>();
    List<Header> others = new ArrayList<>();
    Set<String> names = new HashSet<>();
    Set<String> twice = new HashSet<>();
    for (Header header : message.headers().all()) {
      if (!names.add(header.name())) {
        twice.add(header.name());
      }
    }
    for (Header header : message.headers().all()) {
      Optional<String> text = twice.contains(header.name()) ? Optional.empty() : text(header);
      text.ifPresentOrElse(it -> attributes.put(header.name(), it), () -> others.add(header));
    }
    if (!others.isEmpty()) {
      put(attributes, HEADERS, Base64.getEncoder().encodeToString(bytes(others)));
    }
    byte[] key = message.key();
    if (key != null) {
      put(attributes, KEY, Base64.getEncoder().encodeToString(key));
    }
    if (message.payload() == null) {
      attributes.put(VALUE, NULL);
    } else if (message.bytes().length == 0 && attributes.isEmpty()) {
      attributes.put(VALUE, EMPTY);
    }
    return attributes;
  }

  /** Returns what an attribute can hold of a header: all or nothing. */
  private static Optional<String> text(Header header) {
    byte[] value = header.value();
    String name = header.name();
    int nameBytes = name.getBytes(UTF_8).length;
    if (value == null
        || value.length > MAX_VALUE_BYTES
        || nameBytes == 0
        || nameBytes > MAX_NAME_BYTES
        || name.toLowerCase(Locale.ROOT).startsWith(RESERVED)
        || isOfBus(name)
        || !new String(name.getBytes(UTF_8), UTF_8).equals(name)) {
      return Optional.empty();
    }
    try {
      return Optional.of(UTF_8.newDecoder().decode(ByteBuffer.wrap(value)).toString());
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
  }

  /** Returns whether an attribute is no header, but what is made of key, headers and payload. */
  private static boolean isOfBus(String name) {
    return name.equals(VALUE) || isPartOf(KEY, name) || isPartOf(HEADERS, name);
  }

  private static boolean isPartOf(String whole, String name) {
    return name.startsWith(whole)
        && (name.length() == whole.length() || name.substring(whole.length()).matches("\\.\\d+"));
  }

  private static void put(Map<String, String> attributes, String name, String text) {
    for (int part = 0, from = 0; from < text.length() || part == 0; part++) {
      int to = Math.min(text.length(), from + MAX_VALUE_BYTES);
      attributes.put(part == 0 ? name : name + "." + part, text.substring(from, to));
      from = to;
    }
  }

  /** Returns the bytes that the parts of a text hold, if they are there and are base64. */
  private static Optional<byte[]> take(Map<String, String> attributes, String name) {
    String first = attributes.get(name);
    if (first == null) {
      return Optional.empty();
    }
    StringBuilder text = new StringBuilder(first);
    int parts = 1;
    for (String more = attributes.get(name + ".1"); more != null; parts++) {
      text.append(more);
      more = attributes.get(name + "." + (parts + 1));
    }
    try {
      byte[] bytes = Base64.getDecoder().decode(text.toString());
      for (int part = 0; part < parts; part++) {
        attributes.remove(part == 0 ? name : name + "." + part);
      }
      return Optional.of(bytes);
    } catch (IllegalArgumentException e) {
      // Not of ours: then it is a header.
      return Optional.empty();
    }
  }

  /**
   * Returns the message that has these attributes.
   *
   * @param payload its bytes
   * @param orderingKey Pub/Sub's own key, which is a message's where it has no other; empty: none
   */
  static OutgoingMessage message(
      Map<String, String> attributes, byte[] payload, String orderingKey) {
    if (attributes.isEmpty() && orderingKey.isEmpty()) {
      return new OutgoingMessage(null, payload, Headers.NONE);
    }
    Map<String, String> left = new TreeMap<>(attributes);
    byte @Nullable [] key = take(left, KEY).orElse(null);
    if (key == null && !orderingKey.isEmpty()) {
      key = orderingKey.getBytes(UTF_8);
    }
    List<Header> headers = take(left, HEADERS).map(Attributes::headers).orElseGet(ArrayList::new);
    boolean isAbsent = payload.length == 0 && NULL.equals(left.get(VALUE));
    if (isAbsent || (payload.length == 0 && EMPTY.equals(left.get(VALUE)))) {
      left.remove(VALUE);
    }
    left.forEach((name, value) -> headers.add(Header.of(name, value)));
    return new OutgoingMessage(key, isAbsent ? null : payload, Headers.of(headers));
  }

  private static byte[] bytes(List<Header> headers) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      for (Header header : headers) {
        byte[] name = header.name().getBytes(UTF_8);
        byte[] value = header.value();
        out.writeInt(name.length);
        out.write(name);
        out.writeInt(value == null ? ABSENT : value.length);
        out.write(value == null ? new byte[0] : value);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("bytes in memory can't be written", e);
    }
    return bytes.toByteArray();
  }

  /** Returns headers; as many as can be read, where somebody else has made the bytes. */
  private static List<Header> headers(byte[] bytes) {
    List<Header> headers = new ArrayList<>();
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      while (in.available() > 0) {
        byte[] name = in.readNBytes(Math.max(0, in.readInt()));
        int length = in.readInt();
        byte @Nullable [] value = length == ABSENT ? null : in.readNBytes(Math.max(0, length));
        headers.add(new Header(new String(name, UTF_8), value));
      }
    } catch (IOException e) {
      return headers;
    }
    return headers;
  }
}
