package io.tailrace.testing;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusMessageCoder;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BundleEncoder;
import io.tailrace.offline.DecodeObservationFiles;
import io.tailrace.offline.InsertObservations;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.OfflineStore;
import io.tailrace.parquet.ForeignFile;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.QueryLog;
import io.tailrace.parquet.TableNames;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Failure;
import io.tailrace.stage.RejectedCell;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.coders.CoderException;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.util.CoderUtils;
import org.apache.beam.sdk.values.PCollection;
import org.junit.Test;

/**
 * What every offline store does, whichever sink it has chosen: from messages of the
 * streaming-insert bus to what its reader sees. A store's own test extends it, says how to reach
 * the store, how to take it down and how it writes values as text, and keeps what is special to it.
 */
public abstract class OfflineStoreContract {
  private static final String TIME = "TIMESTAMPTZ '2026-01-02 03:04:05.678901+00'";

  /** Where the environment's tables are. */
  protected static final String SCHEMA = "production";

  /** A store that can't be used, and what its check must say. */
  public record Unusable(OfflineStore store, String correction) {}

  private int offset;

  /** Returns the store, with a schema for each environment, called as the environment is. */
  protected abstract OfflineStore store();

  /** Takes the store down, in such a way that it keeps what it has. */
  protected abstract void takeDown() throws Exception;

  /** Undoes that. */
  protected abstract void bringBack() throws Exception;

  /** Returns a store of this kind that can't be inserted into. */
  protected abstract Unusable unusable() throws Exception;

  /** Runs statements of SQL in the store, as somebody who looks after it. */
  protected abstract void execute(String... statements) throws Exception;

  /** How most stores write, as text, the values that each type is tested with. */
  private static final Map<ValueType, String> TEXTS =
      Map.of(
          ValueType.INT64, "-9223372036854775808",
          ValueType.FLOAT64, "-1.5E-300",
          ValueType.BOOL, "true",
          ValueType.STRING, "Grüße, \"W\\elt\"",
          ValueType.BYTES, "00ff07",
          ValueType.TIMESTAMP, "1969-12-31T23:59:59.999999Z",
          ValueType.DATE, "1969-12-31",
          ValueType.VECTOR, "[1.5, -0.25]",
          ValueType.JSON, "{\"a\": [1,  null]}");

  /** Returns those of these texts that the store writes in another way. */
  protected abstract Map<ValueType, String> textsOfItsOwn();

  /** Returns what the store calls the type of values. */
  protected abstract String typeName(ValueType type);

  /** The values that each type is tested with, as SQL of DuckDB. */
  private static Map<ValueType, String> values() {
    Map<ValueType, String> values = new EnumMap<>(ValueType.class);
    values.put(ValueType.INT64, "(-9223372036854775807 - 1)::BIGINT");
    values.put(ValueType.FLOAT64, "-1.5e-300::DOUBLE");
    values.put(ValueType.BOOL, "true");
    values.put(ValueType.STRING, "'Grüße, \"W\\elt\"'");
    values.put(ValueType.BYTES, "'\\x00\\xFF\\x07'::BLOB");
    values.put(ValueType.TIMESTAMP, "TIMESTAMPTZ '1969-12-31 23:59:59.999999+00'");
    values.put(ValueType.DATE, "DATE '1969-12-31'");
    values.put(ValueType.VECTOR, "[1.5, -0.25]::FLOAT[]");
    values.put(ValueType.JSON, "'{\"a\": [1,  null]}'::JSON");
    return values;
  }

  @Test
  public void aStoreHoldsAnId() throws Exception {
    // Some have one from the first rows on.
    assertThat(insert(List.of(message(age("ann", "1")))).failures).isEmpty();

    String id = store().identity();

    assertThat(id).isNotEmpty();
    assertThat(store().identity()).isEqualTo(id);
  }

