package io.tailrace.bus.kafka;

import io.tailrace.endpoint.Secret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import javax.net.ssl.SSLEngine;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.auth.SslEngineFactory;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Encrypts a client's connections by Kafka's own means, with key, certificates and passwords as
 * they are when the connection is made: files that were replaced, and secrets that were changed,
 * are read anew. While they can't be read, as files may be that are just being replaced, a client
 * goes on with those that it has, and says so once: it tries to connect many times a second. Made
 * by Kafka's clients; thread-safe.
 */
public final class RenewedCertificates implements SslEngineFactory {
  /** A setting of ours: where the secrets among the settings are, by these' names. */
  static final String SECRETS = "tailrace.ssl.secrets";

  private static final Logger LOG = LoggerFactory.getLogger(RenewedCertificates.class);

  private static final List<String> FILES =
      List.of(SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG, SslConfigs.SSL_TRUSTSTORE_LOCATION_CONFIG);

  private Map<String, ?> configs = Map.of();
  private Map<String, String> read = Map.of();
  private @Nullable DefaultSslEngineFactory engines;
  private String complaint = "";

  /** Made by Kafka's clients, by its name. */
  public RenewedCertificates() {}

  @Override
  public synchronized void configure(Map<String, ?> given) {
    configs = given;
    var unused = engines();
  }

  private synchronized DefaultSslEngineFactory engines() {
    DefaultSslEngineFactory open = engines;
    try {
      Map<String, String> now = read();
      if (open == null || !now.equals(read)) {
        open = made(now);
        engines = open;
        read = now;
      }
      if (!complaint.isEmpty()) {
        LOG.info("Certificates are read again");
        complaint = "";
      }
    } catch (KafkaException | IllegalStateException e) {
      if (open == null) {
        throw e;
      }
      String why = String.valueOf(e.getMessage());
      if (!why.equals(complaint)) {
        LOG.warn("Connections are made with the certificates that were read before: {}", why);
        complaint = why;
      }
    }
    return open;
  }

  /** Returns the secrets, and when each file was changed. */
  private Map<String, String> read() {
    Map<String, String> now = new TreeMap<>();
    if (configs.get(SECRETS) instanceof Map<?, ?> places) {
      places.forEach(
          (name, place) ->
              now.put(
                  String.valueOf(name),
                  Secret.parse(String.valueOf(place))
                      .orElseThrow(() -> new KafkaException(name + " names no secret"))
                      .read()));
    }
    for (String file : FILES) {
      if (configs.get(file) instanceof String path) {
        now.put(file, stamp(file, path));
      }
    }
    return now;
  }

  private DefaultSslEngineFactory made(Map<String, String> now) {
    Map<String, Object> all = new HashMap<>(configs);
    now.forEach(
        (name, secret) -> {
          if (!FILES.contains(name)) {
            all.put(name, new Password(secret));
          }
        });
    DefaultSslEngineFactory made = new DefaultSslEngineFactory();
    made.configure(all);
    return made;
  }

  private static String stamp(String setting, String path) {
    Path file = Path.of(path);
    if (!Files.isReadable(file)) {
      throw new KafkaException(setting + "=" + path + " can't be read: name a file that is there");
    }
    try {
      return Files.getLastModifiedTime(file) + " " + Files.size(file);
    } catch (IOException e) {
      throw new KafkaException(setting + "=" + path + " can't be read: " + e.getMessage(), e);
    }
  }

  @Override
  public SSLEngine createClientSslEngine(String host, int port, String endpointIdentification) {
    return engines().createClientSslEngine(host, port, endpointIdentification);
  }

  @Override
  public SSLEngine createServerSslEngine(String host, int port) {
    return engines().createServerSslEngine(host, port);
  }

  @Override
  public boolean shouldBeRebuilt(Map<String, Object> next) {
    return false;
  }

  @Override
  public Set<String> reconfigurableConfigs() {
    return Set.of();
  }

  @Override
  public KeyStore keystore() {
    return engines().keystore();
  }

  @Override
  public KeyStore truststore() {
    return engines().truststore();
  }

  @Override
  public synchronized void close() {
    DefaultSslEngineFactory open = engines;
    engines = null;
    if (open != null) {
      open.close();
    }
  }
}
