package io.tailrace.online.dynamodb;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.BundleWriter;
import io.tailrace.online.Cell;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.online.OnlineStores;
import io.tailrace.online.WriteOnline;
import io.tailrace.pipelines.local.servers.dynamodb.FakeDynamoDb;
import io.tailrace.stage.Failure;
import io.tailrace.testing.OnlineWriters;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column;
import io.tailrace.v1.QueryResult;
import java.time.Duration;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** How entities stand in a table, on a simulated DynamoDB. */
@RunWith(JUnit4.class)
public class DynamoDbItemsTest {
  private static final long T = OnlineWriters.START;
  private static final long HOUR = 3_600_000_000L;
  private static final long DAY = 24 * HOUR;

  private FakeDynamoDb server;
  private BundleWriter writer;
  private long now = T - 1_000_000;

  @Before
  public void start() {
    server = FakeDynamoDb.start();
    writer = BundleWriter.of(write(""));
  }

  private WriteOnline write(String parameters) {
    return WriteOnline.to(uri() + parameters)
        .withClock(() -> Micros.instant(now))
        .withMaxClockSkew(Duration.ofHours(2))
        .withDeletionRetention(Duration.ofDays(2));
  }

  @After
  public void stop() {
    writer.close();
    server.close();
  }

  private String uri() {
    return FakeTables.uri(server.endpoint(), "features") + "&create=true";
  }

  private JsonNode item() {
    List<JsonNode> items = server.items("features");
    assertThat(items).hasSize(1);
    return items.get(0);
  }

  private Set<String> attributes() {
    Set<String> names = new HashSet<>();
    item().fieldNames().forEachRemaining(names::add);
    return names;
  }

  private long keptUntil() {
    return item().path("__exp__").path("N").asLong(-1);
  }

  private BundleWriter.Written write(QueryResult... results) throws Exception {
    return writer.write(now, results);
  }

  @Test
  public void anItemIsThatOfTheDocumentedLayout() throws Exception {
    write(
        Results.of(
            Results.user(
                "ann",
                Results.expiring("age", T, DAY, 42),
                Results.int64("größe 😀", T, 1),
                Results.int64("_private", T, 2),
                Results.int64("_id__", T, 3))));

    assertThat(item().path("__id__").path("S").asText()).isEqualTo("ann");
    assertThat(item().path("__ns__").path("S").asText()).isEqualTo("user");
    assertThat(item().path("__exp__").path("NULL").asBoolean()).isTrue();
    assertThat(attributes())
        .containsExactly(
            "__id__",
            "__ns__",
            "__exp__",
            "__version__",
            "__due__",
            "age",
            "größe 😀",
            "__private",
            "___id__");
    byte[] age = Base64.getDecoder().decode(item().path("age").path("B").asText());
    assertThat(Cell.of(age).value()).hasValue(42L);
    assertThat(Cell.of(age).expiresAt()).isEqualTo(T + DAY);
  }

  @Test
  public void noTwoFeaturesShareAnAttributeAndNoneIsTheItemsOwn() {
    Set<String> taken = new HashSet<>(Attributes.RESERVED);
    for (String stem : List.of("", "id__", "ns__", "exp__", "version__", "x", "x_", "id_")) {
      for (int underscores = 0; underscores < 6; underscores++) {
        String name = "_".repeat(underscores) + stem;
        if (!name.isEmpty()) {
          String attribute = Attributes.of(name);
          assertThat(taken.add(attribute)).isTrue();
          assertThat(Attributes.feature(attribute)).hasValue(name);
        }
      }
    }
    assertThat(Attributes.of("_x")).isEqualTo("__x");
    assertThat(Attributes.feature("_x")).isEmpty();
  }

  @Test
  public void anItemIsKeptUntilItsLastCellIsOverAndTheGraceToo() throws Exception {
    write(Results.of(Results.user("ann", Results.expiring("age", T, DAY, 1))));
    long first = keptUntil();
    assertThat(first).isAtLeast((T + DAY + HOUR) / 1_000_000);
    assertThat(first).isLessThan((T + DAY + 2 * HOUR) / 1_000_000);

    write(Results.of(Results.user("ann", Results.expiring("day", T, 3 * DAY, 1))));
    long longer = keptUntil();
    assertThat(longer).isAtLeast((T + 3 * DAY + HOUR) / 1_000_000);

    write(Results.of(Results.user("ann", Results.expiring("age", T + 1, DAY, 2))));
    assertThat(keptUntil()).isEqualTo(longer);

    write(Results.of(Results.user("ann", Results.int64("ever", T, 1))));
    assertThat(keptUntil()).isEqualTo(-1);

    write(Results.of(Results.user("ann", Results.expiring("age", T + 2, DAY, 3))));
    assertThat(keptUntil()).isEqualTo(-1);
  }

