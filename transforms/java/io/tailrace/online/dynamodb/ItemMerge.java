package io.tailrace.online.dynamodb;

import static java.util.Comparator.comparingInt;

import io.tailrace.endpoint.Micros;
import io.tailrace.online.Cell;
import io.tailrace.online.EntityWrite;
import io.tailrace.online.EntityWrite.CellOutcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/**
 * What becomes of an item that is known, and of each cell that is offered to it: the greatest cell
 * stands, and what is over goes. Nothing is noted in the write before the item has been replaced,
 * as another writer may be first. Not thread-safe.
 */
final class ItemMerge {
  /** DynamoDB takes 65,535; Amazon's client reads no answer with a longer one than this. */
  static final int MAX_NAME_BYTES = 50_000;

  private final EntityItem stored;
  private final EntityWrite write;
  private final Clock clock;
  private final @Nullable CellOutcome[] outcomes;
  private final Map<Integer, String> rejections = new HashMap<>();
  private final Map<String, byte[]> cells = new HashMap<>();
  private final Map<String, AttributeValue> foreign;
  private final boolean forgets;
  private final long fence;
  private final long remembered;

  /**
   * By which time what has expired and what is over is judged.
   *
   * @param nowMicros the writer's clock
   * @param graceMicros how long a cell is kept after it has expired
   */
  record Clock(long nowMicros, long graceMicros) {
    boolean isExpired(byte[] cell) {
      return isOver(cell, nowMicros);
    }

    private boolean isOver(byte[] cell) {
      return isOver(cell, Micros.plus(nowMicros, -graceMicros));
    }

    private static boolean isOver(byte[] cell, long at) {
      return !Cell.isTombstone(cell)
          && Cell.expiresAt(cell) != Cell.NEVER
          && Cell.expiresAt(cell) <= at;
    }

    long nowSeconds() {
      return Math.floorDiv(nowMicros, 1_000_000);
    }
  }

  /**
   * Offers a write to an item.
   *
   * @param room bytes that an item may have
   */
  ItemMerge(EntityItem stored, EntityWrite write, Clock clock, long room) {
    this.stored = stored;
    this.write = write;
    this.clock = clock;
    this.outcomes = new CellOutcome[write.count()];
    this.foreign = new HashMap<>(stored.content().foreign());
    boolean isOver =
        stored.remembered() != EntityWrite.NOTHING && stored.remembered() <= clock.nowMicros();
    this.fence = Math.max(isOver ? EntityWrite.NO_FENCE : stored.fence(), write.fence());
    this.remembered =
        Math.max(isOver ? EntityWrite.NOTHING : stored.remembered(), write.rememberedUntil());
    this.forgets = isOver && remembered == EntityWrite.NOTHING;
    stored
        .content()
        .cells()
        .forEach(
            (name, cell) -> {
              if (isKept(cell)) {
                cells.put(name, cell);
              }
            });
    put(compare(), room);
  }

  private boolean isKept(byte[] cell) {
    return !clock.isOver(cell) && !(forgets && Cell.isTombstone(cell)) && !isFenced(cell);
  }

  private boolean isFenced(byte[] cell) {
    return fence != EntityWrite.NO_FENCE && Cell.observedAt(cell) <= fence;
  }

  /** Compares each cell with the stored one; returns which of them are to be put. */
  private List<Integer> compare() {
    List<Integer> won = new ArrayList<>(write.count());
    for (int i = 0; i < write.count(); i++) {
      CellOutcome outcome = outcome(write.cell(i), stored.content().cells().get(write.name(i)));
      outcomes[i] = outcome;
      if (outcome == CellOutcome.WRITTEN) {
        int nameBytes = Attributes.bytes(Attributes.of(write.name(i)));
        if (nameBytes > MAX_NAME_BYTES) {
          outcomes[i] = null;
          rejections.put(
              i,
              "the name of a feature has at most "
                  + MAX_NAME_BYTES
                  + " bytes in DynamoDB, this one has "
                  + nameBytes);
        } else if (isKept(write.cell(i))) {
          won.add(i);
        } else {
          // It has taken the place of a smaller one, and is over itself.
          cells.remove(write.name(i));
        }
      }
    }
    return won;
  }

