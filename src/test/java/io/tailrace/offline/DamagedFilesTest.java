package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.result.ValueType;
import io.tailrace.testing.RandomResults;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.QueryResult;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.Util;
import org.junit.Test;

/** That a damaged or hostile file is refused in words, and takes nothing down with it. */
public class DamagedFilesTest {
  private static final String ROW =
      "('user.age', 'ann', 42::BIGINT, TIMESTAMPTZ '2026-01-01 00:00:00+00', 'op')";

  @Test
  public void noDamageToOurOwnFilesGoesUnnoticed() throws Exception {
    List<byte[]> files = ourFiles();
    Random random = new Random(41);
    for (int i = 0; i < 3_000; i++) {
      byte[] good = files.get(random.nextInt(files.size()));
      byte[] damaged = damaged(good, random);
      if (!Arrays.equals(good, damaged)) {
        assertRefused("damage " + i, damaged);
      }
    }
  }

  @Test
  public void damageToTheFooterOfOurOwnFilesIsNoticed() throws Exception {
    List<byte[]> files = ourFiles();
    Random random = new Random(42);
    for (int i = 0; i < 3_000; i++) {
      byte[] damaged = files.get(random.nextInt(files.size())).clone();
      int footer =
          ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN).getInt(damaged.length - 8);
      int at = damaged.length - 1 - random.nextInt(footer + 8);
      damaged[at] ^= (byte) (1 + random.nextInt(255));
      assertRefused("damage " + i, damaged);
    }
  }

  @Test
  public void damageToAFileWithoutAChecksumIsNoticedOrDoesNoHarm() throws Exception {
    List<byte[]> files =
        List.of(
            ForeignFile.of(ValueType.INT64, ROW, ROW).bytes("UNCOMPRESSED"),
            ForeignFile.of(ValueType.INT64, ROW).bytes("SNAPPY"),
            ForeignFile.of(ValueType.STRING, ROW.replace("42::BIGINT", "'text'")).bytes("ZSTD"),
            ForeignFile.of(ValueType.VECTOR, ROW.replace("42::BIGINT", "[1, 2]::FLOAT[]"))
                .bytes("GZIP"),
            ForeignFile.ofDeletions(ROW).bytes("LZ4_RAW"));
    Random random = new Random(43);
    for (int i = 0; i < 1_500; i++) {
      byte[] damaged = damaged(files.get(random.nextInt(files.size())), random);
      try {
        FileRows.of(FileDecoder.decode(BundleEncoder.message(damaged)));
      } catch (InvalidFileException e) {
        assertThat(e.getMessage()).isNotEmpty();
      } catch (Throwable e) {
        throw new AssertionError("damage " + i, e);
      }
    }
  }

  @Test
  public void whatIsNoParquetFileIsRefused() {
    assertRefused("nothing", new byte[0]);
    assertRefused("text", "{\"operation_id\": \"op\", \"frames\": []}".getBytes(UTF_8));
    assertRefused("magic", "PAR1".getBytes(UTF_8));
    assertRefused("magic twice", "PAR1PAR1PAR1".getBytes(UTF_8));
  }

  @Test
  public void aFooterLengthThatLiesIsRefused() throws Exception {
    byte[] good = ForeignFile.of(ValueType.INT64, ROW).bytes();
    for (int lie :
        new int[] {0, -1, 1, Integer.MAX_VALUE, Integer.MIN_VALUE, good.length, good.length - 12}) {
      byte[] lying = good.clone();
      ByteBuffer.wrap(lying).order(ByteOrder.LITTLE_ENDIAN).putInt(lying.length - 8, lie);

      assertRefused("footer of " + lie, lying);
    }
  }

  @Test
  public void countsThatLieAreRefusedBeforeRoomIsMadeForThem() throws Exception {
    List<Consumer<FileMetaData>> lies =
        List.of(
            file -> file.setNum_rows(Long.MAX_VALUE),
            file -> rows(file, Long.MAX_VALUE),
            file -> rows(file, FileStructure.MAX_ROWS + 1),
            file -> rows(file, FileStructure.MAX_ROWS),
            file -> rows(file, -1),
            file -> rows(file, 0),
            file -> chunk(file, 0).getMeta_data().setNum_values(Integer.MAX_VALUE),
            file -> chunk(file, 0).getMeta_data().setTotal_compressed_size(Long.MAX_VALUE),
            file -> chunk(file, 0).getMeta_data().setTotal_compressed_size(-1),
            file -> chunk(file, 0).getMeta_data().setData_page_offset(Long.MIN_VALUE),
            file -> chunk(file, 0).getMeta_data().setData_page_offset(1L << 32),
            file -> chunk(file, 0).setFile_path("/etc/passwd"),
            file -> file.getSchema().get(0).setNum_children(Integer.MAX_VALUE),
            file -> file.getSchema().get(0).setNum_children(-1),
            file -> file.getSchema().get(2).setType_length(Integer.MAX_VALUE),
            file -> file.setRow_groups(List.of()),
            file -> file.setSchema(List.of()));
    byte[] good = ForeignFile.of(ValueType.INT64, ROW).bytes();
    List<Integer> believed = new ArrayList<>();
    for (int i = 0; i < lies.size(); i++) {
      byte[] lying = withFooter(good, lies.get(i));
      try {
        FileDecoder.decode(BundleEncoder.message(lying));
        believed.add(i);
      } catch (InvalidFileException e) {
        assertWithMessage("lie %s", i).that(e.getMessage()).isNotEmpty();
      }
    }
    assertThat(believed).isEmpty();
  }

  @Test
  public void aListThatSaysItHasBillionsOfElementsIsRefused() {
    // Thrift: field 1, an i32; field 2, a list of structs with 2^31 - 1 elements.
    byte[] footer = {0x15, 2, 0x19, (byte) 0xfc, -1, -1, -1, -1, 7};

    InvalidFileException refused = assertRefused("list", withFooter(new byte[16], footer));

    assertThat(refused.reason()).isEqualTo(Reason.UNDECODABLE);
  }

  @Test
  public void aPageThatSaysItDecompressesToGigabytesIsTooLarge() throws Exception {
    byte[] good = ForeignFile.of(ValueType.INT64, ROW).bytes();
    FileMetaData footer = footer(good);
    ColumnChunk last = footer.getRow_groups().get(0).getColumns().get(8);
    int start = (int) last.getMeta_data().getData_page_offset();
    ByteArrayInputStream in = new ByteArrayInputStream(good, start, good.length - start);
    PageHeader header = Util.readPageHeader(in);
    int body = good.length - in.available();
    header.setUncompressed_page_size(Integer.MAX_VALUE);
    ByteArrayOutputStream bomb = new ByteArrayOutputStream();
    bomb.write(good, 0, start);
    Util.writePageHeader(header, bomb);
    last.getMeta_data()
        .setTotal_compressed_size(bomb.size() - start + header.getCompressed_page_size());
    bomb.write(good, body, header.getCompressed_page_size());
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    Util.writeFileMetaData(footer, written);

    InvalidFileException refused =
        assertRefused("bomb", withFooter(bomb.toByteArray(), written.toByteArray()));

    assertThat(refused.reason()).isEqualTo(Reason.TOO_LARGE);
  }

  private static List<byte[]> ourFiles() throws Exception {
    RandomResults random = RandomResults.seeded(44).withDeletions(0.5);
    List<QueryResult> results = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      results.add(random.next());
    }
    List<byte[]> files = new ArrayList<>();
    for (ObservationFile file : BundleEncoder.files(results)) {
      files.add(file.bytes());
    }
    return files;
  }

  private static byte[] damaged(byte[] good, Random random) {
    int from = random.nextInt(good.length);
    int to = from + 1 + random.nextInt(Math.min(64, good.length - from));
    byte[] damaged = good.clone();
    switch (random.nextInt(6)) {
      case 0 -> damaged[from] ^= (byte) (1 << random.nextInt(8));
      case 1 -> damaged[from] = (byte) random.nextInt(256);
      case 2 -> damaged = Arrays.copyOf(good, from);
      case 3 -> damaged = joined(Arrays.copyOf(good, from), tail(good, to));
      case 4 -> {
        int other = random.nextInt(good.length - (to - from) + 1);
        System.arraycopy(good, from, damaged, other, to - from);
        System.arraycopy(good, other, damaged, from, to - from);
      }
      default -> {
        byte[] more = new byte[to - from];
        random.nextBytes(more);
        damaged = joined(Arrays.copyOf(good, from), more, tail(good, from));
      }
    }
    return damaged;
  }

  private static byte[] tail(byte[] of, int from) {
    return Arrays.copyOfRange(of, from, of.length);
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private static InvalidFileException assertRefused(String what, byte[] file) {
    try {
      return assertThrows(
          InvalidFileException.class, () -> FileDecoder.decode(BundleEncoder.message(file)));
    } catch (AssertionError e) {
      throw new AssertionError(what, e);
    }
  }

  private static ColumnChunk chunk(FileMetaData file, int column) {
    return file.getRow_groups().get(0).getColumns().get(column);
  }

  private static void rows(FileMetaData file, long count) {
    file.setNum_rows(count);
    for (RowGroup group : file.getRow_groups()) {
      group.setNum_rows(count);
    }
  }

  private static FileMetaData footer(byte[] file) throws IOException {
    int length = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(file.length - 8);
    return Util.readFileMetaData(new ByteArrayInputStream(file, file.length - 8 - length, length));
  }

  private static byte[] withFooter(byte[] file, Consumer<FileMetaData> change) throws IOException {
    int length = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(file.length - 8);
    FileMetaData footer = footer(file);
    change.accept(footer);
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    Util.writeFileMetaData(footer, written);
    return withFooter(Arrays.copyOf(file, file.length - 8 - length), written.toByteArray());
  }

  private static byte[] withFooter(byte[] body, byte[] footer) {
    byte[] length =
        ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(footer.length).array();
    byte[] file = joined(body, footer, length, "PAR1".getBytes(UTF_8));
    System.arraycopy("PAR1".getBytes(UTF_8), 0, file, 0, 4);
    return file;
  }
}
