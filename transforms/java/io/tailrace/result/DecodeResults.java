package io.tailrace.result;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.BusMessage;
import io.tailrace.stage.DecodeMessages;
import io.tailrace.stage.Failure;
import io.tailrace.stage.InvalidMessageException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decodes messages of the result bus into validated {@link Result}s. A message that is not a valid
 * {@code tailrace.v1.QueryResult}, or of an environment that is not served, becomes a {@link
 * Failure} that names the reason and the field; the messages around it go on. A replayed message
 * that names another writer as its addressee is passed over.
 */
public final class DecodeResults extends DecodeMessages<Result> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in dead letters and metrics. */
  public static final String STAGE = "DecodeResults";

  private DecodeResults(Served served) {
    super(served);
  }

  /**
   * Decodes for a writer.
   *
   * @param writer the writer's name, which replayed messages may be addressed to
   */
  public static DecodeResults forWriter(String writer) {
    return new DecodeResults(Served.writer(writer));
  }

  /** Decodes for the writer's readers in this consumer group; not said: in that of its name. */
  public DecodeResults inGroup(String group) {
    return new DecodeResults(served().inGroup(group));
  }

  /** Serves only these environments; empty: all. Results of others become failures. */
  public DecodeResults ofEnvironments(Set<String> environments) {
    return new DecodeResults(served().ofEnvironments(environments));
  }

  @Override
  protected DecodeFn<Result> decodeFn() {
    return new Fn(this);
  }

  /** What this stage counts. */
  static final class ResultCounts extends DecodeMessages.Counts {
    private static final long serialVersionUID = 1;

    ResultCounts() {
      super(STAGE, "results", "their payloads");
    }
  }

  private static final class Fn extends DecodeFn<Result> {
    private static final long serialVersionUID = 1;

    private transient @Nullable ResultDecoder decoder;

    Fn(DecodeResults spec) {
      super(spec, "environment_id", new ResultCounts());
    }

    @Setup
    public void setUp() {
      decoder = new ResultDecoder();
    }

    @Override
    protected Result decode(BusMessage message) throws InvalidMessageException {
      return requireNonNull(decoder).decode(message);
    }

    @Override
    protected long size(Result result) {
      return result.heldBytes();
    }

    @Override
    protected String environment(Result result) {
      return result.environmentId();
    }
  }
}
