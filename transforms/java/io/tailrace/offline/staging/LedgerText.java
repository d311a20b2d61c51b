package io.tailrace.offline.staging;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.offline.Inserted.Rejected;
import java.util.List;

/**
 * Writes what was refused of a file as a JSON text, for ledgers that keep it in a column of texts.
 * Stateless and thread-safe.
 */
public final class LedgerText {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final TypeReference<List<Rejected>> REJECTED = new TypeReference<>() {};

  private LedgerText() {}

  /** Writes rows that were refused. */
  public static String of(List<Rejected> rejected) {
    try {
      return JSON.writeValueAsString(rejected);
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
      return JSON.readValue(text, REJECTED);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("the ledger holds no list of rows: " + text, e);
    }
  }
}
