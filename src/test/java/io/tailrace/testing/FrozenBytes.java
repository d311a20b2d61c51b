package io.tailrace.testing;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.util.CoderUtils;

/**
 * What a coder made of a value when its format was frozen: savepoints have these bytes, and every
 * later version must read them. They are in a file, in a line for each: the coder, what the value
 * has ({@code full} or {@code empty}), and the bytes.
 */
public record FrozenBytes(String name, byte[] bytes) {
  /** Where they are. */
  public static final Path FILE = Path.of("src/test/resources/savepoint-bytes.txt");

  /** Returns those of a coder. */
  public static FrozenBytes of(String coder, String which) {
    String name = coder + " " + which;
    FrozenBytes found = all().get(name);
    return found == null ? new FrozenBytes(name, new byte[0]) : found;
  }

  /** Returns all by name, which is that of the coder and what the value has. */
  public static Map<String, FrozenBytes> all() {
    Map<String, FrozenBytes> all = new LinkedHashMap<>();
    try {
      for (String line : Files.readAllLines(FILE)) {
        if (!line.startsWith("#")) {
          String[] parts = line.split(": ", 2);
          assertWithMessage("a name occurs once")
              .that(all.put(parts[0], new FrozenBytes(parts[0], HexFormat.of().parseHex(parts[1]))))
              .isNull();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return all;
  }

  /** Checks that a value is still encoded as these bytes, and returns what they are decoded as. */
  public <T> T writtenFor(Coder<T> coder, T value) throws IOException {
    assertThat(name + ": " + hex(coder, value))
        .isEqualTo(name + ": " + HexFormat.of().formatHex(bytes));
    return read(coder);
  }

  /** Returns what they are decoded as, which is encoded as they are again. */
  public <T> T read(Coder<T> coder) throws IOException {
    // Fails where something is left over.
    T decoded = CoderUtils.decodeFromByteArray(coder, bytes);
    assertThat(name + ": " + hex(coder, decoded))
        .isEqualTo(name + ": " + HexFormat.of().formatHex(bytes));
    return decoded;
  }

  private static <T> String hex(Coder<T> coder, T value) throws IOException {
    return HexFormat.of().formatHex(CoderUtils.encodeToByteArray(coder, value));
  }

  /** Returns a message that has everything that a message can have. */
  public static BusMessage fullMessage(byte[] payload) {
    return BusMessage.of(
        payload,
        new byte[] {'k', -1},
        new Place("größe", "u4RxLodgRMGv2FXUeRJeKA", 300, 1L << 40, "id-1"),
        MessageTime.ofPublisher(RandomResults.START),
        Headers.of(Header.of("größe", "välue"), new Header("null", null), Header.of("", "")));
  }

  /** Returns a message that has nothing but a payload. */
  public static BusMessage bareMessage(byte[] payload) {
    return BusMessage.of(payload, Place.numbered("", 0, 0), MessageTime.ABSENT);
  }
}
