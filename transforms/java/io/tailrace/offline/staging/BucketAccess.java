package io.tailrace.offline.staging;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Secret;
import java.io.Serializable;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a bucket on S3 is reached. What is null is found as Amazon's own tools find it: in the
 * environment, the profile or the role of the machine. Immutable.
 *
 * @param endpoint where the service is; null: Amazon's own in the region
 * @param region such as {@code eu-west-1}
 * @param accessKey the place of the key's id
 * @param secretKey the place of the key's secret
 * @param retryFor for how long a request is tried again that the service can't do now
 */
public record BucketAccess(
    @Nullable String endpoint,
    @Nullable String region,
    @Nullable Secret accessKey,
    @Nullable Secret secretKey,
    Duration retryFor)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /** As Amazon's own tools find it. */
  public static final BucketAccess DEFAULT =
      new BucketAccess(null, null, null, null, Duration.ofSeconds(30));

  /**
   * Takes {@code stageEndpoint}, {@code stageRegion}, {@code stageAccessKey} and {@code
   * stageSecretKey} out of a URI.
   *
   * @param retryFor for how long to try again
   */
  public static BucketAccess of(EndpointUri uri, Duration retryFor) {
    Optional<String> endpoint = uri.take("stageEndpoint");
    endpoint.filter(it -> !isAddress(it)).ifPresent(it -> uri.problem(notAnAddress(it)));
    Optional<Secret> accessKey = uri.takeSecret("stageAccessKey");
    Optional<Secret> secretKey = uri.takeSecret("stageSecretKey");
    if (accessKey.isPresent() != secretKey.isPresent()) {
      uri.problem("stageAccessKey and stageSecretKey are given together, or neither is");
    }
    return new BucketAccess(
        endpoint.orElse(null),
        uri.take("stageRegion").orElse(null),
        accessKey.orElse(null),
        secretKey.orElse(null),
        retryFor);
  }

  /** Returns whether anything is said of how a bucket is reached. */
  public boolean isGiven() {
    return endpoint != null || region != null || accessKey != null || secretKey != null;
  }

  private static String notAnAddress(String endpoint) {
    return "stageEndpoint="
        + endpoint
        + " is no address such as https://s3.eu-west-1.amazonaws.com or http://minio:9000";
  }

  private static boolean isAddress(String text) {
    try {
      URI uri = URI.create(text);
      return uri.getHost() != null
          && ("https".equals(uri.getScheme()) || "http".equals(uri.getScheme()));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
