package io.tailrace.pipelines.local.proof;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A store beside its model.
 *
 * @param read what was read back, in words
 * @param stored how many cells, rows or series were read back
 * @param departures how much of it is not as it must be, by the way in which it is not
 * @param first the first differences, in words
 */
public record ComparedStore(
    String read, long stored, Map<Departure, Long> departures, List<String> first) {
  /** Returns how much of it is not as it must be. */
  public long differences() {
    return Departure.total(departures);
  }

  /** Says what was read back, and whether it is right. */
  public String inWords() {
    return read
        + ": "
        + (differences() == 0
            ? "all as they must be"
            : String.format(Locale.ROOT, "%,d DIFFERENCES", differences()));
  }

  /** Lists the first differences, and how many more there are. */
  public List<String> listed() {
    List<String> lines = new ArrayList<>(first);
    if (differences() > first.size()) {
      lines.add(String.format(Locale.ROOT, "… and %,d more", differences() - first.size()));
    }
    return lines;
  }
}
