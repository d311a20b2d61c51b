package io.tailrace.offline.redshift;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedByHand;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What a simulated Redshift refuses, and what it never may: each once, and nothing for ever. */
@RunWith(JUnit4.class)
public class RedshiftRefusalsTest {
  @ClassRule public static final RedshiftFixture REDSHIFT = new RedshiftFixture();

  private static final long T = RandomResults.START;

  private StagedByHand staged;

  @Before
  public void clear() throws Exception {
    REDSHIFT.clear("production");
    staged = new StagedByHand(REDSHIFT.store().stage());
  }

  private static Inserted load(List<StagedFile> files) throws UnavailableException {
    try (Loader loader = REDSHIFT.store().openLoader();
        Stage.Connection connection = REDSHIFT.store().stage().open()) {
      return loader.load(connection, files);
    }
  }

  private static long count(String table) throws UnavailableException {
    return Long.parseLong(
        String.valueOf(
            REDSHIFT
                .store()
                .reader()
                .query("SELECT COUNT(*) FROM production." + table, 1)
                .rows()
                .get(0)
                .get(0)));
  }

  private List<StagedFile> age(String key) throws Exception {
    return staged.put(
        Results.named("op-" + key)
            .addFrames(Results.user(key, Results.int64("age", T, 1)))
            .build());
  }

  @Test
  public void aFileOfWhichManyFeaturesAreRefusedIsEnteredAndToldAgain() throws Exception {
    int features = 400;
    Inserted unused = load(age("ann"));
    REDSHIFT.execute(
        IntStream.range(0, features)
            .mapToObj(i -> "CREATE TABLE production.user__of_somebody_else_" + i + " (n INTEGER)")
            .toArray(String[]::new));
    List<StagedFile> files =
        staged.put(
            Results.of(
                Results.user(
                    "ann",
                    IntStream.range(0, features)
                        .mapToObj(i -> Results.int64("of_somebody_else_" + i, T, i))
                        .toArray(Column[]::new))));

    Inserted inserted = load(files);
    Inserted again = load(files);

    for (Inserted each : List.of(inserted, again)) {
      assertThat(each.rejected().stream().mapToInt(rows -> rows.rows().count()).sum())
          .isEqualTo(features);
      each.rejected().forEach(rows -> assertThat(rows.reason()).isEqualTo(Reason.TABLE_REFUSES));
    }
    assertThat(inserted.rejected()).hasSize(features);
    assertThat(again.rows().known() + again.rows().duplicates()).isEqualTo(0);
  }

  @Test
  public void aStageThatCantBeReadRefusesNothingWhateverTheWordsAre() throws Exception {
    List<StagedFile> files = new ArrayList<>(age("ann"));
    files.addAll(age("bob"));
    for (String context :
        List.of(
            "Forbidden: HTTP response error code: 403 Message: AccessDenied Access Denied",
            "words of a later version")) {
      REDSHIFT.server().cantRead(context);
      UnavailableException e = assertThrows(UnavailableException.class, () -> load(files));
      assertThat(e).hasMessageThat().contains(context);
    }
    REDSHIFT.server().forgetFaults();

    Inserted inserted = load(files);

    assertThat(inserted.isWhole()).isTrue();
    assertThat(inserted.rows().inserted()).isEqualTo(2);
    assertThat(count("staged_files")).isEqualTo(files.size());
    assertThat(REDSHIFT.s3().keys(RedshiftFixture.BUCKET)).hasSize(files.size());
  }

  @Test
  public void filesOfKeysThatHaveNoRoomAreRefusedEvenWhereAllAre() throws Exception {
    List<StagedFile> files = staged.put(Results.of(Results.deletion("k".repeat(70_000), T, "age")));

    Inserted inserted = load(files);

    assertThat(inserted.refused().get(0)).contains("can't be copied: ");
    assertThat(load(files).refused()).isEqualTo(inserted.refused());
  }
}
