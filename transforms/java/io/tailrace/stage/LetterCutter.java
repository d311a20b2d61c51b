package io.tailrace.stage;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.stage.Overflow.Part;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Makes letters that always fit: what the dead-letter topic has no room for is left out, the
 * original's headers first, then its key, then its value, and goes to a file, if there is a place
 * for that. Immutable.
 *
 * @param writer the writer whose letters these are
 * @param group its consumer group
 * @param sourceUri the bus that messages come from
 * @param topic what the dead-letter topic takes
 * @param overflow where files go
 */
record LetterCutter(
    String writer, String group, String sourceUri, Topic topic, Optional<Overflow> overflow) {

  /**
   * What a topic takes.
   *
   * @param maxBytes the largest batch, in which a letter may be alone
   * @param takes whether it has room for a message's key and headers, whatever the size
   */
  record Topic(int maxBytes, Predicate<OutgoingMessage> takes) {}

  /** A topic that takes less has no room for what a letter says of itself. */
  static final int LEAST_BYTES = 32 << 10;

  /** What a batch has besides: Kafka's takes 61 bytes, and a record some lengths. */
  private static final int ENVELOPE_BYTES = 1 << 10;

  /** What compression can add to what it can't compress: lz4, a word for each block of 64 KB. */
  private static final int INCOMPRESSIBLE = 1 << 10;

  /** The lengths of a header's name and value, as Kafka writes them. */
  private static final int HEADER_BYTES = 10;

  private static final byte[] NOTHING = {};

  /** What a letter may leave out, in the order in which that is tried. */
  private static final List<List<Part>> CUTS =
      List.of(
          List.of(Part.HEADERS),
          List.of(Part.HEADERS, Part.KEY),
          List.of(Part.VALUE),
          List.of(Part.HEADERS, Part.VALUE),
          List.of(Part.HEADERS, Part.KEY, Part.VALUE));

  /**
   * A letter that fits.
   *
   * @param reason the one that it says
   * @param toFile whether a file was written for it
   * @param bytes its size, about
   */
  record Cut(OutgoingMessage letter, Reason reason, boolean toFile, long bytes) {}

  /**
   * A message without headers of ours.
   *
   * @param value null where it has none, as in the key
   */
  private record Original(
      BusMessage message, List<Header> headers, byte @Nullable [] value, long headerBytes) {
    static Original of(Failure failure) {
      BusMessage message = failure.original();
      List<Header> headers =
          message.headers().all().stream()
              .filter(header -> !LetterHeaders.isOurs(header.name()))
              .toList();
      byte @Nullable [] value = message.hasPayload() ? message.payload() : null;
      if (failure.rows().isPresent()) {
        value = failure.rows().get();
      }
      return new Original(message, headers, value, LetterCutter.bytes(headers));
    }

    /** Returns what is sent where there is room for it. */
    OutgoingMessage whole() {
      return new OutgoingMessage(
          message.hasKey() ? message.key() : null, value, Headers.of(headers));
    }

    /** Returns how many bytes are left without these parts. */
    long without(List<Part> parts) {
      return (parts.contains(Part.HEADERS) ? 0 : headerBytes)
          + (parts.contains(Part.KEY) ? 0 : message.key().length)
          + (parts.contains(Part.VALUE) || value == null ? 0 : value.length);
    }
  }

  /** With a topic that has room for any headers. */
  LetterCutter(
      String writer, String group, String sourceUri, int maxBytes, Optional<Overflow> overflow) {
    this(writer, group, sourceUri, new Topic(maxBytes, any -> true), overflow);
  }

  /** Returns the letter of a failure. */
  Cut letter(Failure failure) throws IOException {
    Original original = Original.of(failure);
    List<Header> ours =
        described(failure)
            .because(failure.reason(), failure.retryable(), failure.message())
            .cells(failure)
            .all();
    Cut whole = cut(original, List.of(), ours, failure.reason(), false);
    if (whole.bytes <= room() && topic.takes.test(whole.letter)) {
      return whole;
    }
    List<Header> withUri = new ArrayList<>(ours);
    withUri.add(Header.of(Letter.PAYLOAD_URI, ""));
    long least = room() - LetterHeaders.MAX_BYTES - (long) HEADER_BYTES * ours.size();
    List<Part> parts =
        CUTS.stream()
            .filter(each -> original.without(each) <= least)
            .filter(
                each ->
                    topic.takes.test(cut(original, each, withUri, failure.reason(), true).letter))
            .findFirst()
            .orElseGet(() -> CUTS.get(CUTS.size() - 1));
    if (overflow.isPresent()) {
      Overflow.Owner owner = new Overflow.Owner(writer, group, failure.stage(), sourceUri);
      String uri = overflow.get().write(original.message, original.whole(), parts, owner);
      ours =
          described(failure)
              .payloadUri(uri)
              .because(failure.reason(), failure.retryable(), failure.message())
              .cells(failure)
              .all();
      return cut(original, parts, ours, failure.reason(), true);
    }
    ours =
        described(failure)
            .missing(names(parts, ","))
            .because(Reason.TOO_LARGE, false, lost(parts, failure))
            .cells(failure)
            .all();
    return cut(original, parts, ours, Reason.TOO_LARGE, false);
  }

  private LetterHeaders described(Failure failure) {
    return new LetterHeaders().of(failure, writer, group, sourceUri);
  }

  private static Cut cut(
      Original original, List<Part> parts, List<Header> ours, Reason reason, boolean toFile) {
    BusMessage message = original.message;
    List<Header> headers =
        new ArrayList<>(parts.contains(Part.HEADERS) ? List.of() : original.headers);
    headers.addAll(ours);
    return new Cut(
        new OutgoingMessage(
            parts.contains(Part.KEY) || !message.hasKey() ? null : message.key(),
            parts.contains(Part.VALUE) ? NOTHING : original.value,
            Headers.of(headers)),
        reason,
        toFile,
        original.without(parts) + bytes(ours));
  }

  /** Returns how many bytes there are in a batch for key, value and headers. */
  private long room() {
    return (long) topic.maxBytes - ENVELOPE_BYTES - topic.maxBytes / INCOMPRESSIBLE;
  }

  private static long bytes(List<Header> headers) {
    long bytes = 0;
    for (Header header : headers) {
      byte[] value = header.value();
      bytes +=
          HEADER_BYTES
              + header.name().getBytes(StandardCharsets.UTF_8).length
              + (value == null ? 0 : value.length);
    }
    return bytes;
  }

  private static String names(List<Part> parts, String between) {
    return parts.stream()
        .map(part -> part.name().toLowerCase(Locale.ROOT))
        .collect(Collectors.joining(between));
  }

  private static String lost(List<Part> parts, Failure failure) {
    return "there was no room for its "
        + names(parts, " and ")
        + " in the dead-letter topic: read it where it was, and give larger ones a place with"
        + " --deadLetterOverflow. It was refused as "
        + failure.reason()
        + ": "
        + failure.message();
  }
}
