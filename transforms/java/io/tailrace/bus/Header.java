package io.tailrace.bus;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A name and a value beside the payload of a message. Immutable, as long as nobody writes into its
 * array.
 *
 * @param name may be empty
 * @param value the bytes; null where the bus has none, which is not the same as an empty value
 */
public record Header(String name, byte @Nullable [] value) {
  /** What a header takes beside its name and its value, in bytes, roughly. */
  private static final int OVERHEAD = 100;

  /** Checks the name. */
  public Header(String name, byte @Nullable [] value) {
    this.name = Objects.requireNonNull(name);
    this.value = value;
  }

  /** Returns a header whose value is a text. */
  public static Header of(String name, String value) {
    return new Header(name, value.getBytes(StandardCharsets.UTF_8));
  }

  /** Returns how many bytes a header of this name and value takes in memory, roughly. */
  public static long heldBytes(String name, byte @Nullable [] value) {
    return OVERHEAD + 2L * name.length() + (value == null ? 0 : value.length);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Header that
        && name.equals(that.name)
        && Arrays.equals(value, that.value);
  }

  @Override
  public int hashCode() {
    return 31 * name.hashCode() + Arrays.hashCode(value);
  }

  /** Names the header, never its value. */
  @Override
  public String toString() {
    return name + (value == null ? "" : " (" + value.length + " bytes)");
  }
}
