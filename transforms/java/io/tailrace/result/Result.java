package io.tailrace.result;

import io.tailrace.bus.BusMessage;
import io.tailrace.v1.QueryResult;
import io.tailrace.v1.QueryResult.OperationKind;
import io.tailrace.v1.QueryResult.Status;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.apache.beam.sdk.coders.DefaultCoder;
import org.jspecify.annotations.Nullable;

/**
 * A validated query result: a view of the message it was decoded from. Two results are equal when
 * their messages are and they lack the same parts. Immutable.
 */
@DefaultCoder(ResultCoder.class)
public final class Result {
  /** The numbers of the head, as read. */
  static final class Head {
    int operationKind;
    int status;
    long queryTimestamp;
    long executionStartedAt;
    long executionFinishedAt;
    int part;
    int parts;
    int errors;
    // Of the publisher's id in the payload.
    int publisherStart;
    int publisherEnd;
    long sequence;
    // (start, end) of each text of the head in the payload, in the order of HeadTexts.
    final int[] texts = new int[2 * HeadTexts.COUNT];
  }

  private final BusMessage message;
  private final String environmentId;
  private final Head head;
  private final List<Frame> frames;
  private final List<Deletion> deletions;
  // What was left out, by position: see without().
  private final BitSet absent;
  // What it was before.
  private final List<Frame> allFrames;
  private final List<Deletion> allDeletions;

  Result(
      BusMessage message,
      String environmentId,
      Head head,
      List<Frame> frames,
      List<Deletion> deletions) {
    this.message = message;
    this.environmentId = environmentId;
    this.head = head;
    this.frames = frames;
    this.deletions = deletions;
    this.absent = new BitSet();
    this.allFrames = frames;
    this.allDeletions = deletions;
  }

  /** The same with fewer frames and deletions. */
  private Result(Result whole, List<Frame> frames, List<Deletion> deletions, BitSet absent) {
    this.message = whole.message;
    this.environmentId = whole.environmentId;
    this.head = whole.head;
    this.frames = frames;
    this.deletions = deletions;
    this.absent = absent;
    this.allFrames = whole.frames;
    this.allDeletions = whole.deletions;
  }

  /**
   * Returns the result as if it had come without some of its columns and deletions.
   *
   * @param positions which: columns are counted from 0, frame by frame, then the features that are
   *     deleted, where the deletion of whole entities counts as one
   */
  public Result without(BitSet positions) {
    if (positions.isEmpty()) {
      return this;
    }
    if (!absent.isEmpty()) {
      throw new IllegalStateException("positions are those of the whole result");
    }
    List<Frame> fewer = new ArrayList<>();
    int position = 0;
    for (Frame frame : frames) {
      List<Column> columns = new ArrayList<>();
      for (Column column : frame.columns()) {
        if (!positions.get(position++)) {
          columns.add(column);
        }
      }
      fewer.add(new Frame(frame.namespace(), frame.keys(), columns));
    }
    List<Deletion> left = new ArrayList<>();
    for (Deletion deletion : deletions) {
      if (deletion.wholeEntities()) {
        if (!positions.get(position++)) {
          left.add(deletion);
        }
        continue;
      }
      List<String> names = new ArrayList<>();
      for (String name : deletion.names()) {
        if (!positions.get(position++)) {
          names.add(name);
        }
      }
      if (!names.isEmpty()) {
        left.add(new Deletion(deletion.namespace(), deletion.keys(), names, deletion.observedAt()));
      }
    }
    return new Result(this, fewer, left, (BitSet) positions.clone());
  }

  /**
   * Returns where a column of a frame stands in the message, such as {@code frames[0].columns[2]},
   * also if others were left out.
   */
  public String place(Frame frame, Column column) {
    return place(frame.keys(), column);
  }

  /** Returns where a column of the frame stands in the message that has these keys. */
  public String place(PrimaryKeys keys, Column column) {
    for (int i = 0; i < allFrames.size(); i++) {
      Frame each = allFrames.get(i);
      // Each row's key and each column is itself alone.
      int index = each.keys() == keys ? each.columns().indexOf(column) : -1;
      if (index >= 0) {
        return "frames[" + i + "].columns[" + index + "]";
      }
    }
    throw new IllegalArgumentException("no column of this result: " + column.spec());
  }

  /** Returns where that stands in the message which has a position of {@link #without}. */
  public String place(int position) {
    int left = position;
    for (int i = 0; i < allFrames.size(); i++) {
      int columns = allFrames.get(i).columns().size();
      if (left < columns) {
        return "frames[" + i + "].columns[" + left + "]";
      }
      left -= columns;
    }
    for (int i = 0; i < allDeletions.size(); i++) {
      Deletion deletion = allDeletions.get(i);
      int features = Math.max(1, deletion.names().size());
      if (left < features) {
        return "deletions[" + i + "]" + (deletion.wholeEntities() ? "" : ".features[" + left + "]");
      }
      left -= features;
    }
    throw new IndexOutOfBoundsException(position);
  }

  /** Returns where a frame stands in the message, such as {@code frames[0]}. */
  public String place(Frame frame) {
    return place(frame.keys());
  }

  /** Returns where a deletion stands in the message, also if others were left out. */
  public String place(Deletion deletion) {
    return place(deletion.keys());
  }

