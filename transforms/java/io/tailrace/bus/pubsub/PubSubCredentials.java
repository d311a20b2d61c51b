package io.tailrace.bus.pubsub;

import com.google.auth.oauth2.GoogleCredentials;
import io.tailrace.endpoint.Secret;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Makes the header that says who asks. A key that a secret names is read anew when the last token
 * is over, so that it can be changed without a restart. Thread-safe.
 */
final class PubSubCredentials {
  private static final String SCOPE = "https://www.googleapis.com/auth/pubsub";

  private final Optional<Secret> key;
  private @Nullable GoogleCredentials current;

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
    if (credentials == null || isOver(credentials)) {
      credentials = read();
      current = credentials;
    }
    credentials.refreshIfExpired();
    return "Bearer " + credentials.getAccessToken().getTokenValue();
  }

  private boolean isOver(GoogleCredentials credentials) {
    return key.isPresent()
        && credentials.getAccessToken() != null
        && credentials.getAccessToken().getExpirationTime().toInstant().isBefore(Instant.now());
  }

  private GoogleCredentials read() throws IOException {
    GoogleCredentials credentials =
        key.isEmpty()
            ? GoogleCredentials.getApplicationDefault()
            : GoogleCredentials.fromStream(
                new ByteArrayInputStream(key.get().read().getBytes(StandardCharsets.UTF_8)));
    return credentials.createScoped(SCOPE);
  }
}
