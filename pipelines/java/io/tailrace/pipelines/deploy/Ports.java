package io.tailrace.pipelines.deploy;

import io.tailrace.endpoint.EndpointUri;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which ports a URI's bus or store is reached at. Stateless and thread-safe. */
final class Ports {
  /** Where clouds and the API server of a cluster are reached. */
  static final int HTTPS = 443;

  private static final int SENTINEL = 26379;
  private static final int REDIS = 6379;

  /** Ports where a URI names none. */
  private static final Map<String, Integer> DEFAULTS =
      Map.ofEntries(
          Map.entry("kafka", MessageQueue.KAFKA_PORT),
          Map.entry("pubsub", HTTPS),
          Map.entry("redis", REDIS),
          Map.entry("rediss", REDIS),
          Map.entry("redis+cluster", REDIS),
          Map.entry("rediss+cluster", REDIS),
          Map.entry("valkey", REDIS),
          Map.entry("valkeys", REDIS),
          Map.entry("valkey+cluster", REDIS),
          Map.entry("valkeys+cluster", REDIS),
          Map.entry("redis+sentinel", SENTINEL),
          Map.entry("rediss+sentinel", SENTINEL),
          Map.entry("valkey+sentinel", SENTINEL),
          Map.entry("valkeys+sentinel", SENTINEL),
          Map.entry("postgresql", 5432),
          Map.entry("redshift", 5439),
          Map.entry("dynamodb", HTTPS),
          Map.entry("bigquery", HTTPS),
          Map.entry("snowflake", HTTPS),
          Map.entry("databricks", HTTPS),
          // Buckets, misspelt ones too: their own kind says how they are spelt.
          Map.entry("s3", HTTPS),
          Map.entry("s3a", HTTPS),
          Map.entry("s3n", HTTPS),
          Map.entry("gs", HTTPS),
          Map.entry("gcs", HTTPS));

  /** Schemes whose first part is a name in a cloud and no host. */
  private static final Set<String> CLOUDS =
      Set.of(
          "pubsub",
          "dynamodb",
          "bigquery",
          "snowflake",
          "databricks",
          "s3",
          "s3a",
          "s3n",
          "gs",
          "gcs");

  /** An address that a parameter, an option or a variable names. */
  private static final Pattern ADDRESS =
      Pattern.compile(
          "(?:^|=)(https?)://(?:[^@/?&\\s]*@)?(\\[[^\\]]+\\]|[^\\[:/?&\\s]+)(?::(\\d{1,5}))?");

  /** A server in a cloud's place that is named without a scheme. */
  private static final Pattern IN_PLACE =
      Pattern.compile("[?&](?:emulator|endpoint)=(\\[[^\\]]+\\]|[^\\[:/?&\\s]+):(\\d{1,5})");

  private static final int HTTP = 80;

  /** The last port that there is. */
  static final int LAST = 65_535;

  private Ports() {}

  /**
   * Returns the hosts that a text names as addresses: of a proxy, an endpoint or an emulator.
   *
   * @param text a URI with its parameters, or what an option or a variable says
   */
  static List<EndpointUri.Host> addresses(String text) {
    List<EndpointUri.Host> hosts = new ArrayList<>();
    String decoded = decoded(text);
    Matcher address = ADDRESS.matcher(decoded);
    while (address.find()) {
      int fallback = address.group(1).equals("https") ? HTTPS : HTTP;
      String port = address.group(3);
      hosts.add(
          new EndpointUri.Host(address.group(2), port == null ? fallback : Integer.parseInt(port)));
    }
    Matcher inPlace = IN_PLACE.matcher(decoded);
    while (inPlace.find()) {
      hosts.add(new EndpointUri.Host(inPlace.group(1), Integer.parseInt(inPlace.group(2))));
    }
    return hosts;
  }

  private static String decoded(String text) {
    try {
      return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      // No URI, or one that its own kind refuses.
      return text;
    }
  }

  /** Returns whether the port of a scheme is known. */
  static boolean isKnown(String scheme) {
    return DEFAULTS.containsKey(scheme);
  }

  /** Returns the ports of a URI that its kind has found right, but for those of its parameters. */
  static Set<Integer> of(String uri) {
    EndpointUri parsed = EndpointUri.parse(uri);
    int fallback = DEFAULTS.getOrDefault(parsed.scheme(), HTTPS);
    Set<Integer> ports = new TreeSet<>();
    if (CLOUDS.contains(parsed.scheme())) {
      ports.add(fallback);
    } else {
      parsed.hosts(fallback).forEach(host -> ports.add(host.port()));
    }
    if (parsed.scheme().endsWith("+sentinel")) {
      // Of the servers that sentinels name.
      ports.add(REDIS);
    }
    return ports;
  }
}
