package io.tailrace.offline.databricks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Secret;
import io.tailrace.endpoint.Secrets;
import io.tailrace.endpoint.TimedAnswers;
import io.tailrace.endpoint.Timeouts;
import io.tailrace.endpoint.UnavailableException;
import java.io.IOException;
import java.io.Serializable;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A workspace of Databricks, and who is known there. Immutable; holds no secret, only where one is.
 *
 * @param text the URI, without secrets
 * @param endpoint {@code https://host}
 * @param login who is known
 * @param timeouts for how long to wait
 */
record DatabricksWorkspace(String text, String endpoint, Credentials login, Timeouts timeouts)
    implements Serializable {
  private static final long serialVersionUID = 1;

  private static final Duration STATEMENT_TIMEOUT = Duration.ofMinutes(10);
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Who is known: somebody with a token, or a service principal, which asks for one each time.
   *
   * @param token where a token is; null: a principal asks
   * @param client the principal's id; null: by token
   * @param secret where the principal's secret is; null: by token
   */
  record Credentials(@Nullable Secret token, @Nullable String client, @Nullable Secret secret)
      implements Serializable {
    private static final long serialVersionUID = 1;
  }

  /** Takes the workspace out of a URI, whose other parts and problems are left to the caller. */
  static DatabricksWorkspace of(EndpointUri uri) {
    String host = uri.hosts(443).stream().findFirst().map(Object::toString).orElse("");
    Optional<String> endpoint = uri.take("endpoint");
    if (endpoint.isPresent() && !endpoint.get().matches("https?://[^/?#]+")) {
      uri.problem("endpoint=" + endpoint.get() + " is not such as https://host:443");
    }
    Optional<Secret> token = uri.takeSecret("token");
    Optional<String> client = uri.take("clientId");
    Optional<Secret> secret = uri.takeSecret("clientSecret");
    if (token.isPresent() == client.isPresent()) {
      uri.problem(
          "give "
              + (token.isPresent() ? "either " : "")
              + "token="
              + Secrets.example()
              + " or clientId=ID&clientSecret="
              + Secrets.example());
    }
    if (client.isPresent() != secret.isPresent()) {
      uri.problem("clientId and clientSecret are given together, or neither is");
    }
    return new DatabricksWorkspace(
        uri.withoutSecrets(),
        endpoint.orElse("https://" + host),
        new Credentials(token.orElse(null), client.orElse(null), secret.orElse(null)),
        Timeouts.of(uri, STATEMENT_TIMEOUT));
  }

  /** Creates a client of the workspace's HTTP services. */
  HttpClient client() {
    return HttpClient.newBuilder().connectTimeout(timeouts.connect()).build();
  }

  /**
   * Returns a token: the one that is there, read anew, or a new one of the service principal, which
   * is good for an hour.
   *
   * @throws UnavailableException if the secret is not where it should be, or is refused
   */
  String token(HttpClient http) throws UnavailableException {
    Secret token = login.token;
    Secret secret = login.secret;
    String client = login.client;
    try {
      return secret != null && client != null
          ? ask(http, client, secret.read())
          : token == null ? "" : token.read();
    } catch (IllegalStateException e) {
      throw new UnavailableException(text + ": " + e.getMessage(), e);
    }
  }

  private String ask(HttpClient http, String client, String secret) throws UnavailableException {
    String basic =
        Base64.getEncoder()
            .encodeToString((client + ":" + secret).getBytes(StandardCharsets.UTF_8));
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(endpoint + "/oidc/v1/token"))
            .header("Authorization", "Basic " + basic)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    "grant_type=client_credentials&scope="
                        + URLEncoder.encode("all-apis", StandardCharsets.UTF_8)))
            .build();
    try {
      HttpResponse<String> answer =
          TimedAnswers.send(http, request, HttpResponse.BodyHandlers.ofString(), timeouts.reply());
      JsonNode body = JSON.readTree(answer.body().isEmpty() ? "{}" : answer.body());
      String token = body.path("access_token").asText("");
      if (answer.statusCode() != 200 || token.isEmpty()) {
        throw new UnavailableException(
            text
                + ": Databricks gives the service principal "
                + client
                + " no token ("
                + answer.statusCode()
                + " "
                + body.path("message").asText(body.path("error").asText(""))
                + "); give clientId=ID&clientSecret="
                + Secrets.example());
      }
      return token;
    } catch (IOException e) {
      throw new UnavailableException(text + " can't be reached: " + e, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(text + ": interrupted", e);
    }
  }
}
