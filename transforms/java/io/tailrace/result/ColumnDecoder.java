package io.tailrace.result;

import io.tailrace.result.WireCursor.MalformedException;
import io.tailrace.stage.InvalidMessageException;
import org.jspecify.annotations.Nullable;

/** Decodes the columns of a frame. Not thread-safe: it remembers their heads. */
final class ColumnDecoder {
  /** The field of a frame that holds a column. */
  static final int COLUMN = 4 << 3 | WireCursor.LENGTH_DELIMITED;

  private final ColumnHeads heads = new ColumnHeads();
  private final ColumnValues values = new ColumnValues();
  private final ColumnPlace place = new ColumnPlace();

  /** Says which frame comes next. */
  ColumnDecoder frame(int index, int rows) {
    place.frame = index;
    place.rows = rows;
    return this;
  }

  /** Decodes so many columns, which stand among the fields of a frame from the cursor on. */
  Column[] decode(WireCursor in, String namespace, int count)
      throws MalformedException, InvalidMessageException {
    Column[] columns = new Column[count];
    @Nullable ColumnHead previous = null;
    for (int c = 0; c < count; ) {
      int tag = in.readTag();
      if (tag == COLUMN) {
        place.index = c;
        int outer = in.enter();
        previous = read(in, namespace, previous);
        columns[c] = values.build(in.bytes, previous.spec(values.cacheDefaults, place), place);
        in.limit = outer;
        c++;
      } else {
        in.skip(tag);
      }
    }
    return columns;
  }

  /** Reads a column's values, and returns its head. */
  private ColumnHead read(WireCursor in, String namespace, @Nullable ColumnHead previous)
      throws MalformedException, InvalidMessageException {
    int start = in.position;
    ColumnHead head = heads.recognise(in, namespace, previous);
    if (head == null || !values.read(in, head.scattered)) {
      in.position = start;
      head = heads.parse(in, namespace, place);
      heads.expect(head, namespace, previous);
      values.read(in, head.scattered);
    }
    return head;
  }
}