  @Test
  public void whatIsKeptLongerIsLearnedAndCostsNoSecondRequest() throws Exception {
    for (int key = 0; key < 8; key++) {
      write(
          Results.of(
              Results.user("k" + key, Results.expiring("age", T, DAY, 1)),
              Results.user("k" + key, Results.expiring("slow", T, 9 * DAY, 1))));
    }
    write(Results.of(Results.user("k0", Results.expiring("age", T + 1, DAY, 1))));
    long before = server.requests();

    for (int key = 1; key < 8; key++) {
      write(Results.of(Results.user("k" + key, Results.expiring("age", T + 1, DAY, 1))));
    }

    assertThat(server.requests() - before).isEqualTo(7);
  }

  @Test
  public void whatIsOverGoesWhenItsEntityIsWritten() throws Exception {
    write(
        Results.of(
            Results.user(
                "ann", Results.expiring("age", T, HOUR, 1), Results.expiring("day", T, DAY, 1))));
    now = T + 5 * HOUR;

    write(Results.of(Results.user("ann", Results.expiring("day", now, DAY, 2))));

    assertThat(attributes()).doesNotContain("age");
    assertThat(attributes()).contains("day");
  }

  @Test
  public void whatIsOverGoesAlsoWhenWhatIsWrittenNeverIs() throws Exception {
    write(Results.of(Results.user("ann", Results.expiring("age", T, HOUR, 1))));
    now = T + 5 * HOUR;

    write(Results.of(Results.user("ann", Results.int64("height", now, 180))));

    assertThat(attributes()).doesNotContain("age");
    assertThat(attributes()).contains("height");
  }

  @Test
  public void aFenceRemovesTheCellsThatItCovers() throws Exception {
    write(
        Results.of(
            Results.user("ann", Results.int64("age", T, 1), Results.int64("new", T + 20, 1))));

    write(Results.of(Results.deletion("ann", T + 10)));

    assertThat(attributes())
        .containsExactly(
            "__id__",
            "__ns__",
            "__exp__",
            "__version__",
            "__fence__",
            "__remembered__",
            "__due__",
            "new");
  }

  @Test
  public void aDeletionIsForgottenWithItsItemWhenItsTimeIsOver() throws Exception {
    write(Results.of(Results.deletion("ann", T)));
    assertThat(attributes()).contains("__fence__");

    now = T + 3 * DAY;
    write(Results.of(Results.user("ann", Results.expiring("age", T, HOUR, 1))));

    assertThat(server.items("features")).isEmpty();
  }

  @Test
  public void somebodyElsesItemIsNotTouched() throws Exception {
    OnlineStores.at(uri()).check();
    server.put(
        "features",
        "{\"__id__\":{\"S\":\"ann\"},\"__ns__\":{\"S\":\"user\"},\"age\":{\"N\":\"7\"}}");

    BundleWriter.Written written =
        write(Results.of(Results.user("ann", Results.int64("height", T, 1))));

    assertThat(written.outcomes().get(0).rejected()).isEqualTo(1);
    assertThat(message(written)).contains("one that Tailrace did not write");
    assertThat(attributes()).containsExactly("__id__", "__ns__", "age");
    try (OnlineReader reader = OnlineReader.open(uri())) {
      assertThat(reader.read(new EntityKey(Results.ENVIRONMENT, "user", "ann"))).isEmpty();
    }
  }

  @Test
  public void whatOthersPutIntoAnItemOfOursIsKeptUnlessAFeatureHasItsName() throws Exception {
    write(Results.of(Results.user("ann", Results.int64("age", T, 1))));
    String ours = item().toString();
    server.put(
        "features",
        ours.substring(0, ours.length() - 1) + ",\"note\":{\"S\":\"x\"},\"height\":{\"N\":\"1\"}}");

    BundleWriter.Written written =
        write(
            Results.of(
                Results.user(
                    "ann", Results.int64("age", T + 1, 2), Results.int64("height", T, 180))));

    assertThat(written.outcomes().get(0).written()).isEqualTo(2);
    assertThat(item().path("note").path("S").asText()).isEqualTo("x");
    assertThat(item().path("height").has("B")).isTrue();
  }

