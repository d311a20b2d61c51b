package io.tailrace.pipelines.local.proof;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;
import static org.junit.Assume.assumeTrue;

import com.google.protobuf.ByteString;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;
import io.tailrace.pipelines.local.traffic.SampleMessage;
import io.tailrace.pipelines.local.traffic.SampleTraffic;
import io.tailrace.v1.Column;
import io.tailrace.v1.Column.CacheNulls;
import io.tailrace.v1.Column.Origin;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import io.tailrace.v1.QueryResult.OperationKind;
import io.tailrace.v1.QueryResult.Status;
import io.zonky.test.db.postgres.junit.EmbeddedPostgresRules;
import io.zonky.test.db.postgres.junit.SingleInstancePostgresRule;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.After;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameters;

/** Against tables made by hand, in both stores that the model can read. */
@RunWith(Parameterized.class)
public class OfflineModelTest {
  private enum Server {
    DUCKDB,
    POSTGRESQL
  }

  @Parameters(name = "{0}")
  public static Object[] servers() {
    return Server.values();
  }

  @ClassRule
  public static final SingleInstancePostgresRule POSTGRES =
      EmbeddedPostgresRules.singleInstance()
          .customize(it -> it.setPGStartupWait(Duration.ofMinutes(1)));

  private static final long NOW = 1_790_000_000_000_000L;
  private static final String NOW_SQL = "TIMESTAMPTZ '2026-09-21 14:13:20+00'";
  private static final long SECOND = 1_000_000;

  /** The id of {@link #age} by the contract: MD5 of 4:op-18:user.age1:716:1790000000000000. */
  private static final String AGE_ID = "fa3ecdf2-78d0-c44f-6735-e90bb5990da7";

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private final Server server;
  private OfflineModel model = new OfflineModel();
  private Connection connection;
  private JdbcStore store;

  public OfflineModelTest(Server server) {
    this.server = server;
  }

  @Before
  public void open() throws Exception {
    if (server == Server.DUCKDB) {
      // Named like the schema: then prod.user__age alone would be ambiguous.
      String path = folder.getRoot() + "/prod.db";
      store = new JdbcStore("duckdb://" + path, "jdbc:duckdb:" + path);
      connection = DriverManager.getConnection(store.jdbcUrl);
      sql("CREATE SCHEMA prod.prod");
      sql("USE prod.prod");
    } else {
      store =
          new JdbcStore(
              "postgresql://localhost/postgres",
              POSTGRES.getEmbeddedPostgres().getJdbcUrl("postgres", "postgres"));
      connection = DriverManager.getConnection(store.jdbcUrl);
      sql("DROP SCHEMA IF EXISTS prod, tailrace_prod, tailrace_test CASCADE");
      sql("CREATE SCHEMA prod");
      sql("SET search_path TO prod");
    }
  }

  @After
  public void close() throws Exception {
    connection.close();
  }

  @Test
  public void aValueIsARowOfItsFeaturesTable() throws Exception {
    publish(age());
    storeAge();

    OfflineModel.Comparison comparison = compare();

    assertThat(comparison).isEqualTo(new OfflineModel.Comparison(2, 2, 2, Map.of(), List.of()));
    assertThat(model.tableCount()).isEqualTo(2);
    assertThat(model.rowCount()).isEqualTo(2);
  }

  @Test
  public void whatMakesAnIdIsCountedInBytes() throws Exception {
    publish(
        result(
            Frame.newBuilder()
                .setNamespace("user")
                .addStringKeys("é")
                .addColumns(column().addInt64Values(1))));
    table("user__age", "text", "bigint");
    row("user__age", md5("4:op-1" + "8:user.age" + "2:é" + "16:1790000000000000"), "'é'", "1");
    log("user__age");
    assertSame();
  }

  @Test
  public void everyColumnOfARowIsCompared() throws Exception {
    publish(age());
    storeAge();
    Map<String, String> changes = new LinkedHashMap<>();
    changes.put("pkey = 8", "expected pkey 7, found pkey 8");
    changes.put("value = 31", "expected value 30, found value 31");
    changes.put("value = NULL", "expected value 30, found value null");
    changes.put(
        "observed_at = observed_at + INTERVAL '1 microsecond'",
        "expected observed_at 2026-09-21T14:13:20Z, found observed_at 2026-09-21T14:13:20.000001Z");
    changes.put("inserted_at = NULL", "expected inserted_at a time, found inserted_at null");
    changes.put(
        "resolver_fqn = NULL", "expected resolver_fqn resolvers.age, found resolver_fqn null");
    changes.put(
        "deployment_id = 'green'", "expected deployment_id blue, found deployment_id green");
    changes.put("operation_id = 'op-2'", "expected operation_id op-1, found operation_id op-2");
    changes.put("deleted = true", "expected deleted false, found deleted true");
    changes.put(
        "pkey = 8, deleted = NULL", "expected pkey 7, deleted false, found pkey 8, deleted null");
    for (Map.Entry<String, String> change : changes.entrySet()) {
      sql("DELETE FROM user__age");
      row("user__age", "'" + AGE_ID + "'", "7", "30");
      assertSame();
      sql("UPDATE user__age SET " + change.getKey());
      assertDifferent("prod.user__age " + AGE_ID + ": " + change.getValue());
    }
  }

  @Test
  public void aMissingRowIsADifference() throws Exception {
    publish(age());
    storeAge();
    sql("DELETE FROM user__age");
    assertThat(compare().rows()).isEqualTo(2);
    assertDifferent(
        "prod.user__age "
            + AGE_ID
            + ": expected pkey 7, value 30, observed_at 2026-09-21T14:13:20Z, inserted_at a time,"
            + " resolver_fqn resolvers.age, deployment_id blue, operation_id op-1, deleted false,"
            + " found nothing");
  }

  @Test
  public void aSurplusRowIsADifference() throws Exception {
    publish(age());
    storeAge();
    row("user__age", "'00000000-0000-0000-0000-000000000001'", "8", "31");
    assertThat(compare().rows()).isEqualTo(3);
    assertDifferent(
        "prod.user__age 00000000-0000-0000-0000-000000000001: expected nothing, found pkey 8,"
            + " value 31, observed_at 2026-09-21T14:13:20Z, inserted_at a time,"
            + " resolver_fqn resolvers.age, deployment_id blue, operation_id op-1, deleted false");
  }

