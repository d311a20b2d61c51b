package io.tailrace.parquet;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.offline.BundleEncoder;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.RejectedCells;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.Test;

/**
 * What becomes of files that other tools really wrote: as the page of the offline store says, for
 * each of them.
 */
public class ForeignToolsTest {
  private static final Path FILES = Path.of("src/test/resources/foreign");

  /** What they have in common, the files, what becomes of them. */
  private static final Pattern ROW =
      Pattern.compile("(?m)^\\| [^|]+ \\| ((?:`[a-z]+/[^`]+`(?:, )?)+) \\| ([^|]+) \\|$");

  private static final Pattern FILE = Pattern.compile("`([^`]+)`");

  @Test
  public void thePageSaysWhatBecomesOfEveryFile() throws Exception {
    Map<String, String> said = new TreeMap<>();
    Matcher rows = ROW.matcher(Files.readString(Path.of("docs/offline-store.md")));
    while (rows.find()) {
      Matcher files = FILE.matcher(rows.group(1));
      while (files.find()) {
        said.put(files.group(1) + ".parquet", rows.group(2));
      }
    }
    Map<String, String> found = new TreeMap<>();
    for (Path file : files()) {
      found.put(FILES.relativize(file).toString(), becomes(Files.readAllBytes(file)));
    }

    assertThat(said).isEqualTo(found);
  }

  private static List<Path> files() throws Exception {
    try (Stream<Path> all = Files.walk(FILES)) {
      return all.filter(it -> it.toString().endsWith(".parquet")).sorted().toList();
    }
  }

  private static String becomes(byte[] file) {
    RejectedCells refused = new RejectedCells();
    try {
      ObservationFile taken = FileDecoder.decode(BundleEncoder.message(file), refused);
      if (refused.isEmpty()) {
        return taken.rowCount() == 0 ? "nothing to store" : "stored";
      }
      return refused.count()
          + " row refused: "
          + refused.failure("stage", BundleEncoder.message(file)).orElseThrow().reason();
    } catch (InvalidMessageException e) {
      return "refused: " + e.reason() + " `" + e.field() + "`";
    }
  }
}
