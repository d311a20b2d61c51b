package io.tailrace.bus.pubsub;

import com.google.auth.oauth2.AccessToken;
import com.google.auth.oauth2.GoogleCredentials;
import io.tailrace.endpoint.Secret;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Makes the header that says who asks. A key that a secret names is read anew before a token is
 * over, so that it can be changed without a restart. Thread-safe.
 */
final class PubSubCredentials {
  private static final String SCOPE = "https://www.googleapis.com/auth/pubsub";

  /**
   * So long before a token is over the key is read anew: a little before Google's library makes
   * another token, which it does from 3:45 minutes before, with the key that it knows.
   */
  private static final Duration BEFORE_THE_END = Duration.ofMinutes(5);

  private final Optional<Secret> key;
  private @Nullable GoogleCredentials current;
  // The key of the current ones.
  private String text = "";
  // The token for whose end the key has been read.
  private @Nullable AccessToken lookedFor;

  PubSubCredentials(Optional<Secret> key) {
    this.key = key;
  }

  /**
   * Returns a value for the header {@code Authorization}.
   *
   * @throws IOException if there are no credentials, or Google refuses them
   */
  synchronized String authorization() throws IOException {
    GoogleCredentials credentials = current;
    if (credentials == null) {
      credentials = make(key.isEmpty() ? "" : key.get().read());
    } else if (key.isPresent()) {
      credentials = renew(credentials, key.get());
    }
    credentials.refreshIfExpired();
    return "Bearer " + credentials.getAccessToken().getTokenValue();
  }

  /** Once for each token: a secret may cost a request. One that is over has no successor yet. */
  private GoogleCredentials renew(GoogleCredentials credentials, Secret secret) throws IOException {
    AccessToken token = credentials.getAccessToken();
    if (token == null) {
      return make(secret.read());
    }
    Instant end = token.getExpirationTime().toInstant();
    boolean isOver = end.isBefore(Instant.now());
    boolean isLast = end.minus(BEFORE_THE_END).isBefore(Instant.now());
    if (!isOver && (!isLast || token.equals(lookedFor))) {
      return credentials;
    }
    String read = secret.read();
    lookedFor = token;
    return read.equals(text) ? credentials : make(read);
  }

  private GoogleCredentials make(String content) throws IOException {
    GoogleCredentials made =
        key.isEmpty()
            ? GoogleCredentials.getApplicationDefault()
            : GoogleCredentials.fromStream(
                new ByteArrayInputStream(content.getBytes(StandardCharsets.UTF_8)));
    GoogleCredentials scoped = made.createScoped(SCOPE);
    current = scoped;
    text = content;
    return scoped;
  }
}
