package io.tailrace.offline.bulk;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.offline.staging.LedgerText;
import io.tailrace.stage.Failure;
import io.tailrace.stage.PartsDigest;
import io.tailrace.stage.Quoted;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which files were loaded, and what was refused of them, in the store's ledger: a file is known by
 * its address, its version, the operation and the hash of the mapping. Not thread-safe.
 */
final class BulkLedger {
  /** A row of an index of PostgreSQL has at most 2,704 bytes. */
  static final int MAX_NAME_BYTES = 2_000;

  /** Leaves room for the hash. */
  private static final int MAX_BEGINNING_BYTES = 1_900;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Ledger.Book book;

  BulkLedger(Ledger.Book book) {
    this.book = book;
  }

  /**
   * Returns the name of a file in the ledger, which people read, too. Addresses and operations may
   * be longer than a key of a store's index: of a long name the end is a hash of all of it.
   */
  static String name(ResultBucket.Found file, Contents contents) {
    String name =
        file.uri()
            + " version="
            + file.version()
            + " operation="
            + contents.operationId()
            + " mapping="
            + contents.mapping().hash();
    if (name.getBytes(UTF_8).length <= MAX_NAME_BYTES) {
      return name;
    }
    PartsDigest whole = new PartsDigest();
    whole.add(name);
    return Quoted.cut(name, MAX_BEGINNING_BYTES)
        + " hash="
        + HexFormat.of().formatHex(whole.take());
  }

  /** Returns what was refused of those files that are entered, by their names. */
  Map<String, Failure.Cells> find(String environment, Collection<String> names)
      throws UnavailableException {
    Map<String, Failure.Cells> found = new HashMap<>();
    for (Ledger.Entry entry : book.find(environment, names).values()) {
      found.put(entry.name(), entry.refused().map(BulkLedger::cells).orElse(Failure.Cells.NONE));
    }
    return found;
  }

  /** Enters files with what was refused of them; what is entered before is replaced. */
  void enter(String environment, Map<String, Failure.Cells> files) throws UnavailableException {
    book.enter(environment, entries(files));
  }

  /** Returns what is entered of files. */
  static List<Ledger.Entry> entries(Map<String, Failure.Cells> files) {
    Instant now = Instant.now();
    return files.entrySet().stream()
        .map(
            file ->
                new Ledger.Entry(
                    file.getKey(),
                    now,
                    List.of(),
                    Optional.of(file.getValue())
                        .filter(cells -> cells.count() > 0)
                        .map(BulkLedger::text)))
        .toList();
  }

  /** Where not all cells that are shown have room, fewer are; all are counted. */
  private static String text(Failure.Cells cells) {
    return LedgerText.fitting(
            Failure.MAX_CELLS,
            most ->
                json(
                    new Failure.Cells(
                        cells.first().stream().limit(most).toList(), cells.reasons())))
        .orElseGet(() -> json(new Failure.Cells(List.of(), cells.reasons())));
  }

  private static String json(Failure.Cells cells) {
    try {
      return JSON.writeValueAsString(cells);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("every record of texts and numbers is JSON", e);
    }
  }

  private static Failure.Cells cells(String text) {
    try {
      return JSON.readValue(text, Failure.Cells.class);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("the ledger does not say what was refused: " + text, e);
    }
  }
}
