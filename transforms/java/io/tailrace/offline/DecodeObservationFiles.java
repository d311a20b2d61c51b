package io.tailrace.offline;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.BusMessage;
import io.tailrace.endpoint.Micros;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationSchema;
import io.tailrace.result.Admission;
import io.tailrace.stage.DecodeMessages;
import io.tailrace.stage.Failure;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.RejectedCells;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decodes messages of the streaming-insert bus into validated {@link ObservationFile}s, whoever
 * published them. A message that is not a Parquet file of the {@link ObservationSchema}, is damaged
 * or too large, or of an environment that is not served, becomes a {@link Failure}; so do rows that
 * can't be taken exactly, without which their file goes on; the messages around it go on. A
 * replayed message that names another writer as its addressee is passed over.
 */
public final class DecodeObservationFiles extends DecodeMessages<ObservationFile> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in dead letters and metrics. */
  public static final String STAGE = "DecodeObservationFiles";

  private final Duration maxClockSkew;

  private DecodeObservationFiles(Served served, Duration maxClockSkew) {
    super(served);
    this.maxClockSkew = maxClockSkew;
  }

  /**
   * Decodes for a writer.
   *
   * @param writer the writer's name, which replayed messages may be addressed to
   */
  public static DecodeObservationFiles forWriter(String writer) {
    return new DecodeObservationFiles(Served.writer(writer), Admission.DEFAULT_MAX_CLOCK_SKEW);
  }

  /** Decodes for the writer's readers in this consumer group; not said: in that of its name. */
  public DecodeObservationFiles inGroup(String group) {
    return new DecodeObservationFiles(served().inGroup(group), maxClockSkew);
  }

  /** Serves only these environments; empty: all. Files of others become failures. */
  public DecodeObservationFiles ofEnvironments(Set<String> environments) {
    return new DecodeObservationFiles(served().ofEnvironments(environments), maxClockSkew);
  }

  /**
   * Refuses rows of other publishers that were observed further than this after their file's
   * publication. The offline writer held its own against the rule when it made them.
   */
  public DecodeObservationFiles withMaxClockSkew(Duration skew) {
    if (skew.isNegative() || skew.isZero()) {
      throw new IllegalArgumentException("maxClockSkew must be above zero, not " + skew);
    }
    return new DecodeObservationFiles(served(), skew);
  }

  @Override
  protected DecodeFn<ObservationFile> decodeFn() {
    return new Fn(this);
  }

  /** What this stage counts. */
  static final class FileCounts extends DecodeMessages.Counts {
    private static final long serialVersionUID = 1;

    final Count rowsRead = count("rows_read", "rows", "rows of the good ones");

    final Count rowsRejected =
        count(
            "rows_rejected", "rows", "rows that can't be taken exactly as they are: dead letters");

    FileCounts() {
      super(STAGE, "files", "those files");
    }
  }

  private static final class Fn extends DecodeFn<ObservationFile> {
    private static final long serialVersionUID = 1;

    private final FileCounts counts;
    private final long maxClockSkewMicros;

    // The rows of the file that was decoded last.
    private transient @Nullable RejectedCells refused;
    private transient FileDecoder.@Nullable Decoded decoded;

    Fn(DecodeObservationFiles spec) {
      this(spec, new FileCounts());
    }

    private Fn(DecodeObservationFiles spec, FileCounts counts) {
      super(spec, ObservationSchema.ENVIRONMENT_ID, counts);
      this.counts = counts;
      this.maxClockSkewMicros = Micros.of(spec.maxClockSkew);
    }

    @Override
    protected ObservationFile decode(BusMessage message) throws InvalidMessageException {
      refused = new RejectedCells();
      long publishedAt = message.time().publishTime(Micros.now());
      decoded = FileDecoder.decode(message, refused, publishedAt + maxClockSkewMicros);
      return decoded.file();
    }

    @Override
    protected List<Failure> refused(BusMessage message) {
      return requireNonNull(refused).failure(STAGE, message).stream()
          .map(
              failure -> requireNonNull(decoded).refusedRows().map(failure::ofRows).orElse(failure))
          .toList();
    }

    @Override
    protected boolean isNothing(ObservationFile file) {
      return file.rowCount() == 0;
    }

    @Override
    protected long size(ObservationFile file) {
      return file.heldBytes();
    }

    @Override
    protected String environment(ObservationFile file) {
      return file.environment();
    }

    @Override
    protected void accepted(ObservationFile file) {
      counts.rowsRead.add(file.rowCount());
      counts.rowsRejected.add(requireNonNull(refused).count());
    }
  }
}
