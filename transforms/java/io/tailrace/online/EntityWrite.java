package io.tailrace.online;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is to be written of one entity: for each feature the greatest cell offered, and perhaps a
 * fence. The store notes here what became of every cell; who offered them is told afterwards, in
 * the thread that offered them. Not thread-safe.
 */
public final class EntityWrite {
  /** The {@link #fence()} of a write without one; below every allowed time. */
  public static final long NO_FENCE = Long.MIN_VALUE;

  /** The {@link #rememberedUntil()} of a write without a deletion; below every time. */
  public static final long NOTHING = Long.MIN_VALUE;

  /** What became of a cell. */
  public enum CellOutcome {
    /** It is in the store. */
    WRITTEN,
    /** A greater one is in the store, or a fence at or after its time. */
    STALE,
    /**
     * The very same cell was in the store, perhaps written by an earlier try of this write whose
     * answer was lost.
     */
    DUPLICATE,
    /** It had expired before it came, and there was nothing to replace. */
    EXPIRED
  }

  /** Told what became of the cells it offered. */
  interface Owner {
    void settled(CellOutcome outcome, int cells);

    void rejected(EntityKey key, String name, String message);
  }

  /** From this many features on, a hash table finds a name faster than a search. */
  private static final int SEARCHED_NAMES = 32;

  private final EntityKey key;
  private String[] names = new String[10];
  private byte[][] cells = new byte[10][];
  private Owner[] owners = new Owner[10];
  private int count;
  private int expected;
  private @Nullable Map<String, Integer> index;
  private long fence = NO_FENCE;
  private @Nullable Owner fenceOwner;
  private long rememberedUntil = NOTHING;

  // What became of the cells and, behind them, of the fence.
  private @Nullable CellOutcome @Nullable [] outcomes;
  // Why cells, or the fence, are rejected.
  private @Nullable Map<Integer, String> rejections;

  EntityWrite(EntityKey key) {
    this.key = key;
  }

  /**
   * Offers a cell; of several for the same feature the greatest is written. Returns the bytes
   * gained.
   */
  int offer(String name, byte[] cell, Owner owner) {
    int i = find(name);
    if (i == count) {
      add(name, cell, owner);
      return cell.length + name.length();
    }
    int order = Arrays.compareUnsigned(cell, cells[i]);
    if (order > 0) {
      owners[i].settled(CellOutcome.STALE, 1);
      int gained = cell.length - cells[i].length;
      cells[i] = cell;
      owners[i] = owner;
      return gained;
    }
    owner.settled(order == 0 ? CellOutcome.DUPLICATE : CellOutcome.STALE, 1);
    return 0;
  }

  private int find(String name) {
    // Results of one query name their features in the same order.
    int guess = expected < count ? expected : 0;
    if (guess < count && sameName(names[guess], name)) {
      expected = guess + 1;
      return guess;
    }
    if (index != null) {
      Integer found = index.get(name);
      return found == null ? count : found;
    }
    for (int i = 0; i < count; i++) {
      if (sameName(names[i], name)) {
        expected = i + 1;
        return i;
      }
    }
    return count;
  }

  /** Names are mostly shared; the hashes, which strings keep, tell apart those that differ. */
  @SuppressWarnings("ReferenceEquality")
  private static boolean sameName(String a, String b) {
    return a == b || (a.hashCode() == b.hashCode() && a.equals(b));
  }

  private void add(String name, byte[] cell, Owner owner) {
    if (count == names.length) {
      names = Arrays.copyOf(names, 2 * count);
      cells = Arrays.copyOf(cells, 2 * count);
      owners = Arrays.copyOf(owners, 2 * count);
    }
    names[count] = name;
    cells[count] = cell;
    owners[count] = owner;
    count++;
    expected = count;
    if (index != null) {
      index.put(name, count - 1);
    } else if (count > SEARCHED_NAMES) {
      index = new HashMap<>();
      for (int i = 0; i < count; i++) {
        index.put(names[i], i);
      }
    }
  }

  /**
   * Has deletions of the entity, or of features of it, remembered until a time; the latest that was
   * ever asked for counts for all of them.
   */
  void remember(long until) {
    rememberedUntil = Math.max(rememberedUntil, until);
  }

  /** Deletes the whole entity as of a time; of several fences the latest is written. */
  void offerFence(long observedAt, Owner owner) {
    if (observedAt > fence) {
      if (fenceOwner != null) {
        fenceOwner.settled(CellOutcome.STALE, 1);
      }
      fence = observedAt;
      fenceOwner = owner;
    } else {
      owner.settled(observedAt == fence ? CellOutcome.DUPLICATE : CellOutcome.STALE, 1);
    }
  }

  /** Returns the entity. */
  public EntityKey key() {
    return key;
  }

  /** Returns the number of features that are written. */
  public int count() {
    return count;
  }

  /** Returns the name, within the namespace, of a feature. */
  public String name(int i) {
    return names[i];
  }

  /** Returns the cell of a feature; not to be written to. */
  public byte[] cell(int i) {
    return cells[i];
  }

  /** Returns the time up to which the entity is deleted, or {@link #NO_FENCE}. */
  public long fence() {
    return fence;
  }

  /**
   * Returns until when the store must remember the entity's fence and tombstones, in microseconds
   * since the epoch, or {@link #NOTHING}. It is later than every clock that is right: when it is
   * over they go.
   */
  public long rememberedUntil() {
    return rememberedUntil;
  }

  /** Notes what became of a cell. */
  public void settle(int i, CellOutcome outcome) {
    note(i, outcome);
  }

  /** Notes what became of the fence, if there is one. */
  public void settleFence(CellOutcome outcome) {
    if (fenceOwner != null) {
      note(count, outcome);
    }
  }

  private void note(int i, CellOutcome outcome) {
    if (outcomes == null) {
      outcomes = new CellOutcome[count + 1];
    }
    outcomes[i] = outcome;
  }

  /** Notes that the store will never take a cell, and why. */
  public void reject(int i, String message) {
    if (rejections == null) {
      rejections = new HashMap<>();
    }
    rejections.put(i, message);
  }

  /** Notes that the store will never take the fence, if there is one, and why. */
  public void rejectFence(String message) {
    if (fenceOwner != null) {
      reject(count, message);
    }
  }

  /**
   * Tells who offered the cells and the fence what became of them.
   *
   * @throws IllegalStateException if the store has not said of one: then it may not be written
   */
  void tell() {
    int told = 0;
    while (told < count) {
      // Cells of one entity come from one result, mostly, and fare alike.
      Owner owner = owners[told];
      CellOutcome outcome = outcome(told);
      if (outcome == null) {
        owner.rejected(key, names[told], rejection(told, names[told]));
        told++;
        continue;
      }
      int same = told + 1;
      while (same < count && owners[same] == owner && outcome(same) == outcome) {
        same++;
      }
      owner.settled(outcome, same - told);
      told = same;
    }
    if (fenceOwner != null) {
      CellOutcome outcome = outcome(count);
      if (outcome == null) {
        fenceOwner.rejected(key, "", rejection(count, "the deletion"));
      } else {
        fenceOwner.settled(outcome, 1);
      }
    }
  }

  private @Nullable CellOutcome outcome(int i) {
    return outcomes == null ? null : outcomes[i];
  }

  private String rejection(int i, String what) {
    String why = rejections == null ? null : rejections.get(i);
    if (why == null) {
      throw new IllegalStateException(
          "the store has not said what became of " + what + " of " + key);
    }
    return why;
  }
}
