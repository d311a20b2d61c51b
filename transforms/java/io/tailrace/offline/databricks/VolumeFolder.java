package io.tailrace.offline.databricks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.TimedAnswers;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.staging.Stage;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A folder in a volume, reached by the Files API. Not thread-safe. */
final class VolumeFolder implements Stage.Connection {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final int OK = 200;
  private static final int DELETED = 204;
  private static final int UNAUTHORIZED = 401;
  private static final int FORBIDDEN = 403;
  private static final int NOT_FOUND = 404;
  private static final int TOO_MANY = 429;
  private static final int SERVER_ERRORS = 500;

  private final VolumeStage stage;
  private final DatabricksWorkspace workspace;
  private final HttpClient http;
  private @Nullable String token;

  VolumeFolder(VolumeStage stage) {
    this.stage = stage;
    this.workspace = stage.workspace();
    this.http = workspace.client();
  }

  /** Sends a request, anew while the service can't do it now, or the token is over. */
  private HttpResponse<byte[]> send(String method, String path, BodyPublisher body)
      throws UnavailableException {
    Retry retry = Retry.of("the stage " + stage.uri(), workspace.timeouts().retryFor());
    boolean renewed = false;
    while (true) {
      String trouble;
      try {
        String bearer = token;
        if (bearer == null) {
          bearer = workspace.token(http);
          token = bearer;
        }
        HttpResponse<byte[]> answer =
            TimedAnswers.send(
                http,
                HttpRequest.newBuilder(URI.create(workspace.endpoint() + path))
                    .header("Authorization", "Bearer " + bearer)
                    .method(method, body)
                    .build(),
                BodyHandlers.ofByteArray(),
                workspace.timeouts().reply());
        int status = answer.statusCode();
        if (status == UNAUTHORIZED && !renewed) {
          renewed = true;
          token = null;
          continue;
        }
        if (status != TOO_MANY && status < SERVER_ERRORS) {
          return answer;
        }
        trouble = "it answers " + status;
      } catch (IOException e) {
        trouble = e.toString();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new UnavailableException("the stage " + stage.uri() + ": interrupted", e);
      }
      retry.pause(trouble);
    }
  }

  private UnavailableException unusable(HttpResponse<byte[]> answer) {
    int status = answer.statusCode();
    String message = new String(answer.body(), StandardCharsets.UTF_8);
    try {
      message = JSON.readTree(message).path("message").asText(message);
    } catch (IOException e) {
      // It stays what it is.
    }
    String volume = String.join(".", List.of(stage.uri().split("/")).subList(2, 5));
    String correction =
        status == NOT_FOUND
            ? "; create it: CREATE VOLUME " + volume
            : status == FORBIDDEN
                ? "; GRANT READ VOLUME, WRITE VOLUME ON VOLUME " + volume + " TO …"
                : "";
    return new UnavailableException(
        "the stage " + stage.uri() + " can't be used: " + status + " " + message + correction);
  }

  /** Returns a path as it stands in a URI. */
  private String place(String api, String name) {
    try {
      String path = stage.uri() + (name.isEmpty() ? "" : "/" + name);
      return "/api/2.0/fs/" + api + new URI(null, null, path, null).getRawPath();
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(name, e);
    }
  }

  @Override
  public void put(Map<String, byte[]> files) throws UnavailableException {
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      HttpResponse<byte[]> answer =
          send(
              "PUT",
              place("files", file.getKey()) + "?overwrite=true",
              BodyPublishers.ofByteArray(file.getValue()));
      if (answer.statusCode() / 100 != 2) {
        throw unusable(answer);
      }
    }
  }

  @Override
  public Optional<byte[]> read(String name) throws UnavailableException {
    HttpResponse<byte[]> answer = send("GET", place("files", name), BodyPublishers.noBody());
    return switch (answer.statusCode()) {
      case OK -> Optional.of(answer.body());
      case NOT_FOUND -> Optional.empty();
      default -> throw unusable(answer);
    };
  }

  @Override
  public List<Stage.Entry> list() throws UnavailableException {
    List<Stage.Entry> entries = new ArrayList<>();
    list("", entries);
    return entries;
  }

  private void list(String folder, List<Stage.Entry> entries) throws UnavailableException {
    String page = "";
    do {
      HttpResponse<byte[]> answer =
          send(
              "GET",
              place("directories", folder)
                  + (page.isEmpty()
                      ? ""
                      : "?page_token=" + URLEncoder.encode(page, StandardCharsets.UTF_8)),
              BodyPublishers.noBody());
      if (answer.statusCode() == NOT_FOUND) {
        // Made when the first file comes.
        return;
      }
      if (answer.statusCode() != OK) {
        throw unusable(answer);
      }
      JsonNode found;
      try {
        found = JSON.readTree(answer.body());
      } catch (IOException e) {
        throw new UnavailableException("the stage " + stage.uri() + " lists no JSON: " + e, e);
      }
      for (JsonNode each : found.path("contents")) {
        String name = each.path("path").asText().substring(stage.uri().length() + 1);
        if (each.path("is_directory").asBoolean()) {
          list(name.replaceFirst("/$", ""), entries);
        } else {
          entries.add(
              new Stage.Entry(name, Instant.ofEpochMilli(each.path("last_modified").asLong())));
        }
      }
      page = found.path("next_page_token").asText("");
    } while (!page.isEmpty());
  }

  @Override
  public void delete(Collection<String> names) throws UnavailableException {
    for (String name : names) {
      HttpResponse<byte[]> answer = send("DELETE", place("files", name), BodyPublishers.noBody());
      int status = answer.statusCode();
      if (status != OK && status != DELETED && status != NOT_FOUND) {
        throw unusable(answer);
      }
    }
  }

  @Override
  public void close() {}
}
