package io.tailrace.bus.pubsub;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Struct;
import com.google.protobuf.util.JsonFormat;
import io.tailrace.endpoint.TimedAnswers;
import java.io.IOException;
import java.io.InputStream;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * Speaks Pub/Sub's REST protocol, with the JDK's client. Beam's own client for it does as much for
 * reading and publishing, but can't look at labels, policies and rights; its other one, for gRPC,
 * can't speak with an emulator. An answer can be parsed while it comes, so that what it may take of
 * the heap has a bound. Thread-safe; its threads end when they have nothing to do.
 */
final class PubSubClient {
  /** Parses an answer, whose stream is closed after that. */
  @FunctionalInterface
  interface Answer<T> {
    T of(InputStream body) throws IOException;
  }

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

  /** For how long a whole answer is waited for: what is published may be large. */
  private static final Duration REPLY_TIMEOUT = Duration.ofSeconds(60);

  /** Errors begin with what matters. */
  private static final int MAX_ERROR_BYTES = 4 << 10;

  private final PubSubServer server;
  private final Optional<PubSubCredentials> credentials;
  private final Duration replyTimeout;
  private final Executor threads;
  private volatile HttpClient http;

  PubSubClient(PubSubServer server) {
    this(server, REPLY_TIMEOUT);
  }

  /** Waits so long for an answer. */
  PubSubClient(PubSubServer server, Duration replyTimeout) {
    this.server = server;
    this.replyTimeout = replyTimeout;
    this.credentials =
        server.isEmulator()
            ? Optional.empty()
            : Optional.of(new PubSubCredentials(Optional.ofNullable(server.credentials())));
    this.threads =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "pubsub");
              thread.setDaemon(true);
              return thread;
            });
    this.http = connections(server, threads);
  }

  private static HttpClient connections(PubSubServer server, Executor threads) {
    return HttpClient.newBuilder()
        // An emulator speaks no other, and is asked to change with each request otherwise.
        .version(server.isEmulator() ? HttpClient.Version.HTTP_1_1 : HttpClient.Version.HTTP_2)
        .connectTimeout(CONNECT_TIMEOUT)
        .proxy(ProxySelector.getDefault())
        .executor(threads)
        .build();
  }

  /** Returns threads for what waits for answers. */
  Executor threads() {
    return threads;
  }

  /** Returns a resource. */
  PubSubResource get(String path) throws PubSubException {
    return resource("GET", path, null);
  }

  /** Returns what a call with a small answer says. */
  PubSubResource post(String path, byte[] body) throws PubSubException {
    return resource("POST", path, body);
  }

  PubSubResource patch(String path, byte[] body) throws PubSubException {
    return resource("PATCH", path, body);
  }

  private PubSubResource resource(String method, String path, byte @Nullable [] body)
      throws PubSubException {
    return send(
        method,
        path,
        body,
        answer -> {
          Struct.Builder parsed = Struct.newBuilder();
          String text = new String(answer.readAllBytes(), StandardCharsets.UTF_8);
          if (!text.isBlank()) {
            try {
              JsonFormat.parser().merge(text, parsed);
            } catch (InvalidProtocolBufferException e) {
              throw new IOException("this is no answer of Pub/Sub: " + cut(text), e);
            }
          }
          return new PubSubResource(parsed.build());
        });
  }

  /**
   * Calls Pub/Sub.
   *
   * @param path behind the version
   * @throws PubSubException if it refuses, does not answer in time, answers what can't be parsed,
   *     or can't be asked for want of credentials
   */
  <T> T send(String method, String path, byte @Nullable [] body, Answer<T> answer)
      throws PubSubException {
    try {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(URI.create(server.root() + "/v1/" + path))
              .header("Content-Type", "application/json")
              .method(
                  method,
                  body == null
                      ? HttpRequest.BodyPublishers.noBody()
                      : HttpRequest.BodyPublishers.ofByteArray(body));
      if (credentials.isPresent()) {
        request.header("Authorization", authorization(credentials.get()));
      }
      HttpResponse<InputStream> response = TimedAnswers.stream(http, request, replyTimeout);
      try (InputStream content = response.body()) {
        if (response.statusCode() / 100 != 2) {
          throw new PubSubException(response.statusCode(), error(response.statusCode(), content));
        }
        return answer.of(content);
      }
    } catch (PubSubException e) {
      throw e;
    } catch (HttpTimeoutException e) {
      if (!(e instanceof HttpConnectTimeoutException)) {
        // All requests go over one connection, and the way may be cut without a word: those that
        // are on it end by themselves, the next ones take a new one.
        http = connections(server, threads);
      }
      throw new PubSubException(server.root() + ": " + words(e), e);
    } catch (IOException | RuntimeException e) {
      // Whoever asks in a thread of its own has to go on, whatever it was.
      throw new PubSubException(server.root() + ": " + words(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PubSubException("interrupted while waiting for an answer", e);
    }
  }

  private static String authorization(PubSubCredentials credentials) throws PubSubException {
    try {
      return credentials.authorization();
    } catch (IOException | RuntimeException e) {
      // A secret that is not there, or holds no key: it is put right without a restart.
      throw PubSubException.ofCredentials("nobody is named who asks: " + words(e), e);
    }
  }

  private static String words(Exception e) {
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  /** Returns the sentence of an error, or what is there instead. */
  private static String error(int status, InputStream content) throws IOException {
    String text = new String(content.readNBytes(MAX_ERROR_BYTES), StandardCharsets.UTF_8);
    Struct.Builder parsed = Struct.newBuilder();
    try {
      JsonFormat.parser().merge(text, parsed);
      String message = new PubSubResource(parsed.build()).in("error").text("message");
      return message.isEmpty() ? "status " + status : message + " (status " + status + ")";
    } catch (InvalidProtocolBufferException e) {
      return "status " + status + ": " + cut(text);
    }
  }

  private static String cut(String text) {
    String line = text.replaceAll("\\s+", " ").strip();
    return line.length() <= 200 ? line : line.substring(0, 200) + "…";
  }
}
