package io.tailrace.sql.duckdb;

import static com.google.common.truth.Truth.assertThat;

import org.junit.Test;

/** When DuckDB merges groups of rows. */
public class RowGroupsTest {
  private final RowGroups groups = new RowGroups();

  private void writeBack(int times, long rows, String... tables) {
    for (int i = 0; i < times; i++) {
      for (String table : tables) {
        groups.inserted(table, rows);
      }
      groups.writtenBack(false);
    }
  }

  @Test
  public void groupsAreMergedWhenATableHasEightThatAreSmall() {
    writeBack(7, 100, "a", "b");
    assertThat(groups.wantMerge()).isFalse();

    writeBack(1, 100, "a");
    assertThat(groups.wantMerge()).isTrue();
  }

  @Test
  public void largeGroupsStayAsTheyAre() {
    writeBack(100, RowGroups.ENOUGH_ROWS, "a", "b");

    assertThat(groups.wantMerge()).isFalse();
  }

  @Test
  public void largeGroupsOfOneTableDoNotHideTheSmallOnesOfAnother() {
    writeBack(8, 100_000, "a");
    assertThat(groups.wantMerge()).isFalse();

    writeBack(8, RowGroups.ENOUGH_ROWS - 1, "b");
    assertThat(groups.wantMerge()).isTrue();
  }

  @Test
  public void allInsertsIntoATableUntilTheLogIsWrittenBackMakeOneGroup() {
    for (int i = 0; i < 100; i++) {
      groups.inserted("a", 1);
    }

    assertThat(groups.changedTables()).isEqualTo(1);
    groups.writtenBack(false);
    assertThat(groups.wantMerge()).isFalse();
  }

  @Test
  public void whatWasMergedCountsNoMore() {
    writeBack(8, 100, "a");

    groups.inserted("a", 100);
    groups.writtenBack(true);

    assertThat(groups.wantMerge()).isFalse();
    writeBack(7, 100, "a");
    assertThat(groups.wantMerge()).isFalse();
  }

  @Test
  public void whatWasWrittenBackIsChangedNoMore() {
    groups.inserted("a", 1);
    groups.inserted("b", 1);
    assertThat(groups.changedTables()).isEqualTo(2);

    groups.writtenBack(false);

    assertThat(groups.changedTables()).isEqualTo(0);
  }
}
