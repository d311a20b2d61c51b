package io.tailrace.endpoint.aws;

import io.tailrace.endpoint.SecretPlace;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Passwords of a user of ElastiCache that is known by IAM: {@code elasticache:CACHE/USER}, or
 * {@code elasticache:CACHE/USER/serverless} for a serverless cache; {@code @REGION} may follow. A
 * password is a signed address, made anew whenever it is read, and good for making a connection
 * within a quarter of an hour. Stateless and thread-safe.
 */
public final class CacheTokens {
  /** Where they are. */
  public static final SecretPlace PLACE =
      new SecretPlace("elasticache", "elasticache:CACHE/USER", CacheTokens::read);

  private static final Pattern NAME =
      Pattern.compile("([a-zA-Z0-9-]+)/([A-Za-z0-9._-]+)(/serverless)?(?:@([a-z0-9-]+))?");

  private static final Duration VALID_FOR = Duration.ofMinutes(15);

  private CacheTokens() {}

  private static String read(String name) {
    return AwsLibrary.read("elasticache:" + name, () -> token(name, AwsRequests.ofMachine()));
  }

  static String token(String name, AwsRequests requests) {
    Matcher parts = NAME.matcher(name);
    if (!parts.matches()) {
      throw new IllegalStateException(
          "elasticache:" + name + " is not such as elasticache:CACHE/USER");
    }
    URI address =
        URI.create(
            "http://"
                + parts.group(1)
                + "/?Action=connect&User="
                + parts.group(2)
                + (parts.group(3) == null ? "" : "&ResourceType=ServerlessCache"));
    String signed =
        requests
            .presigned(
                address,
                VALID_FOR,
                "elasticache",
                AwsRequests.region(Optional.ofNullable(parts.group(4))))
            .toString();
    return signed.substring("http://".length());
  }
}
