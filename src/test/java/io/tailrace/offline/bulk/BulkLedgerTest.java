package io.tailrace.offline.bulk;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.offline.staging.Ledger;
import io.tailrace.offline.staging.LedgerText;
import io.tailrace.stage.Failure;
import io.tailrace.stage.RejectedCell;
import io.tailrace.v1.DeadLetter.Reason;
import java.time.Instant;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What the ledger of files with results keeps of cells that were refused. */
@RunWith(JUnit4.class)
public class BulkLedgerTest {
  /** Returns what a ledger tells that has some entries. */
  private static Failure.Cells told(List<Ledger.Entry> entries) throws Exception {
    Ledger.Book book =
        new Ledger.Book() {
          @Override
          public Map<String, Entry> find(String environment, Collection<String> names) {
            return entries.stream().collect(Collectors.toMap(Entry::name, entry -> entry));
          }

          @Override
          public void forget(String environment, Instant before) {}

          @Override
          public void enter(String environment, List<Entry> more) {}
        };
    return new BulkLedger(book).find("production", List.of("f")).get("f");
  }

  @Test
  public void longCellsAreShownAsFarAsTheyHaveRoomAndAllAreCounted() throws Exception {
    RejectedCell cell =
        new RejectedCell(
            Reason.INVALID_VALUE,
            "\u0001".repeat(250),
            "é".repeat(250),
            "f".repeat(250),
            "m".repeat(500));
    Failure.Cells cells =
        new Failure.Cells(Collections.nCopies(100, cell), Map.of(Reason.INVALID_VALUE, 12_345));

    List<Ledger.Entry> entries = BulkLedger.entries(Map.of("f", cells));

    assertThat(entries.get(0).refused().orElseThrow().getBytes(UTF_8).length)
        .isAtMost(LedgerText.MAX_BYTES);
    Failure.Cells told = told(entries);
    assertThat(told.count()).isEqualTo(12_345);
    assertThat(told.first()).isNotEmpty();
    assertThat(told.first().get(0)).isEqualTo(cell);
  }
}
