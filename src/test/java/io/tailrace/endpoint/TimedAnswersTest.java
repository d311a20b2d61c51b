package io.tailrace.endpoint;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import com.sun.net.httpserver.HttpServer;
import io.tailrace.pipelines.local.servers.LoopbackHttp;
import io.tailrace.testing.StallingServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.Test;

/** That no answer is waited for without an end, however it stalls. */
public class TimedAnswersTest {
  private static final Duration SHORT = Duration.ofMillis(200);

  private final HttpClient http = HttpClient.newHttpClient();

  private static HttpRequest.Builder request(String address) {
    return HttpRequest.newBuilder(URI.create("http://" + address + "/"));
  }

  private void read(String address) throws IOException, InterruptedException {
    try (InputStream body = TimedAnswers.stream(http, request(address), SHORT).body()) {
      var unused = body.readAllBytes();
    }
  }

  @Test
  public void anAnswerThatStallsInItsBodyIsLate() throws Exception {
    try (StallingServer server = StallingServer.start()) {
      assertThat(lateness(server.address())).isEqualTo("no whole answer within 200 ms");
      assertThrows(
          HttpTimeoutException.class,
          () ->
              TimedAnswers.send(
                  http, request(server.address()).build(), BodyHandlers.ofString(), SHORT));
    }
  }

  /** A head that is late itself is said in the JDK's words: then it is asked again. */
  private String lateness(String address) {
    for (int i = 0; ; i++) {
      String said =
          String.valueOf(
              assertThrows(HttpTimeoutException.class, () -> read(address)).getMessage());
      if (i == 100 || !said.contains("timed out")) {
        return said;
      }
    }
  }

  @Test
  public void anAnswerThatComesAByteAtATimeIsLateToo() throws Exception {
    try (StallingServer server = StallingServer.start(5)) {
      assertThrows(HttpTimeoutException.class, () -> read(server.address()));
    }
  }

  @Test
  public void anAnswerThatComesIsReadWhole() throws Exception {
    byte[] content = new byte[3_000_000];
    new Random(1).nextBytes(content);
    HttpServer server = LoopbackHttp.create();
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, content.length);
          exchange.getResponseBody().write(content);
          exchange.close();
        });
    server.start();
    String address = "127.0.0.1:" + server.getAddress().getPort();
    Duration enough = Duration.ofMinutes(1);

    try (InputStream body = TimedAnswers.stream(http, request(address), enough).body()) {
      assertThat(body.read()).isEqualTo(content[0] & 0xff);
      byte[] rest = body.readAllBytes();
      assertThat(rest).hasLength(content.length - 1);
      assertThat(Arrays.equals(content, 1, content.length, rest, 0, rest.length)).isTrue();
    }
    assertThat(
            TimedAnswers.send(http, request(address).build(), BodyHandlers.ofByteArray(), enough)
                .body())
        .isEqualTo(content);
    server.stop(0);
    IOException e =
        assertThrows(
            IOException.class,
            () -> TimedAnswers.stream(http, request(address), enough).body().close());
    assertThat(e).isNotInstanceOf(HttpTimeoutException.class);
  }

  @Test
  public void aManagerOfSecretsThatStallsIsAskedNoLonger() throws Exception {
    try (StallingServer server = StallingServer.start()) {
      IllegalStateException e =
          assertThrows(
              IllegalStateException.class,
              () ->
                  SecretServer.ask(
                      "aws:redis",
                      request(server.address()),
                      new Timeouts(SHORT, SHORT, Duration.ZERO)));
      assertThat(e).hasMessageThat().contains("aws:redis");
      assertThat(e).hasMessageThat().contains("no whole answer within 200 ms");
    }
  }
}
