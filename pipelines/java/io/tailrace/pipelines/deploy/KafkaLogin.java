package io.tailrace.pipelines.deploy;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Secret;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.config.ConfigDef;

/**
 * How a scaler logs in to Kafka as a writer's URI says, in the words of KEDA's scaler {@code kafka}
 * (2.20). Immutable.
 *
 * @param trigger settings of the trigger itself: whether by TLS, and by which mechanism
 * @param user who logs in; empty: nobody by a name
 * @param keys of the Secret, by what KEDA calls what they hold: {@code password}, {@code ca},
 *     {@code cert}, {@code key}
 * @param obstacles why a scaler can't log in so, each the rest of a sentence about the URI
 */
record KafkaLogin(
    Map<String, String> trigger,
    Optional<String> user,
    Map<String, String> keys,
    List<String> obstacles) {
  private static final String REGION = "awsRegion";
  private static final String SIGNED = "saslTokenProvider";

  /** KEDA's names of what Kafka calls SASL mechanisms, of those that take a user and a password. */
  private static final Map<String, String> MECHANISMS =
      Map.of(
          "PLAIN", "plaintext",
          "SCRAM-SHA-256", "scram_sha256",
          "SCRAM-SHA-512", "scram_sha512");

  /** The mechanism by which a role of Amazon's logs in to MSK. */
  static final String MSK_IAM = "AWS_MSK_IAM";

  /** Kafka's settings of logins and of certificates. */
  private static final Set<String> SETTINGS =
      new ConfigDef().withClientSslSupport().withClientSaslSupport().names();

  /** Those that say neither who logs in nor who is trusted. */
  private static final Pattern BESIDE =
      Pattern.compile(
          "ssl\\.(protocol|enabled\\.protocols|cipher\\.suites|secure\\.random\\.implementation)"
              + "|sasl\\.login\\.(refresh|retry|connect|read)\\..*");

  private static final String TRUSTED = "ssl.truststore.location";

  /** KEDA's names of what Kafka's settings hold. */
  private static final Map<String, String> CERTIFICATES =
      Map.of(
          "ssl.truststore.certificates",
          "ca",
          TRUSTED,
          "ca",
          "ssl.keystore.certificate.chain",
          "cert",
          "ssl.keystore.key",
          "key",
          "ssl.key.password",
          "keyPassword");

  private static final Pattern IN_SECRET =
      Pattern.compile("(?:env:|(?:file:)?" + FlinkCluster.SECRETS_DIRECTORY + "/)([^/#]+)");

  private static final Pattern REGION_OF_HOST =
      Pattern.compile(".*\\.kafka(?:-serverless)?\\.([a-z0-9-]+)\\.amazonaws\\.com.*");

  /** Copies the collections. */
  KafkaLogin {
    trigger = Collections.unmodifiableMap(new TreeMap<>(trigger));
    keys = Collections.unmodifiableMap(new TreeMap<>(keys));
    obstacles = List.copyOf(obstacles);
  }

  /**
   * Returns how to log in; empty: without.
   *
   * @param uri of a bus, which the writer's own check has found right
   * @param environment of the writer, which may name Amazon's region
   */
  static Optional<KafkaLogin> of(EndpointUri uri, Map<String, String> environment) {
    String protocol = uri.take("security.protocol").orElse("PLAINTEXT");
    boolean hasFile = uri.take("properties").isPresent();
    if (protocol.equals("PLAINTEXT") && !hasFile) {
      return Optional.empty();
    }
    boolean isTls = protocol.endsWith("SSL");
    boolean isSasl = protocol.startsWith("SASL") || hasFile;
    Map<String, String> settings = new TreeMap<>(uri.takeDotted(SETTINGS));
    settings.keySet().removeIf(name -> !(name.startsWith("ssl.") ? isTls : isSasl));
    settings.keySet().removeIf(BESIDE.asMatchPredicate());
    List<String> obstacles = new ArrayList<>();
    Map<String, String> trigger = new TreeMap<>(Map.of("tls", isTls ? "enable" : "disable"));
    Map<String, String> keys = new TreeMap<>();
    if (isSasl) {
      String named = settings.remove("sasl.mechanism");
      boolean isOwn = settings.containsKey("sasl.jaas.config");
      String mechanism = named != null ? named : isOwn ? "GSSAPI" : "PLAIN";
      if (mechanism.equals(MSK_IAM)) {
        trigger.putAll(Map.of("tls", "enable", "sasl", "oauthbearer", SIGNED, "aws_msk_iam"));
        region(uri, environment).ifPresent(it -> trigger.put(REGION, it));
      } else if (MECHANISMS.containsKey(mechanism)) {
        trigger.put("sasl", MECHANISMS.getOrDefault(mechanism, ""));
      } else {
        obstacles.add("a scaler can't log in by " + mechanism + " as the URI says:");
        settings.keySet().removeIf(name -> name.startsWith("sasl."));
      }
      uri.take("password")
          .flatMap(Secret::parse)
          .flatMap(place -> key("the password", place.toString(), "env:KEY or file:", obstacles))
          .ifPresent(key -> keys.put("password", key));
    }
    certificates(settings, keys, obstacles);
    if (!settings.isEmpty()) {
      obstacles.add("a scaler can't be told " + String.join(", ", settings.keySet()) + ":");
    }
    boolean isKnown = !hasFile || trigger.containsKey(SIGNED);
    return Optional.of(
        new KafkaLogin(
            isKnown ? trigger : Map.of(),
            uri.take("user"),
            keys,
            hasFile ? List.of("has settings in a file, which a scaler can't read:") : obstacles));
  }

  private static Optional<String> region(EndpointUri uri, Map<String, String> environment) {
    return uri.hosts(MessageQueue.KAFKA_PORT).stream()
        .map(host -> REGION_OF_HOST.matcher(host.name()))
        .filter(Matcher::matches)
        .map(host -> host.group(1))
        .findFirst()
        .or(() -> Optional.ofNullable(environment.get("AWS_REGION")));
  }

  /** Takes out what KEDA can be given: certificates and keys as PEM, out of the Secret. */
  private static void certificates(
      Map<String, String> settings, Map<String, String> keys, List<String> obstacles) {
    boolean isTrustedPem = settings.remove("ssl.truststore.type", "PEM");
    boolean unused = settings.remove("ssl.keystore.type", "PEM");
    CERTIFICATES.forEach(
        (setting, parameter) -> {
          String place = settings.get(setting);
          if (place != null && (isTrustedPem || !setting.equals(TRUSTED))) {
            settings.remove(setting);
            key(setting, place, setting.equals(TRUSTED) ? "" : "env:KEY or file:", obstacles)
                .ifPresent(key -> keys.put(parameter, key));
          }
        });
  }

  /** Returns the key of the writers' Secret that a place is. */
  private static Optional<String> key(
      String what, String place, String form, List<String> obstacles) {
    Matcher inSecret = IN_SECRET.matcher(place);
    if (inSecret.matches()) {
      return Optional.of(inSecret.group(1));
    }
    obstacles.add(
        "a scaler can't read "
            + what
            + " at "
            + place
            + ": it has the keys of the Secret alone; put it there and write "
            + form
            + FlinkCluster.SECRETS_DIRECTORY
            + "/KEY, or");
    return Optional.empty();
  }

  /** Returns what the trigger alone can say, whoever says the rest: the region to sign for. */
  Map<String, String> region() {
    return Optional.ofNullable(trigger.get(REGION))
        .map(region -> Map.of(REGION, region))
        .orElse(Map.of());
  }

  /** Returns whether a role of Amazon's is what logs in, by the identity of a pod. */
  boolean isByRole() {
    return trigger.containsKey(SIGNED);
  }

  /** Returns whether a region is missing, without which nobody can sign for Amazon. */
  boolean needsRegion() {
    return isByRole() && !trigger.containsKey(REGION);
  }
}
