package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.BundleWriter;
import io.tailrace.online.WriteOutcome;
import io.tailrace.stage.Failure;
import io.tailrace.stage.RejectedCell;
import io.tailrace.testing.OnlineWriters;
import io.tailrace.testing.Results;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.QueryResult;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;

/**
 * An error that is on no list is for the entity that is refused alone while others are taken, and
 * an outage where nothing is taken.
 */
public class RedisRefusalsTest {
  private static final long T = OnlineWriters.START;
  private static final String[] WORDS = {
    "ERR proxy: key is quarantined",
    "ERR unknown",
    "QUOTA tenant is over its limit",
    "NOPERM this user has no permissions to access one of the keys used as arguments",
    "proxyerror"
  };

  @ClassRule @Rule public static final EmptyRedis redis = new EmptyRedis();

  @Test
  public void whatIsRefusedAloneIsRejectedAndTheOthersAreWritten() throws Exception {
    for (String words : WORDS) {
      redis.client().flushAll();
      try (RefusingProxy proxy =
              RefusingProxy.start(redis.port(), words, call -> call.contains("user:bad"));
          BundleWriter writer = writer(proxy, "200ms")) {
        List<String> keys = IntStream.range(0, 100).mapToObj(i -> "k" + i).toList();

        BundleWriter.Written written =
            writer.write(
                T, ages(keys), ages(List.of("bad1", "good", "bad2")), ages(List.of("later")));

        assertThat(written.outcomes().stream().mapToInt(WriteOutcome::rejected).sum()).isEqualTo(2);
        assertThat(redis.client().dbSize()).isEqualTo(102);
        Failure failure = written.failures().get(0);
        assertThat(failure.reason()).isEqualTo(Reason.REJECTED_BY_STORE);
        assertThat(failure.cells().stream().map(RejectedCell::key).toList())
            .containsExactly("bad1", "bad2");
        assertThat(failure.cells().get(0).message()).contains(words);
      }
    }
  }

  @Test
  public void alsoWhenItIsAloneInItsBundle() throws Exception {
    for (String words : WORDS) {
      try (RefusingProxy proxy =
              RefusingProxy.start(redis.port(), words, call -> call.contains("user:bad"));
          BundleWriter writer = writer(proxy, "200ms")) {
        assertThat(writer.write(T, ages(List.of("bad"))).outcomes().get(0).rejected()).isEqualTo(1);
        assertWithMessage("what a trial leaves").that(redis.client().dbSize()).isEqualTo(0);
      }
    }
  }

  @Test
  public void alsoAsAFence() throws Exception {
    try (RefusingProxy proxy =
            RefusingProxy.start(redis.port(), WORDS[0], call -> call.contains("user:bad"));
        BundleWriter writer = writer(proxy, "200ms")) {
      BundleWriter.Written written =
          writer.write(T, Results.of(Results.deletion("bad", T)), ages(List.of("good")));

      assertThat(written.outcomes().get(0).status()).isEqualTo(WriteOutcome.Status.FAILED);
      assertThat(written.outcomes().get(1).written()).isEqualTo(1);
    }
  }

  @Test
  public void aStoreThatRefusesEverythingIsAnOutage() throws Exception {
    for (String words : WORDS) {
      redis.client().flushAll();
      try (RefusingProxy proxy = RefusingProxy.start(redis.port(), words, call -> true);
          BundleWriter writer = writer(proxy, "200ms")) {
        List<String> keys = IntStream.range(0, 50).mapToObj(i -> "k" + i).toList();

        UnavailableException e =
            assertThrows(UnavailableException.class, () -> writer.write(T, ages(keys)));

        assertThat(e).hasMessageThat().contains(words);
        proxy.refuse(call -> false);
        assertThat(writer.write(T, ages(keys)).outcomes().get(0).written()).isEqualTo(50);
      }
    }
  }

  @Test
  public void anOutageThatBeginsAmidAWriteRejectsNothing() throws Exception {
    int[] calls = {0};
    for (String words : WORDS) {
      redis.client().flushAll();
      calls[0] = 0;
      // The first calls pass; so they do not witness that the store works when it is asked again.
      try (RefusingProxy proxy = RefusingProxy.start(redis.port(), words, call -> ++calls[0] > 4);
          BundleWriter writer = writer(proxy, "200ms")) {
        List<String> keys = IntStream.range(0, 1_000).mapToObj(i -> "k" + i).toList();

        assertThrows(UnavailableException.class, () -> writer.write(T, ages(keys)));

        assertThat(redis.client().dbSize()).isGreaterThan(0);
        assertThat(redis.client().dbSize()).isLessThan(1_000);
      }
    }
  }

  @Test
  public void anErrorThatTimeMendsIsNeverAnEntitys() throws Exception {
    for (String code :
        List.of("OOM", "READONLY", "LOADING", "MISCONF", "BUSY", "CLUSTERDOWN", "NOREPLICAS")) {
      try (RefusingProxy proxy =
              RefusingProxy.start(
                  redis.port(), code + " is said of one", call -> call.contains("user:bad"));
          BundleWriter writer = writer(proxy, "200ms")) {
        assertThrows(
            UnavailableException.class, () -> writer.write(T, ages(List.of("good", "bad"))));
        proxy.refuse(call -> false);
        assertThat(writer.write(T, ages(List.of("bad"))).failures()).isEmpty();
        redis.client().flushAll();
      }
    }
  }

  @Test
  public void whatIsRefusedForAMomentIsWritten() throws Exception {
    int[] calls = {0};
    try (RefusingProxy proxy =
            RefusingProxy.start(
                redis.port(), WORDS[0], call -> call.contains("user:bad") && ++calls[0] < 4);
        BundleWriter writer = writer(proxy, "30s")) {
      assertThat(writer.write(T, ages(List.of("good", "bad"))).outcomes().get(0).rejected())
          .isEqualTo(0);
    }
  }

  @Test
  public void theSameErrorIsNotWaitedForASecondTime() throws Exception {
    try (RefusingProxy proxy =
            RefusingProxy.start(redis.port(), WORDS[0], call -> call.contains("user:bad"));
        BundleWriter writer = writer(proxy, "300ms")) {
      writer.write(T, ages(List.of("good", "bad")));
      int before = proxy.refused();

      assertThat(writer.write(T, ages(List.of("good", "bad"))).outcomes().get(0).rejected())
          .isEqualTo(1);

      // With the others, and by itself.
      assertThat(proxy.refused() - before).isEqualTo(2);
    }
  }

  private static BundleWriter writer(RefusingProxy proxy, String retryFor) {
    return BundleWriter.of(OnlineWriters.to(proxy.uri() + "?retryFor=" + retryFor));
  }

  private static QueryResult ages(List<String> keys) {
    return Results.of(Results.users(keys, Results.int64("age", T, new long[keys.size()])));
  }
}