  /** Returns where the frame or the deletion stands in the message that has these keys. */
  public String place(PrimaryKeys keys) {
    for (int i = 0; i < allFrames.size(); i++) {
      if (allFrames.get(i).keys() == keys) {
        return "frames[" + i + "]";
      }
    }
    for (int i = 0; i < allDeletions.size(); i++) {
      if (allDeletions.get(i).keys() == keys) {
        return "deletions[" + i + "]";
      }
    }
    throw new IllegalArgumentException("not of this result");
  }

  BitSet absent() {
    return absent;
  }

  /** Returns how many bytes this holds, roughly: the message, and what was decoded of it. */
  public long heldBytes() {
    long bytes = message.heldBytes();
    for (Frame frame : frames) {
      bytes += DecodedSize.COLUMN + frame.keys().heldBytes();
      for (Column column : frame.columns()) {
        bytes += DecodedSize.COLUMN + column.heldBytes();
      }
    }
    for (Deletion deletion : deletions) {
      bytes += (long) DecodedSize.COLUMN * (1 + deletion.names().size());
      bytes += deletion.keys().heldBytes();
    }
    return bytes;
  }

  /** Returns the message that this was decoded from. */
  public BusMessage message() {
    return message;
  }

  /** Returns the unique id of the execution. */
  public String operationId() {
    return text(QueryResult.OPERATION_ID_FIELD_NUMBER);
  }

  /** Returns the environment; never empty. */
  public String environmentId() {
    return environmentId;
  }

  /** Returns the deployment of the engine; empty when absent. */
  public String deploymentId() {
    return text(QueryResult.DEPLOYMENT_ID_FIELD_NUMBER);
  }

  /** Returns the name of the query; empty when absent. */
  public String queryName() {
    return text(QueryResult.QUERY_NAME_FIELD_NUMBER);
  }

  /**
   * Returns a text of the head, which is read from the bytes when asked for; empty when absent.
   *
   * @param field the number of a field of {@code QueryResult} that is a text, whichever
   * @throws IllegalArgumentException if that is none
   */
  public String text(int field) {
    int text = HeadTexts.place(field);
    if (text < 0) {
      throw new IllegalArgumentException("field " + field + " of a QueryResult is no text");
    }
    int start = head.texts[2 * text];
    return new String(
        message.payload(), start, head.texts[2 * text + 1] - start, StandardCharsets.UTF_8);
  }

  /** Returns what kind of query it was; {@code UNRECOGNIZED} when newer than this program. */
  public OperationKind operationKind() {
    OperationKind kind = OperationKind.forNumber(head.operationKind);
    return kind == null ? OperationKind.UNRECOGNIZED : kind;
  }

  /** Returns the name of what kind of query it was; its number when newer than this program. */
  public String operationKindName() {
    OperationKind kind = operationKind();
    return kind == OperationKind.UNRECOGNIZED ? Integer.toString(head.operationKind) : kind.name();
  }

  /** Returns how the query ended; {@code UNRECOGNIZED} when newer than this program. */
  public Status status() {
    Status status = Status.forNumber(head.status);
    return status == null ? Status.UNRECOGNIZED : status;
  }

  /** Returns the name of how the query ended; its number when newer than this program. */
  public String statusName() {
    Status status = status();
    return status == Status.UNRECOGNIZED ? Integer.toString(head.status) : status.name();
  }

  /** Returns when the query was asked, in microseconds since the epoch. */
  public long queryTimestamp() {
    return head.queryTimestamp;
  }

  /** Returns when execution began, in microseconds since the epoch; zero when absent. */
  public long executionStartedAt() {
    return head.executionStartedAt;
  }

  /** Returns when execution ended, in microseconds since the epoch; zero when absent. */
  public long executionFinishedAt() {
    return head.executionFinishedAt;
  }

  /** Returns which part of a divided result this is, from 0. */
  public int part() {
    return head.part;
  }

  /** Returns into how many parts the result is divided, at least 1. */
  public int parts() {
    return Math.max(1, head.parts);
  }

  /** Returns the id of who published the result, and numbers what it publishes; may be empty. */
  public String publisherId() {
    return new String(
        message.payload(),
        head.publisherStart,
        head.publisherEnd - head.publisherStart,
        StandardCharsets.UTF_8);
  }

  /** Returns whether the publisher has an id. */
  public boolean hasPublisher() {
    return head.publisherEnd > head.publisherStart;
  }

  /**
   * Returns the publisher's number of the result, an integer without a sign, which grows by one
   * with each of its results; all parts of one have the same.
   */
  public long sequence() {
    return head.sequence;
  }

  /** Returns how many errors the query reported. */
  public int errorCount() {
    return head.errors;
  }

  /** Returns the values, a frame for each namespace. */
  public List<Frame> frames() {
    return frames;
  }

  /** Returns the deletions. */
  public List<Deletion> deletions() {
    return deletions;
  }

  /** Returns how many values of features there are, nulls among them. */
  public long values() {
    long values = 0;
    for (Frame frame : frames()) {
      values += (long) frame.rows() * frame.columns().size();
    }
    return values;
  }

  /** Returns how many values there are, and deletions by entity and feature. */
  public long cells() {
    long cells = values();
    for (Deletion deletion : deletions()) {
      cells += (long) deletion.keys().count() * Math.max(1, deletion.names().size());
    }
    return cells;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Result that
        && message.equals(that.message)
        && absent.equals(that.absent);
  }

  @Override
  public int hashCode() {
    return message.hashCode();
  }

  @Override
  public String toString() {
    return "Result " + operationId() + " from " + message;
  }
}
