package io.tailrace.offline;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.failure.Failure;
import io.tailrace.result.InvalidResultException;
import io.tailrace.result.ResultDecoder;
import io.tailrace.testing.Messages;
import io.tailrace.testing.RandomResults;
import io.tailrace.v1.QueryResult;
import java.io.IOException;
import java.util.ArrayList;
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

/** A worker of {@link EncodeObservations} without a runner. Not thread-safe. */
final class BundleEncoder implements AutoCloseable {
  /** When every result was published: late enough for those of {@link RandomResults}. */
  static final long PUBLISHED_AT = RandomResults.START + 3_600_000_000L;

  private final ResultDecoder decoder = new ResultDecoder();
  private final TupleTag<OutgoingMessage> files = new TupleTag<>() {};
  private final TupleTag<Failure> failures = new TupleTag<>() {};
  private final EncodeObservations.EncodeFn fn;

  /** What a bundle put out. */
  record Encoded(List<byte[]> files, List<Failure> failures) {
    List<ObservationFile> decoded() throws InvalidFileException {
      List<ObservationFile> decoded = new ArrayList<>();
      for (byte[] file : files) {
        decoded.add(FileDecoder.decode(message(file)));
      }
      return decoded;
    }
  }

  BundleEncoder(EncodeObservations encode) {
    fn = new EncodeObservations.EncodeFn(encode, files, failures);
    fn.setUp();
  }

  /** Returns the files of a bundle, none of whose rows is refused. */
  static List<ObservationFile> files(QueryResult... results) throws Exception {
    return files(List.of(results));
  }

  static List<ObservationFile> files(List<QueryResult> results) throws Exception {
    try (BundleEncoder encoder = new BundleEncoder(EncodeObservations.create())) {
      return encoder.encode(results).decoded();
    }
  }

  /** Returns the message of the streaming-insert bus that carries a file. */
  static BusMessage message(byte[] file) {
    return Messages.of(file, PUBLISHED_AT);
  }

  /** Encodes a bundle. */
  @SuppressWarnings("NonCanonicalType") // An inner class can only be made by its subclass's name.
  Encoded encode(List<QueryResult> results) throws IOException, InvalidResultException {
    Encoded encoded = new Encoded(new ArrayList<>(), new ArrayList<>());
    fn.startBundle();
    for (QueryResult result : results) {
      fn.encode(
          decoder.decode(Messages.of(result, PUBLISHED_AT)),
          BoundedWindow.TIMESTAMP_MIN_VALUE,
          GlobalWindow.INSTANCE,
          new Receiver(encoded));
    }
    fn.finishBundle(
        fn.new FinishBundleContext() {
          @Override
          public PipelineOptions getPipelineOptions() {
            throw new UnsupportedOperationException();
          }

          @Override
          public void output(
              OutgoingMessage file, org.joda.time.Instant timestamp, BoundedWindow window) {
            add(encoded, file);
          }

          @Override
          public <T> void output(
              TupleTag<T> tag, T output, org.joda.time.Instant timestamp, BoundedWindow window) {
            add(encoded, output);
          }
        });
    return encoded;
  }

  private static void add(Encoded encoded, Object output) {
    if (output instanceof Failure failure) {
      encoded.failures().add(failure);
    } else {
      encoded.files().add(((OutgoingMessage) output).payload());
    }
  }

  @Override
  public void close() {
    fn.tearDown();
  }

  private record Receiver(Encoded encoded) implements DoFn.MultiOutputReceiver {
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
              .setReceiver(output -> add(encoded, output.getValue()));
        }
      };
    }

    @Override
    public <T> DoFn.OutputReceiver<Row> getRowReceiver(TupleTag<T> tag) {
      throw new UnsupportedOperationException();
    }
  }
}