  @Test
  public void everyValueTypeReadsBackAsItWasWritten() throws Exception {
    List<BusMessage> files = new ArrayList<>();
    values()
        .forEach(
            (type, value) -> {
              String feature = "('user.v" + type.code() + "', 'ann', ";
              files.add(
                  message(
                      ForeignFile.of(
                          type,
                          feature + value + ", " + TIME + ", 'op-1')",
                          feature + "NULL, " + TIME + ", 'op-2')")));
            });

    assertThat(insert(files).failures).isEmpty();

    Map<ValueType, String> read = new EnumMap<>(ValueType.class);
    for (ValueType type : ValueType.values()) {
      List<List<String>> rows =
          rows("SELECT value FROM " + table("user__v" + type.code()) + " ORDER BY operation_id");
      assertThat(rows).hasSize(2);
      assertThat(rows.get(1).get(0)).isNull();
      read.put(type, rows.get(0).get(0));
    }
    Map<ValueType, String> texts = new EnumMap<>(TEXTS);
    texts.putAll(textsOfItsOwn());
    assertThat(read).isEqualTo(texts);
    String table = "user__v" + ValueType.INT64.code();
    if (tellsColumns()) {
      assertThat(columns(table)).containsAtLeast("observation_id", "pkey", "value").inOrder();
      assertThat(columns("user__nothing")).isEmpty();
    }
  }

  /** Returns whether the server of the test tells of columns in SQL. */
  protected boolean tellsColumns() {
    return true;
  }

  /** Returns the names of a table's columns, as they are told to people. */
  private List<String> columns(String table) throws Exception {
    String query = store().columnsOf(SCHEMA, table).orElseThrow();
    return rows(query).stream().map(row -> row.get(0).toLowerCase(Locale.ROOT)).toList();
  }

  @Test
  public void ofRowsWithOneIdTheGreatestCellStands() throws Exception {
    insert(
        List.of(
            message(
                age("ann", "2"),
                // As unsigned bytes a negative number is the greatest.
                age("ann", "-1"),
                age("ann", "5"),
                age("bob", "7"),
                age("bob", "NULL"),
                age("bob", "8"),
                age("eve", "3"),
                age("eve", "3"))));

    assertThat(rows("SELECT pkey, value FROM " + table("user__age") + " ORDER BY pkey").toString())
        .isEqualTo("[[ann, -1], [bob, null], [eve, 3]]");
  }

  @Test
  public void aReplayChangesNoRow() throws Exception {
    List<BusMessage> files =
        List.of(message(age("ann", "1"), age("bob", "2")), queries("op-1", "user__age"));
    Run first = insert(files);
    String before = everything();

    Run again = insert(files);

    assertThat(everything()).isEqualTo(before);
    assertThat(first.outcomes).hasSize(tellsFiles() ? 2 : 1);
    assertThat(again.outcomes).hasSize(tellsFiles() ? 2 : 1);
    assertThat(again.failures).isEmpty();
  }

  /** Returns whether it puts out an outcome for each file; otherwise for those of one time. */
  protected boolean tellsFiles() {
    return true;
  }

  /** One rule before either store: whatever is JSON at the door each of them takes. */
  @Test
  public void everyStoreTakesTheSameTextsForJson() throws Exception {
    List<String> json =
        List.of(
            "{}",
            " [1, 2.5e300, -0, 1e999, 123456789012345678901234567890] ",
            "\"größe \\u0000 \\ud83d\\ude00\"",
            "null",
            "true",
            "{\"a\": 1, \"a\": {\"\": []}}",
            "[".repeat(1_000) + "]".repeat(1_000));
    List<String> none =
        List.of(
            "", " ", "{broken", "{\"a\": 1,}", "NaN", "[1] 2", "\"\\ud800\"", "01", "+1", "[01]");
    List<String> rows = new ArrayList<>();
    for (String text : json) {
      rows.add("('user.doc', 'k" + rows.size() + "', '" + text + "', " + TIME + ", 'op')");
    }
    for (String text : none) {
      rows.add("('user.doc', 'k" + rows.size() + "', '" + text + "', " + TIME + ", 'op')");
    }

    Run run = insert(List.of(message(ForeignFile.of(ValueType.JSON, rows.toArray(String[]::new)))));

    assertThat(run.failures).hasSize(1);
    assertThat(run.failures.get(0).reasons()).containsExactly(Reason.INVALID_VALUE, none.size());
    assertThat(rows("SELECT pkey FROM " + table("user__doc"))).hasSize(json.size());
  }

