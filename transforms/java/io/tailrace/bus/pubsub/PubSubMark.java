package io.tailrace.bus.pubsub;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.BigEndianLongCoder;
import org.apache.beam.sdk.io.UnboundedSource;

/**
 * How far a reader has read: its watermark, and which of the messages that it has handed out come
 * before. Only the watermark is kept in a checkpoint: what a restored reader has not acknowledged
 * comes again from Pub/Sub, to whichever reader.
 */
final class PubSubMark implements UnboundedSource.CheckpointMark {
  /** What acknowledges. */
  @FunctionalInterface
  interface Acknowledges {
    /** Nobody does: the mark was restored, and its reader is gone. */
    Acknowledges NOTHING = number -> {};

    /** Acknowledges everything that was handed out up to a number. */
    void upTo(long number);
  }

  private final long watermarkMillis;
  private final long handedOut;
  private final Acknowledges leases;

  /**
   * Creates a mark.
   *
   * @param handedOut the number of the last batch before it
   */
  PubSubMark(long watermarkMillis, long handedOut, Acknowledges leases) {
    this.watermarkMillis = watermarkMillis;
    this.handedOut = handedOut;
    this.leases = leases;
  }

  long watermarkMillis() {
    return watermarkMillis;
  }

  /** Called when everything before this mark has been written durably. */
  @Override
  public void finalizeCheckpoint() {
    leases.upTo(handedOut);
  }

  /** Encodes a mark; the format is part of every checkpoint, so it only ever grows. */
  static final class MarkCoder extends AtomicCoder<PubSubMark> {
    private static final long serialVersionUID = 1;

    /** The format; a later one is a greater number. */
    private static final int FORMAT = 1;

    @Override
    public void encode(PubSubMark mark, OutputStream out) throws IOException {
      out.write(FORMAT);
      BigEndianLongCoder.of().encode(mark.watermarkMillis, out);
    }

    @Override
    public PubSubMark decode(InputStream in) throws IOException {
      int format = in.read();
      if (format != FORMAT) {
        throw new IOException(
            "the state is of another version: a reader's mark has the format " + format);
      }
      return new PubSubMark(BigEndianLongCoder.of().decode(in), 0, Acknowledges.NOTHING);
    }
  }
}
