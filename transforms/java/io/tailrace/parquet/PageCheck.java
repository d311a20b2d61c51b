package io.tailrace.parquet;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.parquet.bytes.ByteBufferInputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.bytes.BytesUtils;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.page.DataPage;
import org.apache.parquet.column.page.DataPageV1;
import org.apache.parquet.column.page.DataPageV2;
import org.apache.parquet.column.values.delta.DeltaBinaryPackingValuesReader;

/**
 * Checks the counts inside a decompressed page for which Parquet's reader would make room: those of
 * bit-packed runs and of DELTA encodings. What other encodings take is bounded by their bytes.
 *
 * <p>Source of the format: https://parquet.apache.org/docs/file-format/data-pages/encodings/.
 */
record PageCheck(ColumnDescriptor column, int count) {
  /** Values for which room may be made without bytes for them, as for runs of zero bits. */
  private static final int MAX_UNBACKED = 1 << 20;

  /** Values in a block of deltas: writers use between 128 and 2,048. */
  private static final int MAX_DELTA_BLOCK = 1 << 16;

  DataPage checked(DataPage page) throws IOException {
    if (page instanceof DataPageV1 one) {
      ByteBuffer bytes = bytes(one.getBytes());
      ByteBuffer in = bytes.slice();
      checkLevels(in, one.getRlEncoding(), column.getMaxRepetitionLevel());
      checkLevels(in, one.getDlEncoding(), column.getMaxDefinitionLevel());
      checkValues(in, one.getValueEncoding());
      // What was decompressed can be read only once.
      return new DataPageV1(
          BytesInput.from(bytes),
          count,
          one.getUncompressedSize(),
          one.getStatistics(),
          one.getRlEncoding(),
          one.getDlEncoding(),
          one.getValueEncoding());
    }
    if (page instanceof DataPageV2 two) {
      ByteBuffer repetitions = bytes(two.getRepetitionLevels());
      ByteBuffer definitions = bytes(two.getDefinitionLevels());
      ByteBuffer values = bytes(two.getData());
      checkRuns(repetitions.slice(), width(column.getMaxRepetitionLevel()));
      checkRuns(definitions.slice(), width(column.getMaxDefinitionLevel()));
      checkValues(values.slice(), two.getDataEncoding());
      return DataPageV2.uncompressed(
          two.getRowCount(),
          two.getNullCount(),
          count,
          BytesInput.from(repetitions),
          BytesInput.from(definitions),
          two.getDataEncoding(),
          BytesInput.from(values),
          two.getStatistics());
    }
    throw new IOException("it is of an unknown kind");
  }

  private static ByteBuffer bytes(BytesInput part) throws IOException {
    ByteBufferInputStream in = part.toInputStream();
    return in.slice(in.available());
  }

  private static int width(int highest) {
    return BytesUtils.getWidthFromMaxInt(highest);
  }

  private void checkLevels(ByteBuffer in, Encoding encoding, int highest) throws IOException {
    switch (encoding) {
      case RLE -> {
        if (highest > 0) {
          checkRuns(lengthPrefixed(in), width(highest));
        }
      }
      case BIT_PACKED -> skip(in, ((long) count * width(highest) + 7) / 8);
      default -> throw new IOException("its levels are encoded as " + encoding);
    }
  }

  private void checkValues(ByteBuffer in, Encoding encoding) throws IOException {
    switch (encoding) {
      case RLE -> checkRuns(lengthPrefixed(in), 1);
      case RLE_DICTIONARY, PLAIN_DICTIONARY -> {
        // Where all values are null there may be no width, either.
        if (in.hasRemaining()) {
          checkRuns(in, in.get());
        }
      }
      case DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY -> passDeltas(in);
      case DELTA_BYTE_ARRAY -> {
        ByteBuffer lengths = in.duplicate();
        // The lengths of what each value shares with the one before, and those of the rest.
        passDeltas(in);
        passDeltas(in);
        checkShared(lengths);
      }
      case PLAIN, BIT_PACKED, BYTE_STREAM_SPLIT -> {}
    }
  }

