package io.tailrace.endpoint.aws;

import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4FamilyHttpSigner;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4FamilyHttpSigner.AuthLocation;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.HttpSigner;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;

/**
 * Signs requests to services of Amazon, as whoever Amazon's own tools find in the environment, the
 * profile or the role of the machine. Immutable and thread-safe.
 *
 * @see <a href="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html">Signature
 *     Version 4</a>
 */
final class AwsRequests {
  private final AwsCredentialsProvider credentials;
  private final Clock clock;

  AwsRequests(AwsCredentialsProvider credentials, Clock clock) {
    this.credentials = credentials;
    this.clock = clock;
  }

  /** Signs as whoever is found. */
  static AwsRequests ofMachine() {
    return new AwsRequests(DefaultCredentialsProvider.builder().build(), Clock.systemUTC());
  }

  /** Returns the region that a part of a secret's name says, or the machine's. */
  static String region(Optional<String> named) {
    return named.orElseGet(() -> DefaultAwsRegionProviderChain.builder().build().getRegion().id());
  }

  /** Signs a request in its headers. */
  SdkHttpRequest signed(SdkHttpRequest request, String body, String service, String region) {
    return AwsV4HttpSigner.create()
        .sign(
            it ->
                it.identity(credentials.resolveCredentials())
                    .request(request)
                    .payload(ContentStreamProvider.fromUtf8String(body))
                    .putProperty(AwsV4FamilyHttpSigner.SERVICE_SIGNING_NAME, service)
                    .putProperty(AwsV4HttpSigner.REGION_NAME, region)
                    .putProperty(HttpSigner.SIGNING_CLOCK, clock))
        .request();
  }

  /** Signs an address, so that whoever has it may use it for a while. */
  URI presigned(URI address, Duration validFor, String service, String region) {
    return AwsV4HttpSigner.create()
        .sign(
            it ->
                it.identity(credentials.resolveCredentials())
                    .request(
                        SdkHttpRequest.builder().method(SdkHttpMethod.GET).uri(address).build())
                    .putProperty(AwsV4FamilyHttpSigner.SERVICE_SIGNING_NAME, service)
                    .putProperty(AwsV4HttpSigner.REGION_NAME, region)
                    .putProperty(AwsV4FamilyHttpSigner.AUTH_LOCATION, AuthLocation.QUERY_STRING)
                    .putProperty(AwsV4FamilyHttpSigner.EXPIRATION_DURATION, validFor)
                    .putProperty(HttpSigner.SIGNING_CLOCK, clock))
        .request()
        .getUri();
  }
}
