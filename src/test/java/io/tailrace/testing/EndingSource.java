package io.tailrace.testing;

import java.io.Serializable;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.SerializableCoder;
import org.apache.beam.sdk.io.UnboundedSource;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.joda.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A source that brings nothing, and is at its end when a test of the same JVM says so. One test at
 * a time; on Flink with {@code --shutdownSourcesAfterIdleMs=0}.
 *
 * @param <T> what it does not bring
 */
public final class EndingSource<T> extends UnboundedSource<T, EndingSource.Mark> {
  private static final long serialVersionUID = 1;
  private static final AtomicBoolean ended = new AtomicBoolean();

  /** Nothing. */
  static final class Mark implements UnboundedSource.CheckpointMark, Serializable {
    private static final long serialVersionUID = 1;

    @Override
    public void finalizeCheckpoint() {}
  }

  private final Coder<T> coder;

  private EndingSource(Coder<T> coder) {
    this.coder = coder;
  }

  /** Returns one that goes on until {@link #end}. */
  public static <T> EndingSource<T> of(Coder<T> coder) {
    ended.set(false);
    return new EndingSource<>(coder);
  }

  /** Ends it. */
  public static void end() {
    ended.set(true);
  }

  @Override
  public List<EndingSource<T>> split(int desiredNumSplits, PipelineOptions options) {
    return List.of(this);
  }

  @Override
  public UnboundedReader<T> createReader(PipelineOptions options, @Nullable Mark mark) {
    return new NothingReader<>(this);
  }

  @Override
  public Coder<Mark> getCheckpointMarkCoder() {
    return SerializableCoder.of(Mark.class);
  }

  @Override
  public Coder<T> getOutputCoder() {
    return coder;
  }

  private static final class NothingReader<T> extends UnboundedReader<T> {
    private final EndingSource<T> source;

    NothingReader(EndingSource<T> source) {
      this.source = source;
    }

    @Override
    public boolean start() {
      return false;
    }

    @Override
    public boolean advance() {
      return false;
    }

    @Override
    public Instant getWatermark() {
      return ended.get() ? BoundedWindow.TIMESTAMP_MAX_VALUE : BoundedWindow.TIMESTAMP_MIN_VALUE;
    }

    @Override
    public T getCurrent() {
      throw new NoSuchElementException();
    }

    @Override
    public Instant getCurrentTimestamp() {
      throw new NoSuchElementException();
    }

    @Override
    public Mark getCheckpointMark() {
      return new Mark();
    }

    @Override
    public UnboundedSource<T, ?> getCurrentSource() {
      return source;
    }

    @Override
    public void close() {}
  }
}
