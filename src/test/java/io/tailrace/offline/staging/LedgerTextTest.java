package io.tailrace.offline.staging;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.offline.RowNumbers;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What ledgers keep of rows that were refused has room in 64 KB, whatever was refused. */
@RunWith(JUnit4.class)
public class LedgerTextTest {
  private static Rejected rejected(Reason reason, int row, String message) {
    return new Rejected(0, reason, RowNumbers.of(row), message);
  }

  private static BitSet rows(List<Rejected> rejected, Reason reason) {
    BitSet rows = new BitSet();
    rejected.stream()
        .filter(each -> each.reason() == reason)
        .forEach(each -> each.rows().stream().forEach(rows::set));
    return rows;
  }

  private static List<Rejected> kept(List<Rejected> rejected) {
    String text = LedgerText.of(rejected);
    assertThat(text.getBytes(UTF_8).length).isAtMost(LedgerText.MAX_BYTES);
    return LedgerText.rejected(text);
  }

  @Test
  public void whatHasRoomIsKeptAsItIs() {
    List<Rejected> rejected =
        List.of(
            rejected(Reason.INVALID_VALUE, 7, "value is \"odd\""),
            rejected(Reason.TYPE_CHANGED, 8, "é".repeat(1_000)));

    assertThat(kept(rejected)).isEqualTo(rejected);
    assertThat(kept(List.of())).isEmpty();
    assertThat(
            LedgerText.rejected(
                "[{\"file\":0,\"reason\":\"INVALID_VALUE\",\"rows\":{\"runs\":[{\"first\":3,"
                    + "\"count\":2}]},\"message\":\"as it was always written\"}]"))
        .containsExactly(
            new Rejected(
                0,
                Reason.INVALID_VALUE,
                new RowNumbers(List.of(new RowNumbers.Run(3, 2))),
                "as it was always written"));
  }

  @Test
  public void manyFeaturesShareMessagesAndEachRowKeepsItsReason() {
    List<Rejected> rejected = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      Reason reason = i % 3 == 0 ? Reason.NAME_TAKEN : Reason.TYPE_CHANGED;
      rejected.add(rejected(reason, i, "feature " + i + " \u0001" + "x".repeat(i % 700)));
    }

    List<Rejected> kept = kept(rejected);

    for (Reason reason : List.of(Reason.NAME_TAKEN, Reason.TYPE_CHANGED)) {
      assertThat(rows(kept, reason)).isEqualTo(rows(rejected, reason));
    }
    assertThat(kept.get(0).message()).startsWith("feature ");
  }

  @Test
  public void rowsHereAndThereKeepTheirNumbers() {
    List<Rejected> rejected = new ArrayList<>();
    for (int row = 0; row < 40_000; row += 2) {
      rejected.add(rejected(Reason.INVALID_VALUE, row, "has a NUL"));
    }

    assertThat(rows(kept(rejected), Reason.INVALID_VALUE))
        .isEqualTo(rows(rejected, Reason.INVALID_VALUE));
  }

  @Test
  public void whereEvenNumbersHaveNoRoomThoseBetweenAreToldWithThem() {
    Random random = new Random(1);
    BitSet some = new BitSet();
    for (int row = 0; row < 1_000_000; row++) {
      some.set(row, random.nextBoolean());
    }
    some.set(999_998);
    some.clear(999_999);

    BitSet kept =
        rows(
            kept(List.of(new Rejected(0, Reason.INVALID_VALUE, RowNumbers.of(some), "odd"))),
            Reason.INVALID_VALUE);

    BitSet lost = (BitSet) some.clone();
    lost.andNot(kept);
    assertThat(lost.isEmpty()).isTrue();
    assertThat(kept.length()).isEqualTo(some.length());
  }
}
