package io.tailrace.bus.kafka;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.BusFacts;
import io.tailrace.endpoint.Durations;
import io.tailrace.endpoint.UnavailableException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Looks at a topic before a pipeline starts: the runner would find a missing topic late, and a
 * missing broker never.
 */
final class KafkaCheck {
  private static final int CONNECT_MILLIS = 5_000;
  private static final Duration REPLY_TIMEOUT = Duration.ofSeconds(10);

  /** What is longer is as good as for ever. */
  private static final long MAX_MILLIS = Durations.LONGEST.toMillis();

  private final KafkaBus bus;
  // What is to be done with the topic.
  private final AclOperation operation;

  private KafkaCheck(KafkaBus bus, AclOperation operation) {
    this.bus = bus;
    this.operation = operation;
  }

  static BusFacts readable(KafkaBus bus, String group) throws UnavailableException {
    return new KafkaCheck(bus, AclOperation.READ).check(Optional.of(group));
  }

  /** Says the same to who reads in no group, and needs no right to one. */
  static BusFacts readable(KafkaBus bus) throws UnavailableException {
    return new KafkaCheck(bus, AclOperation.READ).check(Optional.empty());
  }

  static BusFacts writable(KafkaBus bus) throws UnavailableException {
    return new KafkaCheck(bus, AclOperation.WRITE).check(Optional.empty());
  }

  /** Returns the brokers' id of the topic, empty where they give none. */
  static String topicId(KafkaBus bus) throws UnavailableException {
    try (Admin admin = KafkaAdmins.open(bus, REPLY_TIMEOUT)) {
      return KafkaAdmins.text(TopicWatch.describe(bus, admin).topicId());
    } catch (IOException e) {
      throw new UnavailableException(String.valueOf(e.getMessage()), e);
    }
  }

  private BusFacts check(Optional<String> group) throws UnavailableException {
    connect();
    try (Admin admin = KafkaAdmins.open(bus, REPLY_TIMEOUT)) {
      try {
        int partitions = partitions(admin);
        if (group.isPresent()) {
          checkUnread(admin, group.get(), partitions);
        }
        checkRight(admin);
        return facts(admin, partitions);
      } finally {
        admin.close(Duration.ZERO);
      }
    } catch (KafkaException e) {
      throw new UnavailableException(bus.name() + ": the settings are wrong: " + root(e), e);
    }
  }

  /**
   * Tells a host that is not there from one that is no Kafka: Kafka's client says the same of both.
   */
  private void connect() throws UnavailableException {
    List<String> failures = new ArrayList<>();
    for (String server : bus.bootstrapServers().split(",", -1)) {
      int colon = server.lastIndexOf(':');
      InetSocketAddress address =
          new InetSocketAddress(
              server.substring(0, colon), Integer.parseInt(server.substring(colon + 1)));
      if (address.isUnresolved()) {
        failures.add("the host of " + server + " is unknown");
        continue;
      }
      try (Socket socket = new Socket()) {
        socket.connect(address, CONNECT_MILLIS / Math.max(1, failures.size() + 1));
        return;
      } catch (IOException e) {
        failures.add(server + ": " + e.getMessage());
      }
    }
    throw new UnavailableException(
        bus.name() + " can't be reached: " + String.join("; ", failures) + "; check host and port");
  }

