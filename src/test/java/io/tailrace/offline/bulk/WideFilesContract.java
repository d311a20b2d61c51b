package io.tailrace.offline.bulk;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStore.Role;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Kind;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.result.ValueType;
import io.tailrace.testing.DocumentedSql;
import io.tailrace.testing.WarehouseFixture;
import io.tailrace.v1.BulkUpload;
import io.tailrace.v1.DeadLetter.Reason;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import org.duckdb.DuckDBDriver;
import org.junit.Test;

/** What a warehouse must do with files that it reads from their bucket itself. */
public abstract class WideFilesContract extends ResultFilesRules {
  /** Returns the warehouse. */
  protected abstract WarehouseFixture warehouse();

  private List<String> takeStatements() {
    return warehouse().statementsSent();
  }

  @Override
  protected void dropTable(String table) throws Exception {
    warehouse().execute("DROP VIEW prod." + table);
  }

  /** JSON and vectors are looked at one by one. */
  @Override
  protected boolean loadsByItself(ValueType type) {
    return type != ValueType.JSON && type != ValueType.VECTOR;
  }

  @Test
  public void statementsDoNotGrowWithFilesAndFeatures() throws Exception {
    long few = statements("r30", 1, 1);
    long many = statements("r31", 5, 8);

    assertThat(few).isGreaterThan(5);
    // A view for each feature that is new, and where its comment is said behind it, that, too.
    assertThat(many - few).isAtMost(2 * 7);
  }

  private long statements(String folder, int files, int features) throws Exception {
    FeatureArray all = new FeatureArray(features);
    BulkUpload upload;
    try (OfflineResults results = writing(contents(folder, all.columns), folder, 1)) {
      for (int i = 0; i < files; i++) {
        results.add("k" + i, T, all.values(i));
      }
      upload = results.finish();
    }
    List<String> unused = takeStatements();
    assertThat(load(upload)).isEqualTo(new Outcome((long) files * features, Optional.empty()));
    List<String> sent = takeStatements();
    assertThat(sent.stream().filter(it -> it.startsWith("COPY")).count()).isEqualTo(1);
    return sent.size();
  }

  private static final class FeatureArray {
    private final FeatureColumn[] columns;

    FeatureArray(int count) {
      columns = new FeatureColumn[count];
      for (int i = 0; i < count; i++) {
        columns[i] = feature("f" + i, ValueType.INT64);
      }
    }

    List<Long> values(long value) {
      Long[] values = new Long[columns.length];
      Arrays.fill(values, value);
      return List.of(values);
    }
  }

  @Test
  public void anyFileBecomesTheSameRowsAsByDecoding() throws Exception {
    long bySql = 0;
    for (int seed = 0; seed < 3; seed++) {
      Random random = new Random(seed);
      Contents contents = WidePathsTest.contents(random, seed);
      BulkUpload upload =
          WidePathsTest.write(random, "wörd'\\", contents, writing(contents, "any" + seed, 40));
      Outcome copied = load(upload);
      bySql += copied.rows() - decoded();

      Outcome rowByRow =
          load(
              upload.toBuilder().setEnvironmentId("decoded").build(),
              loader -> new BulkLoader(WideLoads.NONE, loader.rows(), loader.ledger()));

      assertThat(copied.failure()).isEqualTo(Optional.empty());
      assertThat(rowByRow).isEqualTo(copied);
      for (FeatureColumn feature : contents.mapping().features()) {
        String rows =
            "SELECT observation_id, pkey, value, observed_at, resolver_fqn, deployment_id,"
                + " operation_id, "
                + text("deleted")
                + " FROM %s."
                + feature.feature().replace(".", "__")
                + " ORDER BY observation_id";
        assertThat(query(String.format(rows, "prod")))
            .isEqualTo(query(String.format(rows, "decoded")));
      }
      // Features have other types in the next.
      warehouse().clear("prod", "decoded");
    }
    // Most rows must have gone by the warehouse's statements, or nothing was compared.
    assertThat(bySql).isGreaterThan(200);
  }

  @Test
  public void filesThatTheWarehouseMayNotReadAreDecoded() throws Exception {
    OfflineStore store = OfflineStores.at(store().uri().replace("/team", "/team/inside"));
    for (String folder : List.of("inside/r33", "outside/r33")) {
      BulkUpload upload;
      try (OfflineResults files =
          writing(contents(folder, feature("age", ValueType.INT64)), folder)) {
        files.add("a", T, List.of(1L));
        upload = files.finish();
      }
      Outcome outcome = load(notification(upload), store.bulkLoads().orElseThrow().open());
      assertThat(outcome).isEqualTo(new Outcome(1, Optional.empty()));
      assertThat(decoded()).isEqualTo(folder.startsWith("inside") ? 0 : 1);
    }
    assertThat(count("user__age")).isEqualTo(2);
  }

