package io.tailrace.offline.postgres;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * Sends rows to a table in the binary format of {@code COPY} (described with it in PostgreSQL's
 * manual), through a small buffer. Close it without {@link #end} to give the rows up. Not
 * thread-safe.
 */
final class CopyStream implements AutoCloseable {
  /** What a message to the server holds, unless one field is larger. */
  private static final int BUFFER_BYTES = 64 << 10;

  /** A field of known size, with its length. */
  private static final int LARGEST_FIXED = 24;

  private static final byte[] HEADER = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0".getBytes(ISO_8859_1);

  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private static final int NULL = -1;
  private static final int TEXT_OID = 25;
  private static final int FLOAT4_OID = 700;

  private final CopyIn copy;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private int used;
  private long sent;

  CopyStream(Connection connection, String table, List<String> columns) throws SQLException {
    copy =
        connection
            .unwrap(PGConnection.class)
            .getCopyAPI()
            .copyIn(
                "COPY "
                    + table
                    + " ("
                    + String.join(", ", columns)
                    + ") FROM STDIN (FORMAT binary)");
    System.arraycopy(HEADER, 0, buffer, 0, HEADER.length);
    used = HEADER.length;
  }

  /** Returns how many bytes were written. */
  long bytes() {
    return sent + used;
  }

  void beginRow(int fields) throws SQLException {
    reserve();
    SHORT.set(buffer, used, (short) fields);
    used += Short.BYTES;
  }

  void putNull() throws SQLException {
    putLength(NULL);
  }

  void putInt(int value) throws SQLException {
    putLength(Integer.BYTES);
    INT.set(buffer, used, value);
    used += Integer.BYTES;
  }

  void putLong(long value) throws SQLException {
    putLength(Long.BYTES);
    LONG.set(buffer, used, value);
    used += Long.BYTES;
  }

  void putBoolean(boolean value) throws SQLException {
    putLength(1);
    buffer[used++] = (byte) (value ? 1 : 0);
  }

  /** Writes what has 16 bytes. */
  void putUuid(ByteBuffer id) throws SQLException {
    putLength(2 * Long.BYTES);
    LONG.set(buffer, used, id.getLong(0));
    LONG.set(buffer, used + Long.BYTES, id.getLong(Long.BYTES));
    used += 2 * Long.BYTES;
  }

  /** Writes bytes, or a text as UTF-8. */
  void putBytes(byte[] value) throws SQLException {
    putLength(value.length);
    append(value);
  }

  /**
   * Writes an array of 32-bit numbers.
   *
   * @param numbers big-endian
   */
  void putFloats(byte[] numbers) throws SQLException {
    int count = numbers.length / Float.BYTES;
    putLength(arrayHeaderLength(count) + count * 2 * Integer.BYTES);
    putArrayHeader(count, FLOAT4_OID);
    for (int i = 0; i < count; i++) {
      putInt((int) INT.get(numbers, i * Float.BYTES));
    }
  }

  /**
   * Writes an array of texts.
   *
   * @param texts as UTF-8
   */
  void putTexts(List<byte[]> texts) throws SQLException {
    int length = arrayHeaderLength(texts.size());
    for (byte[] text : texts) {
      length += Integer.BYTES + text.length;
    }
    putLength(length);
    putArrayHeader(texts.size(), TEXT_OID);
    for (byte[] text : texts) {
      putBytes(text);
    }
  }

  /** Dimensions, whether there are nulls, type; for one dimension its size and first index. */
  private static int arrayHeaderLength(int count) {
    return (count == 0 ? 3 : 5) * Integer.BYTES;
  }

  private void putArrayHeader(int count, int elementOid) throws SQLException {
    reserve();
    INT.set(buffer, used, count == 0 ? 0 : 1);
    INT.set(buffer, used + 4, 0);
    INT.set(buffer, used + 8, elementOid);
    if (count > 0) {
      INT.set(buffer, used + 12, count);
      INT.set(buffer, used + 16, 1);
    }
    used += arrayHeaderLength(count);
  }

  /** Ends the rows, all of which the server then has taken. */
  void end() throws SQLException {
    reserve();
    SHORT.set(buffer, used, (short) -1);
    used += Short.BYTES;
    flush();
    long unused = copy.endCopy();
  }

  @Override
  public void close() throws SQLException {
    if (copy.isActive()) {
      copy.cancelCopy();
    }
  }

  private void putLength(int length) throws SQLException {
    reserve();
    INT.set(buffer, used, length);
    used += Integer.BYTES;
  }

  /** Makes room for a field of known size. */
  private void reserve() throws SQLException {
    if (BUFFER_BYTES - used < LARGEST_FIXED) {
      flush();
    }
  }

  private void append(byte[] value) throws SQLException {
    if (BUFFER_BYTES - used < value.length) {
      flush();
    }
    if (value.length > BUFFER_BYTES) {
      copy.writeToCopy(value, 0, value.length);
      sent += value.length;
      return;
    }
    System.arraycopy(value, 0, buffer, used, value.length);
    used += value.length;
  }

  private void flush() throws SQLException {
    copy.writeToCopy(buffer, 0, used);
    sent += used;
    used = 0;
  }
}