  private int partitions(Admin admin) throws UnavailableException {
    try {
      TopicDescription topic =
          requireNonNull(
              get(admin.describeTopics(List.of(bus.topic())).allTopicNames()).get(bus.topic()));
      return topic.partitions().size();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        throw new UnavailableException(
            bus.name()
                + ": the topic '"
                + bus.topic()
                + "' does not exist. Create it: kafka-topics.sh --bootstrap-server "
                + bus.bootstrapServers()
                + " --create --topic "
                + bus.topic()
                + " --partitions 8",
            e);
      }
      throw problem(e);
    }
  }

  private void checkUnread(Admin admin, String group, int partitions) throws UnavailableException {
    Map<TopicPartition, OffsetSpec> earliest = new HashMap<>();
    for (int p = 0; p < partitions; p++) {
      earliest.put(new TopicPartition(bus.topic(), p), OffsetSpec.earliest());
    }
    try {
      Map<TopicPartition, OffsetAndMetadata> committed =
          get(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata());
      Map<TopicPartition, ListOffsetsResultInfo> first = get(admin.listOffsets(earliest).all());
      long lost = 0;
      for (Map.Entry<TopicPartition, ListOffsetsResultInfo> each : first.entrySet()) {
        OffsetAndMetadata offset = committed.get(each.getKey());
        if (offset != null) {
          lost += Math.max(0, each.getValue().offset() - offset.offset());
        }
      }
      if (lost > 0 && !bus.continuesAfterOverrun()) {
        throw new UnavailableException(
            bus.name()
                + ": "
                + lost
                + " messages were deleted by the topic's retention before the group '"
                + group
                + "' read them. Raise retention.ms; to go on with what is left, add"
                + " overrun=continue to the URI");
      }
    } catch (ExecutionException e) {
      Optional<String> right = KafkaRights.ofGroup(e, AclOperation.READ, group);
      throw right.isPresent()
          ? new UnavailableException(bus.name() + ": " + right.get(), e)
          : problem(e);
    }
  }

  /** Looks whether the user may do it: found late, it never stops failing. */
  private void checkRight(Admin admin) throws UnavailableException {
    try {
      DescribeTopicsOptions withRights =
          new DescribeTopicsOptions().includeAuthorizedOperations(true);
      Set<AclOperation> rights =
          requireNonNull(
                  get(admin.describeTopics(List.of(bus.topic()), withRights).allTopicNames())
                      .get(bus.topic()))
              .authorizedOperations();
      // A broker that does not tell has none to give.
      if (rights != null && !rights.isEmpty() && !rights.contains(operation)) {
        throw new UnavailableException(
            bus.name() + ": " + KafkaRights.notAllowed(operation, bus.topic()));
      }
    } catch (ExecutionException e) {
      throw problem(e);
    }
  }

  /** A topic that is compacted refuses records without a key, and forgets others. */
  private void checkPolicy(Config config) throws UnavailableException {
    String policy = value(config, TopicConfig.CLEANUP_POLICY_CONFIG).orElse("");
    if (policy.contains(TopicConfig.CLEANUP_POLICY_COMPACT)) {
      throw new UnavailableException(
          bus.name()
              + " is compacted (cleanup.policy="
              + policy
              + "), so it refuses messages without a key and keeps only the last of each key: set"
              + " cleanup.policy=delete");
    }
  }

  private BusFacts facts(Admin admin, int partitions) throws UnavailableException {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, bus.topic());
    try {
      Config config =
          requireNonNull(get(admin.describeConfigs(List.of(resource)).all()).get(resource));
      if (operation == AclOperation.WRITE) {
        checkPolicy(config);
      }
      Optional<Integer> maxBytes =
          value(config, TopicConfig.MAX_MESSAGE_BYTES_CONFIG).map(Integer::valueOf);
      return new BusFacts(partitions, maxBytes, retention(config), times(config));
    } catch (ExecutionException e) {
      if (e.getCause() instanceof AuthorizationException) {
        // Reading a topic needs no right to see its settings.
        return BusFacts.ofPartitions(partitions);
      }
      throw problem(e);
    }
  }

  /**
   * For how long a message may be there: an active segment keeps its first one until the segment is
   * rolled, and only then retention counts. A topic that is compacted alone keeps the last message
   * of a key for ever.
   */
  private static Optional<Duration> retention(Config config) {
    boolean deletes =
        value(config, TopicConfig.CLEANUP_POLICY_CONFIG)
            .map(policy -> policy.isEmpty() || policy.contains(TopicConfig.CLEANUP_POLICY_DELETE))
            .orElse(true);
    long segment =
        value(config, TopicConfig.SEGMENT_MS_CONFIG).map(Long::valueOf).orElse(Long.MAX_VALUE);
    return value(config, TopicConfig.RETENTION_MS_CONFIG)
        .map(Long::valueOf)
        .filter(ms -> deletes && ms >= 0 && ms <= MAX_MILLIS && segment <= MAX_MILLIS)
        .map(ms -> Duration.ofMillis(ms).plusMillis(segment));
  }

  private static BusFacts.Times times(Config config) {
    Optional<String> type = value(config, TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG);
    if (type.isEmpty()) {
      return BusFacts.Times.UNKNOWN;
    }
    if (type.get().equals("LogAppendTime")) {
      return BusFacts.Times.BUS;
    }
    long ahead =
        value(config, "message.timestamp.after.max.ms")
            // Of brokers before 3.6.
            .or(() -> value(config, "message.timestamp.difference.max.ms"))
            .map(Long::valueOf)
            .orElse(Long.MAX_VALUE);
    return ahead <= MAX_MILLIS ? BusFacts.Times.PUBLISHERS : BusFacts.Times.ANY;
  }

  private static Optional<String> value(Config config, String name) {
    ConfigEntry entry = config.get(name);
    return entry == null ? Optional.empty() : Optional.ofNullable(entry.value());
  }

  private <T> T get(org.apache.kafka.common.KafkaFuture<T> future)
      throws UnavailableException, ExecutionException {
    try {
      return future.get(REPLY_TIMEOUT.toMillis() + 1_000, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw problem(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(bus.name() + ": interrupted while waiting for an answer", e);
    }
  }

  private UnavailableException problem(Exception e) {
    Throwable cause = e instanceof ExecutionException && e.getCause() != null ? e.getCause() : e;
    if (cause instanceof AuthenticationException) {
      return new UnavailableException(
          bus.name()
              + ": the broker refuses the user or the certificate: "
              + root(cause)
              + "; check security.protocol, sasl.mechanism, user and password",
          cause);
    }
    if (cause instanceof AuthorizationException) {
      return new UnavailableException(
          bus.name()
              + ": "
              + KafkaRights.ofTopic(cause, operation, bus.topic())
                  .orElseGet(() -> "a permission is missing: " + root(cause)),
          cause);
    }
    if (cause instanceof TimeoutException
        || cause instanceof org.apache.kafka.common.errors.TimeoutException) {
      Object protocol =
          bus.clientProperties()
              .getOrDefault(AdminClientConfig.SECURITY_PROTOCOL_CONFIG, "PLAINTEXT");
      return new UnavailableException(
          bus.name()
              + ": something listens there but does not answer as a Kafka broker with"
              + " security.protocol="
              + protocol
              + "; check the port and security.protocol (PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL)",
          cause);
    }
    return new UnavailableException(bus.name() + ": " + root(cause), cause);
  }

  private static String root(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }
}
