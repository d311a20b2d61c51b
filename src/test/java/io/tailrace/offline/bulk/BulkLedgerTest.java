package io.tailrace.offline.bulk;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.offline.staging.Ledger;
import io.tailrace.offline.staging.LedgerText;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Failure;
import io.tailrace.stage.RejectedCell;
import io.tailrace.v1.DeadLetter.Reason;
import java.time.Instant;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

  private static String name(String uri, String operation) {
    return BulkLedger.name(
        new ResultBucket.Found(uri, "v1", 1),
        ResultFilesContract.contents(
            operation, ResultFilesContract.feature("age", ValueType.INT64)));
  }

  @Test
  public void aNameSaysWhatItIsOfAndAlwaysFitsIntoAnIndex() {
    String plain = name("s3://results/a.parquet", "q1");
    assertThat(plain)
        .isEqualTo(
            "s3://results/a.parquet version=v1 operation=q1 mapping="
                + ResultFilesContract.contents(
                        "q1", ResultFilesContract.feature("age", ValueType.INT64))
                    .mapping()
                    .hash());
    int room = BulkLedger.MAX_NAME_BYTES - plain.length();
    assertThat(name("s3://results/a.parquet", "q1" + "x".repeat(room)))
        .isEqualTo(plain.replace("q1", "q1" + "x".repeat(room)));

    Set<String> names = new HashSet<>();
    for (String operation : List.of("x".repeat(room), "é".repeat(room), "😀".repeat(100_000))) {
      for (String end : List.of("one", "another")) {
        String name = name("s3://results/a.parquet", "q1" + operation + end);
        assertThat(name.getBytes(UTF_8).length).isAtMost(BulkLedger.MAX_NAME_BYTES);
        assertThat(name).startsWith("s3://results/a.parquet version=v1 operation=q1");
        assertThat(name).isEqualTo(name("s3://results/a.parquet", "q1" + operation + end));
        names.add(name);
      }
    }
    assertThat(names).hasSize(6);
  }

  /** Who changes these has all such files loaded again. */
  @Test
  public void namesThatWereCutAreThoseOfLedgers() {
    assertThat(name("file:///a.parquet", "x".repeat(3_000)))
        .endsWith("x… hash=8beced524a0d03070c6d4bc246b40c78a2d6dd2e835c190592c822f2a6d3b64a");
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
