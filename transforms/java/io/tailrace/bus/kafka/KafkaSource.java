package io.tailrace.bus.kafka;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusMessageCoder;
import io.tailrace.bus.PresentBuses;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.ListCoder;
import org.apache.beam.sdk.io.UnboundedSource;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.PartitionInfo;
import org.jspecify.annotations.Nullable;

/**
 * Reads a topic, in batches: an element is what one poll brought.
 *
 * <p>{@code KafkaIO} puts out an element for each record, for which a runner does as much work as a
 * small result takes in all: on Flink it updates every metric of the step after each one, three
 * quarters of the time that reading took. It also resumes silently where retention has deleted what
 * was not read.
 */
final class KafkaSource extends UnboundedSource<List<BusMessage>, KafkaMark> {
  private static final long serialVersionUID = 1;

  private final KafkaBus bus;
  private final String group;
  private final String present;
  private final List<Integer> partitions;
  private final int topicPartitions;

  /**
   * Describes the source.
   *
   * @param present under which name a job's options have the bus
   */
  KafkaSource(KafkaBus bus, String group, String present) {
    this(bus, group, present, List.of(), 0);
  }

  private KafkaSource(
      KafkaBus bus, String group, String present, List<Integer> partitions, int topicPartitions) {
    this.bus = bus;
    this.group = group;
    this.present = present;
    this.partitions = partitions;
    this.topicPartitions = topicPartitions;
  }

  KafkaBus bus() {
    return bus;
  }

  String group() {
    return group;
  }

  List<Integer> partitions() {
    return partitions;
  }

  /** Returns how many partitions the topic had when it was divided among readers. */
  int topicPartitions() {
    return topicPartitions;
  }

  @Override
  public List<KafkaSource> split(int desired, PipelineOptions options) {
    if (!partitions.isEmpty()) {
      return List.of(this);
    }
    List<Integer> all = new ArrayList<>();
    try (Consumer<byte[], byte[]> consumer = KafkaConsumers.open(bus, group)) {
      for (PartitionInfo info : consumer.partitionsFor(bus.topic())) {
        all.add(info.partition());
      }
    }
    if (all.isEmpty()) {
      throw new IllegalStateException(bus.name() + " has no partitions");
    }
    all.sort(null);
    int count = Math.min(Math.max(1, desired), all.size());
    List<KafkaSource> splits = new ArrayList<>(count);
    for (int s = 0; s < count; s++) {
      List<Integer> theirs = new ArrayList<>();
      for (int p = s; p < all.size(); p += count) {
        theirs.add(all.get(p));
      }
      splits.add(new KafkaSource(bus, group, present, List.copyOf(theirs), all.size()));
    }
    return splits;
  }

  @Override
  public UnboundedReader<List<BusMessage>> createReader(
      PipelineOptions options, @Nullable KafkaMark mark) throws IOException {
    if (partitions.isEmpty()) {
      // A runner that never splits reads everything with one reader.
      return split(1, options).get(0).createReader(options, mark);
    }
    KafkaBus now = PresentBuses.of(options, present, bus);
    KafkaMark valid = now.topic().equals(bus.topic()) ? mark : null;
    return new KafkaReader(
        new KafkaSource(now, group, present, partitions, topicPartitions), valid);
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
    return bus.name() + partitions;
  }
}
