package io.tailrace.parquet;

import com.google.common.base.Utf8;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.io.api.Binary;

/** A column of texts that is being read, each distinct one decoded once. Not thread-safe. */
final class TextColumn implements FileColumns.ColumnTaker {
  /**
   * Bytes from which on an entry of a dictionary is recognized wherever it comes up, by being the
   * same object, as comparing or copying it for each of its rows would take long.
   */
  static final int LONG_ENTRY = 256;

  /** The index of a null. */
  static final int NULL = -1;

  /** The index of a text that is not UTF-8. */
  private static final int NOT_A_TEXT = -2;

  final String name;
  final List<byte[]> distinct = new ArrayList<>();
  private final Map<Integer, String> decoded = new HashMap<>();
  private final TextIndex known = new TextIndex(distinct);
  private final IdentityHashMap<Binary, Integer> longEntries = new IdentityHashMap<>();
  private final DecodeBudget budget;
  private final boolean required;
  private final RowFaults faults;
  private int[] index = new int[0];
  private int count;
  // A dictionary hands out the same object for the same text.
  private Binary last = Binary.EMPTY;
  private int lastIndex = NULL;

  TextColumn(String name, DecodeBudget budget, boolean required, RowFaults faults) {
    this.name = name;
    this.budget = budget;
    this.required = required;
    this.faults = faults;
  }

  @Override
  public void take(ColumnReader column, int rows) throws IOException {
    index = Arrays.copyOf(index, count + rows);
    int defined = column.getDescriptor().getMaxDefinitionLevel();
    for (int i = 0; i < rows; i++) {
      int found = NULL;
      if (column.getCurrentDefinitionLevel() == defined) {
        found = indexOf(column.getBinary());
        if (found == NOT_A_TEXT) {
          faults.add(count, Reason.INVALID_VALUE, name, "is not UTF-8");
          found = NULL;
        }
      } else if (required) {
        faults.addNull(count, name);
      }
      index[count++] = found;
      column.consume();
    }
    endGroup();
  }

  /** Takes rows of a column that the file does not have. */
  void takeNulls(int rows) {
    index = new int[rows];
    Arrays.fill(index, NULL);
    count = rows;
  }

  /** Returns the index of a text, which is not among them before; below zero if it is none. */
  @SuppressWarnings("ReferenceEquality") // Identity is enough to spare the work.
  int indexOf(Binary text) throws IOException {
    if (text != last || lastIndex == NULL) {
      if (text.length() < LONG_ENTRY) {
        lastIndex = find(text);
      } else {
        Integer found = longEntries.get(text);
        lastIndex = found == null ? find(text) : found;
        if (found == null) {
          longEntries.put(text, lastIndex);
        }
      }
      last = text;
    }
    return lastIndex;
  }

  private int find(Binary text) throws IOException {
    int found = known.find(text.toByteBuffer());
    if (found >= 0) {
      return found;
    }
    budget.take(text.length(), name);
    byte[] bytes = text.getBytes();
    return Utf8.isWellFormed(bytes) ? known.add(bytes) : NOT_A_TEXT;
  }

  /** Returns the index of a text of ours, which is added if it is not among them. */
  int indexOf(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int found = known.find(ByteBuffer.wrap(bytes));
    return found >= 0 ? found : known.add(bytes);
  }

  /** Forgets the entries of a row group's dictionary, which hold on to its page. */
  void endGroup() {
    longEntries.clear();
  }

  int count() {
    return count;
  }

  /** Returns the index of each row's text, or {@link #NULL}. */
  int[] indices() {
    return index;
  }

  /** Returns a distinct text. */
  String text(int at) {
    return decoded.computeIfAbsent(at, it -> new String(distinct.get(it), StandardCharsets.UTF_8));
  }

  /** Returns the text of a row; empty where it has none. */
  String orEmpty(int row) {
    return index[row] < 0 ? "" : text(index[row]);
  }

  List<String> texts() {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < distinct.size(); i++) {
      all.add(text(i));
    }
    return all;
  }
}
