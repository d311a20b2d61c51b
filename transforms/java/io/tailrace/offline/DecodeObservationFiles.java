package io.tailrace.offline;

import io.tailrace.bus.BusMessage;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationSchema;
import io.tailrace.stage.Failure;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.Set;
import java.util.TreeSet;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionTuple;
import org.apache.beam.sdk.values.TupleTag;
import org.apache.beam.sdk.values.TupleTagList;

/**
 * Decodes messages of the streaming-insert bus into validated {@link ObservationFile}s, whoever
 * published them. A message that is not a Parquet file of the {@link ObservationSchema}, is damaged
 * or too large, or of an environment that is not served, becomes a {@link Failure}; the messages
 * around it go on. A replayed message that names another writer as its addressee is passed over.
 */
public final class DecodeObservationFiles
    extends PTransform<
        PCollection<BusMessage>, WithFailures.Result<PCollection<ObservationFile>, Failure>> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in dead letters and metrics. */
  public static final String STAGE = "DecodeObservationFiles";

  private final String writer;
  private final Set<String> environments;

  private DecodeObservationFiles(String writer, Set<String> environments) {
    this.writer = writer;
    this.environments = environments;
  }

  /**
   * Decodes for a writer.
   *
   * @param writer the writer's name, which replayed messages may be addressed to
   */
  public static DecodeObservationFiles forWriter(String writer) {
    return new DecodeObservationFiles(writer, Set.of());
  }

  /** Serves only these environments; empty: all. Files of others become failures. */
  public DecodeObservationFiles ofEnvironments(Set<String> served) {
    return new DecodeObservationFiles(writer, Set.copyOf(served));
  }

  @Override
  public WithFailures.Result<PCollection<ObservationFile>, Failure> expand(
      PCollection<BusMessage> messages) {
    TupleTag<ObservationFile> files = new TupleTag<>() {};
    TupleTag<Failure> failures = new TupleTag<>() {};
    PCollectionTuple outputs =
        messages.apply(
            "Decode",
            ParDo.of(new DecodeFn(writer, environments, files, failures))
                .withOutputTags(files, TupleTagList.of(failures)));
    return WithFailures.Result.of(outputs.get(files), outputs.get(failures));
  }

  private static final class DecodeFn extends DoFn<BusMessage, ObservationFile> {
    private static final long serialVersionUID = 1;

    private final String writer;
    private final Set<String> environments;
    private final TupleTag<ObservationFile> files;
    private final TupleTag<Failure> failures;
    private final Counter read = Metrics.counter(STAGE, "files_read");
    private final Counter readBytes = Metrics.counter(STAGE, "bytes_read");
    private final Counter readRows = Metrics.counter(STAGE, "rows_read");
    private final Counter addressedElsewhere = Metrics.counter(STAGE, "files_for_other_writers");
    private final Counter rejected = Metrics.counter(STAGE, "files_rejected");

    private transient long readInBundle;
    private transient long bytesInBundle;
    private transient long rowsInBundle;
    private transient long addressedElsewhereInBundle;
    private transient long rejectedInBundle;

    DecodeFn(
        String writer,
        Set<String> environments,
        TupleTag<ObservationFile> files,
        TupleTag<Failure> failures) {
      this.writer = writer;
      this.environments = environments;
      this.files = files;
      this.failures = failures;
    }

    @StartBundle
    public void startBundle() {
      readInBundle = 0;
      bytesInBundle = 0;
      rowsInBundle = 0;
      addressedElsewhereInBundle = 0;
      rejectedInBundle = 0;
    }

    @ProcessElement
    public void decode(@Element BusMessage message, MultiOutputReceiver out) {
      readInBundle++;
      bytesInBundle += message.payload().length;
      if (!message.addressee().isEmpty() && !message.addressee().equals(writer)) {
        addressedElsewhereInBundle++;
        return;
      }
      try {
        ObservationFile file = FileDecoder.decode(message);
        if (!environments.isEmpty() && !environments.contains(file.environment())) {
          throw new InvalidMessageException(
              Reason.UNKNOWN_ENVIRONMENT,
              ObservationSchema.ENVIRONMENT_ID,
              "environment '"
                  + file.environment()
                  + "' is not one of those served here: "
                  + String.join(", ", new TreeSet<>(environments)));
        }
        rowsInBundle += file.rowCount();
        out.get(files).output(file);
      } catch (InvalidMessageException e) {
        rejectedInBundle++;
        out.get(failures)
            .output(Failure.ofMessage(STAGE, e.reason(), e.field(), e.getMessage(), message));
      }
    }

    @FinishBundle
    public void finishBundle() {
      read.inc(readInBundle);
      readBytes.inc(bytesInBundle);
      readRows.inc(rowsInBundle);
      addressedElsewhere.inc(addressedElsewhereInBundle);
      rejected.inc(rejectedInBundle);
    }
  }
}
