package io.tailrace.bus.kafka;

import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes to topics of one cluster: what was published since the last commit is there as a whole,
 * or nothing of it is. Its transactions are those of the topic that is settled, so that whoever
 * begins to settle it ends the transaction, and the settling, of another who has not ended. Where a
 * cluster has no transactions for it, or not for this user, it says so, and what was published
 * before a crash stays. Not thread-safe.
 */
final class KafkaSettling implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaSettling.class);

  /** How the ids of transactions begin. */
  static final String ID = "tailrace-dead-letters-";

  /**
   * After so long the brokers end what a dead process has begun: readers of its topics wait for
   * that. One that lives is done in a fraction of a second.
   */
  private static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(20);

  /** For as long as a cluster may take to say whether it has transactions. */
  private static final Duration INIT_TIMEOUT = Duration.ofSeconds(20);

  private final KafkaBus bus;
  private final Producer<byte[], byte[]> producer;
  private final boolean isTransactional;
  private final List<KafkaPublisher> publishers = new ArrayList<>();
  private boolean isOpen;

  private KafkaSettling(KafkaBus bus, Producer<byte[], byte[]> producer, boolean isTransactional) {
    this.bus = bus;
    this.producer = producer;
    this.isTransactional = isTransactional;
  }

  /** Begins, and ends what another has begun: everything that it has committed is there then. */
  static KafkaSettling of(KafkaBus bus) throws UnavailableException {
    Map<String, Object> settings = KafkaPublisher.settings(bus);
    settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, ID + bus.topic());
    settings.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, (int) TRANSACTION_TIMEOUT.toMillis());
    settings.putIfAbsent(ProducerConfig.MAX_BLOCK_MS_CONFIG, INIT_TIMEOUT.toMillis());
    Producer<byte[], byte[]> producer = KafkaPublisher.producer(settings);
    try {
      producer.initTransactions();
      return new KafkaSettling(bus, producer, true);
    } catch (AuthorizationException | UnsupportedVersionException | TimeoutException e) {
      producer.close(Duration.ZERO);
      LOG.warn(
          "{}: the brokers give no transaction ({}), so what is sent in the last second before a"
              + " crash is sent again by the next command, and two commands at once send the same."
              + " Allow it: kafka-acls.sh --add --allow-principal User:… --operation Write"
              + " --operation Describe --transactional-id {}{}",
          bus.name(),
          e.getMessage(),
          ID,
          bus.topic());
      return new KafkaSettling(bus, KafkaPublisher.producer(KafkaPublisher.settings(bus)), false);
    } catch (KafkaException e) {
      producer.close(Duration.ZERO);
      throw new UnavailableException(
          bus.name() + ": no transaction can be begun: " + e.getMessage(), e);
    }
  }

  /** Publishes to a partition of the topic that is settled. */
  void publish(OutgoingMessage message, int partition, Consumer<Place> taken)
      throws UnavailableException {
    begin();
    try {
      own().publish(message, partition, taken);
    } catch (UnavailableException e) {
      throw known(e);
    }
  }

  private KafkaPublisher own() {
    if (publishers.isEmpty()) {
      publishers.add(new KafkaPublisher(bus, producer));
    }
    return publishers.get(0);
  }

  /** Returns what publishes to a topic of the same cluster in the same transactions. */
  BusPublisher to(KafkaBus topic) {
    var unused = own();
    KafkaPublisher publisher = new KafkaPublisher(topic, producer);
    publishers.add(publisher);
    return new BusPublisher() {
      @Override
      public void publish(OutgoingMessage message) throws UnavailableException {
        publish(message, place -> {});
      }

      @Override
      public void publish(OutgoingMessage message, Consumer<Place> taken)
          throws UnavailableException {
        begin();
        try {
          publisher.publish(message, taken);
        } catch (UnavailableException e) {
          throw known(e);
        }
      }

      @Override
      public void flush() throws UnavailableException {
        KafkaSettling.this.flush();
      }

      @Override
      public void close() {}
    };
  }

  private void begin() throws UnavailableException {
    if (isTransactional && !isOpen) {
      try {
        producer.beginTransaction();
        isOpen = true;
      } catch (KafkaException e) {
        throw failed(e);
      }
    }
  }

  private void flush() throws UnavailableException {
    try {
      for (KafkaPublisher each : publishers) {
        each.flush();
      }
    } catch (UnavailableException e) {
      throw known(e);
    }
  }

  private UnavailableException known(UnavailableException e) {
    return e.getCause() instanceof KafkaException cause && isOfAnother(cause) ? failed(cause) : e;
  }

  /** Returns when everything is there for certain; readers are shown it a little later. */
  void commit() throws UnavailableException {
    flush();
    if (isOpen) {
      try {
        producer.commitTransaction();
        isOpen = false;
      } catch (KafkaException e) {
        throw failed(e);
      }
    }
  }

  /** Takes back what was not committed; returns whether there are transactions. */
  boolean takeBack() throws UnavailableException {
    // They remember what has failed.
    publishers.clear();
    if (isOpen) {
      try {
        producer.abortTransaction();
        isOpen = false;
      } catch (KafkaException e) {
        throw failed(e);
      }
    }
    return isTransactional;
  }

  private UnavailableException failed(KafkaException e) {
    return new UnavailableException(
        bus.name()
            + (isOfAnother(e)
                ? ": another command has begun to replay or to discard letters, and this one ends:"
                    + " what it had not settled is left to the other"
                : ": what was sent can't be committed: " + e.getMessage()),
        e);
  }

  private static boolean isOfAnother(Throwable e) {
    return e instanceof ProducerFencedException
        || e instanceof InvalidProducerEpochException
        || (e.getCause() != null && isOfAnother(e.getCause()));
  }

  /** Takes back what was not committed, so that nobody has to wait for it. */
  @Override
  public void close() {
    try {
      if (isOpen) {
        producer.abortTransaction();
      }
    } catch (KafkaException e) {
      LOG.debug("{}: a transaction is left to its timeout: {}", bus.name(), e.getMessage());
    } finally {
      producer.close(Duration.ZERO);
    }
  }
}
