package io.tailrace.stage;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MemoryBudget;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.Serializable;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;
import org.jspecify.annotations.Nullable;

/**
 * Decodes the messages of a bus: what every writer does first. A message that breaks a rule, or is
 * of an environment that is not served, becomes a {@link Failure} that names the reason and the
 * field; the messages around it go on. A replayed message that names another writer as its
 * addressee is passed over.
 *
 * <p>A kind of message has a subclass, which says how it is decoded.
 */
public abstract class DecodeMessages<T>
    extends PTransform<PCollection<BusMessage>, WithFailures.Result<PCollection<T>, Failure>> {
  private static final long serialVersionUID = 1;

  private final Served served;

  /** Decodes for a writer. */
  protected DecodeMessages(Served served) {
    this.served = served;
  }

  /** Returns what is served. */
  protected final Served served() {
    return served;
  }

  /**
   * For whom messages are decoded, and which of them. Immutable.
   *
   * @param writer the writer's name, which replayed messages may be addressed to
   * @param group its consumer group, which they may be addressed to besides
   * @param environments those that are served; empty: all
   */
  protected record Served(String writer, String group, Set<String> environments)
      implements Serializable {
    private static final long serialVersionUID = 1;

    /** Copies the set. */
    public Served {
      environments = Set.copyOf(environments);
    }

    /** Serves a writer in the group of its name: every environment. */
    public static Served writer(String name) {
      return new Served(name, name, Set.of());
    }

    /** Returns the same for another group. */
    public Served inGroup(String other) {
      return new Served(writer, other, environments);
    }

    /** Returns the same for these environments; empty: all. */
    public Served ofEnvironments(Set<String> others) {
      return new Served(writer, group, others);
    }
  }

  /** Returns what decodes this kind of message. */
  protected abstract DecodeFn<T> decodeFn();

  @Override
  public final WithFailures.Result<PCollection<T>, Failure> expand(
      PCollection<BusMessage> messages) {
    return Outputs.of(messages, "Decode", decodeFn());
  }

  /** What is counted of messages that are decoded. */
  public abstract static class Counts extends StageCounters {
    private static final long serialVersionUID = 1;

    private final Count read;
    private final Count bytesRead;
    private final Count forOtherWriters;
    private final Count rejected;
    private final Count decoded;

    /**
     * Declares the counters.
     *
     * @param things what the messages are, in the plural: {@code results}
     * @param bytes which bytes are read, in words
     */
    protected Counts(String stage, String things, String bytes) {
      super(stage);
      read = count(things + "_read", "messages", things + " read from the bus, good and bad");
      bytesRead = count("bytes_read", "bytes", bytes);
      forOtherWriters =
          count(
              things + "_for_other_writers",
              "messages",
              "replayed " + things + " that were addressed to another writer, and passed over");
      rejected =
          count(
              things + "_rejected",
              "messages",
              things
                  + " that can't be decoded, are of an environment that is not served, or of which"
                  + " nothing can be taken: dead letters");
      decoded = count(things + "_decoded", "messages", things + " that went on");
      accounts(read, forOtherWriters, rejected, decoded);
    }
  }

  /** Decodes. */
  public abstract static class DecodeFn<T> extends DoFn<BusMessage, T> {
    private static final long serialVersionUID = 1;

    /** What is smaller is one of many, and there is but one of it at a time. */
    private static final long SMALL = 64 << 10;

    /** Of so many bytes nothing is decoded that is not small: asking each would take time. */
    private static final int NEVER_LARGE = 1_000;

    private final Served served;
    private final String environmentField;
    private final Counts counts;

    // Of what was decoded last, where that is large.
    private transient MemoryBudget.@Nullable Share memory;

    /**
     * Creates one.
     *
     * @param spec for whom it decodes
     * @param environmentField the field that names a message's environment
     */
    protected DecodeFn(DecodeMessages<T> spec, String environmentField, Counts counts) {
      this.served = spec.served;
      this.environmentField = environmentField;
      this.counts = counts;
    }

    /** Decodes a message and checks it against every rule. */
    protected abstract T decode(BusMessage message) throws InvalidMessageException;

    /**
     * Returns the id of the environment that a decoded message is of; empty where it does not say,
     * and whoever takes it finds out.
     */
    protected abstract String environment(T decoded);

    /** Returns what was refused of the message that was decoded last, the rest of which goes on. */
    protected List<Failure> refused(BusMessage message) {
      return List.of();
    }

    /** Returns whether nothing is left of a message, of which something was refused. */
    protected boolean isNothing(T decoded) {
      return false;
    }

    /** Returns how many bytes a decoded message takes with the message itself. */
    protected long size(T decoded) {
      return 0;
    }

    /** Counts what is told of a message that goes on. */
    protected void accepted(T decoded) {}

    /** Begins to count. */
    @StartBundle
    public final void startBundle() {
      counts.clear();
      hold(0);
    }

    /** It is gone, or counts where it went, when the next one comes. */
    private void hold(long bytes) {
      if (memory == null) {
        memory = MemoryBudget.ofProcess().share();
      }
      memory.hold(bytes < SMALL ? 0 : bytes);
    }

    /** Gives back what it holds. */
    @Teardown
    public final void giveBack() {
      if (memory != null) {
        memory.close();
        memory = null;
      }
    }

    /** Decodes a message, or says why not. */
    @ProcessElement
    public final void decode(@Element BusMessage message, MultiOutputReceiver out) {
      counts.read.add(1);
      counts.bytesRead.add(message.payload().length);
      if (!message.replayed().isEmpty()
          && !message.replayed().get().isFor(served.writer, served.group)) {
        counts.forOtherWriters.add(1);
        return;
      }
      T decoded;
      try {
        if (!message.hasPayload()) {
          throw new InvalidMessageException(
              Reason.MISSING_FIELD, "value", "the message has no value");
        }
        decoded = decode(message);
        Set<String> environments = served.environments;
        String environment = environment(decoded);
        if (!environments.isEmpty()
            && !environment.isEmpty()
            && !environments.contains(environment)) {
          throw new InvalidMessageException(
              Reason.UNKNOWN_ENVIRONMENT,
              environmentField,
              "environment '"
                  + environment
                  + "' is not one of those served here: "
                  + String.join(", ", new TreeSet<>(environments)));
        }
      } catch (InvalidMessageException e) {
        counts.rejected.add(1);
        Outputs.failures(out)
            .output(
                Failure.ofMessage(counts.stage(), e.reason(), e.field(), e.getMessage(), message));
        return;
      }
      long bytes = message.heldBytes();
      hold(bytes < NEVER_LARGE ? 0 : Math.max(bytes, size(decoded)));
      accepted(decoded);
      List<Failure> refused = refused(message);
      refused.forEach(Outputs.failures(out)::output);
      if (refused.isEmpty() || !isNothing(decoded)) {
        counts.decoded.add(1);
        Outputs.<T>main(out).output(decoded);
      } else {
        counts.rejected.add(1);
      }
    }

    /** Tells what was counted. */
    @FinishBundle
    public final void finishBundle() {
      hold(0);
      counts.finish();
    }
  }
}
