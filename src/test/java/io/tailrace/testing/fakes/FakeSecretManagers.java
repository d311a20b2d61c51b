package io.tailrace.testing.fakes;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tailrace.pipelines.local.servers.LoopbackHttp;
import java.io.IOException;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Simulates as much of AWS Secrets Manager and of Google's Secret Manager as is used: a secret's
 * latest version is told. Signatures and tokens are not checked, but they must be there for AWS.
 * Thread-safe.
 */
public final class FakeSecretManagers implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpServer server;
  private final Map<String, String> secrets = new ConcurrentHashMap<>();
  private final AtomicInteger refusals = new AtomicInteger();

  private FakeSecretManagers(HttpServer server) {
    this.server = server;
  }

  /** Starts a server, and has both managers be there. */
  public static FakeSecretManagers start() throws IOException {
    FakeSecretManagers fake = new FakeSecretManagers(LoopbackHttp.create());
    fake.server.createContext("/", fake::answer);
    fake.server.start();
    String endpoint = "http://127.0.0.1:" + fake.server.getAddress().getPort();
    System.setProperty("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint);
    System.setProperty("CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", endpoint + "/");
    System.setProperty("aws.accessKeyId", "AKIDEXAMPLE");
    System.setProperty("aws.secretAccessKey", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    return fake;
  }

  /** Keeps a secret, as its manager names it. */
  public void put(String name, String value) {
    secrets.put(name, value);
  }

  /** Answers so many requests with 503. */
  public void refuseNext(int count) {
    refusals.set(count);
  }

  private void answer(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    ObjectNode answer = JSON.createObjectNode();
    int status = 200;
    boolean isAws = exchange.getRequestURI().getPath().equals("/");
    if (refusals.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      status = 503;
    } else if (isAws) {
      JsonNode asked = JSON.readTree(body);
      String authorization = exchange.getRequestHeaders().getFirst("Authorization");
      String target = exchange.getRequestHeaders().getFirst("X-Amz-Target");
      String value = secrets.get(asked.path("SecretId").asText());
      if (authorization == null || !authorization.startsWith("AWS4-HMAC-SHA256 Credential=")) {
        status = 400;
        answer.put("__type", "MissingAuthenticationTokenException");
      } else if (!"secretsmanager.GetSecretValue".equals(target) || value == null) {
        status = 400;
        answer.put("__type", "ResourceNotFoundException");
        answer.put("Message", "Secrets Manager can't find the specified secret.");
      } else {
        answer.put("SecretString", value);
      }
    } else {
      String path = exchange.getRequestURI().getPath();
      String name = path.replaceFirst("^/v1/", "").replaceFirst("/versions/latest:access$", "");
      String value = secrets.get(name);
      if (value == null) {
        status = 404;
        answer.putObject("error").put("message", "Secret [" + name + "] not found.");
      } else {
        answer
            .putObject("payload")
            .put("data", Base64.getEncoder().encodeToString(value.getBytes(UTF_8)));
      }
    }
    byte[] bytes = JSON.writeValueAsBytes(answer);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  @Override
  public void close() {
    server.stop(0);
    for (String property :
        new String[] {
          "AWS_ENDPOINT_URL_SECRETS_MANAGER",
          "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER",
          "aws.accessKeyId",
          "aws.secretAccessKey"
        }) {
      System.clearProperty(property);
    }
  }
}
