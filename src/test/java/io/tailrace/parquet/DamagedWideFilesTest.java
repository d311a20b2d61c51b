package io.tailrace.parquet;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
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
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.FileMetaData;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** That a wide file with any footer is loaded, or refused in words: nothing is tried for ever. */
public class DamagedWideFilesTest {
  private static final long T = 1_760_000_000_000_000L;

  /** Its column in the file. */
  private static final int NUMBER = 2;

  private static final WideMapping MAPPING =
      new WideMapping(
          "id",
          new Time("at", 0),
          List.of(
              feature("number", ValueType.INT64),
              feature("name", ValueType.STRING),
              feature("vector", ValueType.VECTOR)));

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private static FeatureColumn feature(String name, ValueType type) {
    return new FeatureColumn("f", "f." + name, name, new Kind(type, Nulls.NOT_COMPUTED), "");
  }

  private static byte[] file() throws Exception {
    ParquetFile file =
        new ParquetFile(
            "",
            "required binary id (UTF8)",
            "required int64 at (TIMESTAMP(MICROS,true))",
            "optional int64 number",
            "optional binary name (UTF8)",
            "optional group vector (LIST) { repeated group list { required float element; } }",
            "optional binary beside (JSON)");
    for (int i = 0; i < 20; i++) {
      long number = i;
      file.row(
          row -> {
            row.append("id", "k" + number).append("at", T + number).append("number", number);
            row.append("name", "n" + number % 3).append("beside", "{}");
            row.addGroup("vector").addGroup("list").append("element", 1.5f);
          });
    }
    return file.bytes();
  }

  /** Returns how many rows become of a file, or throws what is said of it. */
  private int rows(byte[] bytes) throws Exception {
    Path path = folder.getRoot().toPath().resolve("wide.parquet");
    Files.write(path, bytes);
    int[] rows = {0};
    try (WideFile file = WideFile.open(Files.newByteChannel(path))) {
      new WideRows(
              file,
              MAPPING,
              file.check(MAPPING),
              new WideRows.Source(
                  new WideRows.Operation("op", "prod", ""),
                  "files[0]",
                  "wide.parquet",
                  Long.MAX_VALUE,
                  BusMessage.of(new byte[0], Place.numbered("t", 0, 0), MessageTime.ofBus(1))),
              new RejectedCells())
          .<RuntimeException>decode(some -> some.forEach(each -> rows[0] += (int) each.rowCount()));
    }
    return rows[0];
  }

  @Test
  public void anyDamageIsRefusedInWordsOrDoesNoHarm() throws Exception {
    byte[] good = file();
    assertThat(rows(good)).isEqualTo(60);
    Random random = new Random(44);
    int refused = 0;
    for (int i = 0; i < 300; i++) {
      byte[] damaged = DamagedFilesTest.damaged(good, random);
      if (i % 2 == 0) {
        int footer = ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getInt(good.length - 8);
        damaged = good.clone();
        damaged[good.length - 9 - random.nextInt(footer)] = (byte) random.nextInt(256);
      }
      try {
        int unused = rows(damaged);
      } catch (InvalidMessageException e) {
        assertThat(e.getMessage()).isNotEmpty();
        refused++;
      } catch (Throwable e) {
        // Also one that is an IOException, as of a bucket that is away: it would be tried again.
        throw new AssertionError("damage " + i, e);
      }
    }
    assertThat(refused).isGreaterThan(50);
  }

  @Test
  public void footersThatLieAreRefusedInWords() throws Exception {
    List<Consumer<FileMetaData>> lies =
        List.of(
            file -> number(file).setPath_in_schema(List.of()),
            file -> number(file).setPath_in_schema(List.of("other")),
            file -> number(file).setTotal_compressed_size(Long.MAX_VALUE),
            file -> number(file).setTotal_compressed_size(-1),
            file -> number(file).setData_page_offset(Long.MAX_VALUE),
            file -> number(file).setData_page_offset(Long.MAX_VALUE - 50),
            file -> number(file).setData_page_offset(Long.MIN_VALUE),
            file -> number(file).setData_page_offset(0),
            file -> number(file).setNum_values(Long.MIN_VALUE),
            file -> DamagedFilesTest.rows(file, 1L << 32),
            file -> DamagedFilesTest.rows(file, -1),
            file -> DamagedFilesTest.rows(file, Long.MAX_VALUE),
            file -> DamagedFilesTest.rows(file, 0),
            file -> file.setNum_rows(1L << 40),
            file -> DamagedFilesTest.chunk(file, NUMBER).setFile_path("/etc/passwd"),
            file -> file.getRow_groups().get(0).setColumns(List.of()),
            file -> file.getSchema().get(0).setNum_children(Integer.MAX_VALUE));
    byte[] good = file();
    for (int i = 0; i < lies.size(); i++) {
      byte[] lying = DamagedFilesTest.withFooter(good, lies.get(i));

      InvalidMessageException refused;
      try {
        refused = assertThrows(InvalidMessageException.class, () -> rows(lying));
      } catch (AssertionError e) {
        throw new AssertionError("lie " + i, e);
      }

      assertWithMessage("lie %s", i)
          .that(refused.reason())
          .isAnyOf(Reason.UNDECODABLE, Reason.TOO_LARGE);
    }
  }

  private static ColumnMetaData number(FileMetaData file) {
    return DamagedFilesTest.chunk(file, NUMBER).getMeta_data();
  }

  @Test
  public void aColumnBesideOfATypeThatNobodyKnowsIsNotLookedAt() throws Exception {
    byte[] file = file();
    // Thrift: the field of the annotation is no. 12, which has nothing in it; no. 9 is nobody's.
    int found = 0;
    for (int at = file.length - 12; at > 0 && found == 0; at--) {
      if (file[at] == (byte) 0xcc && file[at + 1] == 0 && file[at + 2] == 0 && file[at + 3] == 0) {
        file[at] = (byte) 0x9c;
        found++;
      }
    }
    assertThat(found).isEqualTo(1);

    assertThat(rows(file)).isEqualTo(60);
  }
}
