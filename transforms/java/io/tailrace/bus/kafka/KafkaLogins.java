package io.tailrace.bus.kafka;

import static java.util.Objects.requireNonNull;

import io.tailrace.endpoint.Login;
import io.tailrace.endpoint.Secret;
import io.tailrace.endpoint.Secrets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule;

/**
 * How a client logs in, by each of SASL's mechanisms and by certificates, such that it reads its
 * secrets anew whenever it makes a connection: what it is configured with are their places.
 * Stateless and thread-safe.
 */
final class KafkaLogins {
  static final String PLAIN = "PLAIN";
  private static final String OAUTH = "OAUTHBEARER";
  private static final String MSK_IAM = "AWS_MSK_IAM";

  /** The mechanisms that take a user and a password. */
  private static final List<String> WITH_PASSWORD =
      List.of(PLAIN, "SCRAM-SHA-256", "SCRAM-SHA-512", OAUTH);

  private static final String MSK_MODULE = "software.amazon.msk.auth.iam.IAMLoginModule";
  private static final String MSK_CALLBACKS =
      "software.amazon.msk.auth.iam.IAMClientCallbackHandler";
  private static final String MSK_DEPENDENCY = "software.amazon.msk:aws-msk-iam-auth";

  private KafkaLogins() {}

  /**
   * Returns what is wrong with a login, in sentences that hold no secret.
   *
   * @param properties all settings that are known otherwise
   */
  static List<String> problems(
      Map<String, ?> properties, Map<String, Secret> secrets, Login login) {
    List<String> problems = new ArrayList<>();
    if (login.user().isPresent() != login.password().isPresent()) {
      problems.add("user and password=" + Secrets.example() + " belong together");
    }
    String mechanism = mechanism(properties, login);
    if (login.user().isPresent()) {
      checkProtocol(problems, properties, "user and password need");
      if (!WITH_PASSWORD.contains(mechanism)) {
        problems.add(
            "user and password are for sasl.mechanism="
                + String.join(", ", WITH_PASSWORD)
                + ", not "
                + mechanism
                + (mechanism.equals(MSK_IAM)
                    ? ", which signs as Amazon's own tools do"
                    : ", which has its login in "
                        + SaslConfigs.SASL_JAAS_CONFIG
                        + "="
                        + Secrets.example()));
      }
      if (secrets.containsKey(SaslConfigs.SASL_JAAS_CONFIG)) {
        problems.add(
            "user and password are a login, and "
                + SaslConfigs.SASL_JAAS_CONFIG
                + " is another: give one of them");
      }
      if (mechanism.equals(OAUTH)
          && !properties.containsKey(SaslConfigs.SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL)) {
        problems.add(
            "sasl.mechanism=OAUTHBEARER needs "
                + SaslConfigs.SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL
                + "=https://…: where tokens are given for user (the client's id) and password (its"
                + " secret)");
      }
    }
    if (mechanism.equals(MSK_IAM)) {
      checkProtocol(problems, properties, "sasl.mechanism=AWS_MSK_IAM needs");
      if (!isPresent(MSK_CALLBACKS)) {
        problems.add(
            "sasl.mechanism=AWS_MSK_IAM needs " + MSK_DEPENDENCY + " on the class path: add it");
      }
    }
    return problems;
  }

  /** Returns the mechanism: without one that is named a user has Kafka's simplest. */
  private static String mechanism(Map<String, ?> properties, Login login) {
    Object named = properties.get(SaslConfigs.SASL_MECHANISM);
    return named != null
        ? named.toString()
        : login.user().isPresent() ? PLAIN : SaslConfigs.DEFAULT_SASL_MECHANISM;
  }

  private static void checkProtocol(List<String> problems, Map<String, ?> properties, String what) {
    Object protocol = properties.get(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG);
    if (protocol == null || !protocol.toString().startsWith("SASL_")) {
      problems.add(what + " security.protocol=SASL_SSL (or SASL_PLAINTEXT)");
    }
  }

