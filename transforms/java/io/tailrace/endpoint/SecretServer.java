package io.tailrace.endpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/**
 * Asks a cloud's manager of secrets over HTTP: what it can't do now is asked again for a while.
 * What it says of a refusal is told, what it answers never. Stateless and thread-safe.
 */
public final class SecretServer {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final Timeouts TIMEOUTS =
      new Timeouts(CONNECT, Duration.ofSeconds(10), Duration.ofSeconds(10));
  private static final int MAX_SHOWN = 300;
  private static final int TOO_MANY_REQUESTS = 429;

  private static final HttpClient CLIENT = HttpClient.newBuilder().connectTimeout(CONNECT).build();

  private SecretServer() {}

  /**
   * Returns where a manager is: at the address that a system property or an environment variable
   * has, such as a private one, or its usual one.
   */
  public static String endpoint(String variable, String usual) {
    String property = System.getProperty(variable);
    String given = property == null ? System.getenv(variable) : property;
    return given == null || given.isEmpty() ? usual : given.replaceFirst("/$", "");
  }

  /**
   * Returns the answer to a request.
   *
   * @param secret the secret's name, for sentences
   * @throws IllegalStateException if there is none; the message names the secret
   */
  public static JsonNode ask(String secret, HttpRequest.Builder request) {
    return ask(secret, request, TIMEOUTS);
  }

  static JsonNode ask(String secret, HttpRequest.Builder request, Timeouts timeouts) {
    Retry retry = Retry.of(secret, timeouts.retryFor());
    try {
      while (true) {
        String trouble;
        try {
          HttpResponse<byte[]> answer =
              TimedAnswers.send(
                  CLIENT,
                  request.build(),
                  HttpResponse.BodyHandlers.ofByteArray(),
                  timeouts.reply());
          if (answer.statusCode() == 200) {
            return JSON.readTree(answer.body());
          }
          trouble = "it answers " + answer.statusCode() + ": " + message(answer.body());
          if (answer.statusCode() < 500 && answer.statusCode() != TOO_MANY_REQUESTS) {
            throw new IllegalStateException(secret + " can't be read: " + trouble);
          }
        } catch (IOException e) {
          trouble = String.valueOf(e.getMessage());
        }
        retry.pause(trouble);
      }
    } catch (UnavailableException e) {
      throw new IllegalStateException(e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(secret + ": interrupted", e);
    }
  }

  private static String message(byte[] body) {
    String text;
    try {
      JsonNode error = JSON.readTree(body);
      String type = error.path("__type").asText("");
      String message =
          error
              .path("error")
              .path("message")
              .asText(error.path("message").asText(error.path("Message").asText("")));
      text = type.isEmpty() ? message : type + ": " + message;
    } catch (IOException e) {
      text = "";
    }
    return text.length() > MAX_SHOWN ? text.substring(0, MAX_SHOWN) + "…" : text;
  }
}
