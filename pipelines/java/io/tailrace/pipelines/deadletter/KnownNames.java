package io.tailrace.pipelines.deadletter;

import io.tailrace.metrics.DecodeSummaries;
import io.tailrace.metrics.SummarizeResults;
import io.tailrace.metrics.WriteSummaries;
import io.tailrace.offline.CreateFeatureTables;
import io.tailrace.offline.DecodeObservationFiles;
import io.tailrace.offline.EncodeObservations;
import io.tailrace.offline.InsertObservations;
import io.tailrace.offline.bulk.DecodeNotifications;
import io.tailrace.offline.bulk.LoadResultFiles;
import io.tailrace.online.WriteOnline;
import io.tailrace.pipelines.Nearest;
import io.tailrace.pipelines.TerminalText;
import io.tailrace.pipelines.Writers;
import io.tailrace.result.DecodeResults;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What letters can be called: the writers and stages that there are here, those that letters of a
 * topic say they are of, settled ones included, and their positions. Not thread-safe.
 */
final class KnownNames {
  /** So many of a kind are remembered, whatever letters say. */
  static final int MAX_NAMES = 1_000;

  /** The stages that refuse messages. */
  static final List<String> STAGES =
      List.of(
          DecodeResults.STAGE,
          WriteOnline.STAGE,
          CreateFeatureTables.STAGE,
          EncodeObservations.STAGE,
          DecodeObservationFiles.STAGE,
          InsertObservations.STAGE,
          DecodeNotifications.STAGE,
          LoadResultFiles.STAGE,
          SummarizeResults.STAGE,
          DecodeSummaries.STAGE,
          WriteSummaries.STAGE);

  private final Set<String> writers = new LinkedHashSet<>();
  private final Set<String> stages = new LinkedHashSet<>(STAGES);
  private final Set<String> asked;
  private String example = "";
  private String topic = "";

  /**
   * Creates one.
   *
   * @param positions letters that are looked for
   */
  KnownNames(Collection<String> positions) {
    asked = new LinkedHashSet<>(positions);
    Writers.ALL.forEach(each -> writers.add(each.name()));
  }

  /** Notes what a letter is called. */
  void add(StoredLetter letter) {
    add(writers, letter.letter().writer());
    add(stages, letter.letter().stage());
    if (!asked.isEmpty() || example.isEmpty()) {
      example = letter.position();
      topic = letter.message().topic();
      asked.remove(example);
    }
  }

  private static void add(Set<String> names, String name) {
    if (names.size() < MAX_NAMES) {
      names.add(name);
    }
  }

  /** Returns the letters that were looked for and not seen. */
  List<String> notSeen() {
    return new ArrayList<>(asked);
  }

  /** Says that letters are not there, and how those are named that are. */
  String absent(List<String> positions) {
    return "There is no letter "
        + String.join(", ", positions)
        + (topic.isEmpty() ? "" : " on " + topic + ", where one is named like " + example)
        + ": it was settled, the topic has forgotten it, or it was never there. 'dead-letters list'"
        + " says what there is";
  }

  /** Says why nothing can be of a writer. */
  Optional<String> whyNoWriter(String name) {
    return whyNot("--writer", "writer", name, writers);
  }

  /** Says why nothing can be of a stage. */
  Optional<String> whyNoStage(String name) {
    return whyNot("--stage", "stage", name, stages);
  }

  private static Optional<String> whyNot(
      String option, String kind, String name, Collection<String> known) {
    if (known.contains(name)) {
      return Optional.empty();
    }
    return Optional.of(
        option
            + ": there is no "
            + kind
            + " '"
            + TerminalText.safe(name)
            + "', and no letter of one"
            + Nearest.to(name, known)
                .map(it -> "; did you mean '" + TerminalText.safe(it) + "'?")
                .orElseGet(() -> ": there are " + TerminalText.safe(String.join(", ", known))));
  }
}
