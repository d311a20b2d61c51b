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
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Files of a column for each feature, as other tools write them. */
public class WideFileTest {
  private static final long T = 1_760_000_000_000_000L;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private static WideMapping mapping(String time, ValueType type, String... columns) {
    List<FeatureColumn> features = new ArrayList<>();
    for (String column : columns) {
      features.add(
          new FeatureColumn("f", "f." + column, column, new Kind(type, Nulls.NOT_COMPUTED), ""));
    }
    return new WideMapping("id", new Time(time, time.isEmpty() ? T : 0), features);
  }

  private WideFile open(byte[] bytes) throws Exception {
    Path file = folder.newFile().toPath();
    Files.write(file, bytes);
    return WideFile.open(Files.newByteChannel(file));
  }

  private static byte[] file() throws Exception {
    return new ParquetFile(
            "",
            "required binary id (UTF8)",
            "optional int64 micros (TIMESTAMP(MICROS,true))",
            "optional int64 nanos (TIMESTAMP(NANOS,true))",
            "optional int64 millis (TIMESTAMP(MILLIS,true))",
            "optional int64 local (TIMESTAMP(MICROS,false))",
            "optional int64 number",
            "optional int32 small",
            "optional int64 unsigned (INTEGER(64,false))")
        .row(
            row ->
                row.append("id", "a")
                    .append("micros", T)
                    .append("nanos", T * 1_000)
                    .append("millis", T / 1_000)
                    .append("number", 1L)
                    .append("small", 2)
                    .append("unsigned", 3L))
        .row(
            row ->
                row.append("id", "b")
                    .append("micros", T)
                    .append("nanos", T * 1_000 + 1)
                    .append("unsigned", -1L))
        .bytes();
  }

  @Test
  public void columnsThatMayHoldWhatIsNotExactAreNamed() throws Exception {
    try (WideFile file = open(file())) {
      assertThat(
              file.check(mapping("nanos", ValueType.INT64, "number", "small", "unsigned")).exact())
          .containsExactly("id", "number", "small");
      assertThat(file.check(mapping("micros", ValueType.TIMESTAMP, "millis", "nanos")).exact())
          .containsExactly("id", "micros");
    }
  }

  @Test
  public void whatIsNotExactIsRefusedByItsRow() throws Exception {
    RejectedCells refused = new RejectedCells();
    List<ObservationFile> files = new ArrayList<>();
    WideMapping mapping = mapping("micros", ValueType.INT64, "unsigned");
    try (WideFile file = open(file())) {
      new WideRows(
              file,
              mapping,
              file.check(mapping),
              new WideRows.Source(
                  new WideRows.Operation("op", "prod", ""),
                  "files[0]",
                  "a.parquet",
                  Long.MAX_VALUE,
                  BusMessage.of(new byte[0], Place.numbered("t", 0, 0), MessageTime.ofBus(1))),
              refused)
          .<RuntimeException>decode(files::addAll);
    }

    assertThat(files.get(0).rowCount()).isEqualTo(1);
    assertThat(refused.cells().reasons()).containsExactly(Reason.INVALID_VALUE, 1);
    assertThat(refused.cells().first().get(0).key()).isEqualTo("b");
    assertThat(refused.cells().first().get(0).message())
        .startsWith("a.parquet: row 1: column 'unsigned' has 18446744073709551615");
  }

  @Test
  public void aColumnThatCanNotBeReadIsNamed() throws Exception {
    try (WideFile file = open(file())) {
      refuses(file, mapping("local", ValueType.INT64, "number"), Reason.UNKNOWN_TYPE, "UTC");
      refuses(file, mapping("micros", ValueType.STRING, "number"), Reason.UNKNOWN_TYPE, "number");
      refuses(file, mapping("micros", ValueType.INT64, "none"), Reason.MISSING_FIELD, "it has id");
    }
  }

  @Test
  public void ofSeveralFeaturesOfOneColumnEachHasToFit() throws Exception {
    try (WideFile file = open(file())) {
      assertThat(file.check(both("number", ValueType.INT64, ValueType.INT64)).exact())
          .contains("number");
      for (ValueType other :
          List.of(ValueType.TIMESTAMP, ValueType.BOOL, ValueType.STRING, ValueType.FLOAT64)) {
        refuses(
            file,
            both("number", ValueType.INT64, other),
            Reason.UNKNOWN_TYPE,
            "column 'number' is 'optional int64 number'");
      }
      refuses(file, both("micros", ValueType.INT64), Reason.UNKNOWN_TYPE, "micros");
      refuses(file, both("id", ValueType.INT64), Reason.UNKNOWN_TYPE, "column 'id'");
      assertThat(file.check(both("micros", ValueType.TIMESTAMP)).empty()).isEmpty();
      // In this one there is nothing, whatever it may be.
      assertThat(file.check(both("local", ValueType.TIMESTAMP, ValueType.BOOL)).empty())
          .containsExactly("local");
    }
  }

  /** Features of several types that are all of one column. */
  private static WideMapping both(String column, ValueType... types) {
    List<FeatureColumn> features = new ArrayList<>();
    for (ValueType type : types) {
      features.add(
          new FeatureColumn(
              "f", "f." + type + features.size(), column, new Kind(type, Nulls.NOT_COMPUTED), ""));
    }
    return new WideMapping("id", new Time("micros", 0), features);
  }