  /** Some tools write them. */
  @Test
  public void filesWithoutRowsAreInsertedAsNothing() throws Exception {
    ForeignFile one = ForeignFile.of(ValueType.INT64, age("ann", "1"));
    ForeignFile none = new ForeignFile(one.columns(), one.rows() + " WHERE false", one.footer());

    assertThat(insert(List.of(message(none))).failures).isEmpty();
    Run run = insert(List.of(message(none), message(one), message(none)));

    assertThat(run.failures).isEmpty();
    assertThat(rows("SELECT pkey FROM " + table("user__age")).toString()).isEqualTo("[[ann]]");
  }

  @Test
  public void thePartsOfAResultAreOneRowOfTheLogWithAllTables() throws Exception {
    insert(List.of(queries("op-1", "a__b"), queries("op-1", "c__d"), queries("op-2", "a__b")));
    insert(List.of(queries("op-1", "e__f")));

    List<List<String>> rows =
        rows(
            "SELECT operation_id, value_tables FROM "
                + table("query_log")
                + " ORDER BY operation_id");
    assertThat(rows).hasSize(2);
    assertThat(rows.get(0).get(1)).containsMatch("a__b.*c__d.*e__f");
    assertThat(rows.get(1).get(1)).doesNotContain("c__d");
  }

  @Test
  public void partsThatComeAnHourAndAHalfApartAreOneRowOfTheLog() throws Exception {
    insert(List.of(queries("op-1", "a__b")));
    insert(List.of(queries("op-1", "observed_at + INTERVAL 90 MINUTE", "c__d")));
    insert(List.of(queries("op-1", "observed_at - INTERVAL 90 MINUTE", "c__d")));

    List<List<String>> rows = rows("SELECT value_tables FROM " + table("query_log"));
    assertThat(rows).hasSize(1);
    assertThat(rows.get(0).get(0)).containsMatch("a__b.*c__d");
  }

  @Test
  public void anOlderTableGetsTheColumnsThatItLacks() throws Exception {
    insert(List.of(message(age("ann", "1")), queries("op-1", "user__age")));
    execute(
        "ALTER TABLE " + table("user__age") + " DROP COLUMN resolver_fqn",
        "ALTER TABLE " + table("query_log") + " DROP COLUMN trace_id");

    Run run = insert(List.of(message(age("bob", "2")), queries("op-2", "user__age")));

    assertThat(run.failures).isEmpty();
    assertThat(
            rows("SELECT pkey, value, resolver_fqn FROM " + table("user__age") + " ORDER BY pkey")
                .toString())
        .isEqualTo("[[ann, 1, null], [bob, 2, resolvers.get]]");
    assertThat(
            rows("SELECT operation_id, trace_id FROM " + table("query_log") + " ORDER BY 1")
                .toString())
        .isEqualTo("[[op-1, null], [op-2, null]]");
  }

  @Test
  public void aTableThatADeletionMadeGetsItsValuesLater() throws Exception {
    insert(
        List.of(
            message(ForeignFile.ofDeletions(age("bob", "0"))),
            message(
                ForeignFile.ofDeletions(age("eve", "0").replace("user.age", "user."))
                    .with("namespace", "'user'"))));
    insert(List.of(message(age("ann", "42"))));

    assertThat(
            rows("SELECT pkey, value, deleted FROM " + table("user__age") + " ORDER BY pkey")
                .toString()
                .replaceAll("\\bt\\b", "true")
                .replaceAll("\\bf\\b", "false"))
        .isEqualTo("[[ann, 42, false], [bob, null, true]]");
    assertThat(rows("SELECT pkey FROM " + table("user__")).toString()).isEqualTo("[[eve]]");
  }

