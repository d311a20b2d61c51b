package io.tailrace.endpoint.gcp;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.auth.oauth2.GoogleCredentials;
import io.tailrace.endpoint.SecretPlace;
import io.tailrace.endpoint.SecretServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Secrets of Google's Secret Manager: {@code gcp:projects/PROJECT/secrets/NAME}, the latest version
 * unless {@code /versions/VERSION} follows. Who asks is found as Google's own tools find it.
 * Stateless and thread-safe.
 */
public final class GcpSecrets {
  /** Where they are. */
  public static final SecretPlace PLACE =
      new SecretPlace("gcp", "gcp:projects/PROJECT/secrets/NAME", GcpSecrets::read);

  private static final Pattern NAME =
      Pattern.compile(
          "projects/[a-z0-9:.-]+(?:/locations/([a-z0-9-]+))?/secrets/[A-Za-z0-9_-]+"
              + "(/versions/[A-Za-z0-9_-]+)?");

  private static final String SCOPE = "https://www.googleapis.com/auth/cloud-platform";

  /** What Google's own tools call it. */
  private static final String ENDPOINT = "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER";

  private GcpSecrets() {}

  private static String read(String name) {
    String place = "gcp:" + name;
    Matcher parts = NAME.matcher(name);
    if (!parts.matches()) {
      throw new IllegalStateException(place + " is not such as " + PLACE.example());
    }
    String location = parts.group(1);
    String endpoint =
        SecretServer.endpoint(
            ENDPOINT,
            "https://secretmanager."
                + (location == null ? "" : location + ".rep.")
                + "googleapis.com");
    HttpRequest.Builder request =
        HttpRequest.newBuilder(
            URI.create(
                endpoint
                    + "/v1/"
                    + name
                    + (parts.group(2) == null ? "/versions/latest" : "")
                    + ":access"));
    // Only who speaks TLS gets a token.
    if (endpoint.startsWith("https:")) {
      request.header("Authorization", "Bearer " + token(place));
    }
    JsonNode answer = SecretServer.ask(place, request);
    return new String(
        Base64.getDecoder().decode(answer.path("payload").path("data").asText()),
        StandardCharsets.UTF_8);
  }

  private static String token(String place) {
    try {
      GoogleCredentials credentials = GoogleCredentials.getApplicationDefault().createScoped(SCOPE);
      credentials.refreshIfExpired();
      return credentials.getAccessToken().getTokenValue();
    } catch (NoClassDefFoundError e) {
      throw new IllegalStateException(
          place
              + " can't be read: it needs com.google.auth:google-auth-library-oauth2-http on the"
              + " class path: add it",
          e);
    } catch (IOException e) {
      throw new IllegalStateException(
          place + " can't be read: Google's credentials are missing: " + e.getMessage(), e);
    }
  }
}