  private void checkRuns(ByteBuffer in, int width) throws IOException {
    if (width < 0 || width > Integer.SIZE) {
      throw new IOException("it says its numbers have " + width + " bits");
    }
    long seen = 0;
    while (seen < count && in.hasRemaining()) {
      long header = count(in);
      long values = header >>> 1;
      if ((header & 1) == 0) {
        skip(in, (width + 7) / 8);
      } else {
        long bytes = values * width;
        values *= 8;
        // Some writers leave away the end of the last eight values.
        if (values > MAX_UNBACKED && bytes - width > in.remaining()) {
          throw new IOException("it says it has a run of " + values + " values");
        }
        skip(in, Math.min(bytes, in.remaining()));
      }
      seen += values;
    }
  }

  private void passDeltas(ByteBuffer in) throws IOException {
    long block = count(in);
    long parts = count(in);
    long values = count(in);
    if (block < 1 || block > MAX_DELTA_BLOCK || parts < 1 || block % parts != 0) {
      throw new IOException("it has blocks of " + block + " values in " + parts + " parts");
    }
    if (values > count || Long.BYTES * values > FileStructure.MAX_DECOMPRESSED_BYTES) {
      throw new IOException("it says it has " + values + " values instead of " + count);
    }
    passNumber(in);
    byte[] widths = new byte[(int) parts];
    for (long left = values - 1; left > 0; ) {
      passNumber(in);
      in.get(widths);
      for (int i = 0; i < parts && left > 0; i++) {
        skip(in, (widths[i] & 0xff) * (block / parts) / 8);
        left -= block / parts;
      }
    }
  }

  /** A text may say that it shares gigabytes with the one before, for which room would be made. */
  private void checkShared(ByteBuffer in) throws IOException {
    ByteBufferInputStream lengths = ByteBufferInputStream.wrap(in);
    DeltaBinaryPackingValuesReader shared = new DeltaBinaryPackingValuesReader();
    DeltaBinaryPackingValuesReader rest = new DeltaBinaryPackingValuesReader();
    shared.initFromPage(count, lengths);
    rest.initFromPage(count, lengths);
    ByteBuffer counted = in.duplicate();
    long texts = countOfDeltas(counted);
    long length = 0;
    for (long i = 0; i < texts; i++) {
      long prefix = shared.readInteger();
      long suffix = rest.readInteger();
      if (prefix < 0 || suffix < 0 || prefix > length) {
        throw new IOException(
            "a text says it shares " + prefix + " bytes with one of " + length + " before it");
      }
      length = prefix + suffix;
    }
  }

  /** Returns the third of the numbers that deltas begin with: how many values there are. */
  private static long countOfDeltas(ByteBuffer in) throws IOException {
    long unused = count(in);
    unused = count(in);
    return count(in);
  }

  private static ByteBuffer lengthPrefixed(ByteBuffer in) throws IOException {
    int length = Integer.reverseBytes(in.getInt());
    ByteBuffer part = in.slice();
    skip(in, length);
    return part.limit(length);
  }

  private static void skip(ByteBuffer in, long bytes) throws IOException {
    if (bytes < 0 || bytes > in.remaining()) {
      throw new IOException(
          "a part of it has " + bytes + " bytes, with " + in.remaining() + " left");
    }
    in.position(in.position() + (int) bytes);
  }

  /** Reads a number of seven bits a byte. Parquet's reader would let a longer one wrap. */
  private static long count(ByteBuffer in) throws IOException {
    long number = 0;
    for (int shift = 0; shift < Integer.SIZE; shift += 7) {
      byte next = in.get();
      number |= (next & 0x7fL) << shift;
      if (next >= 0 && number <= Integer.MAX_VALUE) {
        return number;
      }
    }
    throw new IOException("a count in it has more than 31 bits");
  }

  private static void passNumber(ByteBuffer in) {
    while (in.get() < 0) {}
  }
}