  @Test
  public void thereIsOneZeroInFilesOfOtherTools() throws Exception {
    Path written = Files.createTempFile("other", ".parquet");
    try (Connection connection = new DuckDBDriver().connect("jdbc:duckdb:", new Properties());
        Statement statement = connection.createStatement()) {
      statement.execute(
          "COPY (SELECT 'a' AS id, make_timestamptz("
              + T
              + ") AS at, -0.0::DOUBLE AS x) TO '"
              + written
              + "' (FORMAT parquet, COMPRESSION snappy)");
    }
    String file = bucket.uri() + "/other.parquet";
    results.put(file, Files.readAllBytes(written));
    Files.delete(written);

    Outcome outcome =
        load(
            OfflineResults.description(contents("q34", feature("x", ValueType.FLOAT64))).toBuilder()
                .addFiles(file)
                .build());

    assertThat(outcome).isEqualTo(new Outcome(1, Optional.empty()));
    assertThat(decoded()).isEqualTo(0);
    assertThat(values("x", "CASE WHEN " + text("value") + " LIKE '-%' THEN 1 ELSE 0 END"))
        .containsExactly("0");
  }

  @Test
  public void anEmptyKeyOrAFutureTimeLeavesTheFileToBeDecoded() throws Exception {
    for (boolean emptyKey : List.of(true, false)) {
      String folder = "r35-" + emptyKey;
      BulkUpload upload;
      try (OfflineResults files =
          writing(contents(folder, feature("age", ValueType.INT64)), folder)) {
        files.add("a", T, List.of(1L));
        files.add(emptyKey ? "" : "b", emptyKey ? T : Micros.now() + 3_600_000_000L, List.of(2L));
        upload = files.finish();
      }

      Outcome outcome = load(upload);

      assertThat(outcome.rows()).isEqualTo(1);
      assertThat(outcome.failure().orElseThrow().reasons())
          .containsExactly(emptyKey ? Reason.MISSING_FIELD : Reason.OBSERVED_IN_FUTURE, 1);
    }
    assertThat(values("age", "pkey")).containsExactly("a", "a");
  }

  @Test
  public void columnsThatDifferInCapitalsAreDecoded() throws Exception {
    FeatureColumn small = feature("age", ValueType.INT64);
    FeatureColumn capital =
        new FeatureColumn(
            "user", "user.aged", "AGE", new Kind(ValueType.INT64, Nulls.NOT_COMPUTED), "");
    BulkUpload upload;
    try (OfflineResults files = writing(contents("r36", small, capital), "r36")) {
      files.add("a", T, List.of(1L, 2L));
      upload = files.finish();
    }

    assertThat(load(upload)).isEqualTo(new Outcome(2, Optional.empty()));

    assertThat(decoded()).isEqualTo(2);
    assertThat(values("age", "value")).containsExactly("1");
    assertThat(values("aged", "value")).containsExactly("2");
  }

  private static final Set<Role> WRITER = Set.of(Role.CREATE_TABLES, Role.BULK_LOAD);

  /** Returns a store that may not read the bucket. */
  protected abstract OfflineStore without() throws Exception;

  /** Returns what the start says of it. */
  protected abstract String correction();

  @Test
  public void theStartLooksWhetherTheBucketCanBeRead() throws Exception {
    store().check(WRITER);

    UnavailableException e =
        assertThrows(UnavailableException.class, () -> without().check(WRITER));

    assertThat(e).hasMessageThat().contains(correction());
  }

  /** Returns a store that lacks the right which the documentation gives. */
  protected OfflineStore ungranted() throws Exception {
    return without();
  }

  /** Returns how that is given, with {@code …} for names. */
  protected abstract String grant();

  @Test
  public void theRightThatIsMissingIsGivenAsTheDocumentationSays() throws Exception {
    UnavailableException e =
        assertThrows(UnavailableException.class, () -> ungranted().check(WRITER));

    assertThat(DocumentedSql.withoutNames(e.getMessage())).contains(grant());
    assertThat(
            DocumentedSql.statements("bulk-loads", "GRANT").stream()
                .map(DocumentedSql::withoutNames))
        .contains(grant());
  }

  @Test
  public void whereThereIsNoBucketToReadTheRightSpellingIsTold() {
    String right = store().uri().replace("copyFrom=s3://results/team", "copyFrom=X");
    right = right.replace("copyFrom=s3://stage/team", "copyFrom=X");
    assertThat(problem(right.replace("copyFrom=X", "copyFrom=file:///data/results")))
        .contains("copyFrom=file:///data/results is no bucket that it reads; such as ");
    assertThat(problem(right.replace("copyFrom=X", "copyFrom=gcs://results")))
        .contains("Google's buckets are gs://results");
    assertThat(problem(right.replace("copyFrom=X", "copyFrom=results")))
        .contains("'results' has no prefix: s3://results");
  }

  private static String problem(String uri) {
    return assertThrows(IllegalArgumentException.class, () -> OfflineStores.at(uri)).getMessage();
  }

  @Test
  public void columnsAreCalledAsTheyAreCalled() throws Exception {
    FeatureColumn odd =
        new FeatureColumn(
            "user",
            "user.it's \\ \"odd\"",
            "it's `a` \"Cölumn\"",
            new Kind(ValueType.STRING, Nulls.NOT_COMPUTED),
            "r'x\\");
    BulkUpload upload;
    try (OfflineResults files = writing(contents("ö'p", odd), "r32")) {
      files.add("kä'\\y", T, List.of("vä'l\\"));
      upload = files.finish();
    }
    List<String> unused = takeStatements();

    assertThat(load(upload)).isEqualTo(new Outcome(1, Optional.empty()));

    assertThat(takeStatements().stream().filter(it -> it.startsWith("COPY")).count()).isEqualTo(1);
    assertThat(load(upload).rows()).isEqualTo(0);
  }
}
