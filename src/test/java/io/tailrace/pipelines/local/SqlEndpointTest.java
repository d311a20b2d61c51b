package io.tailrace.pipelines.local;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader.Table;
import io.tailrace.testing.FixedRowsReader;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import org.junit.After;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

@RunWith(JUnit4.class)
public class SqlEndpointTest {
  private static final Table ROWS =
      new Table(
          List.of("key", "value"),
          List.of(Arrays.asList("1", null), Arrays.asList("", "Zoë\n")),
          false);

  private static final HttpClient http = HttpClient.newHttpClient();

  /** What the store was asked: statements with their limits. */
  private final LinkedBlockingQueue<String> asked = new LinkedBlockingQueue<>();

  private SqlEndpoint endpoint = start((sql, limit) -> ROWS);

  @After
  public void close() {
    endpoint.close();
  }

  @Test
  public void answersAStatementWithTheRowsOfTheStore() throws Exception {
    HttpResponse<String> response = post("?limit=7", "SELECT 'Zoë'".getBytes(UTF_8));

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("Content-Type")).hasValue("application/json");
    assertThat(response.body())
        .isEqualTo(
            "{\"columns\":[\"key\",\"value\"],\"rows\":[[\"1\",null],[\"\",\"Zoë\\n\"]],"
                + "\"complete\":false}");
    assertThat(asked).containsExactly("7 SELECT 'Zoë'");
  }

  @Test
  public void aQueryFromAnotherProcessReturnsWhatTheStoreReturns() throws Exception {
    assertThat(query("SELECT 'Zoë'", 7)).isEqualTo(ROWS);
    assertThat(asked).containsExactly("7 SELECT 'Zoë'");
  }

  @Test
  public void aRefusalOfTheStoreIsToldInItsOwnWords() throws Exception {
    restart(
        (sql, limit) -> {
          throw new UnavailableException("there is no table \"usr__age\"");
        });

    HttpResponse<String> response = post("?limit=7", new byte[] {'x'});
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body()).isEqualTo("{\"error\":\"there is no table \\\"usr__age\\\"\"}");
    UnavailableException refusal = assertThrows(UnavailableException.class, () -> query("x", 7));
    assertThat(refusal).hasMessageThat().isEqualTo("there is no table \"usr__age\"");
  }

  @Test
  public void aFaultOfTheStoreIsAnsweredToo() throws Exception {
    restart(
        (sql, limit) -> {
          throw new IllegalStateException("broken");
        });

    HttpResponse<String> response = post("?limit=7", new byte[] {'x'});
    assertThat(response.statusCode()).isEqualTo(500);
    assertThat(response.body())
        .isEqualTo("{\"error\":\"The query has failed: java.lang.IllegalStateException: broken\"}");
  }

  @Test
  public void answersOnlyWhoeverHasTheToken() throws Exception {
    String token = endpoint.token();
    List<String> wrong =
        List.of(
            "Bearer ",
            "Bearer " + token.substring(1),
            "Bearer " + token + "0",
            "Basic " + token,
            token);
    for (String authorization : wrong) {
      HttpRequest.Builder request =
          request("?limit=7").header("Authorization", authorization).POST(BodyPublishers.noBody());
      assertThat(send(request).statusCode()).isEqualTo(401);
    }
    HttpResponse<String> response = send(request("?limit=7").POST(BodyPublishers.noBody()));
    assertThat(response.statusCode()).isEqualTo(401);
    assertThat(response.body()).doesNotContain(token);
    assertThat(asked).isEmpty();

    UnavailableException refusal =
        assertThrows(
            UnavailableException.class,
            () ->
                SqlEndpoint.query(
                    new RunningStack.Sql("duckdb:///fixed.db", endpoint.url(), "guessed"), "x", 7));
    assertThat(refusal).hasMessageThat().startsWith("The token is missing or wrong");
  }

  @Test
  public void everyEndpointHasATokenOfItsOwn() {
    try (SqlEndpoint other = start((sql, limit) -> ROWS)) {
      assertThat(endpoint.token()).matches("[0-9a-f]{64}");
      assertThat(other.token()).isNotEqualTo(endpoint.token());
    }
  }

  @Test
  public void knowsNothingButPostToItsPath() throws Exception {
    assertThat(send(allowed("?limit=7").GET()).statusCode()).isEqualTo(405);
    assertThat(send(allowed("?limit=7").PUT(BodyPublishers.noBody())).statusCode()).isEqualTo(405);
    for (String path : List.of("/x?limit=7", "x?limit=7", "/../?limit=7")) {
      assertThat(post(path, new byte[] {'x'}).statusCode()).isEqualTo(404);
    }
    assertThat(asked).isEmpty();
  }

  @Test
  public void refusesALimitThatIsNone() throws Exception {
    for (String query :
        List.of(
            "",
            "?",
            "?limit=",
            "?limit=0",
            "?limit=-1",
            "?limit=x",
            "?limit=100001",
            "?limit=99999999999",
            "?limit=1&limit=2",
            "?other=7")) {
      HttpResponse<String> response = post(query, new byte[] {'x'});
      assertThat(response.statusCode()).isEqualTo(400);
      assertThat(response.body()).contains("limit must be from 1 to 100000");
    }
    assertThat(asked).isEmpty();

    assertThat(post("?limit=100000", new byte[] {'x'}).statusCode()).isEqualTo(200);
  }

  @Test
  public void refusesAStatementThatIsTooLong() throws Exception {
    byte[] longest = new byte[1 << 20];
    Arrays.fill(longest, (byte) ' ');
    assertThat(post("?limit=7", longest).statusCode()).isEqualTo(200);
    asked.clear();

    HttpResponse<String> response = post("?limit=7", Arrays.copyOf(longest, longest.length + 1));

    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body()).contains("longer than 1048576 bytes");
    assertThat(asked).isEmpty();
  }

  @Test
  public void refusesAStatementThatIsNotUtf8() throws Exception {
    HttpResponse<String> response = post("?limit=7", "SELECT 'é'".getBytes(ISO_8859_1));
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body()).contains("not UTF-8");
    assertThat(asked).isEmpty();
  }

  @Test
  public void listensOnOneAddressOfThisMachineAlone() throws Exception {
    URI url = URI.create(endpoint.url());
    assertThat(url.getHost()).isEqualTo("127.0.0.1");
    try (Socket socket = new Socket()) {
      assertThrows(
          IOException.class,
          () -> socket.connect(new InetSocketAddress("127.0.0.2", url.getPort()), 5_000));
    }
  }

  @Test
  public void saysThatNobodyAnswers() {
    endpoint.close();
    UnavailableException failure = assertThrows(UnavailableException.class, () -> query("x", 7));
    assertThat(failure).hasMessageThat().contains("does not answer at " + endpoint.url());
  }

  @Test(timeout = 60_000)
  public void anErrorOfTheStoreDoesNotLeaveAnybodyWaiting() throws Exception {
    restart(
        (sql, limit) -> {
          throw new StackOverflowError();
        });
    UnavailableException failure = assertThrows(UnavailableException.class, () -> query("x", 7));
    assertThat(failure).hasMessageThat().contains("does not answer at " + endpoint.url());
  }

  @Test
  public void itsThreadsDoNotKeepTheProcess() throws Exception {
    endpoint.close();
    // Those of other tests come and go: what is started here is of a group of its own.
    ThreadGroup own = new ThreadGroup("endpoint");
    Thread starter = new Thread(own, () -> restart((sql, limit) -> ROWS));
    starter.start();
    starter.join();
    assertThat(query("x", 7)).isEqualTo(ROWS);
    Thread[] found = new Thread[own.activeCount() + 10];
    int count = own.enumerate(found);
    assertThat(count).isGreaterThan(0);
    assertThat(Arrays.stream(found, 0, count).filter(it -> !it.isDaemon()).toList()).isEmpty();
  }

  @Test(timeout = 60_000)
  public void aQueryThatRunsDoesNotHoldUpTheEnd() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    Semaphore released = new Semaphore(0);
    restart(
        (sql, limit) -> {
          running.countDown();
          // As a library in native code does, it takes no notice of an interrupt.
          released.acquireUninterruptibly();
          return ROWS;
        });
    CompletableFuture<HttpResponse<String>> answer =
        http.sendAsync(
            allowed("?limit=7").POST(BodyPublishers.ofString("x")).build(),
            BodyHandlers.ofString());
    running.await();

    endpoint.close();

    assertThat(assertThrows(ExecutionException.class, answer::get))
        .hasCauseThat()
        .isInstanceOf(IOException.class);
    released.release();
  }

  private SqlEndpoint start(FixedRowsReader.Answer answer) {
    return SqlEndpoint.start(
        new FixedRowsReader(
            "duckdb:///fixed.db",
            (sql, limit) -> {
              asked.add(limit + " " + sql);
              return answer.to(sql, limit);
            }));
  }

  private void restart(FixedRowsReader.Answer answer) {
    endpoint.close();
    endpoint = start(answer);
  }

  private Table query(String sql, int limit) throws UnavailableException {
    return SqlEndpoint.query(
        new RunningStack.Sql(endpoint.offlineStore(), endpoint.url(), endpoint.token()),
        sql,
        limit);
  }

  private HttpResponse<String> post(String query, byte[] statement) throws Exception {
    return send(allowed(query).POST(BodyPublishers.ofByteArray(statement)));
  }

  private HttpRequest.Builder allowed(String query) {
    return request(query).header("Authorization", "Bearer " + endpoint.token());
  }

  private HttpRequest.Builder request(String query) {
    return HttpRequest.newBuilder(URI.create(endpoint.url() + query));
  }

  private static HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return http.send(request.build(), BodyHandlers.ofString());
  }
}