  @Test
  public void featuresWhoseNamesHaveDotsAreToldApartByTheirNamespaces() throws Exception {
    String row = age("ann", "1").replace("user.age", "user.a.b");
    ForeignFile inUser = ForeignFile.of(ValueType.INT64, row).with("namespace", "'user'");
    ForeignFile both =
        new ForeignFile(
            inUser.columns(),
            "(SELECT * EXCLUDE (namespace), namespace AS of_namespace FROM (VALUES "
                + "('user.a.b', 'ann', 2::BIGINT, "
                + TIME
                + ", 'op-2', 'user'), ('user.a.b', 'ann', 3::BIGINT, "
                + TIME
                + ", 'op-2', 'user.a')) AS rows(feature, pkey, value, observed_at, operation_id,"
                + " namespace))",
            inUser.footer());

    Run run = insert(List.of(message(inUser), message(both.with("namespace", "of_namespace"))));

    assertThat(run.failures).isEmpty();
    assertThat(
            rows("SELECT value FROM " + table(TableNames.ofFeature("user", "a.b")) + " ORDER BY 1")
                .toString())
        .isEqualTo("[[1], [2]]");
    assertThat(rows("SELECT value FROM " + table(TableNames.ofFeature("user.a", "b"))).toString())
        .isEqualTo("[[3]]");
  }

  @Test
  public void rowsOfAnotherTypeAreOneLetterWithBothTypesAndTheOthersAreInserted() throws Exception {
    insert(List.of(message(age("ann", "1"))));
    BusMessage changed =
        message(
            ForeignFile.of(
                ValueType.STRING,
                "('user.age', 'bob', 'x', " + TIME + ", 'op-1')",
                "('user.age', 'eve', 'y', " + TIME + ", 'op-1')",
                "('user.name', 'bob', 'Bob', " + TIME + ", 'op-1')"));

    Run run = insert(List.of(changed));

    assertThat(run.outcomes).hasSize(1);
    assertThat(run.failures).hasSize(1);
    Failure failure = run.failures.get(0);
    assertThat(failure.reason()).isEqualTo(Reason.TYPE_CHANGED);
    assertThat(failure.cellCount()).isEqualTo(2);
    assertThat(failure.message())
        .contains(
            ": its table user__age has value "
                + typeName(ValueType.INT64)
                + ", not "
                + typeName(ValueType.STRING));
    assertThat(failure.cells().stream().map(RejectedCell::key)).containsExactly("bob", "eve");
    assertThat(failure.original().payload()).isNotEmpty();
    assertThat(rows("SELECT pkey FROM " + table("user__age")).toString()).isEqualTo("[[ann]]");
    assertThat(rows("SELECT value FROM " + table("user__name")).toString()).isEqualTo("[[Bob]]");
  }

  /** Returns statements that make the table {@code user__age} refuse every row that is new. */
  protected abstract String[] sicken();

  /** Returns statements that undo {@link #sicken}. */
  protected abstract String[] cure();

  @Test
  public void aTableThatRefusesItsRowsKeepsNoOtherFromTakingTheirs() throws Exception {
    insert(List.of(message(age("ann", "1"), size("ann", "1")), queries("op-1", "user__age")));
    execute(sicken());

    Run run =
        insert(
            List.of(
                message(age("bob", "2"), size("bob", "2")),
                message(age("eve", "3"), size("eve", "3")),
                queries("op-2", "user__age")));

    assertThat(run.failures).hasSize(1);
    Failure failure = run.failures.get(0);
    assertThat(failure.reason()).isEqualTo(Reason.TABLE_REFUSES);
    assertThat(failure.cellCount()).isEqualTo(2);
    assertThat(failure.cells().get(0).feature()).isEqualTo("user.age");
    assertThat(failure.message()).contains("its table user__age refuses it: ");
    assertThat(rows("SELECT pkey FROM " + table("user__size") + " ORDER BY 1").toString())
        .isEqualTo("[[ann], [bob], [eve]]");
    assertThat(rows("SELECT operation_id FROM " + table("query_log"))).hasSize(2);
    // Also when it comes again, after a restart.
    assertThat(insert(List.of(message(age("bob", "2")), queries("op-3", "a__b"))).failures)
        .hasSize(1);

    execute(cure());
    Run replayed = insert(List.of(letter(failure)));

    assertThat(replayed.failures).isEmpty();
    assertThat(rows("SELECT pkey, value FROM " + table("user__age") + " ORDER BY 1").toString())
        .isEqualTo("[[ann, 1], [bob, 2], [eve, 3]]");
    assertThat(rows("SELECT pkey FROM " + table("user__size"))).hasSize(3);
  }

