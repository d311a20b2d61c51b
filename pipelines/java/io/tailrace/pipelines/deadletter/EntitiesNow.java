package io.tailrace.pipelines.deadletter;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.pipelines.TerminalText;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What the online store has now of the cells that a letter is about. Only reads. */
final class EntitiesNow {
  private static final int MAX_CELLS = 10;
  private static final int MAX_VALUE = 100;

  private final OnlineReader store;

  EntitiesNow(OnlineReader store) {
    this.store = store;
  }

  /** Says it of each cell that names an entity and a feature, in a sentence. */
  List<String> of(StoredLetter letter, String environment) throws UnavailableException {
    List<String> lines = new ArrayList<>();
    Set<LetterCells.Cell> seen = new LinkedHashSet<>();
    for (LetterCells.Cell cell : LetterCells.of(letter.letter())) {
      if (!cell.key().isEmpty()
          && !cell.feature().isEmpty()
          && seen.size() < MAX_CELLS
          && seen.add(cell)) {
        lines.add(now(cell, environment));
      }
    }
    return lines;
  }

  private String now(LetterCells.Cell cell, String environment) throws UnavailableException {
    String namespace = cell.namespace();
    String name =
        cell.feature().startsWith(namespace + ".")
            ? cell.feature().substring(namespace.length() + 1)
            : cell.feature();
    OnlineReader.Value value =
        store.read(new EntityKey(environment, namespace, cell.key())).get(name);
    String what = cell.feature() + " of '" + cell.key() + "'";
    return value == null
        ? "the online store now has no "
            + what
            + " that may be served"
            + (cell.reason().equals("REJECTED_BY_STORE")
                ? ": where its key holds what no writer has written, a replay is refused again"
                : "")
        : "the online store now has "
            + what
            + ": "
            + value.type()
            + " "
            + TerminalText.cut(value.value().map(String::valueOf).orElse("null"), MAX_VALUE)
            + ", observed at "
            + value.observedAt();
  }
}
