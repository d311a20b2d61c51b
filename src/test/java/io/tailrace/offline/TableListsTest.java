package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.Test;

/** That each result has its own tables, also where it shares the list. */
public class TableListsTest {
  private final TableLists tables = new TableLists();

  @Test
  public void eachListHasWhatWasAddedSinceItBeganOnce() {
    Random random = new Random(1);
    List<List<String>> lists = new ArrayList<>();
    List<List<String>> expected = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      List<String> added = random.ints(random.nextInt(4), 0, 2).mapToObj(it -> "t" + it).toList();
      lists.add(list(added));
      expected.add(added.stream().distinct().toList());
    }

    assertThat(lists).isEqualTo(expected);
  }

  @Test
  public void equalListsOneAfterTheOtherAreOne() {
    List<String> first = list(List.of("a", "b", "a"));

    assertThat(list(List.of("a", "b", "a"))).isSameInstanceAs(first);
  }

  private List<String> list(List<String> added) {
    tables.begin();
    added.forEach(tables::add);
    return tables.end();
  }
}
