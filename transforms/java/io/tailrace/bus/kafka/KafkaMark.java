package io.tailrace.bus.kafka;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.BigEndianLongCoder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.coders.VarIntCoder;
import org.apache.beam.sdk.io.UnboundedSource;

/** How far a reader has read: the next offset of each of its partitions, and its watermark. */
final class KafkaMark implements UnboundedSource.CheckpointMark {
  /** Positions that are durable and wait to be committed by the thread that owns the consumer. */
  static final class Commits extends AtomicReference<Map<Integer, KafkaPosition>> {
    private static final long serialVersionUID = 1;
  }

  private final String topicId;
  private final SortedMap<Integer, KafkaPosition> next;
  private final long watermarkMillis;
  // Null-object where the mark was restored and its reader is gone: nobody commits.
  private final Commits commits;

  /**
   * Creates a mark.
   *
   * @param topicId of the topic in which the positions are; empty where brokers give none
   */
  KafkaMark(
      String topicId, Map<Integer, KafkaPosition> next, long watermarkMillis, Commits commits) {
    this.topicId = topicId;
    // Ordered, so that a mark has the same bytes in every JVM.
    this.next = Collections.unmodifiableSortedMap(new TreeMap<>(next));
    this.watermarkMillis = watermarkMillis;
    this.commits = commits;
  }

  String topicId() {
    return topicId;
  }

  /** Returns what is to be read next of each partition. */
  SortedMap<Integer, KafkaPosition> next() {
    return next;
  }

  long watermarkMillis() {
    return watermarkMillis;
  }

  /** Called when everything before this mark has been written durably. */
  @Override
  public void finalizeCheckpoint() {
    commits.set(next);
  }

  /** Encodes a mark; the format is part of every checkpoint, so it only ever grows. */
  static final class MarkCoder extends AtomicCoder<KafkaMark> {
    private static final long serialVersionUID = 1;

    /** The format; a later one is a greater number. */
    private static final int FORMAT = 1;

    @Override
    public void encode(KafkaMark mark, OutputStream out) throws IOException {
      out.write(FORMAT);
      StringUtf8Coder.of().encode(mark.topicId, out);
      VarIntCoder.of().encode(mark.next.size(), out);
      for (Map.Entry<Integer, KafkaPosition> each : mark.next.entrySet()) {
        VarIntCoder.of().encode(each.getKey(), out);
        BigEndianLongCoder.of().encode(each.getValue().offset(), out);
        // One more, as a negative number would take five bytes.
        VarIntCoder.of().encode(each.getValue().epoch() + 1, out);
      }
      BigEndianLongCoder.of().encode(mark.watermarkMillis, out);
    }

    @Override
    public KafkaMark decode(InputStream in) throws IOException {
      int format = in.read();
      if (format != FORMAT) {
        throw new IOException(
            "the state is of another version: a reader's mark has the format " + format);
      }
      String topicId = StringUtf8Coder.of().decode(in);
      int size = VarIntCoder.of().decode(in);
      SortedMap<Integer, KafkaPosition> next = new TreeMap<>();
      for (int i = 0; i < size; i++) {
        next.put(
            VarIntCoder.of().decode(in),
            new KafkaPosition(BigEndianLongCoder.of().decode(in), VarIntCoder.of().decode(in) - 1));
      }
      return new KafkaMark(topicId, next, BigEndianLongCoder.of().decode(in), new Commits());
    }
  }
}
