package io.tailrace.stage;

import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.Replayed;
import io.tailrace.endpoint.Micros;
import io.tailrace.v1.DeadLetter.Reason;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A dead letter, as whoever reads the topic sees it. Its value, key and headers are those of the
 * message that was refused; what is known of it are headers too, those whose names begin with
 * {@link #PREFIX}, each a text. What can't be read counts as absent. Immutable.
 */
public final class Letter {
  /** How the names of the headers begin that are ours, and replaced where a message has them. */
  public static final String PREFIX = "tailrace.";

  /** The transform that refused the message. */
  public static final String STAGE = "tailrace.stage";

  /** Why: a constant of {@link Reason}; of several, that of the first cell. */
  public static final String REASON = "tailrace.reason";

  /** How many cells were refused for each reason, as a JSON object. */
  public static final String REASONS = "tailrace.reasons";

  /** {@code true} where another configuration, clock or version helps. */
  public static final String RETRYABLE = "tailrace.retryable";

  /** Path of the field at fault. */
  public static final String FIELD = "tailrace.field";

  /** What is wrong, in a sentence. */
  public static final String MESSAGE = "tailrace.message";

  /**
   * The first cells that were refused, as a JSON array, which goes on in others: see {@link
   * #MORE_CELLS}.
   */
  public static final String CELLS = "tailrace.cells";

  /** How many headers {@code tailrace.cells.1} and so on list more cells, at most. */
  public static final int MORE_CELLS = 9;

  /** How many cells were refused. */
  public static final String CELL_COUNT = "tailrace.cell-count";

  /** The bus that the message came from, as a URI to publish to. */
  public static final String BUS = "tailrace.bus";

  /** The subscription that it was read from, where that is another thing than a topic. */
  public static final String SUBSCRIPTION = "tailrace.subscription";

  /** Its topic. */
  public static final String TOPIC = "tailrace.topic";

  /** The bus's own id of the topic, where it gives topics one. */
  public static final String TOPIC_ID = "tailrace.topic-id";

  /** The partition, where the bus has some. */
  public static final String PARTITION = "tailrace.partition";

  /** The offset, where the bus numbers its messages. */
  public static final String OFFSET = "tailrace.offset";

  /** The id of the message, where the bus names them. */
  public static final String MESSAGE_ID = "tailrace.message-id";

  /** The file that holds what of the message was too large for the dead-letter topic. */
  public static final String PAYLOAD_URI = "tailrace.payload-uri";

  /**
   * What of the original is neither here nor in a file, as there was no room for it: {@code
   * headers}, {@code key} and {@code value} with commas.
   */
  public static final String MISSING = "tailrace.missing";

  /** What the value is of the original's: {@code rows}, a file of the refused rows alone. */
  public static final String PART = "tailrace.part";

  /** On a record beside letters: which of them is settled, by its position or id there. */
  public static final String SETTLED = "tailrace.settled";

  /** How: {@code replayed}, {@code discarded}, or {@code repeated}, of one that is there twice. */
  public static final String SETTLED_AS = "tailrace.settled-as";

  /** When that was done. */
  public static final String SETTLED_AT = "tailrace.settled-at";

  /** Where a letter that was replayed is now. */
  public static final String SETTLED_TO = "tailrace.settled-to";

  /** Which letter it was, whatever its position: sixteen bytes of a hash, in hexadecimal digits. */
  public static final String SETTLED_LETTER = "tailrace.settled-letter";

  /** What addresses a message to the writer that refused it, and tells of its life before. */
  private static final Set<String> ADDRESS =
      Set.of(
          Replayed.WRITER,
          Replayed.GROUP,
          Replayed.FAILED_AT,
          Replayed.PUBLISHED_AT,
          Replayed.PUBLISHED_BY,
          Replayed.ATTEMPTS);

  private final Headers headers;
  private final Replayed sender;

  private Letter(Headers headers, Replayed sender) {
    this.headers = headers;
    this.sender = sender;
  }

  /** Returns the letter that has these headers, if they are those of a letter. */
  public static Optional<Letter> of(Headers headers) {
    return Replayed.of(headers).map(sender -> new Letter(headers, sender));
  }

  /** Returns the writer that refused the message. */
  public String writer() {
    return sender.writer();
  }

  /** Returns that writer's consumer group; empty where the letter does not say. */
  public String group() {
    return sender.group();
  }

  /** Returns how often the message has been tried. */
  public int attempts() {
    return sender.attempts();
  }

  /** Returns when it was refused. */
  public Instant failedAt() {
    return Micros.instant(Replayed.micros(text(Replayed.FAILED_AT)).orElse(0L));
  }

  /** Returns when the original was published; empty where that can't be read. */
  public Optional<Instant> publishedAt() {
    return sender.time().map(time -> Micros.instant(time.micros()));
  }

  /** Returns the transform that did. */
  public String stage() {
    return text(STAGE);
  }

  /** Returns why; {@link Reason#UNRECOGNIZED} if that is not known here. */
  public Reason reason() {
    try {
      return Reason.valueOf(text(REASON));
    } catch (IllegalArgumentException e) {
      return Reason.UNRECOGNIZED;
    }
  }

  /** Returns where the message was: the same of every letter of it. */
  public String place() {
    return text(TOPIC) + "[" + text(PARTITION) + "]@" + text(OFFSET) + text(MESSAGE_ID);
  }

  /** Returns the original's own headers, those that the letter has. */
  public List<Header> original() {
    return headers.all().stream().filter(each -> !LetterHeaders.isOurs(each.name())).toList();
  }

  /**
   * Returns the original's own headers and behind them those that address its writer: with these it
   * is sent back.
   */
  public Headers addressed() {
    return Headers.of(
        headers.all().stream()
            .filter(each -> !LetterHeaders.isOurs(each.name()) || ADDRESS.contains(each.name()))
            .toList());
  }

  /** Returns the text of a header, empty where there is none. */
  public String text(String name) {
    return headers.text(name).orElse("");
  }
}