  @Test
  public void aColumnOfAWrongTypeOfWhichTheFooterSaysThatItHasValuesIsNotRead() throws Exception {
    byte[] told = file();
    byte[] untold =
        DamagedFilesTest.withFooter(
            told,
            footer ->
                footer
                    .getRow_groups()
                    .get(0)
                    .getColumns()
                    .forEach(chunk -> chunk.getMeta_data().unsetStatistics()));
    for (byte[] each : List.of(told, untold)) {
      AtomicInteger reads = new AtomicInteger();
      try (WideFile file = open(each, reads::incrementAndGet)) {
        int opened = reads.get();

        refuses(file, mapping("micros", ValueType.BOOL, "number"), Reason.UNKNOWN_TYPE, "number");

        assertThat(reads.get() - opened).isEqualTo(each == told ? 0 : 1);
        assertThat(file.check(mapping("micros", ValueType.BOOL, "local")).empty())
            .containsExactly("local");
      }
    }
    // What the footer says of a column is not taken for it where values would be lost.
    byte[] lying =
        DamagedFilesTest.withFooter(
            told,
            footer ->
                footer
                    .getRow_groups()
                    .get(0)
                    .getColumns()
                    .forEach(chunk -> chunk.getMeta_data().getStatistics().setNull_count(2)));
    try (WideFile file = open(lying)) {
      refuses(file, mapping("micros", ValueType.BOOL, "number"), Reason.UNKNOWN_TYPE, "number");
    }
  }

  @Test
  public void wholeColumnsAreLookedThroughByOneFileAtATime() throws Exception {
    CountDownLatch first = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    AtomicInteger reads = new AtomicInteger();
    try (WideFile one =
            open(
                file(),
                () -> {
                  if (reads.incrementAndGet() > OPENING) {
                    first.countDown();
                    goOn.await();
                  }
                });
        WideFile other = open(file())) {
      WideMapping nothing = mapping("micros", ValueType.BOOL, "local");
      FutureTask<WideFile.Checked> byOne = new FutureTask<>(() -> one.check(nothing));
      FutureTask<WideFile.Checked> byOther = new FutureTask<>(() -> other.check(nothing));
      new Thread(byOne).start();
      first.await();
      Thread second = new Thread(byOther);
      second.start();
      while (second.getState() != Thread.State.BLOCKED) {
        assertThat(byOther.isDone()).isFalse();
        Thread.sleep(10);
      }
      goOn.countDown();

      assertThat(byOne.get().empty()).containsExactly("local");
      assertThat(byOther.get().empty()).containsExactly("local");
    }
  }

  /** Reads by which a file is opened: both ends and the footer. */
  private static final int OPENING = 3;

  /** What is done before each read. */
  private interface BeforeRead {
    void run() throws InterruptedException;
  }

  private WideFile open(byte[] bytes, BeforeRead before) throws Exception {
    Path file = folder.newFile().toPath();
    Files.write(file, bytes);
    return WideFile.open(new Watched(Files.newByteChannel(file), before));
  }

  /** A channel whose reads are watched. */
  private record Watched(SeekableByteChannel channel, BeforeRead before)
      implements SeekableByteChannel {
    @Override
    public int read(ByteBuffer to) throws IOException {
      try {
        before.run();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      return channel.read(to);
    }

    @Override
    public int write(ByteBuffer from) {
      throw new NonWritableChannelException();
    }

    @Override
    public long position() throws IOException {
      return channel.position();
    }

    @Override
    public SeekableByteChannel position(long position) throws IOException {
      SeekableByteChannel unused = channel.position(position);
      return this;
    }

    @Override
    public long size() throws IOException {
      return channel.size();
    }

    @Override
    public SeekableByteChannel truncate(long size) {
      throw new NonWritableChannelException();
    }

    @Override
    public boolean isOpen() {
      return channel.isOpen();
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  private static void refuses(WideFile file, WideMapping mapping, Reason reason, String words) {
    InvalidMessageException e =
        assertThrows(InvalidMessageException.class, () -> file.check(mapping));
    assertThat(e.reason()).isEqualTo(reason);
    assertThat(e).hasMessageThat().contains(words);
  }

  @Test
  public void whereverAFileIsCutOffItIsRefused() throws Exception {
    byte[] whole = file();
    for (int length = 0; length < whole.length; length += 7) {
      byte[] cut = Arrays.copyOf(whole, length);
      InvalidMessageException e =
          assertThrows(InvalidMessageException.class, () -> open(cut).close());
      assertThat(e.reason()).isEqualTo(Reason.UNDECODABLE);
    }
  }

  @Test
  public void aFileThatIsNotOpenedKeepsNoChannelOpen() throws Exception {
    byte[] whole = file();
    Path file = folder.newFile().toPath();
    for (int length : List.of(0, 20, whole.length - 1)) {
      Files.write(file, Arrays.copyOf(whole, length));
      SeekableByteChannel channel = Files.newByteChannel(file);

      assertThrows(InvalidMessageException.class, () -> WideFile.open(channel).close());

      assertThat(channel.isOpen()).isFalse();
    }
  }
}
