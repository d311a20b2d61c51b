package io.tailrace.bus.kafka;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.BigEndianLongCoder;
import org.apache.beam.sdk.coders.VarIntCoder;
import org.apache.beam.sdk.io.UnboundedSource;

/** How far a reader has read: the next offset of each of its partitions, and its watermark. */
final class KafkaMark implements UnboundedSource.CheckpointMark {
  /** Offsets that are durable and wait to be committed by the thread that owns the consumer. */
  static final class Commits extends AtomicReference<Map<Integer, Long>> {
    private static final long serialVersionUID = 1;
  }

  private final Map<Integer, Long> nextOffsets;
  private final long watermarkMillis;
  // Null-object where the mark was restored and its reader is gone: nobody commits.
  private final Commits commits;

  KafkaMark(Map<Integer, Long> nextOffsets, long watermarkMillis, Commits commits) {
    // Ordered, so that a mark has the same bytes in every JVM.
    this.nextOffsets = Collections.unmodifiableSortedMap(new TreeMap<>(nextOffsets));
    this.watermarkMillis = watermarkMillis;
    this.commits = commits;
  }

  Map<Integer, Long> nextOffsets() {
    return nextOffsets;
  }

  long watermarkMillis() {
    return watermarkMillis;
  }

  /** Called when everything before this mark has been written durably. */
  @Override
  public void finalizeCheckpoint() {
    commits.set(nextOffsets);
  }

  /** Encodes a mark; the format is part of every checkpoint, so it only ever grows. */
  static final class MarkCoder extends AtomicCoder<KafkaMark> {
    private static final long serialVersionUID = 1;

    @Override
    public void encode(KafkaMark mark, OutputStream out) throws IOException {
      VarIntCoder.of().encode(mark.nextOffsets.size(), out);
      for (Map.Entry<Integer, Long> each : mark.nextOffsets.entrySet()) {
        VarIntCoder.of().encode(each.getKey(), out);
        BigEndianLongCoder.of().encode(each.getValue(), out);
      }
      BigEndianLongCoder.of().encode(mark.watermarkMillis, out);
    }

    @Override
    public KafkaMark decode(InputStream in) throws IOException {
      int size = VarIntCoder.of().decode(in);
      Map<Integer, Long> offsets = new HashMap<>();
      for (int i = 0; i < size; i++) {
        offsets.put(VarIntCoder.of().decode(in), BigEndianLongCoder.of().decode(in));
      }
      return new KafkaMark(offsets, BigEndianLongCoder.of().decode(in), new Commits());
    }
  }
}
