package io.tailrace.bus;

import io.tailrace.endpoint.Micros;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What the headers of a message that was sent back from a dead-letter topic say of its life before:
 * whose letter it was, and so the one writer that it is for. {@link #WRITER} alone addresses
 * nobody: an engine may copy the headers of what it has read. Immutable.
 *
 * @param writer the writer that refused it
 * @param group that writer's consumer group; empty: any
 * @param time when the original was published; empty where that can't be read
 * @param attempts how often it has been tried
 */
public record Replayed(String writer, String group, Optional<MessageTime> time, int attempts) {
  /** Header: the writer that refused a message. */
  public static final String WRITER = "tailrace.writer";

  /** Header: that writer's consumer group. */
  public static final String GROUP = "tailrace.group";

  /** Header: when it did, as {@code 2026-01-31T12:00:00.123456Z}. */
  public static final String FAILED_AT = "tailrace.failed-at";

  /** Header: when the original was published, in the same form. */
  public static final String PUBLISHED_AT = "tailrace.published-at";

  /** Header: who says when that was, {@code bus} or {@code publisher}. */
  public static final String PUBLISHED_BY = "tailrace.published-by";

  /** Header: how often the message was tried. */
  public static final String ATTEMPTS = "tailrace.attempts";

  private static final Pattern NUMBER = Pattern.compile("-?\\d+");

  /**
   * Returns what headers say, if they are those of a letter. What can't be read counts as absent.
   */
  public static Optional<Replayed> of(Headers headers) {
    if (headers.isEmpty()) {
      return Optional.empty();
    }
    String writer = headers.text(WRITER).orElse("");
    if (writer.isEmpty() || headers.text(FAILED_AT).flatMap(Replayed::micros).isEmpty()) {
      return Optional.empty();
    }
    boolean byPublisher =
        headers
            .text(PUBLISHED_BY)
            .filter(publishedBy(MessageTime.By.PUBLISHER)::equals)
            .isPresent();
    Optional<MessageTime> time =
        headers
            .text(PUBLISHED_AT)
            .flatMap(Replayed::micros)
            .map(byPublisher ? MessageTime::ofPublisher : MessageTime::ofBus);
    int attempts = headers.text(ATTEMPTS).map(Replayed::attempts).orElse(1);
    return Optional.of(new Replayed(writer, headers.text(GROUP).orElse(""), time, attempts));
  }

  /** Returns whether the message is for a writer that reads in a group. */
  public boolean isFor(String reader, String readingGroup) {
    return writer.equals(reader) && (group.isEmpty() || group.equals(readingGroup));
  }

  /** Returns how {@link #PUBLISHED_BY} says whose time it is. */
  public static String publishedBy(MessageTime.By by) {
    return by.name().toLowerCase(Locale.ROOT);
  }

  /**
   * Returns the time that a header gives, in words or in microseconds, in microseconds since the
   * epoch; empty if it gives none.
   */
  public static Optional<Long> micros(String text) {
    try {
      return Optional.of(
          NUMBER.matcher(text).matches()
              ? Long.valueOf(text)
              : (Long) Micros.of(Instant.parse(text)));
    } catch (DateTimeParseException | NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static int attempts(String text) {
    try {
      return Math.max(1, Integer.parseInt(text));
    } catch (NumberFormatException e) {
      return 1;
    }
  }
}
