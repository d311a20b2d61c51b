package io.tailrace.metrics;

import io.tailrace.bus.BusMessage;
import io.tailrace.stage.DecodeMessages;
import io.tailrace.stage.Failure;
import io.tailrace.stage.InvalidMessageException;
import java.util.Set;

/**
 * Decodes messages of the metrics bus into valid {@link PublishedSummary}s. A message that is no
 * summary, breaks a rule of {@code metrics_summary.proto}, says what no store can hold, or is of an
 * environment that is not served, becomes a {@link Failure}; the messages around it go on. A
 * replayed message that names another writer as its addressee is passed over.
 */
public final class DecodeSummaries extends DecodeMessages<PublishedSummary> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in dead letters and metrics. */
  public static final String STAGE = "DecodeSummaries";

  private DecodeSummaries(Served served) {
    super(served);
  }

  /**
   * Decodes for a writer.
   *
   * @param writer the writer's name, which replayed messages may be addressed to
   */
  public static DecodeSummaries forWriter(String writer) {
    return new DecodeSummaries(Served.writer(writer));
  }

  /** Decodes for the writer's readers in this consumer group; not said: in that of its name. */
  public DecodeSummaries inGroup(String group) {
    return new DecodeSummaries(served().inGroup(group));
  }

  /** Serves only these environments; empty: all. Summaries of others become failures. */
  public DecodeSummaries ofEnvironments(Set<String> environments) {
    return new DecodeSummaries(served().ofEnvironments(environments));
  }

  @Override
  protected DecodeFn<PublishedSummary> decodeFn() {
    return new Fn(this);
  }

  /** What this stage counts. */
  static final class SummaryCounts extends DecodeMessages.Counts {
    private static final long serialVersionUID = 1;

    SummaryCounts() {
      super(STAGE, "summaries", "their payloads");
    }
  }

  private static final class Fn extends DecodeFn<PublishedSummary> {
    private static final long serialVersionUID = 1;

    Fn(DecodeSummaries spec) {
      super(spec, "environment_id", new SummaryCounts());
    }

    @Override
    protected PublishedSummary decode(BusMessage message) throws InvalidMessageException {
      return SummaryDecoder.decode(message);
    }

    @Override
    protected String environment(PublishedSummary summary) {
      return summary.summary().getEnvironmentId();
    }
  }
}
