package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.DocumentedCounters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/**
 * {@code docs/writers.md} lists every writer, and every option of each with its default, as the
 * code says them. A test that fails shows the rows that the document should have.
 */
@RunWith(JUnit4.class)
public class WritersDocumentTest {
  private static final Path DOCUMENT = Path.of("docs", "writers.md");

  /** What every writer has is said once. */
  private static final Set<String> OF_EVERY_WRITER =
      Set.of(
          "adoptGroup",
          "adoptTopic",
          "busReader",
          "deadLetterBus",
          "deadLetterOverflow",
          "environments");

  @Test
  public void everyWriterHasItsRow() throws Exception {
    List<String> rows = new ArrayList<>();
    for (Writer<?> writer : Writers.ALL) {
      String others =
          writer.endpoints().keySet().stream()
              .filter(option -> !option.equals(writer.reads()) && !option.equals("deadLetterBus"))
              .map(option -> "`--" + option + "`")
              .collect(Collectors.joining(", "));
      rows.add(
          "| ["
              + code(writer.name())
              + "](#"
              + writer.name()
              + ") | "
              + writer.says()
              + " | `--"
              + writer.reads()
              + "` | "
              + others
              + " | "
              + code(writer.stage())
              + ": "
              + code(writer.settled())
              + ", "
              + code(writer.made())
              + " |");
    }

    assertThat(rows("## The writers")).containsExactlyElementsIn(rows).inOrder();
  }

  @Test
  public void everyOptionIsThereWithItsDefault() throws Exception {
    for (Writer<?> writer : Writers.ALL) {
      assertWithMessage("%s", writer)
          .that(rows("### " + writer.name()))
          .containsExactlyElementsIn(
              WriterOption.of(writer).stream()
                  .filter(option -> !OF_EVERY_WRITER.contains(option.name()))
                  .map(WritersDocumentTest::row)
                  .toList())
          .inOrder();
    }
  }

  @Test
  public void whatEveryWriterHasIsThereOnce() throws Exception {
    List<String> rows =
        WriterOption.of(Writers.ALL.get(0)).stream()
            .filter(option -> OF_EVERY_WRITER.contains(option.name()))
            .map(WritersDocumentTest::row)
            .toList();

    assertThat(rows("### Every writer")).containsExactlyElementsIn(rows).inOrder();
    assertThat(rows).hasSize(OF_EVERY_WRITER.size());
  }

  @Test
  public void noWriterIsThereThatIsNotInTheList() throws Exception {
    List<String> sections =
        Files.readAllLines(DOCUMENT).stream()
            .filter(line -> line.matches("### [a-z-]+"))
            .map(line -> line.substring("### ".length()))
            .toList();

    assertThat(sections)
        .containsExactlyElementsIn(Writers.ALL.stream().map(Writer::name).toList())
        .inOrder();
  }

  @Test
  public void theCountersThatTellHowFarAWriterIsAreDocumented() throws Exception {
    for (Writer<?> writer : Writers.ALL) {
      DocumentedCounters.Stage stage = DocumentedCounters.read().get(writer.stage());

      assertThat(stage.writers()).contains(writer.name());
      assertThat(stage.counters()).containsAtLeast(writer.settled(), writer.made());
    }
  }

  private static String row(WriterOption option) {
    String fallback =
        option.kinds().isPresent()
            ? option.kinds().get().noun() + ", required"
            : option.fallback().map(WritersDocumentTest::code).orElse("");
    return "| `--" + option.name() + "` | " + fallback + " | " + option.description() + " |";
  }

  private static String code(String text) {
    return "`" + text + "`";
  }

  /** Returns the rows of the table of a section, without its head. */
  private static List<String> rows(String heading) throws IOException {
    List<String> lines = Files.readAllLines(DOCUMENT);
    int start = lines.indexOf(heading);
    assertWithMessage("no section " + heading).that(start).isAtLeast(0);
    return lines.stream()
        .skip(start + 1)
        .takeWhile(line -> !line.startsWith("#"))
        .filter(line -> line.startsWith("|"))
        .skip(2)
        .toList();
  }
}
