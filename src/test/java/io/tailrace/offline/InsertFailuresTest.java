package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.bus.BusMessage;
import io.tailrace.offline.Inserted.Count;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.FileRows;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.Failure;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.Test;

/** What a letter holds of files that a store refused. */
public class InsertFailuresTest {
  @Test
  public void aLetterHoldsTheRowsThatWereRefusedAndNoOthers() throws Exception {
    ObservationFile file = file(3_000);
    Inserted inserted =
        inserted(
            new Rejected(0, Reason.TYPE_CHANGED, RowNumbers.of(List.of(7, 8, 9)), "another type"),
            new Rejected(0, Reason.REJECTED_BY_STORE, RowNumbers.of(2_000), "has a NUL"));

    Failure failure = only(failures(inserted, file));

    assertThat(failure.cellCount()).isEqualTo(4);
    byte[] alone = failure.rows().orElseThrow();
    assertThat(alone.length).isLessThan(file.message().payload().length / 5);
    List<String> all = FileRows.of(file);
    assertThat(FileRows.of(FileDecoder.decode(BundleEncoder.message(alone))))
        .containsExactly(all.get(7), all.get(8), all.get(9), all.get(2_000))
        .inOrder();
  }

  @Test
  public void aLetterOfAllRowsHoldsTheMessageAsItIs() throws Exception {
    ObservationFile file = file(2);
    Inserted inserted =
        inserted(
            new Rejected(0, Reason.TYPE_CHANGED, RowNumbers.of(List.of(0, 1)), "another type"));

    Failure failure = only(failures(inserted, file));

    assertThat(failure.rows()).isEmpty();
    assertThat(failure.original()).isEqualTo(file.message());
  }

  @Test
  public void rowsThatOneTableRefusesAreOneLetterWhateverFilesTheyComeFrom() throws Exception {
    ObservationFile one = file(3_000);
    ObservationFile other = file(10);
    Inserted inserted =
        inserted(
            new Rejected(0, Reason.TABLE_REFUSES, RowNumbers.of(List.of(5, 6)), "refuses it"),
            new Rejected(0, Reason.TYPE_CHANGED, RowNumbers.of(7), "another type"),
            new Rejected(1, Reason.TABLE_REFUSES, RowNumbers.of(9), "refuses it"));

    List<Failure> failures = failures(inserted, one, other);

    assertThat(failures.stream().map(Failure::reason))
        .containsExactly(Reason.TYPE_CHANGED, Reason.TABLE_REFUSES)
        .inOrder();
    Failure ofTable = failures.get(1);
    assertThat(ofTable.retryable()).isTrue();
    assertThat(ofTable.cellCount()).isEqualTo(3);
    ObservationFile alone = FileDecoder.decode(BundleEncoder.message(ofTable.rows().orElseThrow()));
    List<String> rows = FileRows.of(one);
    assertThat(FileRows.of(alone))
        .containsExactly(rows.get(5), rows.get(6), FileRows.of(other).get(9));
  }

  @Test
  public void aLetterSaysWhichColumnOfWhichRowWasRefused() throws Exception {
    ObservationFile rows = file(10);
    ObservationFile queries = file(ObservationFile.Kind.QUERIES, 10);

    assertThat(field(rows, Reason.REJECTED_BY_STORE, "pkey has a NUL")).isEqualTo("pkey[7]");
    assertThat(field(rows, Reason.INVALID_VALUE, "value is no JSON")).isEqualTo("value[7]");
    assertThat(field(rows, Reason.TYPE_CHANGED, "its table t has value BIGINT, not DOUBLE"))
        .isEqualTo("value[7]");
    assertThat(field(rows, Reason.TYPE_CHANGED, "its table t has pkey BIGINT, not VARCHAR"))
        .isEqualTo("pkey[7]");
    // Nothing in the row is at fault, but which table it is for.
    for (Reason reason : List.of(Reason.TABLE_REFUSES, Reason.NAME_TAKEN)) {
      assertThat(field(rows, reason, "its table t refuses it: value")).isEqualTo("feature[7]");
    }
    assertThat(field(queries, Reason.REJECTED_BY_STORE, "query_name has a NUL"))
        .isEqualTo("query_name[7]");
    assertThat(field(queries, Reason.TABLE_REFUSES, "its table query_log refuses it"))
        .isEqualTo("operation_id[7]");
  }

  private static String field(ObservationFile file, Reason reason, String message)
      throws Exception {
    RowNumbers rows = RowNumbers.of(List.of(7, 8));
    return only(failures(inserted(new Rejected(0, reason, rows, message)), file)).field();
  }

  private static Failure only(List<Failure> failures) {
    assertThat(failures).hasSize(1);
    return failures.get(0);
  }

  private static List<Failure> failures(Inserted inserted, ObservationFile... files)
      throws Exception {
    List<Failure> failures = new ArrayList<>();
    InsertFailures.Files all =
        new InsertFailures.Files() {
          @Override
          public BusMessage message(int position) {
            return files[position].message();
          }

          @Override
          public Optional<ObservationFile> at(int position) {
            return Optional.of(files[position]);
          }
        };
    InsertFailures.of(inserted, all)
        .putOut((file, failure) -> failures.add(failure), new InsertCounters());
    return failures;
  }

  private static Inserted inserted(Rejected... rejected) {
    return new Inserted(Count.NONE, Count.NONE, 0, List.of(rejected), Map.of());
  }

  private static ObservationFile file(int rows) throws Exception {
    return file(ObservationFile.Kind.OBSERVATIONS, rows);
  }

  private static ObservationFile file(ObservationFile.Kind kind, int rows) throws Exception {
    List<QueryResult> results = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      results.add(
          Results.of(Results.user("u" + i, Results.int64("age", RandomResults.START + i, i)))
              .toBuilder()
              .setOperationId("op" + i)
              .build());
    }
    return BundleEncoder.files(results).stream()
        .filter(it -> it.kind() == kind)
        .findFirst()
        .orElseThrow();
  }
}
