package io.tailrace.parquet;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.UUID;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.PrimitiveType;

/**
 * A column of ids that is being read: 16 bytes each, or their text with four hyphens. Not
 * thread-safe.
 */
final class IdColumn implements FileColumns.ColumnTaker {
  private static final int TEXT_LENGTH = 36;

  /** The ids, one behind the other; where a row gives none, zeros. */
  final byte[] bytes;

  /** The rows that give an id. */
  final BitSet given = new BitSet();

  /** The rows whose id is none. */
  final BitSet bad = new BitSet();

  private int count;

  IdColumn(int rows) {
    bytes = new byte[rows * ObservationIds.LENGTH];
  }

  @Override
  public void take(ColumnReader column, int rows) {
    int defined = column.getDescriptor().getMaxDefinitionLevel();
    boolean isText =
        column.getDescriptor().getPrimitiveType().getLogicalTypeAnnotation() != null
            && column.getDescriptor().getPrimitiveType().getPrimitiveTypeName()
                == PrimitiveType.PrimitiveTypeName.BINARY;
    for (int i = 0; i < rows; i++) {
      if (column.getCurrentDefinitionLevel() == defined) {
        given.set(count);
        Binary id = column.getBinary();
        if (isText) {
          takeText(id);
        } else if (id.length() == ObservationIds.LENGTH) {
          id.toByteBuffer().get(bytes, count * ObservationIds.LENGTH, ObservationIds.LENGTH);
        } else {
          bad.set(count);
        }
      }
      count++;
      column.consume();
    }
  }

  private void takeText(Binary id) {
    String text = id.length() == TEXT_LENGTH ? id.toStringUsingUTF8() : "";
    try {
      UUID uuid = UUID.fromString(text);
      // It would also take a shorter one.
      if (uuid.toString().equalsIgnoreCase(text)) {
        ByteBuffer.wrap(bytes, count * ObservationIds.LENGTH, ObservationIds.LENGTH)
            .putLong(uuid.getMostSignificantBits())
            .putLong(uuid.getLeastSignificantBits());
        return;
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    bad.set(count);
  }

  /** Returns whether a row's id is another one. */
  boolean differs(int row, byte[] id) {
    int at = row * ObservationIds.LENGTH;
    return bad.get(row)
        || (given.get(row)
            && !Arrays.equals(bytes, at, at + ObservationIds.LENGTH, id, 0, ObservationIds.LENGTH));
  }
}
