package io.tailrace.bus.kafka;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusMessageCoder;
import io.tailrace.bus.BusReader;
import io.tailrace.bus.PresentBuses;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.ListCoder;
import org.apache.beam.sdk.io.UnboundedSource;
import org.apache.beam.sdk.options.PipelineOptions;
import org.jspecify.annotations.Nullable;

/**
 * Reads a topic, in batches: an element is what one poll brought. It is divided into a share for
 * each partition that the topic has when a job starts without state; a partition that is added is
 * of one of them.
 *
 * <p>{@code KafkaIO} puts out an element for each record, for which a runner does as much work as a
 * small result takes in all: on Flink it updates every metric of the step after each one, three
 * quarters of the time that reading took. It also resumes silently where retention has deleted what
 * was not read.
 */
final class KafkaSource extends UnboundedSource<List<BusMessage>, KafkaMark> {
  private static final long serialVersionUID = 1;

  /**
   * Who reads.
   *
   * @param group the consumer group, unless the URI names one
   * @param present under which name a job's options have the bus
   * @param job one id from a start without state on, kept by what is restored from it
   */
  record Subscriber(String group, String present, String writer, String store, String job)
      implements Serializable {
    private static final long serialVersionUID = 1;

    static Subscriber of(BusReader reader, String present) {
      return new Subscriber(
          reader.group(), present, reader.writer(), reader.store(), UUID.randomUUID().toString());
    }

    /** Returns the same job as what reads it now. */
    Subscriber as(BusReader reader) {
      return new Subscriber(group, present, reader.writer(), reader.store(), job);
    }
  }

  /** What the present options accept as their own. */
  private record Adopts(boolean topic, boolean group) implements Serializable {
    private static final long serialVersionUID = 1;
    static final Adopts NOTHING = new Adopts(false, false);
  }

  private final KafkaBus bus;
  private final Subscriber subscriber;
  private final @Nullable TopicStart start;
  private final @Nullable PartitionShare share;
  private final Adopts adopts;

  /** Describes the whole topic. */
  KafkaSource(KafkaBus bus, String group, String present) {
    this(
        bus,
        Subscriber.of(bus.reader().orElse(BusReader.of(group)), present),
        bus.found().orElse(null),
        null,
        Adopts.NOTHING);
  }

  private KafkaSource(
      KafkaBus bus,
      Subscriber subscriber,
      @Nullable TopicStart start,
      @Nullable PartitionShare share,
      Adopts adopts) {
    this.bus = bus;
    this.subscriber = subscriber;
    this.start = start;
    this.share = share;
    this.adopts = adopts;
  }

  KafkaBus bus() {
    return bus;
  }

  String group() {
    return bus.group(subscriber.group);
  }

  Subscriber subscriber() {
    return subscriber;
  }

  /** Returns who reads by the present options. */
  BusReader reader() {
    return bus.reader()
        .orElse(
            new BusReader(
                subscriber.group, subscriber.writer, subscriber.store, adopts.group, false));
  }

  /** Returns what was found when the job was started without state. */
  Optional<TopicStart> start() {
    return Optional.ofNullable(start);
  }

  /** Returns how many partitions are known to be there. */
  int knownPartitions() {
    return start == null ? 0 : start.partitions();
  }

  PartitionShare share() {
    return requireNonNull(share, "a source is split before it is read");
  }

  /** Returns whether another writer's or store's place is taken on purpose. */
  boolean adoptsGroup() {
    return adopts.group;
  }

  /** Returns whether another topic is meant when it is another one. */
  boolean adoptsTopic() {
    return adopts.topic;
  }

  /** Returns the same source of another bus, for tests of what comes out of a checkpoint. */
  KafkaSource of(KafkaBus other) {
    return new KafkaSource(other, subscriber, start, share, adopts);
  }

  @Override
  public List<KafkaSource> split(int desired, PipelineOptions options) throws IOException {
    if (share != null) {
      return List.of(this);
    }
    // Asked for before the job was started, as a rule: then no broker is needed here.
    TopicStart found = start != null ? start : TopicStart.find(bus, reader());
    return PartitionShare.ofEach(found.partitions()).stream()
        .map(each -> new KafkaSource(bus, subscriber, found, each, Adopts.NOTHING))
        .toList();
  }

  @Override
  public UnboundedReader<List<BusMessage>> createReader(
      PipelineOptions options, @Nullable KafkaMark mark) throws IOException {
    if (share == null) {
      // A runner that never splits reads everything with one reader.
      TopicStart found = start != null ? start : TopicStart.find(bus, reader());
      return new KafkaSource(bus, subscriber, found, new PartitionShare(0, 1), Adopts.NOTHING)
          .createReader(options, mark);
    }
    KafkaBus now = PresentBuses.of(options, subscriber.present, bus);
    boolean isSame = now.topic().equals(bus.topic());
    BusReader reader = now.reader().orElse(BusReader.of(subscriber.group));
    checkOwner(reader, PresentBuses.adoptsGroup(options));
    return new KafkaReader(
        new KafkaSource(
            now,
            subscriber.as(reader),
            isSame ? start : now.found().orElse(null),
            share,
            new Adopts(PresentBuses.adoptsTopic(options), PresentBuses.adoptsGroup(options))),
        isSame ? mark : null);
  }

  /** Refuses state that another writer, or one of another store, has left. */
  private void checkOwner(BusReader reader, boolean adoptsGroup) {
    Optional<String> conflict =
        new CommitMetadata(subscriber.writer, subscriber.store, "", subscriber.job, 0, 0)
            .conflict(
                bus.name() + ": the state that this job was restored from",
                reader.writer(),
                reader.store());
    if (conflict.isPresent() && !adoptsGroup) {
      throw new IllegalStateException(conflict.get());
    }
  }

  @Override
  public Coder<KafkaMark> getCheckpointMarkCoder() {
    return new KafkaMark.MarkCoder();
  }

  @Override
  public Coder<List<BusMessage>> getOutputCoder() {
    return ListCoder.of(BusMessageCoder.of());
  }

  @Override
  public String toString() {
    return bus.name() + (share == null ? "" : " " + share);
  }
}
