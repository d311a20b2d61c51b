package io.tailrace.online.dynamodb;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.Secret;
import io.tailrace.endpoint.Timeouts;
import java.io.Serializable;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a DynamoDB URI says. Immutable.
 *
 * @param text the URI, without secrets
 * @param place where the tables are
 * @param keys who signs requests
 * @param timeouts for how long to wait
 * @param writing how entities are written
 */
record DynamoDbAddress(String text, Place place, Keys keys, Timeouts timeouts, Writing writing)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /** Stands for the environment in the name of a table. */
  static final String ENVIRONMENT = "{environment}";

  static final String EXAMPLE = "dynamodb://eu-west-1/tailrace-{environment}?create=true";

  /** Lengths of a table's name. */
  private static final int MIN_NAME = 3;

  private static final int MAX_NAME = 255;

  /** What a hash takes of a name, with the character before it. */
  private static final int HASHED = 17;

  private static final Duration REPLY_TIMEOUT = Duration.ofSeconds(5);

  /** A request takes some 5 ms, so that 32 at once write some 6,000 entities a second. */
  private static final int DEFAULT_CONNECTIONS = 32;

  /**
   * Where the tables are.
   *
   * @param regionName empty where it is null: where Amazon's own tools find one
   * @param endpointAddress null: Amazon's own in the region
   * @param table the table's name, perhaps with {@link #ENVIRONMENT} in it
   * @param environments those that are known, sorted; empty: there may be any
   */
  record Place(
      @Nullable String regionName,
      @Nullable String endpointAddress,
      String table,
      List<String> environments)
      implements Serializable {
    private static final long serialVersionUID = 1;

    Optional<String> region() {
      return Optional.ofNullable(regionName);
    }

    Optional<String> endpoint() {
      return Optional.ofNullable(endpointAddress);
    }
  }

  /**
   * Who signs requests. Both are null: whoever Amazon's own tools find in the environment, the
   * profile or the role of the machine.
   *
   * @param access the place of the key's id
   * @param secret the place of the key's secret
   */
  record Keys(@Nullable Secret access, @Nullable Secret secret) implements Serializable {
    private static final long serialVersionUID = 1;
  }

  /**
   * How entities are written.
   *
   * @param grace how long an item outlives its last cell
   * @param connections how many requests are on their way at once, at most
   * @param create whether a missing table is created
   * @param maxPerSecond how many entities a connection writes in a second; 0: without a limit
   */
  record Writing(Duration grace, int connections, boolean create, int maxPerSecond)
      implements Serializable {
    private static final long serialVersionUID = 1;

    long graceMicros() {
      return Micros.of(grace);
    }
  }

  static DynamoDbAddress of(EndpointUri uri) {
    Optional<String> region = Optional.empty();
    // Without a host the region is where Amazon's own tools find it.
    if (!uri.toString().startsWith(uri.scheme() + ":///")) {
      List<EndpointUri.Host> hosts = uri.hosts(0);
      String name = hosts.size() == 1 ? hosts.get(0).name() : "";
      if (hosts.size() > 1) {
        uri.problem("one region holds all tables, several are named");
      } else if (hosts.size() == 1
          && (hosts.get(0).port() != 0 || !name.matches("[a-z]{2,}(-[a-z]+)+-\\d+"))) {
        uri.problem(
            "'"
                + (hosts.get(0).port() == 0 ? name : hosts.get(0))
                + "' is not a region such as eu-west-1; another server is named with"
                + " endpoint=http://HOST:PORT");
      }
      region = Optional.of(name);
    }
    checkTable(uri, uri.path());
    Optional<String> endpoint = uri.take("endpoint");
    endpoint
        .filter(it -> !it.matches("https?://[^/?]+/?"))
        .ifPresent(
            it -> uri.problem("endpoint=" + it + " is no address such as http://localhost:8000"));
    Optional<Secret> access = uri.takeSecret("accessKey");
    Optional<Secret> secret = uri.takeSecret("secretKey");
    if (access.isPresent() != secret.isPresent()) {
      uri.problem("accessKey and secretKey are given together, or neither is");
    }
    Writing writing =
        new Writing(
            uri.takeDurationOrZero("grace").orElse(Duration.ofHours(1)),
            uri.takeInt("connections", 1, 1_000).orElse(DEFAULT_CONNECTIONS),
            takeCreate(uri),
            uri.takeInt("maxWritesPerSecond", 1, 10_000_000).orElse(0));
    Timeouts timeouts = Timeouts.of(uri, REPLY_TIMEOUT);
    String table = uri.path();
    uri.finish(EXAMPLE);
    return new DynamoDbAddress(
        uri.withoutSecrets(),
        new Place(region.orElse(null), endpoint.orElse(null), table, List.of()),
        new Keys(access.orElse(null), secret.orElse(null)),
        timeouts,
        writing);
  }

  private static void checkTable(EndpointUri uri, String table) {
    if (table.isEmpty()) {
      uri.problem("the table is missing: it follows the region and a slash");
    } else if (!table.replace(ENVIRONMENT, "env").matches("[A-Za-z0-9_.-]{3,255}")) {
      uri.problem(
          "'"
              + table
              + "' is not the name of a table: 3 to 255 letters, digits, '_', '.' and '-', with or"
              + " without "
              + ENVIRONMENT);
    } else if (table.indexOf(ENVIRONMENT) != table.lastIndexOf(ENVIRONMENT)) {
      uri.problem("'" + table + "' has " + ENVIRONMENT + " twice");
    } else if (table.contains(ENVIRONMENT)
        && table.length() - ENVIRONMENT.length() + HASHED > MAX_NAME) {
      uri.problem(
          "'"
              + table
              + "' has no room for an environment: at most "
              + (MAX_NAME - HASHED)
              + " characters beside "
              + ENVIRONMENT);
    }
  }

  private static boolean takeCreate(EndpointUri uri) {
    String value = uri.take("create").orElse("false");
    if (!value.equals("true") && !value.equals("false")) {
      uri.problem("create=" + value + " is neither true nor false");
    }
    return value.equals("true");
  }

  /** Returns whether each environment has a table of its own. */
  boolean separatesEnvironments() {
    return place.table.contains(ENVIRONMENT);
  }

  /** Returns the same, for these environments; empty: for any. */
  DynamoDbAddress ofEnvironments(Collection<String> environments) {
    List<String> sorted = environments.stream().sorted().toList();
    Place told = new Place(place.regionName, place.endpointAddress, place.table, sorted);
    return new DynamoDbAddress(text, told, keys, timeouts, writing);
  }

  /** Returns the tables that are known beforehand: those of the environments that are. */
  List<String> tables() {
    return separatesEnvironments()
        ? place.environments.stream().map(this::table).toList()
        : List.of(place.table);
  }

  /** Returns the name of the table that an environment's entities are in. */
  String table(String environment) {
    return place.table.replace(ENVIRONMENT, separatesEnvironments() ? part(environment) : "");
  }

  /**
   * What a table's name can't have is replaced, and what makes it too long cut off; a hash keeps
   * two such environments apart, and makes a name that is too short longer.
   */
  private String part(String environment) {
    String allowed = environment.replaceAll("[^A-Za-z0-9_.-]", "_");
    int beside = place.table.length() - ENVIRONMENT.length();
    int length = beside + allowed.length();
    if (allowed.equals(environment) && length >= MIN_NAME && length <= MAX_NAME) {
      return allowed;
    }
    int room = MAX_NAME - beside - HASHED;
    return allowed.substring(0, Math.min(room, allowed.length())) + "-" + hash(environment);
  }

  private static String hash(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8));
      return String.format("%032x", new BigInteger(1, digest)).substring(0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has MD5", e);
    }
  }
}
