package io.tailrace.parquet;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.offline.BundleEncoder;
import io.tailrace.result.ValueType;
import io.tailrace.stage.InvalidMessageException;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.apache.parquet.bytes.HeapByteBufferAllocator;
import org.apache.parquet.column.values.deltastrings.DeltaByteArrayWriter;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.CompressionCodec;
import org.apache.parquet.format.DataPageHeader;
import org.apache.parquet.format.DataPageHeaderV2;
import org.apache.parquet.format.DictionaryPageHeader;
import org.apache.parquet.format.Encoding;
import org.apache.parquet.format.FieldRepetitionType;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.PageType;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.Util;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.junit.Test;

/** That a damaged or hostile file is refused in words, and takes nothing down with it. */
public class DamagedFilesTest {
  private static final String ROW =
      "('user.age', 'ann', 42::BIGINT, TIMESTAMPTZ '2026-01-01 00:00:00+00', 'op')";

  /** Columns of a file of {@link ForeignFile}. */
  private static final int VALUE = 3;

  private static final int RESOLVER = 5;

  /** The level of one value that is there: a run of one. */
  private static final byte[] LEVEL = {2, 1};

  /** That indices have one bit each. */
  private static final byte[] ONE_BIT = {1};

  @Test
  public void noDamageToOurOwnFilesIsTakenAsItIs() throws Exception {
    List<byte[]> files = ourFiles();
    Random random = new Random(41);
    for (int i = 0; i < 3_000; i++) {
      byte[] good = files.get(random.nextInt(files.size()));
      byte[] damaged = damaged(good, random);
      if (!Arrays.equals(good, damaged)) {
        assertNotTakenAsItIs("damage " + i, damaged);
      }
    }
  }

