package io.tailrace.online.dynamodb;

import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.Secret;
import io.tailrace.endpoint.UnavailableException;
import java.io.Serial;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClientBuilder;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;

/**
 * Sends requests to DynamoDB: what it can't do now is sent again, with growing pauses and fewer
 * requests at once, for {@code retryFor}. Connects at the first request, and anew after it has been
 * closed. Thread-safe.
 */
final class DynamoDbServer implements AutoCloseable {
  /** Errors that say that an entity can't be written as it is. */
  private static final Set<String> FOR_CONTENT =
      Set.of("ValidationException", "ItemCollectionSizeLimitExceededException");

  /** Errors whose correction only the sender of a request knows. */
  private static final Set<String> FOR_THE_TABLE =
      Set.of("ResourceNotFoundException", "ResourceInUseException");

  /** What is said where a table has other keys than an entity: none of these is to blame. */
  private static final List<String> OF_OTHER_KEYS =
      List.of(
          "key element does not match the schema", "Missing the key ", "Type mismatch for key ");

  private static final Set<String> FOR_THE_KEYS =
      Set.of(
          "UnrecognizedClientException",
          "InvalidSignatureException",
          "ExpiredTokenException",
          "IncompleteSignatureException",
          "MissingAuthenticationTokenException");

  private final DynamoDbAddress address;
  private final Pace pace;
  private final Charges charges;
  private @Nullable DynamoDbClient client;

  /** Something that time may mend. */
  static final class PassingException extends Exception {
    @Serial private static final long serialVersionUID = 1;

    PassingException(SdkException cause) {
      super(problem(cause), cause);
    }
  }

  /** A request to be sent. */
  interface Request<T> {
    /** Sends it once. */
    T send(DynamoDbClient client) throws SdkException;
  }

  DynamoDbServer(DynamoDbAddress address, Charges charges) {
    this.address = address;
    this.charges = charges;
    this.pace = new Pace(address.writing().connections());
  }

  /**
   * Sends a request until it is answered.
   *
   * @throws AwsServiceException if a condition fails, for content that it never takes, or for the
   *     table that it is about
   */
  <T> T send(Request<T> request) throws UnavailableException {
    Retry retry = Retry.of(address.text(), address.timeouts().retryFor());
    while (true) {
      try {
        return once(request);
      } catch (PassingException e) {
        charges.retry();
        retry.pause(String.valueOf(e.getMessage()), e);
      }
    }
  }

  /**
   * Sends a request once.
   *
   * @throws AwsServiceException as {@link #send}
   */
  <T> T once(Request<T> request) throws UnavailableException, PassingException {
    DynamoDbClient open = client();
    boolean throttled = false;
    enter();
    try {
      charges.request();
      return request.send(open);
    } catch (ConditionalCheckFailedException e) {
      throw e;
    } catch (AwsServiceException e) {
      throttled = e.isThrottlingException() || code(e).equals("RequestLimitExceeded");
      if (throttled || e.statusCode() >= 500) {
        throw new PassingException(e);
      }
      if (FOR_CONTENT.contains(code(e)) || FOR_THE_TABLE.contains(code(e))) {
        throw e;
      }
      throw refused(e);
    } catch (SdkClientException e) {
      if (problem(e).contains("credentials")) {
        throw new UnavailableException(
            address.text()
                + ": nobody is named who signs its requests ("
                + problem(e)
                + "); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role, or give"
                + " ?accessKey=env:VARIABLE&secretKey=env:VARIABLE",
            e);
      }
      throw new PassingException(e);
    } finally {
      pace.leave(throttled);
    }
  }

  private void enter() throws UnavailableException {
    try {
      pace.enter();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(address.text() + ": interrupted", e);
    }
  }

  private UnavailableException refused(AwsServiceException e) {
    String code = code(e);
    String correction =
        FOR_THE_KEYS.contains(code)
            ? "; check who signs, and this machine's clock"
            : isDenied(e) ? "; grant " + DynamoDbCheck.NEEDED_PERMISSIONS : "";
    return new UnavailableException(
        address.text() + " refuses the request (" + problem(e) + ")" + correction, e);
  }

  /** Returns whether an entity can't be written as it is. */
  static boolean isForContent(AwsServiceException e) {
    return FOR_CONTENT.contains(code(e)) && OF_OTHER_KEYS.stream().noneMatch(problem(e)::contains);
  }

  /** Returns the answer, where the reason is that the asker may not. */
  static Optional<AwsServiceException> denied(UnavailableException e) {
    return e.getCause() instanceof AwsServiceException answer && isDenied(answer)
        ? Optional.of(answer)
        : Optional.empty();
  }

  private static boolean isDenied(AwsServiceException e) {
    return code(e).startsWith("AccessDenied");
  }

  static String code(AwsServiceException e) {
    return e.awsErrorDetails() == null ? "" : String.valueOf(e.awsErrorDetails().errorCode());
  }

  /** Returns what went wrong, in one sentence. */
  static String problem(SdkException e) {
    if (e instanceof AwsServiceException answer && answer.awsErrorDetails() != null) {
      return code(answer) + ": " + answer.awsErrorDetails().errorMessage();
    }
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    String message = String.valueOf(root.getMessage());
    return message.lines().findFirst().orElse(root.getClass().getSimpleName());
  }

  private synchronized DynamoDbClient client() throws UnavailableException {
    DynamoDbClient open = client;
    if (open == null) {
      try {
        open = connect();
      } catch (IllegalStateException e) {
        // A secret that is not there.
        throw new UnavailableException(address.text() + ": " + e.getMessage(), e);
      } catch (SdkException e) {
        throw new UnavailableException(
            address.text()
                + ": "
                + (address.place().region().isEmpty()
                    ? "no region is known: write it before the table, dynamodb://eu-west-1/"
                        + address.place().table()
                        + ", or set AWS_REGION"
                    : problem(e)),
            e);
      }
      client = open;
    }
    return open;
  }

  private DynamoDbClient connect() {
    DynamoDbClientBuilder builder =
        DynamoDbClient.builder()
            // There may be others on the class path.
            .httpClientBuilder(
                Apache5HttpClient.builder()
                    .maxConnections(address.writing().connections())
                    .connectionTimeout(address.timeouts().connect())
                    .socketTimeout(address.timeouts().reply()))
            // Every request is to be counted.
            .overrideConfiguration(
                it ->
                    it.retryStrategy(AwsRetryStrategy.doNotRetry())
                        .apiCallAttemptTimeout(
                            address.timeouts().connect().plus(address.timeouts().reply())));
    address.place().endpoint().map(URI::create).ifPresent(builder::endpointOverride);
    if (address.place().region().isPresent()) {
      builder.region(Region.of(address.place().region().get()));
    } else if (address.place().endpoint().isPresent()) {
      builder.region(Region.US_EAST_1);
    }
    Secret access = address.keys().access();
    Secret secret = address.keys().secret();
    if (access != null && secret != null) {
      builder.credentialsProvider(
          StaticCredentialsProvider.create(
              AwsBasicCredentials.create(access.read(), secret.read())));
    }
    return builder.build();
  }

  /** Closes the connection; the next request opens another one, by keys that are read anew. */
  @Override
  public synchronized void close() {
    DynamoDbClient open = client;
    client = null;
    if (open != null) {
      open.close();
    }
  }
}