  @Test
  public void aRowWithoutAnIdIsADifference() throws Exception {
    publish(age());
    storeAge();
    row("user__age", "NULL", "7", "30");
    assertThat(compare().first().get(0).toString())
        .startsWith("prod.user__age null: expected nothing, found pkey 7");
  }

  @Test
  public void aSecondRowWithTheSameIdIsADifference() throws Exception {
    publish(age());
    storeAge();
    row("user__age", "'" + AGE_ID + "'", "7", "30");
    assertDifferent(
        "prod.user__age "
            + AGE_ID
            + ": expected one row, found another: pkey 7, value 30,"
            + " observed_at 2026-09-21T14:13:20Z, inserted_at a time, resolver_fqn resolvers.age,"
            + " deployment_id blue, operation_id op-1, deleted false");
  }

  @Test
  public void aMissingTableIsADifference() throws Exception {
    publish(age());
    storeAge();
    sql("DROP TABLE user__age");
    OfflineModel.Comparison comparison = compare();
    assertThat(comparison.tablesExpected()).isEqualTo(2);
    assertThat(comparison.tablesFound()).isEqualTo(1);
    assertThat(comparison.rows()).isEqualTo(2);
    assertDifferent("prod.user__age: expected a table of 1 rows, found none");
  }

  @Test
  public void aTableOfNothingIsADifference() throws Exception {
    publish(age());
    storeAge();
    table("user__height", "bigint", "bigint");
    OfflineModel.Comparison comparison = compare();
    assertThat(comparison.tablesExpected()).isEqualTo(2);
    assertThat(comparison.tablesFound()).isEqualTo(3);
    assertDifferent("prod.user__height: expected no such table, found one");
  }

  @Test
  public void aColumnThatIsMissingOrOfAnotherTypeIsADifference() throws Exception {
    publish(age());
    storeAge();
    sql("DROP TABLE user__age");
    table("user__age", "text", "bigint");
    sql("ALTER TABLE user__age DROP COLUMN resolver_fqn");
    assertThat(words(compare()))
        .containsExactly(
            "prod.user__age column pkey: expected "
                + (server == Server.DUCKDB ? "BIGINT, found VARCHAR" : "int8, found text"),
            "prod.user__age column resolver_fqn: expected "
                + (server == Server.DUCKDB ? "VARCHAR" : "text")
                + ", found none")
        .inOrder();
    assertThat(compare().rows()).isEqualTo(2);
  }

  @Test
  public void everyTypeIsComparedByItsValue() throws Exception {
    Map<Column.Builder, String> values = new LinkedHashMap<>();
    values.put(typed(Column.Type.INT64).addInt64Values(Long.MIN_VALUE), "-9223372036854775808");
    values.put(typed(Column.Type.FLOAT64).addFloat64Values(0.1), "0.1");
    values.put(typed(Column.Type.FLOAT64).addFloat64Values(-0.0), "0");
    values.put(typed(Column.Type.FLOAT64).addFloat64Values(Double.MIN_VALUE), "'4.9e-324'");
    values.put(typed(Column.Type.FLOAT64).addFloat64Values(Double.NaN), "'NaN'");
    values.put(
        typed(Column.Type.FLOAT64).addFloat64Values(Double.NEGATIVE_INFINITY), "'-Infinity'");
    values.put(typed(Column.Type.FLOAT64).addFloat64Values(Double.POSITIVE_INFINITY), "'Infinity'");
    values.put(typed(Column.Type.BOOL).addBoolValues(true), "true");
    values.put(typed(Column.Type.BOOL).addBoolValues(false), "false");
    values.put(typed(Column.Type.STRING).addStringValues(""), "''");
    values.put(typed(Column.Type.STRING).addStringValues(" é\n'\""), "' é\n''\"'");
    values.put(
        typed(Column.Type.BYTES).addBytesValues(ByteString.copyFrom(new byte[] {1, -1})),
        bytes("01ff"));
    values.put(typed(Column.Type.BYTES).addBytesValues(ByteString.EMPTY), bytes(""));
    values.put(
        typed(Column.Type.TIMESTAMP).addTimestampValues(-1), time("1969-12-31 23:59:59.999999"));
    values.put(
        typed(Column.Type.TIMESTAMP).addTimestampValues(-62_135_596_799_999_999L),
        time("0001-01-01 00:00:00.000001"));
    values.put(
        typed(Column.Type.TIMESTAMP).addTimestampValues(253_402_300_799_999_999L),
        time("9999-12-31 23:59:59.999999"));
    values.put(typed(Column.Type.DATE).addDateValues(-1), "DATE '1969-12-31'");
    values.put(typed(Column.Type.DATE).addDateValues(2_932_896), "DATE '9999-12-31'");
    values.put(
        typed(Column.Type.VECTOR)
            .setVectorDimension(3)
            .addVectorValues(-0.0f)
            .addVectorValues(0.1f)
            .addVectorValues(Float.MAX_VALUE),
        "ARRAY[0, 0.1, 3.4028235e38]");
    values.put(
        typed(Column.Type.VECTOR)
            .setVectorDimension(2)
            .addVectorValues(Float.NaN)
            .addVectorValues(Float.NEGATIVE_INFINITY),
        "ARRAY['NaN', '-Infinity']::real[]");
    values.put(
        typed(Column.Type.JSON).addJsonValues("{\"b\": [1,  2], \"a\": \"é\"}"),
        "'{\"b\": [1,  2], \"a\": \"é\"}'");
    values.put(typed(Column.Type.JSON).addJsonValues("\"text\""), "'\"text\"'");
    int number = 0;
    List<Column> columns = new ArrayList<>();
    List<String> tables = new ArrayList<>();
    for (Map.Entry<Column.Builder, String> value : values.entrySet()) {
      String name = "f" + number++;
      Column column = value.getKey().setFeature("user." + name).build();
      table("user__" + name, "bigint", sqlType(column.getType()));
      row("user__" + name, id("op-1", "user." + name, "7", NOW), "7", value.getValue());
      columns.add(column);
      tables.add("user__" + name);
    }
    publish(result(user().addAllColumns(columns)));
    log(tables.toArray(new String[0]));
    assertSame();
  }

