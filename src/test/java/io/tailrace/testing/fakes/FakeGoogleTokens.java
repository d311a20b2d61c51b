package io.tailrace.testing.fakes;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tailrace.pipelines.local.servers.LoopbackHttp;
import java.io.IOException;
import java.net.URLDecoder;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Simulates where Google gives tokens to service accounts, and notes who has asked. Signatures are
 * not checked. Thread-safe.
 */
public final class FakeGoogleTokens implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpServer server;
  private final String privateKey;
  private final int seconds;
  private final List<String> asked = new CopyOnWriteArrayList<>();

  private FakeGoogleTokens(HttpServer server, String privateKey, int seconds) {
    this.server = server;
    this.privateKey = privateKey;
    this.seconds = seconds;
  }

  /**
   * Starts one.
   *
   * @param seconds how long a token is good for
   */
  public static FakeGoogleTokens start(int seconds) throws IOException, GeneralSecurityException {
    KeyPairGenerator keys = KeyPairGenerator.getInstance("RSA");
    keys.initialize(2_048);
    String encoded =
        Base64.getEncoder().encodeToString(keys.generateKeyPair().getPrivate().getEncoded());
    FakeGoogleTokens fake = new FakeGoogleTokens(LoopbackHttp.create(), encoded, seconds);
    fake.server.createContext("/", fake::answer);
    fake.server.start();
    return fake;
  }

  /** Returns the key of a service account, as Google gives it. */
  public String key(String account) throws IOException {
    return JSON.createObjectNode()
        .put("type", "service_account")
        .put("project_id", "tailrace-test")
        .put("client_id", "1")
        .put("client_email", account)
        .put("private_key_id", account)
        .put(
            "private_key",
            "-----BEGIN PRIVATE KEY-----\n" + privateKey + "\n-----END PRIVATE KEY-----\n")
        .put("token_uri", "http://127.0.0.1:" + server.getAddress().getPort() + "/token")
        .toString();
  }

  /** Returns the accounts that were given tokens, in order. */
  public List<String> asked() {
    return List.copyOf(asked);
  }

  private void answer(HttpExchange exchange) throws IOException {
    String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
    String assertion = body.substring(body.indexOf("assertion=") + "assertion=".length());
    String claims = URLDecoder.decode(assertion, UTF_8).split("\\.", -1)[1];
    String account = JSON.readTree(Base64.getUrlDecoder().decode(claims)).path("iss").asText();
    asked.add(account);
    byte[] answer =
        JSON.createObjectNode()
            .put("access_token", account + "-" + asked.size())
            .put("expires_in", seconds)
            .put("token_type", "Bearer")
            .toString()
            .getBytes(UTF_8);
    exchange.getResponseHeaders().add("Content-Type", "application/json");
    exchange.sendResponseHeaders(200, answer.length);
    exchange.getResponseBody().write(answer);
    exchange.close();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