  private CellOutcome outcome(byte[] cell, byte @Nullable [] was) {
    if (isFenced(cell)) {
      return CellOutcome.STALE;
    }
    if (was == null) {
      return clock.isExpired(cell) ? CellOutcome.EXPIRED : CellOutcome.WRITTEN;
    }
    int order = Arrays.compareUnsigned(cell, was);
    return order > 0 ? CellOutcome.WRITTEN : order == 0 ? CellOutcome.DUPLICATE : CellOutcome.STALE;
  }

  /** Puts as many of the new cells as the item has room for, those that need least first. */
  private void put(List<Integer> won, long room) {
    long grown = bytes();
    for (int i : won) {
      grown += growth(i);
    }
    if (grown <= room) {
      won.forEach(this::put);
      return;
    }
    long size = bytes();
    List<Integer> smallestFirst = new ArrayList<>(won);
    smallestFirst.sort(comparingInt(this::growth));
    for (int i : smallestFirst) {
      size += growth(i);
      if (size <= room) {
        put(i);
      } else {
        size -= growth(i);
        outcomes[i] = null;
        rejections.put(
            i,
            "its cell of "
                + write.cell(i).length
                + " bytes has no room in the entity's item: DynamoDB holds at most "
                + EntityItem.MAX_BYTES
                + " bytes of an entity, the names of its features included");
      }
    }
  }

  private void put(int i) {
    cells.put(write.name(i), write.cell(i));
    foreign.remove(Attributes.of(write.name(i)));
  }

  private int growth(int i) {
    byte[] before = cells.get(write.name(i));
    return write.cell(i).length
        - (before == null ? -Attributes.bytes(Attributes.of(write.name(i))) : before.length);
  }

  /** Returns the item that is to take the place of the stored one. */
  EntityItem next() {
    Lifetimes lifetimes = new Lifetimes(clock.graceMicros());
    cells.values().forEach(lifetimes::add);
    lifetimes.remember(remembered);
    return new EntityItem(
        EntityItem.newVersion(),
        fence,
        remembered,
        new EntityItem.Times(lifetimes.due(), lifetimes.keptUntil()),
        new EntityItem.Content(cells, foreign));
  }

  /** Returns whether nothing is left that an item would be needed for. */
  boolean isEmpty() {
    return cells.isEmpty() && foreign.isEmpty() && remembered == EntityWrite.NOTHING;
  }

  /** Returns whether the stored item is to be replaced. */
  boolean changes() {
    for (CellOutcome outcome : outcomes) {
      if (outcome == CellOutcome.WRITTEN) {
        return true;
      }
    }
    return fence > stored.fence()
        || (remembered > stored.remembered() && !isEmpty())
        || stored.times().due() <= clock.nowSeconds();
  }

  /** Returns whether every cell is to be written. */
  boolean winsAll() {
    return Arrays.stream(outcomes).allMatch(outcome -> outcome == CellOutcome.WRITTEN);
  }

  /** Returns how many bytes the next item has. */
  long bytes() {
    return ItemSizes.of(next().attributes(write.key()));
  }

  /** Notes what became of the write, once the item has been replaced. */
  void settle() {
    for (int i = 0; i < outcomes.length; i++) {
      CellOutcome outcome = outcomes[i];
      if (outcome == null) {
        write.reject(i, rejections.getOrDefault(i, ""));
      } else {
        write.settle(i, outcome);
      }
    }
    if (write.fence() == EntityWrite.NO_FENCE) {
      return;
    }
    // A fence whose time to be remembered was over counts as absent.
    boolean isForgotten =
        stored.remembered() != EntityWrite.NOTHING && stored.remembered() <= clock.nowMicros();
    long before = isForgotten ? EntityWrite.NO_FENCE : stored.fence();
    write.settleFence(
        write.fence() > before
            ? CellOutcome.WRITTEN
            : write.fence() == before ? CellOutcome.DUPLICATE : CellOutcome.STALE);
  }
}
