package io.tailrace.offline;

import io.tailrace.bus.BusMessage;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.result.ResultDecoder;
import io.tailrace.stage.Failure;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.testing.Messages;
import io.tailrace.testing.RandomResults;
import io.tailrace.v1.QueryResult;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Encodes bundles of results as {@link EncodeObservations} does. Not thread-safe. */
public final class BundleEncoder implements AutoCloseable {
  /** When every result was published: late enough for those of {@link RandomResults}. */
  public static final long PUBLISHED_AT = RandomResults.START + 3_600_000_000L;

  private final ResultDecoder decoder = new ResultDecoder();
  private final ResultEncoder encoder;

  /** What a bundle put out. */
  public record Encoded(List<byte[]> files, List<Failure> failures) {
    public List<ObservationFile> decoded() throws InvalidMessageException {
      List<ObservationFile> decoded = new ArrayList<>();
      for (byte[] file : files) {
        decoded.add(FileDecoder.decode(message(file)));
      }
      return decoded;
    }
  }

  public BundleEncoder() {
    this(EncodeObservations.DEFAULT_MAX_FILE_BYTES);
  }

  public BundleEncoder(int maxFileBytes) {
    encoder = new ResultEncoder(maxFileBytes, EncodeObservations.DEFAULT_MAX_CLOCK_SKEW);
  }

  /** Returns the files of a bundle, none of whose rows is refused. */
  public static List<ObservationFile> files(QueryResult... results) throws Exception {
    return files(List.of(results));
  }

  public static List<ObservationFile> files(List<QueryResult> results) throws Exception {
    try (BundleEncoder encoder = new BundleEncoder()) {
      return encoder.encode(results).decoded();
    }
  }

  /** Returns the message of the streaming-insert bus that carries a file. */
  public static BusMessage message(byte[] file) {
    return Messages.of(file, PUBLISHED_AT);
  }

  /** Encodes a bundle. */
  public Encoded encode(List<QueryResult> results)
      throws IOException, InvalidMessageException, UnavailableException {
    Encoded encoded = new Encoded(new ArrayList<>(), new ArrayList<>());
    for (QueryResult result : results) {
      encoder.add(
          decoder.decode(Messages.of(result, PUBLISHED_AT)),
          file -> encoded.files().add(file.bytes()),
          encoded.failures()::add);
    }
    encoder.flush(file -> encoded.files().add(file.bytes()), encoded.failures()::add);
    return encoded;
  }

  @Override
  public void close() {
    encoder.close();
  }
}
