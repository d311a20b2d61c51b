package io.tailrace.bus.kafka;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Login;
import io.tailrace.endpoint.Secret;
import io.tailrace.endpoint.Secrets;
import java.io.Serializable;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
 * @param secrets those that are
 * @param login who logs in by SASL, if not by {@code sasl.jaas.config}
 */
record KafkaServers(
    String bootstrap, Map<String, String> properties, Map<String, Secret> secrets, Login login)
    implements Serializable {
  private static final long serialVersionUID = 1;

  private static final int DEFAULT_PORT = 9092;
  private static final String DEFAULT_MECHANISM = "PLAIN";

  /** The mechanisms that take a user and a password. */
  private static final List<String> WITH_PASSWORD =
      List.of(DEFAULT_MECHANISM, "SCRAM-SHA-256", "SCRAM-SHA-512");

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
    if (login.user().isPresent() != login.password().isPresent()) {
      uri.problem("user and password=" + Secrets.example() + " belong together");
    }
    Map<String, String> properties = new HashMap<>(uri.takeDotted(KafkaSettings.NAMES));
    if (login.user().isPresent()) {
      properties.putIfAbsent(SaslConfigs.SASL_MECHANISM, DEFAULT_MECHANISM);
      String protocol =
          properties.getOrDefault(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, "PLAINTEXT");
      if (!protocol.startsWith("SASL_")) {
        uri.problem("user and password need security.protocol=SASL_SSL (or SASL_PLAINTEXT)");
      }
      String mechanism = properties.getOrDefault(SaslConfigs.SASL_MECHANISM, DEFAULT_MECHANISM);
      if (!WITH_PASSWORD.contains(mechanism)) {
        uri.problem(
            "user and password are for sasl.mechanism="
                + String.join(", ", WITH_PASSWORD)
                + ", not "
                + mechanism
                + ", which has its login in "
                + SaslConfigs.SASL_JAAS_CONFIG
                + "="
                + Secrets.example());
      }
      if (secrets.containsKey(SaslConfigs.SASL_JAAS_CONFIG)) {
        uri.problem(
            "user and password are a login, and "
                + SaslConfigs.SASL_JAAS_CONFIG
                + " is another: give one of them");
      }
    }
    return new KafkaServers(bootstrap, properties, secrets, login);
  }

  /**
   * Returns all settings for a client, secrets read.
   *
   * @throws IllegalStateException if a secret is not where it should be
   */
  Map<String, Object> clientProperties() {
    Map<String, Object> all = new HashMap<>(properties);
    all.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    secrets.forEach((name, secret) -> all.put(name, secret.read()));
    Optional<String> password = login.password().map(Secret::read);
    if (password.isPresent()) {
      all.put(SaslConfigs.SASL_JAAS_CONFIG, jaas(login.user().orElse(""), password.get()));
    }
    return all;
  }

  private String jaas(String user, String password) {
    String module =
        properties.getOrDefault(SaslConfigs.SASL_MECHANISM, DEFAULT_MECHANISM).startsWith("SCRAM")
            ? "org.apache.kafka.common.security.scram.ScramLoginModule"
            : "org.apache.kafka.common.security.plain.PlainLoginModule";
    return module + " required username=" + quoted(user) + " password=" + quoted(password) + ";";
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
