package io.tailrace.stage;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;
import static org.quicktheories.QuickTheory.qt;
import static org.quicktheories.generators.SourceDSL.integers;
import static org.quicktheories.generators.SourceDSL.lists;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MemoryBudget;
import io.tailrace.testing.Messages;
import java.util.ArrayList;
import java.util.List;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.transforms.windowing.GlobalWindow;
import org.apache.beam.sdk.transforms.windowing.IntervalWindow;
import org.joda.time.Instant;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** When it is time for what a bundle has gathered, and that nothing of it is lost. */
@RunWith(JUnit4.class)
public class GatheredTest {
  private static final Instant TIME = new Instant(5);
  private static final BoundedWindow WINDOW = GlobalWindow.INSTANCE;

  @Test
  public void isDueWhenSoManyBytesAreHeld() {
    Gathered<String> gathered = Gathered.upTo(10, String::length);

    gathered.add("123456789", TIME, WINDOW);
    assertThat(gathered.isDue()).isFalse();
    gathered.add("0", TIME, WINDOW);
    assertThat(gathered.isDue()).isTrue();
    assertThat(gathered.bytes()).isEqualTo(10);
  }

  @Test
  public void isDueWhenWhatIsHeldHasGrown() {
    Gathered<String> gathered = Gathered.upTo(10, String::length);

    gathered.add("1", TIME, WINDOW);
    gathered.grow(8);
    assertThat(gathered.isDue()).isFalse();
    gathered.grow(1);
    assertThat(gathered.isDue()).isTrue();
  }

  @Test
  public void isDueWhenSoManyAreHeld() {
    Gathered<String> gathered = Gathered.<String>upTo(1_000, String::length).andUpTo(2, text -> 1);

    gathered.add("a", TIME, WINDOW);
    assertThat(gathered.isDue()).isFalse();
    gathered.add("b", TIME, WINDOW);
    assertThat(gathered.isDue()).isTrue();
  }

  @Test
  public void isDueWhenNothingMoreWaitedOnTheBus() {
    Gathered<BusMessage> gathered =
        Gathered.<BusMessage>upTo(1_000, message -> 1).untilBacklogEnds(message -> message);
    BusMessage message = Messages.of(new byte[1], 7);

    gathered.add(message, TIME, WINDOW);
    assertThat(gathered.isDue()).isFalse();
    gathered.add(message.endingBacklog(), TIME, WINDOW);
    assertThat(gathered.isDue()).isTrue();
  }

  @Test
  public void whatIsTakenCountsUntilItIsWritten() {
    MemoryBudget.Share share = MemoryBudget.ofProcess().share();
    Gathered<Integer> gathered = Gathered.<Integer>upTo(10 << 20, size -> size).within(share);

    gathered.add(2 << 20, TIME, WINDOW);
    gathered.grow(1 << 20);
    assertThat(share.held()).isAtLeast(3L << 20);
    assertThat(gathered.take()).hasSize(1);
    gathered.add(1 << 20, TIME, WINDOW);
    assertThat(share.held()).isAtLeast(4L << 20);
    gathered.written();
    assertThat(share.held()).isLessThan(2L << 20);
    share.close();
  }

  @Test
  public void whatABundleHeldThatFailedIsGivenBackByTheNext() {
    MemoryBudget.Share share = MemoryBudget.ofProcess().share();
    Gathered.<Integer>upTo(10 << 20, size -> size).within(share).add(2 << 20, TIME, WINDOW);

    Gathered<Integer> next = Gathered.<Integer>upTo(10 << 20, size -> size).within(share);

    assertThat(share.held()).isEqualTo(0);
    assertThat(next.isDue()).isFalse();
    share.close();
  }

  @Test
  public void isDueAtOnceWhenMoreIsHeldThanTheProcessMay() {
    MemoryBudget budget = MemoryBudget.ofProcess();
    MemoryBudget.Share others = budget.share();
    MemoryBudget.Share share = budget.share();
    Gathered<String> gathered = Gathered.<String>upTo(10, String::length).within(share);
    others.hold(budget.bytes() + 1);

    gathered.add("a", TIME, WINDOW);

    assertThat(gathered.isDue()).isTrue();
    assertThat(gathered.isHeavy()).isTrue();
    others.close();
    share.close();
  }

  @Test
  public void keepsWhereEachElementBelongs() {
    Gathered<String> gathered = Gathered.upTo(10, String::length);
    BoundedWindow window = new IntervalWindow(new Instant(0), new Instant(60_000));

    gathered.add("a", TIME, WINDOW);
    gathered.add("b", new Instant(9), window);

    assertThat(gathered.take())
        .containsExactly(new Held<>("a", TIME, WINDOW), new Held<>("b", new Instant(9), window))
        .inOrder();
  }

  @Test
  public void whatIsTakenWhenDueAndAtTheEndIsEverythingInItsOrderAndWithinTheLimits() {
    qt().forAll(
            lists().of(integers().between(0, 20)).ofSizeBetween(0, 60),
            integers().between(1, 50),
            integers().between(1, 10))
        .checkAssert(
            (sizes, mostBytes, mostElements) -> {
              Gathered<Integer> gathered =
                  Gathered.<Integer>upTo(mostBytes, size -> size).andUpTo(mostElements, size -> 1);
              List<Integer> all = new ArrayList<>();
              for (int size : sizes) {
                gathered.add(size, TIME, WINDOW);
                if (gathered.isDue()) {
                  List<Integer> taken = taken(gathered);
                  int last = taken.get(taken.size() - 1);
                  int bytes = taken.stream().mapToInt(each -> each).sum();
                  assertThat(taken.size()).isAtMost(mostElements);
                  assertThat(bytes - last).isLessThan(mostBytes);
                  assertThat(bytes >= mostBytes || taken.size() == mostElements).isTrue();
                  all.addAll(taken);
                }
              }
              all.addAll(taken(gathered));

              assertThat(all).containsExactlyElementsIn(sizes).inOrder();
              assertThat(gathered.isDue()).isFalse();
              assertThat(gathered.bytes()).isEqualTo(0);
              assertThat(gathered.take()).isEmpty();
            });
  }

  private static List<Integer> taken(Gathered<Integer> gathered) {
    return gathered.take().stream().map(Held::element).toList();
  }

  @Test
  public void refusesALimitThatHoldsNothing() {
    assertThrows(IllegalArgumentException.class, () -> Gathered.upTo(0, String::length));
  }
}
