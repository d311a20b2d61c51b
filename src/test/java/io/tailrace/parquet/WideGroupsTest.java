package io.tailrace.parquet;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Kind;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.parquet.WideMapping.Time;
import io.tailrace.result.ValueType;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.checkerframework.checker.nullness.qual.Nullable;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Row groups of any number of rows and columns, which are decoded a part at a time. */
public class WideGroupsTest {
  private static final long T = 1_760_000_000_000_000L;

  /** What a small heap allows. */
  private static final long LITTLE = 1 << 20;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private static FeatureColumn feature(String column, ValueType type, Nulls nulls) {
    return new FeatureColumn("f", "f." + column, column, new Kind(type, nulls), "");
  }

  private static WideMapping mapping(FeatureColumn... features) {
    return new WideMapping("id", new Time("", T), List.of(features));
  }

  /** Returns a file in one row group that DuckDB writes, as pyarrow does by default. */
  private Path written(String columns, String rows) throws Exception {
    Path path = folder.getRoot().toPath().resolve("wide.parquet");
    try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = duckDb.createStatement()) {
      statement.execute("SET threads=1");
      statement.execute(
          "COPY (SELECT "
              + columns
              + " FROM range("
              + rows
              + ") AS rows(i)) TO '"
              + path
              + "' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2000000)");
    }
    return path;
  }

  /** What became of a file. */
  private static final class Decoded {
    final RejectedCells refused = new RejectedCells();
    // Feature, key and value of each row, where they are asked for.
    final TreeSet<String> cells = new TreeSet<>();
    long rows;
    int files;
    long largest;
  }

  private static Decoded decoded(Path path, WideMapping mapping, long most, boolean cells)
      throws Exception {
    Decoded decoded = new Decoded();
    try (WideFile file = WideFile.open(Files.newByteChannel(path))) {
      assertThat(file.rowGroups()).isEqualTo(1);
      new WideRows(
              file,
              mapping,
              file.check(mapping),
              new WideRows.Source(
                  new WideRows.Operation("op", "prod", ""),
                  "files[0]",
                  "wide.parquet",
                  Long.MAX_VALUE,
                  BusMessage.of(new byte[0], Place.numbered("t", 0, 0), MessageTime.ofBus(1))),
              decoded.refused)
          .within(most)
          .<Exception>decode(
              some -> {
                for (ObservationFile each : some) {
                  decoded.files++;
                  decoded.rows += each.rowCount();
                  decoded.largest = Math.max(decoded.largest, each.contents().size().decoded());
                  if (cells) {
                    add(each.rows(), decoded.cells);
                  }
                }
              });
    }
    return decoded;
  }

  private static void add(ObservationRows rows, Set<String> cells) {
    for (int row = 0; row < rows.count(); row++) {
      cells.add(
          rows.feature(row)
              + " "
              + rows.integerKey(row)
              + " "
              + (rows.hasValue(row)
                  ? new String(rows.bytes(row), StandardCharsets.UTF_8)
                  : "null"));
    }
  }

  @Test
  public void aRowGroupOfPyarrowsDefaultSizeIsDecoded() throws Exception {
    Path file = written("i AS id, CASE WHEN i % 100 = 0 THEN i END AS x", "1048576");

    Decoded decoded =
        decoded(
            file,
            mapping(feature("x", ValueType.INT64, Nulls.NOT_COMPUTED)),
            FileStructure.MAX_DECOMPRESSED_BYTES,
            false);

    assertThat(decoded.rows).isEqualTo(10_486);
    assertThat(decoded.refused.count()).isEqualTo(0);
  }

  @Test
  public void aMappingOfMoreThanAThousandColumnsIsDecoded() throws Exception {
    List<FeatureColumn> features = new ArrayList<>();
    StringBuilder columns = new StringBuilder("i AS id");
    for (int i = 0; i < 1_500; i++) {
      columns.append(", i + ").append(i).append(" AS c").append(i);
      features.add(feature("c" + i, ValueType.INT64, Nulls.NOT_COMPUTED));
    }

    Decoded decoded =
        decoded(
            written(columns.toString(), "3"),
            mapping(features.toArray(FeatureColumn[]::new)),
            FileStructure.MAX_DECOMPRESSED_BYTES,
            false);

    assertThat(decoded.rows).isEqualTo(4_500);
    assertThat(decoded.refused.count()).isEqualTo(0);
  }

  @Test
  public void whateverRoomThereIsTheRowsAreTheSame() throws Exception {
    // Most rows are short, and a few, one after the other, are long; one key is null, too.
    Path file =
        written(
            "CASE WHEN i = 1234 THEN NULL ELSE i END AS id,"
                + " CASE WHEN i % 7 = 0 THEN NULL ELSE 's' || i END AS short,"
                + " CASE WHEN i BETWEEN 1000 AND 1009 THEN repeat('x', 200000) || i ELSE '' END"
                + " AS long,"
                + " list_transform(range(100), x -> (x + i)::FLOAT) AS vector,"
                + " CASE WHEN i % 2 = 0 THEN repeat('y', 300) ELSE repeat('z', 20) END AS repeated",
            "2000");
    WideMapping mapping =
        mapping(
            feature("short", ValueType.STRING, Nulls.COMPUTED),
            feature("long", ValueType.STRING, Nulls.NOT_COMPUTED),
            new FeatureColumn(
                "f", "f.again", "short", new Kind(ValueType.STRING, Nulls.NOT_COMPUTED), ""),
            feature("vector", ValueType.VECTOR, Nulls.NOT_COMPUTED),
            feature("repeated", ValueType.STRING, Nulls.NOT_COMPUTED));

    Decoded all = decoded(file, mapping, FileStructure.MAX_DECOMPRESSED_BYTES, true);
    Decoded inParts = decoded(file, mapping, LITTLE, true);

    assertThat(inParts.cells).isEqualTo(all.cells);
    assertThat(inParts.rows).isEqualTo(all.rows);
    assertThat(all.rows).isEqualTo(5 * 1_999L - 286);
    assertThat(inParts.files).isGreaterThan(all.files);
    assertThat(inParts.largest).isAtMost(LITTLE);
    assertThat(reasons(inParts)).isEqualTo(reasons(all));
    assertThat(all.refused.cells().reasons()).containsExactly(Reason.MISSING_FIELD, 5);
    assertThat(all.refused.cells().first().get(0).key()).isEmpty();
  }

  private static List<String> reasons(Decoded decoded) {
    return decoded.refused.cells().first().stream().map(cell -> cell.message()).sorted().toList();
  }

  @Test
  public void aFileOfOurOwnWithFewValuesAmongManyNullsIsDecodedInLittleRoom() throws Exception {
    List<FeatureColumn> features = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      features.add(feature("c" + i, ValueType.FLOAT64, Nulls.NOT_COMPUTED));
    }
    WideMapping mapping = mapping(features.toArray(FeatureColumn[]::new));
    Path path = folder.getRoot().toPath().resolve("own.parquet");
    try (WideFileWriter file = new WideFileWriter(mapping, false, CompressionCodecName.ZSTD)) {
      for (long row = 0; row < 1_000; row++) {
        @Nullable Double[] values = new Double[features.size()];
        for (int i = (int) row % 10; i < values.length; i += 10) {
          values[i] = 0.5;
        }
        file.add(row, T, Arrays.asList(values));
      }
      Files.write(path, file.finish(Map.of()));
    }

    Decoded decoded = decoded(path, mapping, LITTLE, false);

    assertThat(decoded.rows).isEqualTo(20_000);
    assertThat(decoded.largest).isAtMost(LITTLE);
    assertThat(decoded.refused.count()).isEqualTo(0);
  }

  @Test
  public void aRowThatAloneIsTooLargeIsNamed() throws Exception {
    Path file =
        written("i AS id, CASE WHEN i = 70 THEN repeat('x', 2000000) ELSE '' END AS t", "100");

    InvalidMessageException e =
        assertThrows(
            InvalidMessageException.class,
            () ->
                decoded(
                    file,
                    mapping(feature("t", ValueType.STRING, Nulls.NOT_COMPUTED)),
                    LITTLE,
                    false));

    assertThat(e.reason()).isEqualTo(Reason.TOO_LARGE);
    assertThat(e.field()).isEqualTo("t");
  }
}
