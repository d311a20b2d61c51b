package io.tailrace.online;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.online.EntityWrite.CellOutcome;
import io.tailrace.result.ValueType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.Test;

/** How {@link EntityWrite} folds what several results say of an entity, and whom it tells. */
public class EntityWriteTest {
  private static final EntityKey ANN = new EntityKey("production", "user", "ann");
  private static final long T1 = 1_000_000;
  private static final long T2 = 1_000_001;
  private static final long T3 = 1_000_002;

  private final EntityWrite write = new EntityWrite(ANN);
  private final Told first = new Told();
  private final Told second = new Told();
  private final Told third = new Told();

  @Test
  public void ofThreeTimesTheLatestStandsInAnyOrder() {
    long[][] orders = {
      {T3, T2, T1}, {T1, T2, T3}, {T2, T3, T1}, {T1, T3, T2}, {T3, T1, T2}, {T2, T1, T3}
    };
    for (long[] order : orders) {
      EntityWrite folded = new EntityWrite(ANN);
      for (long time : order) {
        folded.offer("age", cell(time), new Told());
      }

      assertThat(folded.count()).isEqualTo(1);
      assertThat(folded.name(0)).isEqualTo("age");
      assertWithMessage(Arrays.toString(order)).that(folded.cell(0)).isEqualTo(cell(T3));
    }
  }

  @Test
  public void whatIsReplacedOrComesTooLateIsStale() {
    write.offer("age", cell(T2), first);
    write.offer("age", cell(T3), second);
    write.offer("age", cell(T1), third);

    assertThat(first.outcomes).containsExactly(CellOutcome.STALE);
    assertThat(second.outcomes).isEmpty();
    assertThat(third.outcomes).containsExactly(CellOutcome.STALE);
  }

  @Test
  public void theSameCellOnceMoreIsADuplicateAndTheFirstKeepsItsOwner() {
    write.offer("age", cell(T1), first);
    write.offer("age", cell(T1), second);

    write.settle(0, CellOutcome.WRITTEN);
    assertThat(first.outcomes).isEmpty();
    write.tell();

    assertThat(first.outcomes).containsExactly(CellOutcome.WRITTEN);
    assertThat(second.outcomes).containsExactly(CellOutcome.DUPLICATE);
  }

  @Test
  public void onlyTheOwnerOfTheCellThatIsWrittenIsToldOfTheStore() {
    write.offer("age", cell(T1), first);
    write.offer("age", cell(T2), second);
    write.offer("name", cell(T1), third);

    write.settle(0, CellOutcome.WRITTEN);
    write.reject(1, "too large");
    write.tell();

    assertThat(second.outcomes).containsExactly(CellOutcome.WRITTEN);
    assertThat(third.outcomes).isEmpty();
    assertThat(third.rejections).containsExactly("name: too large");
    assertThat(first.rejections).isEmpty();
  }

  @Test
  public void offersTellHowMuchTheWriteGrew() {
    assertThat(write.offer("age", new byte[20], first)).isEqualTo(23);
    assertThat(write.offer("age", cellOf(T3, 30), second)).isEqualTo(10);
    assertThat(write.offer("age", cellOf(T1, 99), third)).isEqualTo(0);
  }

  @Test
  public void aTombstoneBeatsAValueOfTheSameTime() {
    write.offer("age", Cell.encodeTombstone(T1), first);
    write.offer("age", cellOf(T1, 26), second);

    assertThat(write.cell(0)).isEqualTo(Cell.encodeTombstone(T1));
    assertThat(second.outcomes).containsExactly(CellOutcome.STALE);
  }

  @Test
  public void ofSeveralFencesTheLatestStands() {
    assertThat(write.fence()).isEqualTo(EntityWrite.NO_FENCE);

    write.offerFence(T2, first);
    write.offerFence(T3, second);
    write.offerFence(T1, third);
    write.offerFence(T3, third);
    write.settleFence(CellOutcome.WRITTEN);
    write.tell();

    assertThat(write.fence()).isEqualTo(T3);
    assertThat(write.count()).isEqualTo(0);
    assertThat(first.outcomes).containsExactly(CellOutcome.STALE);
    assertThat(second.outcomes).containsExactly(CellOutcome.WRITTEN);
    assertThat(third.outcomes).containsExactly(CellOutcome.STALE, CellOutcome.DUPLICATE).inOrder();
  }

  @Test
  public void theOwnerOfARefusedFenceIsTold() {
    write.offerFence(T2, first);

    write.rejectFence("the key is a list");
    write.tell();

    assertThat(first.rejections).containsExactly(": the key is a list");
  }

  @Test
  public void withoutAFenceNobodyIsToldOfIt() {
    write.offer("age", cell(T1), first);

    write.settle(0, CellOutcome.STALE);
    write.settleFence(CellOutcome.WRITTEN);
    write.rejectFence("no");
    write.tell();

    assertThat(first.outcomes).containsExactly(CellOutcome.STALE);
    assertThat(first.rejections).isEmpty();
  }

