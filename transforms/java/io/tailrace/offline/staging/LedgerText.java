package io.tailrace.offline.staging;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.collect.Iterables;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.offline.RowNumbers;
import io.tailrace.stage.Quoted;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Writes what was refused of a file as a JSON text, for ledgers that keep it in a column of texts,
 * some of which hold no more than 64 KB: so a text has at most {@link #MAX_BYTES}, whatever was
 * refused. Where all does not fit, rows share messages, then their numbers are packed; last, rows
 * between those that were refused are told with them. Stateless and thread-safe.
 */
public final class LedgerText {
  /** What a text has at most, in bytes of UTF-8. */
  public static final int MAX_BYTES = 60_000;

  /** Messages that are listed for each reason. */
  private static final int MAX_LISTED = 100;

  private static final int MAX_MESSAGE_BYTES = 500;

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final TypeReference<List<Line>> LINES = new TypeReference<>() {};

  private LedgerText() {}

  /**
   * Rows as they are written.
   *
   * @param rows their numbers
   * @param packed or these: a bit for each row of the file, deflated, in Base64
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  private record Line(
      int file, Reason reason, @Nullable RowNumbers rows, @Nullable String packed, String message) {
    static Line of(Rejected rejected) {
      return new Line(
          rejected.file(), rejected.reason(), rejected.rows(), null, rejected.message());
    }

    static Line packed(Rejected rejected) {
      return new Line(
          rejected.file(),
          rejected.reason(),
          null,
          LedgerText.packed(rejected.rows()),
          Quoted.cut(rejected.message(), MAX_MESSAGE_BYTES));
    }

    Rejected rejected() {
      RowNumbers numbers = packed == null ? rows : unpacked(packed);
      if (numbers == null) {
        throw new IllegalArgumentException("the ledger names no rows: " + this);
      }
      return new Rejected(file, reason, numbers, message);
    }
  }

  /** Writes rows that were refused. */
  public static String of(List<Rejected> rejected) {
    return fitting(
            MAX_LISTED,
            listed ->
                json(
                    united(rejected, listed).stream()
                        .map(listed == MAX_LISTED ? Line::of : Line::packed)
                        .toList()))
        .orElseGet(() -> coarse(rejected));
  }

  /**
   * Returns the first of some texts that is not too long.
   *
   * @param most how much the first one lists; each other one lists half of what the one before does
   * @param text makes the text that lists so much
   */
  public static Optional<String> fitting(int most, IntFunction<String> text) {
    for (int listed = most; listed > 0; listed /= 2) {
      String made = text.apply(listed);
      if (fits(made)) {
        return Optional.of(made);
      }
    }
    return Optional.empty();
  }

  private static boolean fits(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length <= MAX_BYTES;
  }

  /** Rows with one reason and message are one entry; beyond some, the last one's message stands. */
  private static List<Rejected> united(List<Rejected> rejected, int listed) {
    Map<Reason, Map<String, BitSet>> byReason = new EnumMap<>(Reason.class);
    for (Rejected rows : rejected) {
      Map<String, BitSet> byMessage =
          byReason.computeIfAbsent(rows.reason(), unused -> new LinkedHashMap<>());
      String message =
          byMessage.size() < listed || byMessage.containsKey(rows.message())
              ? rows.message()
              : Iterables.getLast(byMessage.keySet());
      byMessage.computeIfAbsent(message, unused -> new BitSet()).or(bits(rows.rows()));
    }
    List<Rejected> united = new ArrayList<>();
    byReason.forEach(
        (reason, byMessage) ->
            byMessage.forEach(
                (message, rows) ->
                    united.add(new Rejected(0, reason, RowNumbers.of(rows), message))));
    return united;
  }

  /** Tells rows in blocks, all of them that have one that was refused, with the first reason. */
  private static String coarse(List<Rejected> rejected) {
    BitSet all = new BitSet();
    rejected.forEach(each -> all.or(bits(each.rows())));
    Rejected first = rejected.get(0);
    for (int block = 1; ; block *= 2) {
      BitSet blocks = new BitSet();
      for (int row = all.nextSetBit(0); row >= 0; row = all.nextSetBit(row + 1)) {
        int begin = row / block * block;
        blocks.set(begin, Math.min(begin + block, all.length()));
      }
      String text =
          json(
              List.of(
                  Line.packed(
                      new Rejected(0, first.reason(), RowNumbers.of(blocks), first.message()))));
      if (fits(text)) {
        return text;
      }
    }
  }

  private static BitSet bits(RowNumbers rows) {
    BitSet bits = new BitSet();
    rows.runs().forEach(run -> bits.set(run.first(), run.first() + run.count()));
    return bits;
  }

  private static String packed(RowNumbers rows) {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (DeflaterOutputStream deflated = new DeflaterOutputStream(packed)) {
      deflated.write(bits(rows).toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException("nothing is written but to memory", e);
    }
    return Base64.getEncoder().encodeToString(packed.toByteArray());
  }

  private static RowNumbers unpacked(String packed) {
    try (InflaterInputStream inflated =
        new InflaterInputStream(new ByteArrayInputStream(Base64.getDecoder().decode(packed)))) {
      return RowNumbers.of(BitSet.valueOf(inflated.readAllBytes()));
    } catch (IOException e) {
      throw new IllegalArgumentException("the ledger holds no packed rows: " + packed, e);
    }
  }

  private static String json(List<Line> lines) {
    try {
      return JSON.writeValueAsString(lines);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("every record of texts and numbers is JSON", e);
    }
  }

  /**
   * Reads what {@link #of} wrote.
   *
   * @throws IllegalArgumentException if it is something else
   */
  public static List<Rejected> rejected(String text) {
    try {
      return JSON.readValue(text, LINES).stream().map(Line::rejected).toList();
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("the ledger holds no list of rows: " + text, e);
    }
  }
}