  @Test
  public void aNameThatIsTooLongIsRejectedByTheCellAndTheRestIsStored() throws Exception {
    BundleWriter.Written written =
        write(
            Results.of(
                Results.user(
                    "ann",
                    Results.int64("n".repeat(50_000), T, 1),
                    Results.int64("n".repeat(50_001), T, 2),
                    Results.int64("age", T, 42))));

    assertThat(written.outcomes().get(0).written()).isEqualTo(2);
    assertThat(written.outcomes().get(0).rejected()).isEqualTo(1);
    assertThat(message(written)).contains("at most 50000 bytes in DynamoDB, this one has 50001");
    assertThat(attributes()).containsAtLeast("n".repeat(50_000), "age");
  }

  @Test
  public void whatHasNoRoomIsRejectedByTheCellAndTheRestIsStored() throws Exception {
    String large = "x".repeat(150_000);
    write(Results.of(Results.user("ann", Results.string("a", T, large))));

    BundleWriter.Written written =
        write(
            Results.of(
                Results.user(
                    "ann",
                    Results.string("b", T, large),
                    Results.string("c", T, large + large),
                    Results.int64("age", T, 42))));

    assertThat(written.outcomes().get(0).written()).isEqualTo(2);
    assertThat(written.outcomes().get(0).rejected()).isEqualTo(1);
    assertThat(message(written)).contains("its cell of 300018 bytes has no room");
    assertThat(message(written)).contains("at most 409600 bytes");
    assertThat(attributes()).containsAtLeast("a", "b", "age");
    assertThat(attributes()).doesNotContain("c");
  }

  @Test
  public void anItemMayBeAsLargeAsDynamoDbTakes() throws Exception {
    // Names, version, and for ever.
    int own = 6 + 3 + 6 + 4 + 11 + 8 + 7 + 1;
    int room = 400 * 1024 - own - "a".length() - Cell.HEADER_BYTES;

    assertThat(
            write(Results.of(Results.user("ann", Results.string("a", T, "x".repeat(room)))))
                .failures())
        .isEmpty();
    assertThat(
            write(Results.of(Results.user("ann", Results.string("a", T + 1, "x".repeat(room + 1)))))
                .failures())
        .hasSize(1);
    assertThat(item().path("a").path("B").asText().length()).isGreaterThan(4 * (room / 3) - 4);
  }

  @Test
  public void keysThatAreTooLongAreRejected() throws Exception {
    BundleWriter.Written written =
        write(
            Results.of(
                Results.users(
                    List.of("é".repeat(1_025), "é".repeat(1_024)), Results.int64("age", T, 1, 2))));

    assertThat(written.outcomes().get(0).written()).isEqualTo(1);
    assertThat(message(written))
        .contains("a primary key has at most 2048 bytes in DynamoDB, this one has 2050");
  }

  @Test
  public void anEntityIsOneRequestAndAWideOneTwo() throws Exception {
    write(Results.of(Results.user("ann", Results.int64("age", T, 1))));
    long before = server.requests();

    write(narrow(T + 1));
    assertThat(server.requests() - before).isEqualTo(1);

    write(wide(T + 2));
    assertThat(server.requests() - before).isEqualTo(3);
  }

  private static QueryResult narrow(long time) {
    return features(BlindUpdate.MAX_FEATURES, time);
  }

  private static QueryResult wide(long time) {
    return features(3_000, time);
  }

  private static QueryResult features(int count, long time) {
    return Results.of(
        Results.user(
            "ann",
            IntStream.range(0, count)
                .mapToObj(i -> Results.int64("f" + i, time, i))
                .toArray(Column[]::new)));
  }

  @Test
  public void aReplayIsReadAndNotWritten() throws Exception {
    List<String> keys = IntStream.range(0, 200).mapToObj(i -> "k" + i).toList();
    QueryResult result = Results.of(Results.users(keys, Results.int64("age", T, new long[200])));
    write(result);
    // What everybody lost is found out by writes; from then on by reads.
    write(result);
    double units = server.writeUnits();

    assertThat(write(result).outcomes().get(0).duplicate()).isEqualTo(200);

    assertThat(server.writeUnits()).isEqualTo(units);
    assertThat(server.requests("BatchGetItem")).isEqualTo(2);
  }

  @Test
  public void whatIsThrottledOrUnansweredIsSentAgain() throws Exception {
    List<String> keys = IntStream.range(0, 100).mapToObj(i -> "k" + i).toList();
    write(Results.of(Results.users(keys, Results.int64("age", T, new long[100]))));
    server.refuseNext(60, 400, "ProvisionedThroughputExceededException");
    write(Results.of(Results.users(keys, Results.int64("age", T + 1, new long[100]))));
    server.refuseNext(3, 500, "InternalServerError");
    server.loseAnswers(5);
    BundleWriter.Written written =
        write(Results.of(Results.users(keys, Results.int64("age", T + 2, new long[100]))));

    assertThat(written.failures()).isEmpty();
    server.processInParts(2);
    try (OnlineReader reader = OnlineReader.open(uri())) {
      List<Map<String, OnlineReader.Value>> read =
          reader.read(
              keys.stream().map(key -> new EntityKey(Results.ENVIRONMENT, "user", key)).toList());
      for (Map<String, OnlineReader.Value> each : read) {
        assertThat(each.get("age").observedAt()).isEqualTo(Micros.instant(T + 2));
      }
    }
  }

