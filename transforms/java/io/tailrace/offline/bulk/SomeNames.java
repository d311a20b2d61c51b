package io.tailrace.offline.bulk;

import java.util.ArrayList;
import java.util.List;

/**
 * The names of files that were listed, all of them, or of more than there is room for some, evenly
 * spread over the list. Not thread-safe.
 */
final class SomeNames implements BucketPages.Visitor {
  private final int most;
  private List<String> names = new ArrayList<>();
  private int count;
  // Of so many names one is kept.
  private int step = 1;

  /**
   * Keeps names.
   *
   * @param most how many at most, one or more
   */
  SomeNames(int most) {
    this.most = most;
  }

  @Override
  public boolean take(List<String> page) {
    for (String name : page) {
      if (count % step == 0) {
        names.add(name);
      }
      count++;
      if (names.size() > most) {
        halve();
      }
    }
    return true;
  }

  private void halve() {
    List<String> half = new ArrayList<>();
    for (int i = 0; i < names.size(); i += 2) {
      half.add(names.get(i));
    }
    names = half;
    step *= 2;
  }

  /** Returns how many names were listed. */
  int count() {
    return count;
  }

  /** Returns those that were kept, sorted. */
  List<String> names() {
    return names.stream().sorted().toList();
  }
}
