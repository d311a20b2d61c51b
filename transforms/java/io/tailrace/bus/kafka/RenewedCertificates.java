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

/**
 * Encrypts a client's connections by Kafka's own means, with key, certificates and passwords as
 * they are when the connection is made: files that were replaced, and secrets that were changed,
 * are read anew. Made by Kafka's clients; thread-safe.
 */
public final class RenewedCertificates implements SslEngineFactory {
  /** A setting of ours: where the secrets among the settings are, by these' names. */
  static final String SECRETS = "tailrace.ssl.secrets";

  private static final List<String> FILES =
      List.of(SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG, SslConfigs.SSL_TRUSTSTORE_LOCATION_CONFIG);

  private Map<String, ?> configs = Map.of();
  private Map<String, String> read = Map.of();
  private @Nullable DefaultSslEngineFactory engines;

  /** Made by Kafka's clients, by its name. */
  public RenewedCertificates() {}

  @Override
  public synchronized void configure(Map<String, ?> given) {
    configs = given;
    var unused = engines();
  }

  private synchronized DefaultSslEngineFactory engines() {
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
    Map<String, Object> all = new HashMap<>(configs);
    now.forEach((name, secret) -> all.put(name, new Password(secret)));
    for (String file : FILES) {
      if (configs.get(file) instanceof String path) {
        now.put(file, stamp(path));
      }
    }
    DefaultSslEngineFactory open = engines;
    if (open == null || !now.equals(read)) {
      open = new DefaultSslEngineFactory();
      open.configure(all);
      engines = open;
      read = now;
    }
    return open;
  }

  private static String stamp(String path) {
    try {
      Path file = Path.of(path);
      return Files.getLastModifiedTime(file) + " " + Files.size(file);
    } catch (IOException e) {
      // Whoever reads it says so.
      return "";
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
