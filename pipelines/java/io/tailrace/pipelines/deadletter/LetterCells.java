package io.tailrace.pipelines.deadletter;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.stage.Letter;
import java.util.ArrayList;
import java.util.List;

/** The cells that letters list. Stateless and thread-safe. */
final class LetterCells {
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * A cell that was refused.
   *
   * @param key empty where several are meant
   * @param feature empty where all features are meant
   */
  record Cell(String reason, String namespace, String key, String feature, String message) {}

  private LetterCells() {}

  /** Returns the cells that a letter lists; what can't be read counts as absent. */
  static List<Cell> of(Letter letter) {
    List<Cell> cells = new ArrayList<>();
    for (int i = 0; i <= Letter.MORE_CELLS; i++) {
      String text = letter.text(i == 0 ? Letter.CELLS : Letter.CELLS + "." + i);
      if (text.isEmpty()) {
        break;
      }
      try {
        for (JsonNode cell : JSON.readTree(text)) {
          cells.add(
              new Cell(
                  cell.path("reason").asText(),
                  cell.path("namespace").asText(),
                  cell.path("key").asText(),
                  cell.path("feature").asText(),
                  cell.path("message").asText()));
        }
      } catch (JsonProcessingException e) {
        return cells;
      }
    }
    return cells;
  }
}
