package io.tailrace.bus.kafka;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Uuid;

/** How Kafka's admin client is set up, and asked by those who read. Stateless and thread-safe. */
final class KafkaAdmins {
  private KafkaAdmins() {}

  /**
   * Makes a client where it runs: only there are secrets read.
   *
   * @param timeout of a question, with its retries
   */
  static Admin open(KafkaBus bus, Duration timeout) {
    Map<String, Object> config = new HashMap<>();
    bus.clientProperties()
        .forEach(
            (name, value) -> {
              // An admin client warns of settings that only consumers and producers have.
              if (AdminClientConfig.configNames().contains(name)
                  || name.equals(RenewedCertificates.SECRETS)) {
                config.put(name, value);
              }
            });
    int millis = (int) timeout.toMillis();
    config.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, millis / 2);
    config.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, millis);
    return Admin.create(config);
  }

  /** Waits for an answer; the client's timeout ends that. */
  static <T> T answer(KafkaBus bus, KafkaFuture<T> future) throws IOException {
    try {
      return future.get();
    } catch (ExecutionException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new IOException(bus.name() + " can't be read: " + cause.getMessage(), cause);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(bus.name() + ": interrupted while waiting for an answer", e);
    }
  }

  /** Returns an id as text, empty where brokers give none. */
  static String text(Uuid id) {
    return id.equals(Uuid.ZERO_UUID) ? "" : id.toString();
  }
}
