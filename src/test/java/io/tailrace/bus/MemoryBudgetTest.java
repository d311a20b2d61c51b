package io.tailrace.bus;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.bus.MemoryBudget.Share;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.Timeout;

/** That what a process holds of what it reads is bounded, and that nothing stands still for it. */
public class MemoryBudgetTest {
  private static final long MEGABYTE = 1L << 20;
  private static final Duration NOT_AT_ALL = Duration.ZERO;

  /** Whatever stands still fails here. */
  @Rule public final Timeout watchdog = Timeout.seconds(120);

  private final AtomicLong taken = new AtomicLong();
  private final MemoryBudget budget = new MemoryBudget(16 * MEGABYTE, taken);

  @Test
  public void theProcessHasAQuarterOfItsHeapAndAMessageAtMostHalfOfThat() {
    MemoryBudget process = MemoryBudget.ofProcess();

    assertThat(process.bytes()).isEqualTo(Runtime.getRuntime().maxMemory() / 4);
    assertThat(process.largest()).isEqualTo(process.bytes() / 2);
  }

  @Test
  public void aPollGoesOnWhereThereIsRoom() {
    Share first = budget.share();
    Share second = budget.share();

    assertThat(first.await(10 * MEGABYTE, NOT_AT_ALL)).isTrue();
    assertThat(second.await(10 * MEGABYTE, NOT_AT_ALL)).isFalse();
    assertThat(second.await(6 * MEGABYTE, NOT_AT_ALL)).isTrue();
    assertThat(budget.held()).isEqualTo(16 * MEGABYTE);
  }

  @Test
  public void aPollThatWaitsHoldsNothing() {
    Share poll = budget.share();
    Share stage = budget.share();
    assertThat(poll.await(MEGABYTE, NOT_AT_ALL)).isTrue();
    stage.hold(16 * MEGABYTE);

    assertThat(poll.await(MEGABYTE, NOT_AT_ALL)).isFalse();
    assertThat(poll.held()).isEqualTo(0);
    assertThat(budget.held()).isEqualTo(stage.held());
  }

  @Test
  public void pollsStayClosedUntilAnOverdraftIsPaid() {
    Share poll = budget.share();
    Share stage = budget.share();
    stage.hold(20 * MEGABYTE);

    assertThat(stage.isOverdrawn()).isTrue();
    assertThat(poll.await(MEGABYTE, NOT_AT_ALL)).isFalse();

    stage.hold(15 * MEGABYTE);
    assertThat(stage.isOverdrawn()).isFalse();
    assertThat(poll.await(MEGABYTE, NOT_AT_ALL)).isFalse();

    stage.hold(MEGABYTE);
    assertThat(poll.await(MEGABYTE, NOT_AT_ALL)).isTrue();
  }

  @Test
  public void whereNothingIsHeldTheSmallestHeapGoesOn() {
    MemoryBudget tiny = new MemoryBudget(1_000, new AtomicLong());

    assertThat(tiny.share().await(2 * MEGABYTE, NOT_AT_ALL)).isTrue();
  }

  /** Whatever a share was told in between, what it holds is what it was told last. */
  @Test
  public void aShareHoldsWhatItWasToldLastToAFewKilobytes() {
    Random random = new Random(1);
    Share share = budget.share();
    for (int i = 0; i < 10_000; i++) {
      long bytes = random.nextInt(4) == 0 ? 0 : random.nextInt(4_000_000);
      share.hold(bytes);

      assertThat(share.held()).isAtLeast(bytes);
      assertThat(share.held()).isAtMost(bytes == 0 ? 0 : bytes + (200 << 10));
      assertThat(budget.held()).isEqualTo(share.held());
    }
    share.close();
    assertThat(budget.held()).isEqualTo(0);
  }

  @Test
  public void aShareThatNobodyClosedIsGivenBack() throws Exception {
    WeakReference<Share> lost = lose();
    while (lost.get() != null || budget.held() > 0) {
      System.gc();
      Thread.sleep(5);
    }

    assertThat(budget.held()).isEqualTo(0);
  }

  private WeakReference<Share> lose() {
    Share share = budget.share();
    share.hold(MEGABYTE);
    return new WeakReference<>(share);
  }

  @Test
  public void allClassLoadersOfAProcessShareIt() throws Exception {
    URL[] classPath =
        Arrays.stream(System.getProperty("java.class.path").split(java.io.File.pathSeparator))
            .map(entry -> url(Path.of(entry)))
            .toArray(URL[]::new);
    try (URLClassLoader other =
        new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader())) {
      Class<?> theirs = other.loadClass(MemoryBudget.class.getName());
      Object budgetOfOther = theirs.getMethod("ofProcess").invoke(null);
      Object share = theirs.getMethod("share").invoke(budgetOfOther);
      Class<?> shares = other.loadClass(Share.class.getName());
      long before = MemoryBudget.ofProcess().held();

      shares.getMethod("hold", long.class).invoke(share, 123 * MEGABYTE);

      assertThat(theirs).isNotSameInstanceAs(MemoryBudget.class);
      assertThat(MemoryBudget.ofProcess().held() - before).isAtLeast(100 * MEGABYTE);
      shares.getMethod("close").invoke(share);
    }
  }

  private static URL url(Path path) {
    try {
      return path.toUri().toURL();
    } catch (java.net.MalformedURLException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /**
   * Two slots, each a poll, a stage that decodes and one that gathers and writes, with a budget of
   * two of the largest messages: all at their peak, bundles that fail among them.
   */
  @Test
  public void twoSlotsAtTheirPeakNeitherStandStillNorHoldMoreThanOneMessageEachBeyond()
      throws Exception {
    long largest = budget.largest();
    AtomicLong peak = new AtomicLong();
    ExecutorService slots = Executors.newFixedThreadPool(2);
    try {
      List<Future<Integer>> done = new ArrayList<>();
      for (int slot = 0; slot < 2; slot++) {
        done.add(slots.submit(slot(slot, largest, peak)));
      }
      for (Future<Integer> each : done) {
        assertThat(each.get()).isAtLeast(500);
      }
    } finally {
      slots.shutdownNow();
    }

    assertThat(taken.get()).isEqualTo(0);
    // The budget, and of each slot what one message takes at each of its three holders.
    assertThat(peak.get()).isAtMost(budget.bytes() + 2 * 3 * (largest + (128 << 10)));
  }

  private Callable<Integer> slot(int seed, long largest, AtomicLong peak) {
    return () -> {
      Random random = new Random(seed);
      try (Share poll = budget.share();
          Share decoder = budget.share();
          Share gatherer = budget.share()) {
        int messages = 0;
        while (messages < 500) {
          // A bundle: it ends after a while, whether or not polls brought anything.
          gatherer.hold(0);
          decoder.hold(0);
          long gathered = 0;
          boolean fails = random.nextInt(10) == 0;
          for (int polls = random.nextInt(5); polls >= 0; polls--) {
            if (!poll.await(largest, Duration.ofMillis(1))) {
              continue;
            }
            long message = random.nextBoolean() ? largest : random.nextInt((int) largest);
            poll.hold(message);
            decoder.hold(message);
            gathered += message;
            gatherer.hold(gathered);
            peak.accumulateAndGet(budget.held(), Math::max);
            messages++;
            if (gatherer.isOverdrawn() && !fails) {
              gathered = 0;
              gatherer.hold(0);
            }
            if (fails && gatherer.isOverdrawn()) {
              break;
            }
          }
          if (!fails) {
            gatherer.hold(0);
          }
        }
        return messages;
      }
    };
  }
}
