package io.tailrace.bus;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.beam.sdk.coders.ByteArrayCoder;
import org.apache.beam.sdk.coders.NullableCoder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.coders.VarIntCoder;
import org.jspecify.annotations.Nullable;

/**
 * The headers of a message, in their order: a name may come more than once, and a value may be
 * absent. Immutable.
 */
public final class Headers {
  /** No headers, as most messages have. */
  public static final Headers NONE = new Headers(List.of());

  private static final NullableCoder<byte[]> VALUE = NullableCoder.of(ByteArrayCoder.of());

  private final List<Header> all;
  private final long heldBytes;

  private Headers(List<Header> all) {
    this.all = all;
    long bytes = 0;
    for (int i = 0; i < all.size(); i++) {
      bytes += Header.heldBytes(all.get(i).name(), all.get(i).value());
    }
    this.heldBytes = bytes;
  }

  /** Returns these headers, in this order. */
  public static Headers of(List<Header> headers) {
    return headers.isEmpty() ? NONE : new Headers(List.copyOf(headers));
  }

  /** Returns these headers, in this order. */
  public static Headers of(Header... headers) {
    return of(List.of(headers));
  }

  /** Returns all of them, in their order. */
  public List<Header> all() {
    return all;
  }

  /** Returns whether there are none. */
  public boolean isEmpty() {
    return all.isEmpty();
  }

  /** Returns how many bytes they take in memory, roughly; none where there are none. */
  public long heldBytes() {
    return heldBytes;
  }

  /** Returns these headers and another one behind them. */
  public Headers and(Header another) {
    List<Header> more = new ArrayList<>(all);
    more.add(another);
    return of(more);
  }

  /** Returns the value of the last header of a name as a text; empty where it has none. */
  public Optional<String> text(String name) {
    for (int i = all.size() - 1; i >= 0; i--) {
      Header header = all.get(i);
      if (header.name().equals(name)) {
        byte[] value = header.value();
        return value == null
            ? Optional.empty()
            : Optional.of(new String(value, StandardCharsets.UTF_8));
      }
    }
    return Optional.empty();
  }

  static void encode(Headers headers, OutputStream out) throws IOException {
    VarIntCoder.of().encode(headers.all.size(), out);
    for (int i = 0; i < headers.all.size(); i++) {
      Header header = headers.all.get(i);
      StringUtf8Coder.of().encode(header.name(), out);
      VALUE.encode(header.value(), out);
    }
  }

  static Headers decode(InputStream in) throws IOException {
    int count = VarIntCoder.of().decode(in);
    if (count == 0) {
      return NONE;
    }
    List<Header> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(new Header(StringUtf8Coder.of().decode(in), VALUE.decode(in)));
    }
    return of(all);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Headers that && all.equals(that.all);
  }

  @Override
  public int hashCode() {
    return all.hashCode();
  }

  /** Names the headers, never their values. */
  @Override
  public String toString() {
    return all.toString();
  }
}