  @Test
  public void environmentsHaveTablesOfTheirOwn() throws Exception {
    String uri = FakeTables.uri(server.endpoint(), "t-{environment}") + "&create=true";
    try (BundleWriter both =
        BundleWriter.of(WriteOnline.to(uri).withClock(() -> Micros.instant(now)))) {
      QueryResult result = Results.of(Results.user("ann", Results.int64("age", T - HOUR, 1)));
      both.write(now, result, result.toBuilder().setEnvironmentId("feature/x y").build());
    }

    assertThat(server.tables()).hasSize(2);
    assertThat(server.tables()).contains("t-production");
    assertThat(server.tables().toString()).containsMatch("t-feature_x_y-[0-9a-f]{16}");
  }

  private BundleWriter environments(String... named) {
    return BundleWriter.of(
        WriteOnline.to(
                OnlineStores.at(FakeTables.uri(server.endpoint(), "t-{environment}"))
                    .ofEnvironments(Set.of(named)))
            .withClock(() -> Micros.instant(now)));
  }

  @Test
  public void anEnvironmentThatNobodyHasNamedStopsNoOtherOne() throws Exception {
    server.createTable("t-production", "__id__", "__ns__");
    server.createTable("t-other", "pk", "sk");
    QueryResult result = Results.of(Results.user("ann", Results.int64("age", T - HOUR, 1)));
    try (BundleWriter any = environments()) {
      for (String odd : List.of("typo", "other", "e".repeat(1_000))) {
        QueryResult ofOdd = result.toBuilder().setEnvironmentId(odd).build();

        BundleWriter.Written written = any.write(now, ofOdd, result);

        assertThat(written.failures()).hasSize(1);
        assertThat(message(written))
            .containsMatch(odd.equals("other") ? "keys of the table t-other" : "is missing: add");
        assertThat(server.items("t-production")).hasSize(1);
      }
      // It is found as soon as it is there.
      server.createTable("t-typo", "__id__", "__ns__");
      QueryResult later = result.toBuilder().setEnvironmentId("typo").build();
      assertThat(any.write(now, later).failures()).isEmpty();
    }
  }

  @Test
  public void everythingWaitsAsLongAsNoTableCouldBeUsed() throws Exception {
    QueryResult result = Results.of(Results.user("ann", Results.int64("age", T - HOUR, 1)));
    try (BundleWriter any = environments()) {
      assertThat(assertThrows(UnavailableException.class, () -> any.write(now, result)))
          .hasMessageThat()
          .contains("no table could be used yet. Name the environments with --environments");

      server.createTable("t-production", "__id__", "__ns__");
      assertThat(any.write(now, result).failures()).isEmpty();
    }
  }

  @Test
  public void anEnvironmentThatIsNamedIsWaitedFor() throws Exception {
    QueryResult result = Results.of(Results.user("ann", Results.int64("age", T - HOUR, 1)));
    try (BundleWriter named = environments(Results.ENVIRONMENT)) {
      UnavailableException e =
          assertThrows(UnavailableException.class, () -> named.write(now, result));

      assertThat(e).hasMessageThat().contains("the table t-production is missing: add create=true");
    }
  }

  @Test
  public void aTableThatIsReplacedByOneOfOtherKeysIsNoFaultOfEntities() throws Exception {
    QueryResult result = Results.of(Results.user("ann", Results.int64("age", T, 1)));
    write(result);
    server.removeAll();
    server.createTable("features", "pk", "sk");

    assertThat(assertThrows(UnavailableException.class, () -> write(result)))
        .hasMessageThat()
        .contains("the table features can't be used: ValidationException");
    assertThat(assertThrows(UnavailableException.class, () -> write(result)))
        .hasMessageThat()
        .contains("the keys of the table features are pk S, sk S");
  }

  private static String message(BundleWriter.Written written) {
    StringBuilder messages = new StringBuilder();
    for (Failure failure : written.failures()) {
      failure.cells().forEach(cell -> messages.append(cell.message()));
    }
    return messages.toString();
  }
}