  private static boolean isPresent(String className) {
    try {
      Class<?> unused = Class.forName(className, false, KafkaLogins.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  /** Returns the settings of a login, for all settings that are known otherwise. */
  static Map<String, Object> settings(
      Map<String, Object> properties, Map<String, Secret> secrets, Login login) {
    Map<String, Object> settings = new HashMap<>();
    String mechanism = mechanism(properties, login);
    Secret jaas = secrets.get(SaslConfigs.SASL_JAAS_CONFIG);
    Secret password = login.secret();
    if (password != null) {
      settings.put(SaslConfigs.SASL_MECHANISM, mechanism);
    }
    if (mechanism.equals(MSK_IAM)) {
      // A file of settings may name a role to take on, or callbacks of its own.
      if (jaas != null) {
        settings.put(SaslConfigs.SASL_JAAS_CONFIG, jaas.read());
      } else if (!properties.containsKey(SaslConfigs.SASL_JAAS_CONFIG)) {
        settings.put(SaslConfigs.SASL_JAAS_CONFIG, MSK_MODULE + " required;");
      }
      if (!properties.containsKey(SaslConfigs.SASL_CLIENT_CALLBACK_HANDLER_CLASS)) {
        settings.put(SaslConfigs.SASL_CLIENT_CALLBACK_HANDLER_CLASS, MSK_CALLBACKS);
      }
    } else if (password != null && mechanism.equals(OAUTH)) {
      settings.put(
          SaslConfigs.SASL_JAAS_CONFIG,
          jaas(
              OAuthBearerLoginModule.class,
              Map.of(
                  NamedSecretTokens.CLIENT,
                  login.user().orElse(""),
                  NamedSecretTokens.SECRET,
                  password.toString())));
      settings.put(SaslConfigs.SASL_LOGIN_CALLBACK_HANDLER_CLASS, NamedSecretTokens.class);
    } else if (password != null) {
      named(
          settings,
          Map.of(
              NamedSecretCallbacks.USER,
              login.user().orElse(""),
              NamedSecretCallbacks.PASSWORD,
              password.toString()));
    } else if (jaas != null && mechanism.matches("PLAIN|SCRAM-.*")) {
      named(settings, Map.of(NamedSecretCallbacks.JAAS, jaas.toString()));
    } else if (jaas != null) {
      // A ticket, or a token of somebody's own: what it is only its module knows.
      settings.put(SaslConfigs.SASL_JAAS_CONFIG, jaas.read());
    }
    return settings;
  }

  private static void named(Map<String, Object> settings, Map<String, String> options) {
    settings.put(SaslConfigs.SASL_JAAS_CONFIG, jaas(NamedSecretLogin.class, options));
    settings.put(SaslConfigs.SASL_CLIENT_CALLBACK_HANDLER_CLASS, NamedSecretCallbacks.class);
  }

  private static String jaas(Class<?> module, Map<String, String> options) {
    StringBuilder text = new StringBuilder(module.getName()).append(" required");
    new TreeMap<>(options)
        .forEach((name, value) -> text.append(' ').append(name).append('=').append(quoted(value)));
    return text.append(';').toString();
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  /** Returns how connections are encrypted, where certificates or their secrets may change. */
  static Map<String, Object> certificates(
      Map<String, Object> properties, Map<String, Secret> secrets) {
    Map<String, String> places = new TreeMap<>();
    secrets.forEach(
        (name, secret) -> {
          if (name.startsWith("ssl.")) {
            places.put(name, secret.toString());
          }
        });
    boolean hasFiles =
        properties.containsKey(SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG)
            || properties.containsKey(SslConfigs.SSL_TRUSTSTORE_LOCATION_CONFIG);
    boolean hasOwn = properties.containsKey(SslConfigs.SSL_ENGINE_FACTORY_CLASS_CONFIG);
    if (hasOwn || (places.isEmpty() && !hasFiles)) {
      Map<String, Object> read = new HashMap<>();
      places.keySet().forEach(name -> read.put(name, requireNonNull(secrets.get(name)).read()));
      return read;
    }
    Map<String, Object> settings = new HashMap<>();
    settings.put(SslConfigs.SSL_ENGINE_FACTORY_CLASS_CONFIG, RenewedCertificates.class);
    if (!places.isEmpty()) {
      settings.put(RenewedCertificates.SECRETS, places);
    }
    return settings;
  }
}
