package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;

import com.google.protobuf.ByteString;
import io.tailrace.result.Result;
import io.tailrace.result.ResultDecoder;
import io.tailrace.stage.Failure;
import io.tailrace.testing.Messages;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.QueryResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.Test;

/** That a letter says where in its message a cell stands, whatever was left out of it before. */
public class RejectedPlacesTest {
  private static final long T = RandomResults.START;
  private static final long AHEAD = BundleEncoder.PUBLISHED_AT + 86_400_000_000L;

  private static QueryResult result(Column... last) {
    QueryResult.Builder result =
        Results.of(
            Results.user("ann", Results.int64("f0", T, 1), Results.int64("f1", T, 1)),
            Results.user("bob", Results.int64("f2", T, 1), Results.int64("f3", T, 1), last[0]))
            .toBuilder();
    for (String feature : List.of("user.f0", "user.f1", "user.f2")) {
      result.addDeletions(
          Deletion.newBuilder()
              .setNamespace("user")
              .addStringKeys("eve")
              .addFeatures(feature)
              .setObservedAt(feature.equals("user.f2") && last.length > 1 ? AHEAD : T));
    }
    return result.build();
  }

  /** Returns the field of the letter, with some columns and deletions left out. */
  private static String field(QueryResult result, int... positions) throws Exception {
    return field(1 << 20, result, positions);
  }

  private static String field(int maxFileBytes, QueryResult result, int... positions)
      throws Exception {
    BitSet absent = new BitSet();
    for (int position : positions) {
      absent.set(position);
    }
    Result decoded =
        new ResultDecoder().decode(Messages.of(result, BundleEncoder.PUBLISHED_AT)).without(absent);
    List<Failure> failures = new ArrayList<>();
    ResultEncoder encoder = new ResultEncoder(maxFileBytes, Duration.ofMinutes(5));
    try {
      encoder.add(decoded, file -> {}, failures::add);
      encoder.flush(file -> {}, failures::add);
    } finally {
      encoder.close();
    }
    assertThat(failures).hasSize(1);
    return failures.get(0).field();
  }

  @Test
  public void aColumnHasTheIndexThatItHasInTheMessage() throws Exception {
    QueryResult ahead = result(Results.int64("f4", AHEAD, 1));

    assertThat(field(ahead)).isEqualTo("frames[1].columns[2].observed_at[0]");
    assertThat(field(ahead, 0, 1, 2)).isEqualTo("frames[1].columns[2].observed_at[0]");
    assertThat(field(ahead, 3)).isEqualTo("frames[1].columns[2].observed_at[0]");
  }

  @Test
  public void aValueThatIsNoJsonHasItsRow() throws Exception {
    Column json =
        Results.int64("f4", T, 1).toBuilder()
            .clearInt64Values()
            .setType(Column.Type.JSON)
            .addJsonValues("{broken")
            .build();

    assertThat(field(result(json), 2)).isEqualTo("frames[1].columns[2].json_values[0]");
  }

  @Test
  public void aRowThatIsTooLargeHasThePlaceOfItsLargestPart() throws Exception {
    byte[] random = new byte[5_000];
    new Random(1).nextBytes(random);
    String large = HexFormat.of().formatHex(random);
    Column good = Results.int64("f4", T, 1);
    Column text =
        good.toBuilder()
            .clearInt64Values()
            .setType(Column.Type.STRING)
            .addStringValues(large)
            .build();
    QueryResult.Builder deletion = result(good).toBuilder();
    deletion.getDeletionsBuilder(2).addStringKeys(large);

    assertThat(field(5_000, result(text), 0, 1, 2))
        .isEqualTo("frames[1].columns[2].string_values[0]");
    assertThat(
            field(
                5_000,
                Results.of(
                    Results.user("ann", good),
                    Results.users(List.of("bob", large), Results.int64("f5", T, 1, 2)))))
        .isEqualTo("frames[1].string_keys[1]");
    assertThat(field(5_000, deletion.build(), 0, 5)).isEqualTo("deletions[2].string_keys[1]");
  }

  @Test
  public void aVectorThatIsTooLargeHasThePlaceOfItsFirstNumber() throws Exception {
    Column.Builder vector =
        Results.int64("f4", T, 1).toBuilder()
            .clearInt64Values()
            .setType(Column.Type.VECTOR)
            .setVectorDimension(3_000)
            .setNulls(ByteString.copyFrom(new byte[] {1}));
    Random random = new Random(1);
    for (int i = 0; i < 6_000; i++) {
      vector.addVectorValues(random.nextFloat());
    }

    assertThat(field(5_000, Results.of(Results.users(List.of("ann", "bob"), vector.build()))))
        .isEqualTo("frames[0].columns[0].vector_values[3000]");
  }

  @Test
  public void aDeletionHasTheIndexThatItHasInTheMessage() throws Exception {
    Column good = Results.int64("f4", T, 1);

    assertThat(field(result(good, good))).isEqualTo("deletions[2].observed_at");
    // The first deletion's only feature: the whole of it is gone.
    assertThat(field(result(good, good), 5)).isEqualTo("deletions[2].observed_at");
  }

  @Test
  public void everyPositionHasAPlace() throws Exception {
    Result result =
        new ResultDecoder()
            .decode(Messages.of(result(Results.int64("f4", T, 1)), BundleEncoder.PUBLISHED_AT));
    List<String> places = new ArrayList<>();
    for (int position = 0; position < 8; position++) {
      places.add(result.place(position));
    }

    assertThat(places)
        .containsExactly(
            "frames[0].columns[0]",
            "frames[0].columns[1]",
            "frames[1].columns[0]",
            "frames[1].columns[1]",
            "frames[1].columns[2]",
            "deletions[0].features[0]",
            "deletions[1].features[0]",
            "deletions[2].features[0]")
        .inOrder();
  }
}
