package io.tailrace.parquet;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.offline.BundleEncoder;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.RejectedCells;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.parquet.io.api.Binary;
import org.junit.Test;

/**
 * What becomes of files that other tools really wrote: as the page of the offline store says, for
 * each of them.
 */
public class ForeignToolsTest {
  private static final Path FILES = Path.of("src/test/resources/foreign");

  private static final long TIME = 1_767_225_600_123_000L;

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

  /** Spark is not run here: Parquet's own writer, which it writes with, is set up as Spark does. */
  @Test
  public void whatSparkWritesIsStored() throws Exception {
    Map<String, Object> times =
        Map.of(
            "optional int96 observed_at",
            int96(),
            "optional int64 observed_at (TIMESTAMP(MICROS,true))",
            TIME,
            "optional int64 observed_at (TIMESTAMP(MILLIS,true))",
            TIME / 1_000);
    for (Map.Entry<String, Object> time : times.entrySet()) {
      ObservationFile file = spark(time.getKey(), time.getValue()).file();

      assertWithMessage(time.getKey()).that(file.rows().observedAt(0)).isEqualTo(TIME);
      assertThat(FileRows.hex(file.rows().bytes(0))).isEqualTo("3fc00000");
    }
    InvalidMessageException refused =
        assertThrows(
            InvalidMessageException.class,
            () -> spark("optional int64 observed_at (TIMESTAMP(MICROS,false))", TIME).file());
    assertThat(refused.field()).isEqualTo("observed_at");
  }

  private static ParquetFile spark(String observedAt, Object time) {
    return new ParquetFile(
            "VECTOR",
            "optional binary feature (STRING)",
            "optional binary pkey (STRING)",
            "optional group value (LIST) { repeated group list { optional float element; } }",
            observedAt,
            "optional binary operation_id (STRING)")
        .text("org.apache.spark.version", "3.5.1")
        .text("org.apache.spark.sql.parquet.row.metadata", "{\"type\":\"struct\",\"fields\":[]}")
        .row(
            row -> {
              row.append("feature", "user.embedding");
              row.append("pkey", "ann");
              row.addGroup("value").addGroup("list").append("element", 1.5f);
              if (time instanceof Binary binary) {
                row.append("observed_at", binary);
              } else {
                row.append("observed_at", (Long) time);
              }
              row.append("operation_id", "op");
            });
  }

  /** Nanoseconds of the day, then the Julian day. */
  private static Binary int96() {
    long micros = 86_400_000_000L;
    return Binary.fromConstantByteBuffer(
        ByteBuffer.allocate(12)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(TIME % micros * 1_000)
            .putInt((int) (TIME / micros) + 2_440_588)
            .flip());
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
