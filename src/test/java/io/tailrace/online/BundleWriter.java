package io.tailrace.online;

import io.tailrace.bus.BusMessage;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.result.Result;
import io.tailrace.result.ResultDecoder;
import io.tailrace.stage.Failure;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.testing.Messages;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.transforms.windowing.GlobalWindow;
import org.apache.beam.sdk.transforms.windowing.PaneInfo;
import org.apache.beam.sdk.values.OutputBuilder;
import org.apache.beam.sdk.values.Row;
import org.apache.beam.sdk.values.TupleTag;
import org.apache.beam.sdk.values.WindowedValues;

/**
 * A worker of {@link WriteOnline} without a runner: writes bundle by bundle, over a connection of
 * its own. Not thread-safe.
 */
public final class BundleWriter implements AutoCloseable {
  private final ResultDecoder decoder = new ResultDecoder();
  private final WriteOnline.WriteFn fn;

  /**
   * What a bundle put out.
   *
   * @param outcomes one for each result
   * @param failures one for each result of which cells were rejected
   */
  public record Written(List<WriteOutcome> outcomes, List<Failure> failures) {}

  private BundleWriter(WriteOnline write) {
    this.fn = new WriteOnline.WriteFn(write);
    fn.setUp();
  }

  /** Makes a worker. */
  public static BundleWriter of(WriteOnline write) {
    return new BundleWriter(write);
  }

  /** Writes a bundle of results that were published at a time in microseconds. */
  public Written write(long publishedAt, QueryResult... results)
      throws UnavailableException, InvalidMessageException {
    return write(Arrays.stream(results).map(result -> Messages.of(result, publishedAt)).toList());
  }

  /** Writes a bundle. */
  public Written write(List<BusMessage> messages)
      throws UnavailableException, InvalidMessageException {
    Bundle bundle = begin();
    for (BusMessage message : messages) {
      bundle.add(message);
    }
    return bundle.end();
  }

  /** Begins a bundle. */
  public Bundle begin() {
    return new Bundle();
  }

  /** A bundle that has begun; one at a time. */
  public final class Bundle {
    private final Written written = new Written(new ArrayList<>(), new ArrayList<>());

    private Bundle() {
      fn.startBundle();
    }

    /** Adds a message. */
    public void add(BusMessage message) throws UnavailableException, InvalidMessageException {
      Result result = decoder.decode(message);
      fn.write(
          result, BoundedWindow.TIMESTAMP_MIN_VALUE, GlobalWindow.INSTANCE, new Receiver(written));
    }

    /** Ends the bundle, when everything has been written. */
    @SuppressWarnings(
        "NonCanonicalType") // An inner class can only be made through its subclass's name.
    public Written end() throws UnavailableException {
      fn.finishBundle(
          fn.new FinishBundleContext() {
            @Override
            public PipelineOptions getPipelineOptions() {
              throw new UnsupportedOperationException();
            }

            @Override
            public void output(
                WriteOutcome outcome, org.joda.time.Instant timestamp, BoundedWindow window) {
              written.outcomes().add(outcome);
            }

            @Override
            public <T> void output(
                TupleTag<T> tag, T output, org.joda.time.Instant timestamp, BoundedWindow window) {
              written.failures().add((Failure) output);
            }
          });
      return written;
    }
  }

  @Override
  public void close() {
    fn.tearDown();
  }

  private record Receiver(Written written) implements DoFn.MultiOutputReceiver {
    @Override
    public <T> DoFn.OutputReceiver<T> get(TupleTag<T> tag) {
      return new DoFn.OutputReceiver<>() {
        @Override
        public OutputBuilder<T> builder(T value) {
          return WindowedValues.<T>builder()
              .setValue(value)
              .setTimestamp(BoundedWindow.TIMESTAMP_MIN_VALUE)
              .setWindow(GlobalWindow.INSTANCE)
              .setPaneInfo(PaneInfo.NO_FIRING)
              .setReceiver(
                  output -> {
                    if (output.getValue() instanceof Failure failure) {
                      written.failures().add(failure);
                    } else {
                      written.outcomes().add((WriteOutcome) output.getValue());
                    }
                  });
        }
      };
    }

    @Override
    public <T> DoFn.OutputReceiver<Row> getRowReceiver(TupleTag<T> tag) {
      throw new UnsupportedOperationException();
    }
  }
}
