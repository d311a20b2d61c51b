package io.tailrace.endpoint;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Sends requests over HTTP whose answers have a time limit as a whole. That of the JDK's client is
 * over when the head of an answer is there: where the way is cut while a body comes, it waits for
 * ever. Stateless and thread-safe.
 */
public final class TimedAnswers {
  private TimedAnswers() {}

  /**
   * Returns an answer with its body.
   *
   * @param within what sending and the whole answer may take
   * @throws HttpTimeoutException if they take longer
   * @throws IOException if there is no answer, or only a part of one
   */
  public static <T> HttpResponse<T> send(
      HttpClient http, HttpRequest request, HttpResponse.BodyHandler<T> body, Duration within)
      throws IOException, InterruptedException {
    CompletableFuture<HttpResponse<T>> answer = http.sendAsync(request, body);
    try {
      return answer.get(within.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw late(within);
    } catch (ExecutionException e) {
      throw new IOException(words(e), e);
    } finally {
      // Of one that has come this does nothing.
      answer.cancel(true);
    }
  }

  /**
   * Returns an answer whose body is read while it comes, by one thread, and closed by the caller.
   *
   * @param within what sending and the whole answer may take, with the time that the caller takes
   *     to read it; then reading throws an {@link HttpTimeoutException}
   * @throws HttpTimeoutException if the head of the answer takes longer
   * @throws IOException if there is no answer
   */
  public static HttpResponse<InputStream> stream(
      HttpClient http, HttpRequest.Builder request, Duration within)
      throws IOException, InterruptedException {
    long deadline = System.nanoTime() + within.toNanos();
    return http.send(
        request.timeout(within).build(), head -> new TimedBody(deadline, () -> late(within)));
  }

  private static HttpTimeoutException late(Duration within) {
    return new HttpTimeoutException("no whole answer within " + Durations.text(within));
  }

  private static String words(ExecutionException e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
  }
}