  @Test
  public void everyOwnerIsToldOfEachOfItsCellsWhateverBecameOfThem() {
    write.offer("a", cell(T1), first);
    write.offer("b", cell(T1), first);
    write.offer("c", cell(T1), second);
    write.offer("d", cell(T1), first);
    write.offer("e", cell(T1), first);
    write.offerFence(T1, second);

    write.settle(0, CellOutcome.WRITTEN);
    write.settle(1, CellOutcome.WRITTEN);
    write.settle(2, CellOutcome.WRITTEN);
    write.reject(3, "too large");
    write.settle(4, CellOutcome.STALE);
    write.settleFence(CellOutcome.DUPLICATE);
    write.tell();

    assertThat(first.outcomes)
        .containsExactly(CellOutcome.WRITTEN, CellOutcome.WRITTEN, CellOutcome.STALE);
    assertThat(first.rejections).containsExactly("d: too large");
    assertThat(second.outcomes)
        .containsExactly(CellOutcome.WRITTEN, CellOutcome.DUPLICATE)
        .inOrder();
  }

  @Test
  public void aStoreThatForgetsACellOrAFenceIsFoundOut() {
    write.offer("age", cell(T1), first);
    write.offer("name", cell(T1), first);
    write.settle(0, CellOutcome.WRITTEN);
    IllegalStateException cell = assertThrows(IllegalStateException.class, write::tell);

    EntityWrite deletion = new EntityWrite(ANN);
    deletion.offerFence(T1, second);
    IllegalStateException fence = assertThrows(IllegalStateException.class, deletion::tell);

    assertThat(cell).hasMessageThat().contains("what became of name");
    assertThat(fence).hasMessageThat().contains("what became of the deletion");
  }

  @Test
  public void deletionsAreRememberedForTheLongestThatWasAskedFor() {
    write.offer("age", cell(T1), first);
    assertThat(write.rememberedUntil()).isEqualTo(EntityWrite.NOTHING);

    write.remember(50 * T1);
    write.offerFence(T1, first);
    write.remember(40 * T1);
    write.offerFence(T2, second);
    assertThat(write.rememberedUntil()).isEqualTo(50 * T1);

    write.remember(60 * T1);
    write.offer("age", Cell.encodeTombstone(T2), third);
    assertThat(write.rememberedUntil()).isEqualTo(60 * T1);
  }

  @Test
  public void foldsAsAMapOfTheGreatestCellsWouldHoweverManyFeatures() {
    for (long seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      int features = 1 + random.nextInt(100);
      EntityWrite folded = new EntityWrite(ANN);
      Map<String, byte[]> expected = new HashMap<>();
      Told told = new Told();
      int offers = random.nextInt(300);
      for (int i = 0; i < offers; i++) {
        String name = "f" + (random.nextInt(4) > 0 ? i % features : random.nextInt(features));
        byte[] cell = cell(random.nextInt(4));
        folded.offer(name, cell, told);
        expected.merge(name, cell, (a, b) -> Arrays.compareUnsigned(a, b) >= 0 ? a : b);
      }

      Map<String, byte[]> actual = new HashMap<>();
      for (int i = 0; i < folded.count(); i++) {
        assertWithMessage("seed %s", seed)
            .that(actual.put(folded.name(i), folded.cell(i)))
            .isNull();
        folded.settle(i, CellOutcome.WRITTEN);
      }
      folded.tell();
      assertWithMessage("seed %s", seed).that(actual.keySet()).isEqualTo(expected.keySet());
      for (String name : expected.keySet()) {
        assertWithMessage("seed %s, %s", seed, name)
            .that(actual.get(name))
            .isEqualTo(expected.get(name));
      }
      assertWithMessage("seed %s: each offer is settled once", seed)
          .that(told.outcomes)
          .hasSize(offers);
    }
  }

  private static byte[] cell(long observedAt) {
    return Cell.encodeNull(ValueType.INT64, observedAt, observedAt + 1);
  }

  private static byte[] cellOf(long observedAt, int bytes) {
    byte[] value = Arrays.copyOf(Cell.encodeNull(ValueType.STRING, observedAt, T3), bytes);
    value[8] = 0;
    return value;
  }

  private static final class Told implements EntityWrite.Owner {
    final List<CellOutcome> outcomes = new ArrayList<>();
    final List<String> rejections = new ArrayList<>();

    @Override
    public void settled(CellOutcome outcome, int cells) {
      outcomes.addAll(Collections.nCopies(cells, outcome));
    }

    @Override
    public void rejected(EntityKey key, String name, String message) {
      assertThat(key).isEqualTo(ANN);
      rejections.add(name + ": " + message);
    }
  }
}