  @Test
  public void aRowThatItsTableRefusesKeepsNoOtherFromBeingStored() throws Exception {
    insert(List.of(message(age("ann", "1"))));
    execute(refuseNegativeAges());
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      rows.add(age("u" + i, i % 10 == 3 ? "-" + i : Integer.toString(i)));
    }

    Run run = insert(List.of(message(rows.toArray(String[]::new)), message(size("ann", "1"))));

    assertThat(run.failures).hasSize(1);
    Failure failure = run.failures.get(0);
    assertThat(failure.reason()).isEqualTo(Reason.TABLE_REFUSES);
    assertThat(rows("SELECT pkey FROM " + table("user__size"))).hasSize(1);
    if (!divides()) {
      assertThat(failure.cellCount()).isEqualTo(100);
      return;
    }
    assertThat(failure.cells().stream().map(RejectedCell::key))
        .containsExactly("u3", "u13", "u23", "u33", "u43", "u53", "u63", "u73", "u83", "u93");
    assertThat(rows("SELECT pkey FROM " + table("user__age"))).hasSize(91);
    assertThat(rows("SELECT pkey FROM " + table("user__age") + " WHERE value < 0")).isEmpty();
  }

  /** Returns whether it finds the rows that a table refuses among those that it takes. */
  protected boolean divides() {
    return true;
  }

  /** Returns statements that make the table {@code user__age} refuse rows below zero. */
  protected abstract String[] refuseNegativeAges();

  private BusMessage letter(Failure failure) {
    return failure.rows().map(failure.original()::withPayload).orElse(failure.original());
  }

  private static String size(String key, String value) {
    return age(key, value).replace("user.age", "user.size");
  }

  @Test
  public void anOutageFailsTheBundleAndWhatIsRepeatedAfterItIsThereOnce() throws Exception {
    insert(List.of(message(age("ann", "1"))));
    List<BusMessage> files = List.of(message(age("bob", "2")));

    takeDown();
    try {
      assertThat(
              assertThrows(Pipeline.PipelineExecutionException.class, () -> insert(files))
                  .getCause())
          .isInstanceOf(UnavailableException.class);
    } finally {
      bringBack();
    }
    Run after = insert(files);

    assertThat(after.failures).isEmpty();
    assertThat(rows("SELECT pkey, value FROM " + table("user__age") + " ORDER BY pkey").toString())
        .isEqualTo("[[ann, 1], [bob, 2]]");
  }

  @Test
  public void checkNamesTheStoreAndTheCorrection() throws Exception {
    store().check();
    Unusable unusable = unusable();

    UnavailableException e = assertThrows(UnavailableException.class, () -> unusable.store.check());

    assertThat(e).hasMessageThat().contains(unusable.correction);
  }

  /** What became of messages. */
  private record Run(List<InsertOutcome> outcomes, List<Failure> failures) {}

  private static final Map<Integer, Queue<Object>> COLLECTED = new ConcurrentHashMap<>();
  private static final AtomicInteger RUNS = new AtomicInteger();

  private static final class Collect<T> extends DoFn<T, Void> {
    private static final long serialVersionUID = 1;
    private final int run;

    Collect(int run) {
      this.run = run;
    }

    @ProcessElement
    public void collect(@Element T element) {
      COLLECTED.get(run).add(element);
    }
  }

  /** Puts messages out in one bundle. */
  private static final class InOneBundle extends DoFn<Integer, BusMessage> {
    private static final long serialVersionUID = 1;
    private final List<byte[]> encoded = new ArrayList<>();

    InOneBundle(List<BusMessage> messages) {
      try {
        for (BusMessage message : messages) {
          encoded.add(CoderUtils.encodeToByteArray(BusMessageCoder.of(), message));
        }
      } catch (CoderException e) {
        throw new IllegalStateException(e);
      }
    }

    @ProcessElement
    public void putOut(OutputReceiver<BusMessage> out) throws CoderException {
      for (byte[] message : encoded) {
        out.output(CoderUtils.decodeFromByteArray(BusMessageCoder.of(), message));
      }
    }
  }

  private Run insert(List<BusMessage> messages) {
    int run = RUNS.incrementAndGet();
    COLLECTED.put(run, new ConcurrentLinkedQueue<>());
    Pipeline pipeline =
        Pipeline.create(
            PipelineOptionsFactory.fromArgs("--runner=DirectRunner", "--targetParallelism=1")
                .create());
    WithFailures.Result<PCollection<ObservationFile>, Failure> decoded =
        pipeline
            .apply("OneBundle", Create.of(run))
            .apply("Messages", ParDo.of(new InOneBundle(messages)))
            .apply("Decode", DecodeObservationFiles.forWriter("contract"));
    WithFailures.Result<PCollection<InsertOutcome>, Failure> inserted =
        decoded.output().apply("InsertObservations", InsertObservations.into(store()));
    decoded.failures().apply("NotDecoded", ParDo.of(new Collect<>(run)));
    inserted.failures().apply("NotInserted", ParDo.of(new Collect<>(run)));
    inserted.output().apply("Inserted", ParDo.of(new Collect<>(run)));
    Balance.run(pipeline);
    List<InsertOutcome> outcomes = new ArrayList<>();
    List<Failure> failures = new ArrayList<>();
    for (Object each : COLLECTED.remove(run)) {
      if (each instanceof Failure failure) {
        failures.add(failure);
      } else {
        outcomes.add((InsertOutcome) each);
      }
    }
    return new Run(outcomes, failures);
  }

  private static String age(String key, String value) {
    return "('user.age', '" + key + "', " + value + "::BIGINT, " + TIME + ", 'op-1')";
  }

  private BusMessage message(String... ages) {
    return message(ForeignFile.of(ValueType.INT64, ages));
  }

  private BusMessage queries(String operationId, String table) {
    return queries(operationId, "observed_at", table);
  }

  private BusMessage queries(String operationId, String time, String table) {
    Map<String, String> columns = new LinkedHashMap<>();
    Map<String, String> known = new HashMap<>();
    known.put("operation_id", "'" + operationId + "'");
    known.put("environment_id", "'" + SCHEMA + "'");
    known.put("operation_kind", "'ONLINE_QUERY'");
    known.put("query_status", "'SUCCEEDED'");
    known.put("query_timestamp", time);
    known.put("execution_started_at", "NULL::TIMESTAMPTZ");
    known.put("execution_finished_at", "NULL::TIMESTAMPTZ");
    known.put("value_tables", "['" + table + "']");
    QueryLog.CURRENT
        .columns()
        .forEach(
            column ->
                columns.put(column.name(), known.getOrDefault(column.name(), "NULL::VARCHAR")));
    ForeignFile any = ForeignFile.of(ValueType.INT64, age("any", "1"));
    return message(
        new ForeignFile(columns, any.rows(), any.footer())
            .withText("tailrace.kind", "query_log")
            .withoutText("tailrace.value_type"));
  }

  private BusMessage message(ForeignFile file) {
    try {
      return BusMessage.of(
          file.bytes(),
          Place.numbered("inserts", 0, offset++),
          // After all that is observed in them.
          MessageTime.ofBus(BundleEncoder.PUBLISHED_AT + 7 * 86_400_000_000L));
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** Returns a table, as statements name it. */
  protected final String table(String name) {
    return SCHEMA + "." + name;
  }

  private String everything() throws UnavailableException {
    return rows("SELECT * FROM " + table("user__age") + " ORDER BY 1").toString()
        + rows("SELECT * FROM " + table("query_log") + " ORDER BY 1");
  }

  private List<List<String>> rows(String sql) throws UnavailableException {
    return store().reader().query(sql, 1_000).rows();
  }
}