  @Test
  public void everyTypesValueCanBeWrong() throws Exception {
    assertWrong(typed(Column.Type.FLOAT64).addFloat64Values(0.1), "0.2", "0.1", "0.2");
    assertWrong(typed(Column.Type.FLOAT64).addFloat64Values(-0.0), "'-0'", "0.0", "-0.0");
    assertWrong(typed(Column.Type.BOOL).addBoolValues(true), "false", "true", "false");
    assertWrong(typed(Column.Type.BOOL).addBoolValues(false), "true", "false", "true");
    assertWrong(typed(Column.Type.STRING).addStringValues("a"), "'A'", "a", "A");
    assertWrong(
        typed(Column.Type.BYTES).addBytesValues(ByteString.copyFrom(new byte[] {1, -1})),
        bytes("01fe"),
        "[1, -1]",
        "[1, -2]");
    assertWrong(
        typed(Column.Type.TIMESTAMP).addTimestampValues(0),
        time("1970-01-01 00:00:00.000001"),
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00.000001Z");
    assertWrong(
        typed(Column.Type.DATE).addDateValues(0), "DATE '1970-01-02'", "1970-01-01", "1970-01-02");
    assertWrong(
        typed(Column.Type.VECTOR).setVectorDimension(2).addVectorValues(0).addVectorValues(1),
        "ARRAY[0, 2]",
        "[0.0, 1.0]",
        "[0.0, 2.0]");
    assertWrong(
        typed(Column.Type.VECTOR).setVectorDimension(1).addVectorValues(-0.0f),
        "ARRAY['-0']::real[]",
        "[0.0]",
        "[-0.0]");
    assertWrong(typed(Column.Type.JSON).addJsonValues("[1]"), "'[1 ]'", "[1]", "[1 ]");
  }

  @Test
  public void aVectorThatIsNoneIsADifference() throws Exception {
    Column.Builder one = typed(Column.Type.VECTOR).setVectorDimension(1).addVectorValues(1);
    assertWrong(one, "ARRAY[]::real[]", "[1.0]", "[]");
    assertWrong(one, "ARRAY[NULL]::real[]", "[1.0]", server == Server.DUCKDB ? "[NULL]" : "{NULL}");
  }

  @Test
  public void nullsAreStoredWhateverTheOnlineStoreDoesWithThem() throws Exception {
    table("user__age", "bigint", "bigint");
    for (CacheNulls nulls :
        List.of(CacheNulls.WRITE_NULLS, CacheNulls.SKIP_NULLS, CacheNulls.EVICT_NULLS)) {
      long observedAt = NOW + nulls.getNumber();
      publish(
          result(
              user()
                  .addColumns(
                      column()
                          .setObservedAt(0, observedAt)
                          .setCacheNulls(nulls)
                          .setNulls(bits(1)))));
      row(
          "user__age",
          id("op-1", "user.age", "7", observedAt),
          "7",
          "NULL",
          NOW_SQL + micros(nulls.getNumber()));
    }
    log("user__age");
    assertSame();
    sql("UPDATE user__age SET value = 0");
    assertThat(compare().differences()).isEqualTo(3);
  }

  @Test
  public void onlyTheRowsWithTheirBitSetAreNull() throws Exception {
    table("user__age", "bigint", "bigint");
    Frame.Builder frame = Frame.newBuilder().setNamespace("user");
    Column.Builder column = column().setNulls(bits(0, 0b10)).clearInt64Values();
    for (int key = 0; key < 20; key++) {
      frame.addInt64Keys(key);
      column.addInt64Values(key);
      row(
          "user__age",
          id("op-1", "user.age", "" + key, NOW),
          "" + key,
          key == 9 ? "NULL" : "" + key);
    }
    publish(result(frame.addColumns(column)));
    log("user__age");
    assertSame();
  }

  @Test
  public void eachRowMayHaveATimeOfItsOwn() throws Exception {
    publish(
        result(
            user()
                .addInt64Keys(8)
                .addColumns(
                    column()
                        .setObservedAt(0, NOW)
                        .addObservedAt(NOW + 1)
                        .addInt64Values(30)
                        .addInt64Values(40))));
    table("user__age", "bigint", "bigint");
    row("user__age", id("op-1", "user.age", "7", NOW), "7", "30");
    row("user__age", id("op-1", "user.age", "8", NOW + 1), "8", "40", NOW_SQL + micros(1));
    log("user__age");
    assertSame();
  }

  @Test
  public void eachRowHasItsOwnPartOfTheVectors() throws Exception {
    publish(
        result(
            user()
                .addInt64Keys(8)
                .addColumns(
                    typed(Column.Type.VECTOR)
                        .setVectorDimension(2)
                        .addAllVectorValues(List.of(1f, 2f, 3f, 4f)))));
    table("user__f", "bigint", "real[]");
    row("user__f", id("op-1", "user.f", "7", NOW), "7", "ARRAY[1, 2]");
    row("user__f", id("op-1", "user.f", "8", NOW), "8", "ARRAY[3, 4]");
    log("user__f");
    assertSame();
  }

  @Test
  public void whatIsNotForTheOnlineStoreIsInTheOfflineStore() throws Exception {
    publish(
        result(
            user().addColumns(column().addInt64Values(30).setMaxStaleness(0).setSkipOnline(true))));
    storeAge();
    assertSame();
  }

  @Test
  public void whatIsUnknownOfARowIsNull() throws Exception {
    publish(
        result(user().addColumns(column().addInt64Values(30).clearResolverFqn())).toBuilder()
            .clearDeploymentId()
            .build());
    storeAge();
    sql("UPDATE user__age SET resolver_fqn = NULL, deployment_id = NULL");
    sql("UPDATE query_log SET deployment_id = NULL");
    assertSame();
  }

  @Test
  public void onlyWhatWasComputedForTheOfflineStoreIsThere() throws Exception {
    for (Origin origin : List.of(Origin.ONLINE_STORE, Origin.OFFLINE_STORE)) {
      publish(result(user().addColumns(column().addInt64Values(1).setOrigin(origin))));
    }
    publish(result(user().addColumns(column().addInt64Values(1).setSkipOffline(true))));
    log();
    assertSame();
    assertThat(model.tableCount()).isEqualTo(1);
  }

  @Test
  public void anEntityWithoutAKeyIsNotThere() throws Exception {
    publish(
        result(
            Frame.newBuilder()
                .setNamespace("user")
                .addStringKeys("")
                .addStringKeys("7")
                .addColumns(column().addInt64Values(1).addInt64Values(30))));
    table("user__age", "text", "bigint");
    row("user__age", "'" + AGE_ID + "'", "'7'", "30");
    log("user__age");
    assertSame();
  }

  @Test
  public void whatWasObservedLongAfterItsPublicationIsNotThere() throws Exception {
    long limit = NOW + 300 * SECOND;
    publish(
        result(
            user()
                .addInt64Keys(8)
                .addColumns(
                    column()
                        .setObservedAt(0, limit)
                        .addObservedAt(limit + 1)
                        .addInt64Values(30)
                        .addInt64Values(40))));
    publish(deletion(limit + 1, "user.age"));
    table("user__age", "bigint", "bigint");
    row("user__age", id("op-1", "user.age", "7", limit), "7", "30", NOW_SQL + micros(300 * SECOND));
    log("user__age");
    assertSame();
  }

  @Test
  public void theDeletionOfAFeatureIsARowOfItsTable() throws Exception {
    publish(deletion(NOW, "user.age", "user.height"));
    // Nothing but deletions came: their tables may have values of any type, or none.
    table("user__age", "bigint", "boolean");
    deletedRow("user__age", deletedId("op-1", "user.age", "7", NOW), NOW_SQL);
    table("user__height", "bigint", "bigint");
    sql("ALTER TABLE user__height DROP COLUMN value");
    deletedRow("user__height", deletedId("op-1", "user.height", "7", NOW), NOW_SQL);
    log("user__age", "user__height");
    assertSame();

    sql("UPDATE user__age SET value = false");
    assertThat(words(compare()).get(0)).contains(": expected value null, found value false");
  }

  @Test
  public void theDeletionOfAnEntityIsARowOfTheTableOfItsNamespace() throws Exception {
    publish(deletion(NOW));
    table("user__", "bigint", "bigint");
    sql("ALTER TABLE user__ DROP COLUMN value");
    deletedRow("user__", deletedId("op-1", "user.", "7", NOW), NOW_SQL);
    log("user__");
    assertSame();
  }

  @Test
  public void valuesAndDeletionsShareATable() throws Exception {
    publish(deletion(NOW + 1, "user.age"));
    publish(age());
    storeAge();
    deletedRow("user__age", deletedId("op-1", "user.age", "7", NOW + 1), NOW_SQL + micros(1));
    assertSame();
    sql("ALTER TABLE user__age DROP COLUMN value");
    assertThat(words(compare()).get(0)).startsWith("prod.user__age column value: expected ");
  }

  @Test
  public void ofEqualIdsANullStandsBeforeAValueAndADeletionIsAnotherRow() throws Exception {
    QueryResult nullAge = result(user().addColumns(column().setNulls(bits(1))));
    publish(age());
    publish(nullAge);
    publish(age());
    storeAge();
    sql("UPDATE user__age SET value = NULL");
    assertSame();

    publish(deletion(NOW, "user.age"));
    publish(nullAge);
    deletedRow("user__age", deletedId("op-1", "user.age", "7", NOW), NOW_SQL);
    assertSame();
  }

  @Test
  public void ofEqualIdsTheGreaterBytesStand() throws Exception {
    assertGreater(
        "30",
        typed(Column.Type.INT64).addInt64Values(1),
        typed(Column.Type.INT64).addInt64Values(30));
    assertGreater(
        "-1",
        typed(Column.Type.INT64).addInt64Values(1),
        typed(Column.Type.INT64).addInt64Values(-1));
    assertGreater(
        "-1.5",
        typed(Column.Type.FLOAT64).addFloat64Values(2.5),
        typed(Column.Type.FLOAT64).addFloat64Values(-1.5));
    // There is one NaN, and it is not above what is below zero.
    assertGreater(
        "-1.5",
        typed(Column.Type.FLOAT64).addFloat64Values(Double.longBitsToDouble(-1)),
        typed(Column.Type.FLOAT64).addFloat64Values(-1.5));
    assertGreater(
        "true",
        typed(Column.Type.BOOL).addBoolValues(false),
        typed(Column.Type.BOOL).addBoolValues(true));
    // In UTF-16 the order is another one.
    assertGreater(
        "'😀'",
        typed(Column.Type.STRING).addStringValues("\uFFFD"),
        typed(Column.Type.STRING).addStringValues("😀"));
    assertGreater(
        bytes("ff"),
        typed(Column.Type.BYTES).addBytesValues(ByteString.copyFrom(new byte[] {1, 1})),
        typed(Column.Type.BYTES).addBytesValues(ByteString.copyFrom(new byte[] {-1})));
    assertGreater(
        time("1969-12-31 23:59:59.999999"),
        typed(Column.Type.TIMESTAMP).addTimestampValues(1),
        typed(Column.Type.TIMESTAMP).addTimestampValues(-1));
    assertGreater(
        "DATE '1969-12-31'",
        typed(Column.Type.DATE).addDateValues(1),
        typed(Column.Type.DATE).addDateValues(-1));
    assertGreater(
        "ARRAY[1, -1]",
        typed(Column.Type.VECTOR).setVectorDimension(2).addVectorValues(1).addVectorValues(2),
        typed(Column.Type.VECTOR).setVectorDimension(2).addVectorValues(1).addVectorValues(-1));
    assertGreater(
        "ARRAY[-1]",
        typed(Column.Type.VECTOR).setVectorDimension(1).addVectorValues(Float.intBitsToFloat(-1)),
        typed(Column.Type.VECTOR).setVectorDimension(1).addVectorValues(-1));
    assertGreater(
        "'[2]'",
        typed(Column.Type.JSON).addJsonValues("[1]"),
        typed(Column.Type.JSON).addJsonValues("[2]"));
  }

  @Test
  public void aResultMayBeAddedAgain() throws Exception {
    publish(age());
    publish(age());
    storeAge();
    assertSame();
  }

  @Test
  public void tablesAreNamedByTheContract() {
    Map<String, String> names = new LinkedHashMap<>();
    names.put("user.age", "user__age");
    names.put("user.", "user__");
    names.put("user.is_18_or_older", "user__is_18_or_older");
    names.put("user.1234567890123456", "user__1234567890123456_e747ad17ac14f786");
    names.put("user.12345678", "user__12345678");
    names.put("user.a_123456789012345g", "user__a_123456789012345g");
    names.put("user.a1234567890123456", "user__a1234567890123456");
    names.put("user.a_123456789012345", "user__a_123456789012345");
    names.put("user." + "x".repeat(57), "user__" + "x".repeat(57));
    names.put("nodot", "__nodot");
    // Digits are those of md5sum.
    names.put("user.Age", "user__age_98be80d40833b0e2");
    names.put("User.", "user___ff8b4f567e421afd");
    names.put("user.é", "user____b8e88248808db65d");
    names.put("user.😀", "user____94f4e0238e754c13");
    names.put("a.b.c", "a_b__c_6ffb3d8eace93257");
    names.put("user.a__b", "user__a__b_c0d113c9c3a4a84c");
    names.put("us__er.", "us__er___27b280daf9a72578");
    names.put("user._a", "user___a_40148f99a66d3f0f");
    names.put("user.a_", "user__a__715fbd592b81597a");
    names.put("user_.a", "user___a_b54890ca8b983da2");
    names.put("user.a_12ab567f12ab567f", "user__a_12ab567f12ab567f_5cb38f0094bc4b91");
    names.put("user." + "x".repeat(58), "user__" + "x".repeat(40) + "_3455e942dfd15536");
    names.forEach((feature, table) -> assertThat(OfflineModel.tableOf(feature)).isEqualTo(table));
  }

  @Test
  public void everyColumnOfAQueryIsCompared() throws Exception {
    publish(
        result().toBuilder()
            .setExecutionStartedAt(NOW + 1)
            .setExecutionFinishedAt(NOW + 2)
            .setStatus(Status.PARTIAL)
            .setQueryName("name")
            .setQueryNameVersion("version")
            .setBranchName("branch")
            .setCorrelationId("correlation")
            .setTraceId("trace")
            .setAgentId("agent")
            .setQueryPlanId("plan")
            .setMetaQueryHash("hash")
            .build());
    String right =
        "environment_id = 'prod', deployment_id = 'blue', operation_kind = 'ONLINE_QUERY',"
            + (" query_timestamp = " + NOW_SQL)
            + (", execution_started_at = " + NOW_SQL + micros(1))
            + (", execution_finished_at = " + NOW_SQL + micros(2))
            + ", query_status = 'PARTIAL', query_name = 'name', query_name_version = 'version',"
            + " branch_name = 'branch', correlation_id = 'correlation', trace_id = 'trace',"
            + " agent_id = 'agent', query_plan_id = 'plan', meta_query_hash = 'hash',"
            + " value_tables = CAST(ARRAY[] AS text[])";
    log();
    Map<String, String> changes = new LinkedHashMap<>();
    changes.put("environment_id = 'test'", "environment_id prod, found environment_id test");
    changes.put("deployment_id = NULL", "deployment_id blue, found deployment_id null");
    changes.put(
        "operation_kind = 'STREAM'", "operation_kind ONLINE_QUERY, found operation_kind STREAM");
    changes.put(
        "query_timestamp = execution_started_at",
        "query_timestamp 2026-09-21T14:13:20Z, found query_timestamp 2026-09-21T14:13:20.000001Z");
    changes.put(
        "execution_started_at = NULL",
        "execution_started_at 2026-09-21T14:13:20.000001Z, found execution_started_at null");
    changes.put(
        "execution_finished_at = execution_started_at",
        "execution_finished_at 2026-09-21T14:13:20.000002Z,"
            + " found execution_finished_at 2026-09-21T14:13:20.000001Z");
    changes.put("query_status = 'FAILED'", "query_status PARTIAL, found query_status FAILED");
    changes.put("query_name = 'x'", "query_name name, found query_name x");
    changes.put(
        "query_name_version = 'x'", "query_name_version version, found query_name_version x");
    changes.put("branch_name = 'x'", "branch_name branch, found branch_name x");
    changes.put("correlation_id = 'x'", "correlation_id correlation, found correlation_id x");
    changes.put("trace_id = 'x'", "trace_id trace, found trace_id x");
    changes.put("agent_id = 'x'", "agent_id agent, found agent_id x");
    changes.put("query_plan_id = 'x'", "query_plan_id plan, found query_plan_id x");
    changes.put("meta_query_hash = 'x'", "meta_query_hash hash, found meta_query_hash x");
    changes.put("value_tables = ARRAY['b', 'a']", "value_tables [], found value_tables [a, b]");
    changes.put("value_tables = NULL", "value_tables [], found value_tables null");
    for (Map.Entry<String, String> change : changes.entrySet()) {
      sql("UPDATE query_log SET " + right);
      assertSame();
      sql("UPDATE query_log SET " + change.getKey());
      assertDifferent("prod.query_log op-1: expected " + change.getValue());
    }
  }

  @Test
  public void aQueryThatIsNotOrTwiceInTheLogIsADifference() throws Exception {
    publish(result());
    log();
    sql("DELETE FROM query_log");
    assertThat(words(compare()).get(0)).endsWith("value_tables [], found nothing");
    log();
    log();
    assertThat(words(compare()).get(0)).startsWith("prod.query_log op-1: expected one row, found");
    sql("UPDATE query_log SET operation_id = 'op-2'");
    assertThat(words(compare())).hasSize(3);
  }

  @Test
  public void whatIsUnknownOfAQueryIsNull() throws Exception {
    publish(result().toBuilder().clearDeploymentId().build());
    log();
    sql("UPDATE query_log SET deployment_id = NULL");
    assertSame();
  }

  @Test
  public void kindsAndEndsOfQueriesAreCalledAsInTheContract() throws Exception {
    publish(
        result().toBuilder()
            .setOperationKind(OperationKind.OPERATION_KIND_UNSPECIFIED)
            .setStatusValue(77)
            .build());
    log();
    sql(
        "UPDATE query_log SET operation_kind = 'OPERATION_KIND_UNSPECIFIED',"
            + " query_status = 'UNRECOGNIZED'");
    assertSame();
  }

  @Test
  public void aQuerysTablesAreThoseOfItsRowsInAnyOrder() throws Exception {
    publish(
        result(
                user()
                    .addColumns(column().addInt64Values(30))
                    .addColumns(typed(Column.Type.INT64).addInt64Values(1))
                    .addColumns(named("user.cached").setOrigin(Origin.ONLINE_STORE))
                    .addColumns(named("user.skipped").setSkipOffline(true)))
            .toBuilder()
            .addDeletions(deletion(NOW, "user.gone").getDeletions(0))
            .build());
    table("user__age", "bigint", "bigint");
    row("user__age", "'" + AGE_ID + "'", "7", "30");
    table("user__f", "bigint", "bigint");
    row("user__f", id("op-1", "user.f", "7", NOW), "7", "1");
    table("user__gone", "bigint", "bigint");
    deletedRow("user__gone", deletedId("op-1", "user.gone", "7", NOW), NOW_SQL);
    log("user__f", "user__gone", "user__age");
    assertSame();
    sql("UPDATE query_log SET value_tables = ARRAY['user__age']");
    assertDifferent(
        "prod.query_log op-1: expected value_tables [user__age, user__f, user__gone],"
            + " found value_tables [user__age]");
  }

  @Test
  public void tablesThatWouldOnlyHaveRefusedRowsAreNoneOfAQuerys() throws Exception {
    publish(
        result(
            user().addColumns(column().setObservedAt(0, NOW + 600 * SECOND).addInt64Values(30))));
    log();
    assertSame();
  }

  @Test
  public void thePartsOfAResultAreOneQuery() throws Exception {
    publish(result().toBuilder().setPart(0).setParts(3).build());
    publish(
        result(user().addColumns(typed(Column.Type.INT64).addInt64Values(1))).toBuilder()
            .setPart(1)
            .setParts(3)
            .build());
    publish(age().toBuilder().setPart(2).setParts(3).build());
    table("user__age", "bigint", "bigint");
    row("user__age", "'" + AGE_ID + "'", "7", "30");
    table("user__f", "bigint", "bigint");
    row("user__f", id("op-1", "user.f", "7", NOW), "7", "1");
    log("user__age", "user__f");
    assertSame();
  }

  @Test
  public void partsWhoseHeadsDifferAreRefused() {
    publish(result());
    QueryResult other = result().toBuilder().setQueryName("other").build();
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> publish(other));
    assertThat(e).hasMessageThat().startsWith("The parts of op-1 differ in [prod, blue,");
  }