  @Test
  public void damageToTheFooterOfOurOwnFilesIsNotTakenAsItIs() throws Exception {
    List<byte[]> files = ourFiles();
    Random random = new Random(42);
    for (int i = 0; i < 3_000; i++) {
      byte[] damaged = files.get(random.nextInt(files.size())).clone();
      int footer =
          ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN).getInt(damaged.length - 8);
      int at = damaged.length - 1 - random.nextInt(footer + 8);
      damaged[at] ^= (byte) (1 + random.nextInt(255));
      assertNotTakenAsItIs("damage " + i, damaged);
    }
  }

  /** It is refused in words, or read like anybody's file, each value looked at. */
  private static void assertNotTakenAsItIs(String what, byte[] damaged) {
    try {
      assertWithMessage(what)
          .that(FileDecoder.decode(BundleEncoder.message(damaged)).bytes())
          .isNotSameInstanceAs(damaged);
    } catch (InvalidMessageException e) {
      assertWithMessage(what).that(e.getMessage()).isNotEmpty();
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
      } catch (InvalidMessageException e) {
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
      } catch (InvalidMessageException e) {
        assertWithMessage("lie %s", i).that(e.getMessage()).isNotEmpty();
      }
    }
    assertThat(believed).isEmpty();
  }

  @Test
  public void aListThatSaysItHasBillionsOfElementsIsRefused() {
    // Thrift: field 1, an i32; field 2, a list of structs with 2^31 - 1 elements.
    byte[] footer = {0x15, 2, 0x19, (byte) 0xfc, -1, -1, -1, -1, 7};

    InvalidMessageException refused = assertRefused("list", withFooter(new byte[16], footer));

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

    InvalidMessageException refused =
        assertRefused("bomb", withFooter(bomb.toByteArray(), written.toByteArray()));

    assertThat(refused.reason()).isEqualTo(Reason.TOO_LARGE);
  }

  @Test
  public void aDictionaryThatSaysItHasMoreEntriesThanBytesIsRefused() throws Exception {
    assertRefused(
        withText(CompressionCodec.UNCOMPRESSED, dictionary(100_000_000, new byte[8])),
        Reason.UNDECODABLE,
        "says it has 100000000 entries in 8 bytes");
    assertRefused(
        withText(CompressionCodec.UNCOMPRESSED, dictionary(-1, new byte[8])),
        Reason.UNDECODABLE,
        "says it has -1 entries");
  }

  @Test
  public void aDictionaryWithMoreEntriesThanRowsMayBeIsTooLarge() throws Exception {
    byte[] empty = new byte[4 * 1_000_001];

    assertRefused(
        withText(CompressionCodec.UNCOMPRESSED, dictionary(1_000_001, empty)),
        Reason.TOO_LARGE,
        "has 1000001 entries");
  }

  @Test
  public void aSnappyPageThatDecompressesToMoreThanItsHeaderSaysIsRefused() throws Exception {
    byte[] twoGigabytes = {-1, -1, -1, -1, 7, 0, 0};

    assertRefused(
        withText(CompressionCodec.SNAPPY, page(1, Encoding.PLAIN, twoGigabytes)),
        Reason.UNDECODABLE,
        "decompresses to 2147483647 bytes; its header says 7");
    assertRefused(
        withText(CompressionCodec.SNAPPY, pageV2(1, Encoding.PLAIN, LEVEL, twoGigabytes)),
        Reason.UNDECODABLE,
        "decompresses to 2147483647 bytes; its header says 7");
  }

  @Test
  public void levelsThatLieOutsideOfTheirPageAreRefused() throws Exception {
    for (int lie : new int[] {-1, 1_000, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      PageHeader header = headerV2(1, Encoding.PLAIN, LEVEL.length, 6);
      header.getData_page_header_v2().setDefinition_levels_byte_length(lie);

      assertRefused(
          withText(CompressionCodec.SNAPPY, written(header, LEVEL, new byte[6])),
          Reason.UNDECODABLE,
          "the levels of a page");
    }
  }

  @Test
  public void countsInsideOfAPageThatLieAreRefusedBeforeRoomIsMadeForThem() throws Exception {
    // In seven bits a byte: a run of 8 * (2^27 - 1) numbers of one bit each.
    byte[] run = {-1, -1, -1, -1 & 0x7f, 0};
    byte[] manyDeltas = {(byte) 0x80, 1, 4, -1, -1, -1, -1, 7, 0};
    byte[] hugeBlock = {-1, -1, -1, -1, 7, 1, 2, 0};
    byte[] oneDelta = {(byte) 0x80, 1, 4, 1, 0};
    Map<String, byte[]> lies = new LinkedHashMap<>();
    lies.put("a run of", pageV2(1, Encoding.PLAIN, run, new byte[4]));
    lies.put("run of", page(1, Encoding.PLAIN, joined(new byte[] {5, 0, 0, 0}, run)));
    lies.put("says it has a run", pageV2(1, Encoding.RLE_DICTIONARY, LEVEL, joined(ONE_BIT, run)));
    lies.put(
        "says it has 2147483647 values",
        pageV2(1, Encoding.DELTA_LENGTH_BYTE_ARRAY, LEVEL, manyDeltas));
    lies.put(
        "it says it has 2147483647 values",
        pageV2(1, Encoding.DELTA_BYTE_ARRAY, LEVEL, joined(oneDelta, manyDeltas)));
    lies.put(
        "blocks of 2147483647 values",
        pageV2(1, Encoding.DELTA_LENGTH_BYTE_ARRAY, LEVEL, hugeBlock));
    for (Map.Entry<String, byte[]> lie : lies.entrySet()) {
      assertRefused(
          withText(CompressionCodec.UNCOMPRESSED, dictionary(1, new byte[4]), lie.getValue()),
          Reason.UNDECODABLE,
          lie.getKey());
    }
  }

  @Test
  public void aCountOfIntegersThatLiesIsRefused() throws Exception {
    byte[] manyDeltas = {(byte) 0x80, 1, 4, -1, -1, -1, -1, 1, 0};
    byte[] file = ForeignFile.of(ValueType.INT64, ROW).bytes();

    assertRefused(
        withColumn(
            file,
            VALUE,
            CompressionCodec.UNCOMPRESSED,
            1,
            dictionary(0, new byte[0]),
            pageV2(1, Encoding.DELTA_BINARY_PACKED, LEVEL, manyDeltas)),
        Reason.UNDECODABLE,
        "says it has 536870911 values");
  }

  @Test
  public void textsThatAreEncodedAsWhatTheyAddToTheOneBeforeAreTaken() throws Exception {
    int rows = 1_000;
    DeltaByteArrayWriter texts =
        new DeltaByteArrayWriter(1 << 10, 1 << 20, HeapByteBufferAllocator.getInstance());
    for (int i = 0; i < rows; i++) {
      texts.writeBytes(Binary.fromString("text " + i * i));
    }
    byte[] body = texts.getBytes().toInputStream().readAllBytes();
    byte[] levels = joined(count(2L * rows), new byte[] {1});
    byte[] file = many(ValueType.STRING, rows, "'text'").bytes();
    for (byte[] page :
        List.of(
            pageV2(rows, Encoding.DELTA_BYTE_ARRAY, levels, body),
            page(rows, Encoding.DELTA_BYTE_ARRAY, joined(length(levels), levels, body)))) {
      ObservationRows read =
          FileDecoder.decode(
                  BundleEncoder.message(
                      withColumn(file, VALUE, CompressionCodec.UNCOMPRESSED, rows, page)))
              .rows();

      for (int row = 0; row < rows; row++) {
        long key = read.integerKey(row);
        assertThat(new String(read.bytes(row), UTF_8)).isEqualTo("text " + key * key);
      }
    }
  }

  @Test
  public void aTextThatSharesMoreWithTheOneBeforeThanThatHasIsRefused() throws Exception {
    // A text that shares its first 2^31 - 1 bytes with the one before: zigzag, its least is 0.
    byte[] prefixes = {(byte) 0x80, 1, 4, 1, -2, -1, -1, -1, 15};
    byte[] suffixes = {(byte) 0x80, 1, 4, 1, 0};

    assertRefused(
        withText(
            CompressionCodec.UNCOMPRESSED,
            dictionary(0, new byte[0]),
            pageV2(1, Encoding.DELTA_BYTE_ARRAY, LEVEL, joined(prefixes, suffixes))),
        Reason.UNDECODABLE,
        "a text says it shares 2147483647 bytes with one of 0 before it");
  }

  @Test
  public void aVectorOfOneNumberAMillionfoldRepeatedIsTooLarge() throws Exception {
    int numbers = (int) (FileStructure.MAX_DECOMPRESSED_BYTES / Float.BYTES) + 1;
    byte[] file =
        ForeignFile.of(ValueType.VECTOR, ROW.replace("42::BIGINT", "[1, 2]::FLOAT[]")).bytes();

    assertRefused(
        withColumn(
            file,
            VALUE,
            CompressionCodec.UNCOMPRESSED,
            numbers,
            dictionary(1, new byte[4]),
            listOf(numbers)),
        Reason.TOO_LARGE,
        "decoded, the rows of the file take");
  }

  @Test
  public void aListOfOneTextAMillionfoldRepeatedIsTooLarge() throws Exception {
    int texts = (int) (FileStructure.MAX_DECOMPRESSED_BYTES / 16) + 1;
    byte[] file = query().bytes();
    FileMetaData footer = footer(file);
    int column = footer.getRow_groups().get(0).getColumnsSize() - 1;

    assertRefused(
        withColumn(
            file,
            column,
            CompressionCodec.UNCOMPRESSED,
            texts,
            dictionary(1, text("x".repeat(10_000))),
            listOf(texts)),
        Reason.TOO_LARGE,
        "column 'value_tables'");
  }

  @Test(timeout = 60_000)
  public void textsThatAlternateAreLookedAtOnceEach() throws Exception {
    int rows = 200_000;
    byte[] file = many(ValueType.INT64, rows, "i").bytes("ZSTD, ROW_GROUP_SIZE 1000000");
    byte[] ones = new byte[rows / 8];
    Arrays.fill(ones, (byte) 0x55);
    String megabyte = "x".repeat(1 << 20);

    ObservationFile decoded =
        FileDecoder.decode(
            BundleEncoder.message(
                withColumn(
                    file,
                    RESOLVER,
                    CompressionCodec.UNCOMPRESSED,
                    rows,
                    dictionary(2, joined(text(megabyte + "a"), text(megabyte + "b"))),
                    pageV2(
                        rows,
                        Encoding.RLE_DICTIONARY,
                        joined(count(2L * rows), new byte[] {1}),
                        joined(ONE_BIT, count(2L * (rows / 8) + 1), ones)))));

    assertThat(decoded.rows().resolverFqn(rows - 1)).hasLength((1 << 20) + 1);
  }

  @Test
  public void aListThatIsRepeatedIsRefused() throws Exception {
    byte[] file =
        ForeignFile.of(ValueType.VECTOR, ROW.replace("42::BIGINT", "[1, 2]::FLOAT[]")).bytes();

    InvalidMessageException refused =
        assertRefused(
            "repeated",
            withFooter(
                file,
                footer ->
                    footer.getSchema().stream()
                        .filter(column -> column.getName().equals("value"))
                        .forEach(
                            column -> column.setRepetition_type(FieldRepetitionType.REPEATED))));

    assertThat(refused.reason()).isEqualTo(Reason.UNKNOWN_TYPE);
    assertThat(refused.field()).isEqualTo("value");
  }

  private static ForeignFile many(ValueType type, int rows, String value) {
    ForeignFile one = ForeignFile.of(type, ROW);
    return new ForeignFile(
        one.columns(),
        "(SELECT 'user.age' AS feature, i AS pkey, "
            + value
            + " AS value, to_timestamp(0) AS observed_at, 'op' AS operation_id FROM range("
            + rows
            + ") AS numbers(i)) AS rows",
        one.footer());
  }

  /** A query, whose last column is that of its tables. */
  private static ForeignFile query() {
    Map<String, String> columns = new LinkedHashMap<>();
    for (Type column : QueryLog.CURRENT.schema().getFields()) {
      String name = column.getName();
      columns.put(
          name,
          name.equals("value_tables")
              ? "['a']"
              : name.equals("environment_id")
                  ? "'" + ForeignFile.ENVIRONMENT + "'"
                  : column.asPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.INT64
                      ? "to_timestamp(0)"
                      : "'text'");
    }
    Map<String, String> footer =
        Map.of(
            "tailrace.kind", "query_log",
            "tailrace.environment_id", ForeignFile.ENVIRONMENT,
            "tailrace.schema_version", "1");
    return new ForeignFile(columns, "(VALUES (1)) AS rows(one)", footer);
  }

  /** A file of one text, whose column has other pages. */
  private static byte[] withText(CompressionCodec codec, byte[]... pages) throws Exception {
    return withColumn(
        ForeignFile.of(ValueType.STRING, ROW.replace("42::BIGINT", "'text'")).bytes(),
        VALUE,
        codec,
        1,
        pages);
  }

  /** The same file with other pages in a column; if there are two, the first is a dictionary. */
  private static byte[] withColumn(
      byte[] file, int column, CompressionCodec codec, long values, byte[]... pages)
      throws IOException {
    int length = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(file.length - 8);
    byte[] before = Arrays.copyOf(file, file.length - 8 - length);
    byte[] added = joined(pages);
    FileMetaData footer = footer(file);
    ColumnMetaData changed =
        chunk(footer, column)
            .getMeta_data()
            .setCodec(codec)
            .setNum_values(values)
            .setData_page_offset(before.length + (pages.length == 1 ? 0 : pages[0].length))
            .setTotal_compressed_size(added.length)
            .setTotal_uncompressed_size(added.length);
    changed.unsetStatistics();
    if (pages.length == 1) {
      changed.unsetDictionary_page_offset();
    } else {
      changed.setDictionary_page_offset(before.length);
    }
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    Util.writeFileMetaData(footer, written);
    return withFooter(joined(before, added), written.toByteArray());
  }

  private static byte[] dictionary(int entries, byte[] body) throws IOException {
    PageHeader header = new PageHeader(PageType.DICTIONARY_PAGE, body.length, body.length);
    header.setDictionary_page_header(new DictionaryPageHeader(entries, Encoding.PLAIN));
    return written(header, body);
  }

  private static byte[] page(int values, Encoding encoding, byte[] body) throws IOException {
    PageHeader header = new PageHeader(PageType.DATA_PAGE, body.length, body.length);
    header.setData_page_header(new DataPageHeader(values, encoding, Encoding.RLE, Encoding.RLE));
    return written(header, body);
  }

  private static byte[] pageV2(int values, Encoding encoding, byte[] levels, byte[] body)
      throws IOException {
    return written(headerV2(values, encoding, levels.length, body.length), levels, body);
  }

  private static PageHeader headerV2(int values, Encoding encoding, int levels, int body) {
    PageHeader header = new PageHeader(PageType.DATA_PAGE_V2, levels + body, levels + body);
    header.setData_page_header_v2(new DataPageHeaderV2(values, 0, values, encoding, levels, 0));
    return header;
  }

  /** A page with one list that has the first entry of the dictionary many times. */
  private static byte[] listOf(int elements) throws IOException {
    byte[] repetitions = joined(new byte[] {2, 0}, count(2L * (elements - 1)), new byte[] {1});
    byte[] definitions = joined(count(2L * elements), new byte[] {3});
    byte[] indices = joined(ONE_BIT, count(2L * elements), new byte[] {0});
    PageHeader header =
        headerV2(
            elements,
            Encoding.RLE_DICTIONARY,
            repetitions.length + definitions.length,
            indices.length);
    header
        .getData_page_header_v2()
        .setNum_rows(1)
        .setRepetition_levels_byte_length(repetitions.length)
        .setDefinition_levels_byte_length(definitions.length);
    return written(header, repetitions, definitions, indices);
  }

  private static byte[] written(PageHeader header, byte[]... parts) throws IOException {
    ByteArrayOutputStream page = new ByteArrayOutputStream();
    Util.writePageHeader(header, page);
    page.writeBytes(joined(parts));
    return page.toByteArray();
  }

  private static byte[] text(String text) {
    byte[] bytes = text.getBytes(UTF_8);
    return joined(length(bytes), bytes);
  }

  private static byte[] length(byte[] of) {
    return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(of.length).array();
  }

  /** A number of seven bits a byte. */
  private static byte[] count(long number) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (long left = number; ; left >>>= 7) {
      if (left < 0x80) {
        bytes.write((int) left);
        return bytes.toByteArray();
      }
      bytes.write((int) ((left & 0x7f) | 0x80));
    }
  }

  private static void assertRefused(byte[] file, Reason reason, String message) {
    InvalidMessageException refused = assertRefused(message, file);
    assertThat(refused.getMessage()).contains(message);
    assertThat(refused.reason()).isEqualTo(reason);
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

  static byte[] damaged(byte[] good, Random random) {
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

  private static InvalidMessageException assertRefused(String what, byte[] file) {
    try {
      return assertThrows(
          InvalidMessageException.class, () -> FileDecoder.decode(BundleEncoder.message(file)));
    } catch (AssertionError e) {
      throw new AssertionError(what, e);
    }
  }

  static ColumnChunk chunk(FileMetaData file, int column) {
    return file.getRow_groups().get(0).getColumns().get(column);
  }

  static void rows(FileMetaData file, long count) {
    file.setNum_rows(count);
    for (RowGroup group : file.getRow_groups()) {
      group.setNum_rows(count);
    }
  }

  static FileMetaData footer(byte[] file) throws IOException {
    int length = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(file.length - 8);
    return Util.readFileMetaData(new ByteArrayInputStream(file, file.length - 8 - length, length));
  }

  static byte[] withFooter(byte[] file, Consumer<FileMetaData> change) throws IOException {
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
