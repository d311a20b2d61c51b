package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.result.DecodeResults;
import io.tailrace.result.Result;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Failure;
import io.tailrace.testing.Balance;
import io.tailrace.testing.Features;
import io.tailrace.testing.Messages;
import io.tailrace.testing.OfflineConnections;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.testing.TestPipeline;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.FlatMapElements;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.TypeDescriptors;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Which tables results make in DuckDB, and what becomes of columns that do not fit theirs. */
public class CreateFeatureTablesTest {
  private static final long T = RandomResults.START;

  @Rule public final transient TestPipeline pipeline = TestPipeline.create();
  @Rule public final transient TemporaryFolder folder = new TemporaryFolder();

  private OfflineStore store;

  @Before
  public void nameStore() {
    store = OfflineStores.at("duckdb://" + folder.getRoot() + "/offline.db");
  }

  @Test
  public void everyFeatureThatIsToBeStoredGetsATable() throws Exception {
    WithFailures.Result<PCollection<Result>, Failure> created =
        create(
            Results.of(
                Results.user(
                    "ann",
                    Results.int64("age", T, 42),
                    Results.string("name", T, "Ann"),
                    Results.int64("skipped", T, 1).toBuilder().setSkipOffline(true).build())),
            Results.of(Results.deletion("ann", T), Results.deletion("ann", T, "zip")));

    PAssert.that(features(created.output()))
        .containsInAnyOrder("user.age", "user.name", "user.skipped", "user of 0", "user of 1");
    PAssert.that(created.failures()).empty();
    Balance.run(pipeline);

    assertThat(tables())
        .containsExactly("query_log", "user__", "user__age", "user__name", "user__zip");
  }

  @Test
  public void columnsAndDeletionsOfAWrongTypeAreLeftOutAndOneFailureNamesThem() throws Exception {
    try (BatchConnection connection = OfflineConnections.to(store)) {
      Batches.insert(
          connection,
          BundleEncoder.files(
              Results.of(
                  Results.user("ann", Results.int64("age", T, 1), Results.int64("zip", T, 1)))));
    }
    QueryResult changed =
        Results.named("op-2")
            .addFrames(
                Results.users(
                    List.of("ann", "bob"),
                    Results.string("age", T, "x").toBuilder().addStringValues("y").build(),
                    Results.int64("new", T, 1, 2),
                    Results.string("zip", T, "x").toBuilder().addStringValues("y").build()))
            .addDeletions(
                Results.deletion("x", T, "age", "old").toBuilder()
                    .clearStringKeys()
                    .addInt64Keys(7))
            .build();
    QueryResult fits = Results.of(Results.user("ann", Results.int64("age", T, 2)));

    WithFailures.Result<PCollection<Result>, Failure> created = create(changed, fits);

    PAssert.that(features(created.output()))
        .containsInAnyOrder("user.new", "user.age", "user of 1");
    PAssert.thatSingleton(created.failures())
        .satisfies(
            failure -> {
              assertThat(failure.stage()).isEqualTo("CreateFeatureTables");
              assertThat(failure.reason()).isEqualTo(Reason.TYPE_CHANGED);
              assertThat(failure.cellCount()).isEqualTo(5);
              assertThat(failure.field()).isEqualTo("frames[0].columns[0]");
              assertThat(
                      failure.cells().stream()
                          .map(
                              cell ->
                                  cell.feature()
                                      + " of "
                                      + cell.key()
                                      + ": "
                                      + cell.message().split(";", -1)[0]))
                  .containsExactly(
                      "user.age of ann: its table user__age has value BIGINT, not VARCHAR",
                      "user.age of bob: its table user__age has value BIGINT, not VARCHAR",
                      "user.zip of ann: its table user__zip has value BIGINT, not VARCHAR",
                      "user.zip of bob: its table user__zip has value BIGINT, not VARCHAR",
                      "user.age of 7: its table user__age has pkey VARCHAR, not BIGINT");
              assertThat(failure.original().payload()).isEqualTo(changed.toByteArray());
              return null;
            });
    Balance.run(pipeline);

    assertThat(tables())
        .containsExactly("query_log", "user__age", "user__new", "user__old", "user__zip");
  }

  @Test
  public void columnsWhoseTableIsAnotherFeaturesAreLeftOutAndOneFailureNamesThem()
      throws Exception {
    try (BatchConnection connection = OfflineConnections.to(store)) {
      connection.create(
          "production",
          List.of(
              new FeatureTable(
                  Features.of("other.age"), true, Optional.of(ValueType.INT64), "user__age")));
    }

    WithFailures.Result<PCollection<Result>, Failure> created =
        create(
            Results.of(
                Results.user("ann", Results.int64("zip", T, 1), Results.int64("age", T, 1))));

    PAssert.that(features(created.output())).containsInAnyOrder("user.zip");
    PAssert.thatSingleton(created.failures())
        .satisfies(
            failure -> {
              assertThat(failure.reason()).isEqualTo(Reason.NAME_TAKEN);
              assertThat(failure.field()).isEqualTo("frames[0].columns[1]");
              assertThat(failure.cells()).hasSize(1);
              assertThat(failure.cells().get(0).message())
                  .isEqualTo(
                      "its table user__age belongs to the feature other.age; publish this one"
                          + " under another name, or rename the table");
              return null;
            });
    Balance.run(pipeline);
  }

  private WithFailures.Result<PCollection<Result>, Failure> create(QueryResult... results) {
    return pipeline
        .apply(
            Create.of(
                List.of(results).stream()
                    .map(result -> Messages.of(result, BundleEncoder.PUBLISHED_AT))
                    .toList()))
        .apply(DecodeResults.forWriter("offline-writer"))
        .output()
        .apply(CreateFeatureTables.in(store));
  }

  /** Names the columns that results still have, and how many features each deletion names. */
  private static PCollection<String> features(PCollection<Result> results) {
    return results.apply(
        FlatMapElements.into(TypeDescriptors.strings())
            .via(
                result -> {
                  List<String> features = new ArrayList<>();
                  result
                      .frames()
                      .forEach(
                          frame ->
                              frame.columns().forEach(it -> features.add(it.spec().feature())));
                  result
                      .deletions()
                      .forEach(it -> features.add(it.namespace() + " of " + it.names().size()));
                  return features;
                }));
  }

  private List<String> tables() throws UnavailableException {
    return store
        .reader()
        .query(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'tailrace'"
                + " AND table_name <> 'feature_tables'",
            99)
        .rows()
        .stream()
        .map(row -> row.get(0))
        .toList();
  }
}