  @Test
  public void aSecondTypeOfAFeatureIsRefused() {
    publish(age());
    publish(deletion(NOW, "user.age"));
    QueryResult other =
        result(
            user()
                .addColumns(typed(Column.Type.FLOAT64).setFeature("user.age").addFloat64Values(1)));
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> publish(other));
    assertThat(e).hasMessageThat().isEqualTo("user.age is INT64 and FLOAT64");
  }

  @Test
  public void aSecondTypeOfKeysIsRefused() {
    publish(deletion(NOW, "user.age"));
    QueryResult other =
        result(
            Frame.newBuilder()
                .setNamespace("user")
                .addStringKeys("7")
                .addColumns(column().addInt64Values(1)));
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> publish(other));
    assertThat(e).hasMessageThat().isEqualTo("user.age has keys of two types");
  }

  @Test
  public void anUnknownTypeIsRefused() {
    QueryResult unknown = result(user().addColumns(column().setTypeValue(42)));
    assertThrows(IllegalArgumentException.class, () -> publish(unknown));
  }

  @Test
  public void nothingOfARefusedResultMayBeThere() throws Exception {
    model.addRefused(age());
    assertThat(compare()).isEqualTo(new OfflineModel.Comparison(0, 0, 0, Map.of(), List.of()));
    storeAge();
    assertThat(words(compare()))
        .containsExactly(
            "prod.query_log: expected no such table, found one",
            "prod.user__age: expected no such table, found one")
        .inOrder();
    publish(result());
    model.addRefused(age().toBuilder().setOperationId("op-2").build());
    sql("UPDATE query_log SET value_tables = CAST(ARRAY[] AS text[])");
    assertThat(words(compare()))
        .containsExactly("prod.user__age: expected no such table, found one");
  }

  @Test
  public void aRefusedResultMayHaveNoEnvironment() throws Exception {
    model.addRefused(age().toBuilder().clearEnvironmentId().build());
    List<String> asked = new ArrayList<>();
    model.compare(
        store,
        environment -> {
          asked.add(environment);
          return environment;
        });
    assertThat(asked).isEmpty();
  }

  @Test
  public void everyEnvironmentHasASchema() throws Exception {
    publish(age());
    publish(age().toBuilder().setEnvironmentId("test").build());
    for (String environment : List.of("prod", "test")) {
      use("tailrace_" + environment);
      storeAge();
      sql("UPDATE query_log SET environment_id = '" + environment + "'");
    }
    UnaryOperator<String> schema = environment -> "tailrace_" + environment;
    assertThat(model.compare(store, schema))
        .isEqualTo(new OfflineModel.Comparison(4, 4, 4, Map.of(), List.of()));
    sql("UPDATE user__age SET value = 31");
    assertThat(words(model.compare(store, schema)))
        .containsExactly(
            "tailrace_test.user__age " + AGE_ID + ": expected value 30, found value 31");
  }

  @Test
  public void aStoreWithOneSchemaHoldsOneEnvironment() throws Exception {
    publish(age());
    model.addRefused(age().toBuilder().setEnvironmentId("a-typo").build());
    model.addRefused(age().toBuilder().setEnvironmentId("zero").build());
    storeAge();
    assertThat(model.compare(store, environment -> "prod"))
        .isEqualTo(new OfflineModel.Comparison(2, 2, 2, Map.of(), List.of()));

    publish(age().toBuilder().setEnvironmentId("test").build());
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> model.compare(store, environment -> "prod"));
    assertThat(e).hasMessageThat().isEqualTo("several environments have the same schema");
  }

  @Test
  public void onlyTheSchemasOfTheEnvironmentsAreLookedAt() throws Exception {
    publish(age());
    storeAge();
    use("tailrace_test");
    table("somebody_elses", "bigint", "bigint");
    assertSame();
  }

  @Test
  public void onlyTheStoresOwnDatabaseIsLookedAt() throws Exception {
    assumeTrue("PostgreSQL shows no other databases", server == Server.DUCKDB);
    publish(age());
    storeAge();
    sql("ATTACH ':memory:' AS another");
    sql("CREATE SCHEMA another.prod");
    sql("CREATE TABLE another.prod.user__height (pkey bigint)");
    assertSame();
  }

  @Test
  public void namesAreQuoted() throws Exception {
    publish(age().toBuilder().setEnvironmentId("it's \"x\"").build());
    use("it's \"x\"");
    storeAge();
    sql("UPDATE query_log SET environment_id = 'it''s \"x\"'");
    assertSame();
    assertThat(compare().tablesFound()).isEqualTo(2);
  }

  @Test
  public void theStoreMayKeepATableInPartitions() throws Exception {
    assumeTrue("DuckDB has no partitions", server == Server.POSTGRESQL);
    publish(age());
    storeAge();
    sql("ALTER TABLE user__age RENAME TO old");
    sql("CREATE TABLE user__age (LIKE old) PARTITION BY RANGE (observed_at)");
    sql("CREATE TABLE \"user__age#all\" PARTITION OF user__age DEFAULT");
    sql("INSERT INTO user__age SELECT * FROM old");
    sql("DROP TABLE old");
    assertSame();
    assertThat(compare().tablesFound()).isEqualTo(2);
  }

  @Test
  public void tenDifferencesAreListedAndAllAreCounted() throws Exception {
    storeManyAges(30);
    assertSame();
    sql("UPDATE user__age SET value = -1");
    assertThat(compare().differences()).isEqualTo(30);
    assertThat(compare().first()).hasSize(10);
  }

  @Test
  public void aTableIsReadToItsEndInPages() throws Exception {
    storeManyAges(25_000);
    assertSame();
    assertThat(store.mostRows).isEqualTo(20_000);
    sql("UPDATE user__age SET value = -1");
    assertThat(compare().differences()).isEqualTo(25_000);
  }

  @Test
  public void rowsThatMoveWithinTheTableAreReadOnce() throws Exception {
    storeManyAges(25_000);
    store.afterQuery =
        query -> {
          if (query.contains("user__age")) {
            sql("CREATE TABLE moved AS SELECT * FROM user__age WHERE pkey < 12000");
            sql("DELETE FROM user__age WHERE pkey < 12000");
            sql("INSERT INTO user__age SELECT * FROM moved");
            sql("DROP TABLE moved");
          }
        };
    assertSame();
  }

  @Test
  public void aStoreOfAnotherKindIsRefused() {
    publish(age());
    JdbcStore other = new JdbcStore("bigquery://project/dataset", "");
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> model.compare(other, it -> it));
    assertThat(e)
        .hasMessageThat()
        .isEqualTo(
            "The model can't read bigquery://project/dataset; it knows duckdb: and postgresql:");
  }

  @Test
  public void sampleTrafficHasNothingThatTheModelRefuses() {
    SampleTraffic traffic = new SampleTraffic(1);
    for (int i = 0; i < 3_000; i++) {
      SampleMessage message = traffic.next(NOW + i);
      if (message.decodable()) {
        model.add(message.result(), NOW + i);
      } else {
        model.addRefused(message.result());
      }
    }
    assertThat(model.tableCount()).isGreaterThan(30);
    assertThat(model.rowCount()).isGreaterThan(20_000L);
  }

  private void publish(QueryResult result) {
    model.add(result, NOW);
  }

  private static QueryResult result(Frame.Builder... frames) {
    QueryResult.Builder result =
        QueryResult.newBuilder()
            .setOperationId("op-1")
            .setEnvironmentId("prod")
            .setDeploymentId("blue")
            .setOperationKind(OperationKind.ONLINE_QUERY)
            .setQueryTimestamp(NOW)
            .setStatus(Status.FAILED);
    for (Frame.Builder frame : frames) {
      result.addFrames(frame);
    }
    return result.build();
  }

  private static QueryResult age() {
    return result(user().addColumns(column().addInt64Values(30)));
  }

  private static Frame.Builder user() {
    return Frame.newBuilder().setNamespace("user").addInt64Keys(7);
  }

  private static Column.Builder column() {
    return named("user.age");
  }

  private static Column.Builder typed(Column.Type type) {
    return named("user.f").setType(type);
  }

  private static Column.Builder named(String feature) {
    return Column.newBuilder()
        .setFeature(feature)
        .setType(Column.Type.INT64)
        .setResolverFqn("resolvers.age")
        .setMaxStaleness(Long.MAX_VALUE)
        .addObservedAt(NOW);
  }

  private static QueryResult deletion(long observedAt, String... features) {
    return result().toBuilder()
        .addDeletions(
            Deletion.newBuilder()
                .setNamespace("user")
                .addInt64Keys(7)
                .addAllFeatures(List.of(features))
                .setObservedAt(observedAt))
        .build();
  }

  private static ByteString bits(int... bytes) {
    byte[] bits = new byte[bytes.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = (byte) bytes[i];
    }
    return ByteString.copyFrom(bits);
  }

  /** Stores what {@link #age} is, in both tables. */
  private void storeAge() {
    table("user__age", "bigint", "bigint");
    row("user__age", "'" + AGE_ID + "'", "7", "30");
    log("user__age");
  }

  /** Publishes and stores the ages of many users: each is as old as its key says. */
  private void storeManyAges(int count) {
    Frame.Builder frame = Frame.newBuilder().setNamespace("user");
    Column.Builder column = column();
    for (int key = 0; key < count; key++) {
      frame.addInt64Keys(key);
      column.addInt64Values(key);
    }
    publish(result(frame.addColumns(column)));
    table("user__age", "bigint", "bigint");
    sql(
        "INSERT INTO user__age SELECT CAST(md5('4:op-18:user.age' || length('' || k) || ':' || k"
            + " || '16:1790000000000000') AS uuid), k, k, "
            + NOW_SQL
            + ", now(), 'resolvers.age', 'blue', 'op-1', false"
            + " FROM generate_series(0, "
            + (count - 1)
            + ") AS keys(k)");
    log("user__age");
  }

  private void assertWrong(Column.Builder column, String sql, String expected, String found)
      throws Exception {
    beginAnew();
    publish(result(user().addColumns(column)));
    storeOnly(column.getType(), sql);
    assertDifferent(
        "prod.user__f 6d56dfbb-4ae7-ee2e-de1f-5cf3c3b519c8: expected value "
            + expected
            + ", found value "
            + found);
  }

  private void assertGreater(String sql, Column.Builder less, Column.Builder greater)
      throws Exception {
    for (List<Column.Builder> order : List.of(List.of(less, greater), List.of(greater, less))) {
      beginAnew();
      for (Column.Builder column : order) {
        publish(result(user().addColumns(column)));
      }
      storeOnly(less.getType(), sql);
      assertSame();
    }
  }

  private void beginAnew() {
    model = new OfflineModel();
    sql("DROP TABLE IF EXISTS user__f");
    sql("DROP TABLE IF EXISTS query_log");
  }

  private void storeOnly(Column.Type type, String value) {
    table("user__f", "bigint", sqlType(type));
    row("user__f", id("op-1", "user.f", "7", NOW), "7", value);
    log("user__f");
  }

  private void use(String schema) {
    String quoted = '"' + schema.replace("\"", "\"\"") + '"';
    if (server == Server.DUCKDB) {
      sql("CREATE SCHEMA prod." + quoted);
      sql("USE prod." + quoted);
    } else {
      sql("DROP SCHEMA IF EXISTS " + quoted + " CASCADE");
      sql("CREATE SCHEMA " + quoted);
      sql("SET search_path TO " + quoted);
    }
  }

  private void table(String name, String keyType, String valueType) {
    sql(
        "CREATE TABLE "
            + name
            + " (observation_id uuid, pkey "
            + keyType
            + ", value "
            + valueType
            + ", observed_at timestamptz, inserted_at timestamptz, resolver_fqn text,"
            + " deployment_id text, operation_id text, deleted boolean)");
  }

  private void row(String table, String id, String key, String value) {
    row(table, id, key, value, NOW_SQL);
  }

  private void row(String table, String id, String key, String value, String observedAt) {
    sql(
        "INSERT INTO "
            + table
            + " VALUES ("
            + String.join(", ", id, key, value, observedAt)
            + ", now(), 'resolvers.age', 'blue', 'op-1', false)");
  }

  private void deletedRow(String table, String id, String observedAt) {
    sql(
        "INSERT INTO "
            + table
            + " (observation_id, pkey, observed_at, inserted_at, deployment_id, operation_id,"
            + " deleted) VALUES ("
            + id
            + ", 7, "
            + observedAt
            + ", now(), 'blue', 'op-1', true)");
  }

  /** Stores what the log says of {@link #result}. */
  private void log(String... tables) {
    sql(
        "CREATE TABLE IF NOT EXISTS query_log (operation_id text, environment_id text,"
            + " deployment_id text, operation_kind text, query_timestamp timestamptz,"
            + " execution_started_at timestamptz, execution_finished_at timestamptz,"
            + " query_status text, query_name text, query_name_version text, branch_name text,"
            + " correlation_id text, trace_id text, agent_id text, query_plan_id text,"
            + " meta_query_hash text, value_tables text[])");
    List<String> quoted = new ArrayList<>();
    for (String table : tables) {
      quoted.add("'" + table + "'");
    }
    sql(
        "INSERT INTO query_log (operation_id, environment_id, deployment_id, operation_kind,"
            + " query_timestamp, query_status, value_tables)"
            + " VALUES ('op-1', 'prod', 'blue', 'ONLINE_QUERY', "
            + NOW_SQL
            + ", 'FAILED', CAST(ARRAY["
            + String.join(", ", quoted)
            + "] AS text[]))");
  }

  private String sqlType(Column.Type type) {
    return switch (type) {
      case INT64 -> "bigint";
      case FLOAT64 -> "double precision";
      case BOOL -> "boolean";
      case STRING -> "text";
      case BYTES -> "bytea";
      case TIMESTAMP -> "timestamptz";
      case DATE -> "date";
      case VECTOR -> "real[]";
      case JSON -> "json";
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  private String bytes(String hex) {
    return server == Server.DUCKDB ? "from_hex('" + hex + "')" : "decode('" + hex + "', 'hex')";
  }

  private static String time(String text) {
    return "TIMESTAMPTZ '" + text + "+00'";
  }

  /** To be added to a time. */
  private static String micros(long micros) {
    return " + INTERVAL '" + micros + " microseconds'";
  }

  /** The id of an observation, whose texts are ASCII. */
  private static String id(String operation, String feature, String key, long observedAt) {
    StringBuilder all = new StringBuilder();
    for (String text : List.of(operation, feature, key, "" + observedAt)) {
      all.append(text.length()).append(':').append(text);
    }
    return md5(all.toString());
  }

  /** The id of a deletion. */
  private static String deletedId(String operation, String feature, String key, long observedAt) {
    return id(operation, feature, key, observedAt).replace("') AS", "7:deleted') AS");
  }

  /** The MD5 of a text, as the stores compute it. */
  private static String md5(String text) {
    return "CAST(md5('" + text + "') AS uuid)";
  }

  private void sql(String sql) {
    try (Statement statement = connection.createStatement()) {
      boolean unused = statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(sql, e);
    }
  }

  private OfflineModel.Comparison compare() throws Exception {
    return model.compare(store, environment -> environment);
  }

  private static List<String> words(OfflineModel.Comparison comparison) {
    return comparison.first().stream().map(OfflineModel.Difference::toString).toList();
  }

  private void assertSame() throws Exception {
    OfflineModel.Comparison comparison = compare();
    assertThat(words(comparison)).isEmpty();
    assertThat(comparison.differences()).isEqualTo(0);
    assertThat(comparison.tablesFound()).isEqualTo(model.tableCount());
    assertThat(comparison.rows()).isEqualTo(model.rowCount());
  }

  private void assertDifferent(String difference) throws Exception {
    OfflineModel.Comparison comparison = compare();
    assertThat(words(comparison)).containsExactly(difference);
    assertThat(comparison.differences()).isEqualTo(1);
  }

  private static final class JdbcStore implements OfflineReader {
    private final String uri;
    private final String jdbcUrl;
    private Consumer<String> afterQuery = query -> {};
    private int mostRows;

    JdbcStore(String uri, String jdbcUrl) {
      this.uri = uri;
      this.jdbcUrl = jdbcUrl;
    }

    @Override
    public String uri() {
      return uri;
    }

    @Override
    public Table query(String sql, int limit) throws UnavailableException {
      List<List<String>> rows = new ArrayList<>();
      boolean complete = true;
      try (java.sql.Connection reader = DriverManager.getConnection(jdbcUrl);
          Statement statement = reader.createStatement();
          ResultSet result = statement.executeQuery(sql)) {
        while (complete && result.next()) {
          complete = rows.size() < limit;
          if (complete) {
            List<String> row = new ArrayList<>();
            for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
              row.add(result.getString(i));
            }
            rows.add(row);
          }
        }
      } catch (SQLException e) {
        throw new UnavailableException(sql, e);
      }
      mostRows = Math.max(mostRows, rows.size());
      afterQuery.accept(sql);
      return new Table(List.of(), rows, complete);
    }
  }
}
