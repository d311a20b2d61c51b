package io.tailrace.bus.kafka;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Login;
import io.tailrace.endpoint.Secret;
import java.io.IOException;
import java.io.Serializable;
import java.io.StringReader;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.config.SaslConfigs;

/**
 * Where the brokers are and how to talk to them, as a URI says. Immutable; holds no secret, only
 * where one is.
 *
 * @param bootstrap {@code host:port} of some brokers
 * @param properties settings of Kafka's clients that are no secrets
 * @param secrets those that are, and a file of more settings, which give way to those of the URI
 * @param login who logs in by SASL, if not by {@code sasl.jaas.config}
 */
record KafkaServers(
    String bootstrap, Map<String, String> properties, Map<String, Secret> secrets, Login login)
    implements Serializable {
  private static final long serialVersionUID = 1;

  private static final int DEFAULT_PORT = 9092;

  /** Among the secrets, as it may hold some: a file of properties, as Kafka's own tools take it. */
  private static final String FILE = "properties";

  /** Copies the maps. */
  KafkaServers {
    properties = Collections.unmodifiableMap(new TreeMap<>(properties));
    secrets = Collections.unmodifiableMap(new TreeMap<>(secrets));
  }

  /** Takes the servers out of a URI, whose other parts and problems are left to the caller. */
  static KafkaServers of(EndpointUri uri) {
    String bootstrap =
        uri.hosts(DEFAULT_PORT).stream().map(Object::toString).collect(Collectors.joining(","));
    Map<String, Secret> secrets = new HashMap<>();
    for (String name : KafkaSettings.SECRETS) {
      uri.takeSecret(name).ifPresent(secret -> secrets.put(name, secret));
    }
    Login login = Login.of(uri);
    Map<String, String> properties = new HashMap<>(uri.takeDotted(KafkaSettings.NAMES));
    Optional<Secret> file = uri.takeSecret(FILE);
    if (file.isPresent()) {
      // It may say the rest, and is read where a client is made.
      secrets.put(FILE, file.get());
    } else {
      KafkaLogins.problems(properties, secrets, login).forEach(uri::problem);
    }
    return new KafkaServers(bootstrap, properties, secrets, login);
  }

  /**
   * Returns all settings for a client. Secrets of a login and of certificates are places, which are
   * read at each connection; a file of settings is read here.
   *
   * @throws IllegalStateException if a secret is not where it should be, or a file of settings does
   *     not go with the rest
   */
  Map<String, Object> clientProperties() {
    Map<String, Object> all = new HashMap<>(fromFile());
    all.putAll(properties);
    all.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    secrets.forEach(
        (name, secret) -> {
          boolean isReadLater =
              name.startsWith("ssl.") || name.equals(SaslConfigs.SASL_JAAS_CONFIG);
          if (!isReadLater && !name.equals(FILE)) {
            all.put(name, secret.read());
          }
        });
    List<String> problems = KafkaLogins.problems(all, secrets, login);
    if (!problems.isEmpty()) {
      throw new IllegalStateException(
          "the URI of the topic, with " + secrets.get(FILE) + ": " + String.join("; ", problems));
    }
    all.putAll(KafkaLogins.settings(all, secrets, login));
    all.putAll(KafkaLogins.certificates(all, secrets));
    return all;
  }

  private Map<String, Object> fromFile() {
    Secret file = secrets.get(FILE);
    if (file == null) {
      return Map.of();
    }
    Properties read = new Properties();
    try {
      read.load(new StringReader(file.read()));
    } catch (IOException | IllegalArgumentException e) {
      throw new IllegalStateException(file + " is no file of properties: " + e.getMessage(), e);
    }
    Map<String, Object> settings = new HashMap<>();
    for (String name : read.stringPropertyNames()) {
      if (!KafkaSettings.NAMES.contains(name)) {
        throw new IllegalStateException(
            file + " has '" + name + "', which is no setting of Kafka's clients");
      }
      settings.put(name, read.getProperty(name));
    }
    return settings;
  }
}
