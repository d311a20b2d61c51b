package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Buses;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.offline.bulk.Notification;
import io.tailrace.offline.bulk.NotificationFormat;
import io.tailrace.offline.bulk.OfflineResults;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.parquet.WideMapping;
import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Letter;
import io.tailrace.testing.Results;
import io.tailrace.v1.BulkUpload;
import io.tailrace.v1.Column;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.QueryResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.RuleChain;
import org.junit.rules.TemporaryFolder;
import redis.clients.jedis.Jedis;

/**
 * From poison to persistence, with all writers: messages are refused, listed, explained; what can
 * be mended is, and is stored after one replay; everything else is one letter again.
 */
public class PoisonLettersTest {
  private static final TemporaryFolder folder = new TemporaryFolder();
  private static final PoisonedStack poisoned = new PoisonedStack(folder);

  @ClassRule public static final RuleChain rules = RuleChain.outerRule(folder).around(poisoned);

  /** What becomes of letters that are replayed when tables and keys were mended. */
  private static final Map<Reason, String> AFTER_MENDING =
      Map.of(
          Reason.UNDECODABLE, "REFUSED_AGAIN",
          Reason.MISSING_FIELD, "REFUSED_AGAIN",
          Reason.LENGTH_MISMATCH, "REFUSED_AGAIN",
          Reason.UNKNOWN_TYPE, "REFUSED_AGAIN",
          Reason.INVALID_VALUE, "REFUSED_AGAIN",
          Reason.OBSERVED_IN_FUTURE, "REFUSED_AGAIN",
          Reason.TYPE_CHANGED, "STORED",
          Reason.TABLE_REFUSES, "STORED",
          Reason.NAME_TAKEN, "STORED",
          Reason.REJECTED_BY_STORE, "STORED");

  /** And what, when options of writers and limits of topics were changed. */
  private static final Map<Reason, String> AFTER_CHANGES =
      Map.of(
          Reason.MISSING_FILE, "STORED",
          Reason.UNKNOWN_ENVIRONMENT, "STORED",
          Reason.TOO_LARGE, "STORED",
          Reason.TOO_OLD, "STORED");

  /** Nobody gives these: a later version does, and what one such says is not known here. */
  private static final Set<Reason> OF_NOBODY =
      Set.of(Reason.REASON_UNSPECIFIED, Reason.UNRECOGNIZED);

  private static final long NOW = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());

  @Test
  public void whatIsMendedIsStoredOnceAndTheRestIsOneLetterAgain() throws Exception {
    try (Jedis redis = poisoned.stack().redis().connect()) {
      redis.set("production:user:foreign", "somebody else's");
    }
    // A feature whose type changes.
    poisoned.publish(
        LocalStack.RESULT_TOPIC,
        List.of(message(result("text", Results.string("typed", NOW - 1, "x")))));
    poisoned.await(
        () ->
            poisoned.has("user__typed") && !poisoned.rows("FROM production.user__typed").isEmpty());
    List<OutgoingMessage> poison = new ArrayList<>();
    QueryResult sound = result("sound", Results.int64("age", NOW, 1));
    byte[] bytes = sound.toByteArray();
    poison.add(OutgoingMessage.of(Arrays.copyOf(bytes, bytes.length - 3)));
    poison.add(message(sound.toBuilder().clearOperationId().build()));
    poison.add(message(result("lengths", Results.int64("age", NOW, 1, 2))));
    poison.add(
        message(result("type", Results.int64("age", NOW, 1).toBuilder().setTypeValue(42).build())));
    poison.add(message(result("year", Results.int64("age", 253_402_300_800_000_000L, 1))));
    poison.add(message(result("ahead", Results.int64("age", NOW + 86_400_000_000L * 365, 1))));
    poison.add(message(result("typed", Results.int64("typed", NOW, 7))));
    poison.add(message(result("taken", Results.int64("taken", NOW, 8))));
    poison.add(message(result("lacking", Results.int64("lacking", NOW, 6))));
    poison.add(message(result("foreign", Results.int64("age", NOW, 9))));
    poisoned.publish(LocalStack.RESULT_TOPIC, poison);
    poisoned.publish(LocalStack.RESULT_TOPIC, List.of(message(sound)));
    poisoned.publish(
        LocalStack.STREAMING_INSERT_TOPIC, List.of(OutgoingMessage.of("no file".getBytes(UTF_8))));
    poisoned.publish(
        LocalStack.METRICS_TOPIC, List.of(OutgoingMessage.of("no summary".getBytes(UTF_8))));

    // Five of which all three writers decode nothing, and one letter of each of the others.
    poisoned.await(
        () -> poisoned.groups().values().stream().mapToInt(Integer::intValue).sum() == 23);
    Map<String, Integer> letters = poisoned.groups();
    assertThat(letters)
        .containsExactly(
            "UNDECODABLE", 5,
            "MISSING_FIELD", 3,
            "LENGTH_MISMATCH", 3,
            "UNKNOWN_TYPE", 3,
            "INVALID_VALUE", 3,
            "OBSERVED_IN_FUTURE", 2,
            "TYPE_CHANGED", 1,
            "TABLE_REFUSES", 1,
            "NAME_TAKEN", 1,
            "REJECTED_BY_STORE", 1);
    LetterServers.Run shown =
        poisoned.run("show", "--limit=100", "--onlineStore=" + poisoned.stack().onlineStore());
    assertThat(shown.out().lines().filter(line -> line.startsWith("letter "))).hasSize(23);
    assertThat(shown.out()).contains("feature user.typed of the entity 'typed' in user");
    assertThat(shown.out()).contains("the online store now has no user.age of 'foreign' that may");

    // What can be mended.
    poisoned.sql(
        "ALTER TABLE production.user__typed RENAME TO typed_before",
        "DROP TABLE production.user__taken",
        "DROP TABLE production.user__lacking");
    try (Jedis redis = poisoned.stack().redis().connect()) {
      redis.del("production:user:foreign");
    }
    LetterServers.Run replay =
        poisoned.run("replay", "--yes", "--json", "--wait=3m", "--rate=100000");

    assertWithMessage(replay.err()).that(replay.out()).contains("\"letters\":23");
    assertThat(outcomes(replay)).containsExactlyEntriesIn(AFTER_MENDING);
    Map<String, String> mended = Map.of("typed", "7", "taken", "8", "lacking", "6");
    for (String feature : mended.keySet()) {
      poisoned.await(
          () ->
              poisoned
                  .rows("SELECT value, operation_id FROM production.user__" + feature)
                  .equals(List.of(List.of(mended.get(feature), feature))));
      // What the query has rows in.
      poisoned.await(
          () ->
              poisoned
                      .rows(
                          "SELECT operation_id FROM production.query_log WHERE operation_id = '"
                              + feature
                              + "' AND list_contains(value_tables, 'user__"
                              + feature
                              + "')")
                      .size()
                  == 1);
    }
    assertThat(poisoned.stored("foreign", "age")).isEqualTo(9);

    // One letter again, of the message as it was.
    List<StoredLetter> waiting = poisoned.waiting();
    assertThat(waiting).hasSize(19);
    Set<String> values = new TreeSet<>();
    poison.forEach(each -> values.add(Arrays.toString(each.payload())));
    for (StoredLetter letter : waiting) {
      assertThat(letter.letter().attempts()).isEqualTo(2);
      assertThat(letter.letter().text(Letter.PAYLOAD_URI)).isEmpty();
      if (letter.letter().text(Letter.TOPIC).equals(LocalStack.RESULT_TOPIC)) {
        assertThat(values).contains(Arrays.toString(letter.message().payload()));
      }
    }

    // By another tool, with all its headers, twice.
    StoredLetter ahead =
        waiting.stream()
            .filter(it -> it.reason().equals("OBSERVED_IN_FUTURE"))
            .findFirst()
            .orElseThrow();
    BusMessage record = ahead.message();
    OutgoingMessage copy =
        new OutgoingMessage(
            record.hasKey() ? record.key() : null, record.payload(), record.headers());
    poisoned.publish(LocalStack.RESULT_TOPIC, List.of(copy, copy));
    poisoned.await(() -> poisoned.waiting().size() == 21);
    List<StoredLetter> third =
        poisoned.waiting().stream().filter(letter -> letter.letter().attempts() == 3).toList();
    assertThat(third).hasSize(2);
    for (StoredLetter letter : third) {
      assertThat(letter.letter().writer()).isEqualTo(ahead.letter().writer());
      assertThat(letter.message().payload()).isEqualTo(record.payload());
    }

    // A later result, so that whatever was counted wrongly has been published by now.
    poisoned.publish(
        LocalStack.RESULT_TOPIC, List.of(message(result("last", Results.int64("last", NOW, 3)))));
    poisoned.await(
        () -> poisoned.has("feature_minutes") && poisoned.metrics().contains("user.last=1"));
    assertThat(poisoned.metrics())
        .containsExactly(
            "user.age=3", "user.lacking=1", "user.last=1", "user.taken=1", "user.typed=2");
  }

  @Test
  public void whatAnOptionOrALimitHasRefusedIsStoredWhenThatIsChanged() throws Exception {
    poisoned.restart("online-writer", "--environments=" + Results.ENVIRONMENT);
    // Neither its rows nor its letter fit.
    poisoned.setLimit(LocalStack.STREAMING_INSERT_TOPIC, 1 << 20);
    poisoned.setLimit(Buses.at(poisoned.stack().deadLetterBus()).topic(), 1 << 20);
    poisoned.restart("offline-writer");
    byte[] random = new byte[1_500_000];
    new Random(1).nextBytes(random);
    String large = HexFormat.of().formatHex(random);
    QueryResult elsewhere =
        result("elsewhere", Results.int64("late_elsewhere", NOW, 4)).toBuilder()
            .setEnvironmentId("staging")
            .build();
    QueryResult old = result("old", Results.int64("late_old", NOW - 86_400_000_000L * 30, 5));
    String longAgo = Instant.now().minus(Duration.ofDays(20)).toString();
    poisoned.publish(
        LocalStack.RESULT_TOPIC,
        List.of(
            message(elsewhere),
            message(result("old", Results.int64("late_old", NOW - 86_400_000_000L * 60, 3))),
            message(
                result(
                    "large",
                    Results.string("late_large", NOW, large).toBuilder()
                        .clearMaxStaleness()
                        .build())),
            // As another tool sends a letter back, long after.
            new OutgoingMessage(
                null,
                old.toByteArray(),
                Headers.of(
                    Header.of("tailrace.writer", "online-writer"),
                    Header.of("tailrace.failed-at", longAgo),
                    Header.of("tailrace.published-at", longAgo),
                    Header.of("tailrace.published-by", "bus")))));
    BulkUpload upload = upload();
    Path written = Path.of(upload.getFiles(0).substring("file://".length()));
    Path elsewhereNow = Files.move(written, folder.newFolder().toPath().resolve("part"));
    poisoned.publish(
        LocalStack.BULK_UPLOAD_TOPIC,
        List.of(OutgoingMessage.of(NotificationFormat.json(upload).getBytes(UTF_8))));
    String[] chosen = {
      "--reason=" + AFTER_CHANGES.keySet().stream().map(Enum::name).collect(joining(",")),
      "--since=1h"
    };
    String overflow = "--deadLetterOverflow=" + poisoned.stack().deadLetterOverflow();
    poisoned.await(
        () -> poisoned.groups(chosen).size() == 4 && poisoned.stored("old", "late_old") == 3);

    String shown =
        poisoned
            .run(
                "show",
                chosen[0],
                chosen[1],
                overflow,
                "--onlineStore=" + poisoned.stack().onlineStore())
            .out();
    assertThat(shown).contains("the online store now has user.late_old of 'old': INT64 3, obs");
    assertThat(shown).contains("= environment staging\n");
    assertThat(shown).contains(upload.getFiles(0) + " is not there: write it and replay");
    assertThat(shown).contains("= features user.late_bulk\n");
    assertThat(shown).contains("feature user.late_large of the entity 'large' in user: TOO_LARGE");
    assertThat(shown).contains("feature user.late_old of the entity 'old' in user: TOO_OLD");
    assertThat(shown).contains("= the rest of it is in " + poisoned.stack().deadLetterOverflow());
    // By the command's own limit one stays.
    assertThat(poisoned.run("replay", chosen[0], chosen[1], overflow, "--dry-run").out())
        .contains("Not sent: 1 letter published longer ago");

    Files.move(elsewhereNow, written);
    poisoned.setLimit(LocalStack.STREAMING_INSERT_TOPIC, 4 << 20);
    poisoned.restart("offline-writer");
    poisoned.restart(
        "online-writer",
        "--environments=" + Results.ENVIRONMENT + ",staging",
        "--deletionRetention=30d");
    LetterServers.Run replay =
        poisoned.run(
            "replay",
            chosen[0],
            chosen[1],
            overflow,
            "--deletionRetention=30d",
            "--yes",
            "--json",
            "--wait=3m");

    assertThat(outcomes(replay)).containsExactlyEntriesIn(AFTER_CHANGES);
    try (OnlineReader reader = OnlineReader.open(poisoned.stack().onlineStore())) {
      assertThat(reader.read(new EntityKey("staging", "user", "elsewhere")))
          .containsKey("late_elsewhere");
    }
    assertThat(poisoned.stored("old", "late_old")).isEqualTo(5);
    poisoned.await(
        () ->
            poisoned.has("user__late_large")
                && poisoned
                    .rows("SELECT length(value), operation_id FROM production.user__late_large")
                    .equals(List.of(List.of(Integer.toString(large.length()), "large"))));
    assertThat(poisoned.rows("SELECT pkey, value FROM production.user__late_bulk"))
        .containsExactly(List.of("7", "70"));
    assertThat(poisoned.groups(chosen)).isEmpty();
    // The file of the large one went with its letter.
    assertThat(poisoned.run("sweep", overflow).out()).contains("No file");
  }

  @Test
  public void noReasonIsLeftOut() {
    Set<Reason> covered = new TreeSet<>(OF_NOBODY);
    covered.addAll(AFTER_MENDING.keySet());
    covered.addAll(AFTER_CHANGES.keySet());

    assertThat(covered).containsExactlyElementsIn(Reason.values());
  }

  /** Writes a file of one row into the bucket that the bulk insert writer loads from. */
  private static BulkUpload upload() throws Exception {
    WideMapping mapping =
        new WideMapping(
            "id",
            new WideMapping.Time("at", 0),
            List.of(
                new WideMapping.FeatureColumn(
                    "user",
                    "user.late_bulk",
                    "bulk",
                    new WideMapping.Kind(ValueType.INT64, WideMapping.Nulls.NOT_COMPUTED),
                    "")));
    try (OfflineResults results =
        OfflineResults.of(new Notification.Contents("bulk", Results.ENVIRONMENT, "", mapping))
            .into(poisoned.stack().uploadBucket() + "/late")) {
      results.add(7L, NOW, List.of(70L));
      return results.finish();
    }
  }

  private static Map<Reason, String> outcomes(LetterServers.Run replay) throws Exception {
    Map<Reason, String> outcomes = new EnumMap<>(Reason.class);
    for (String line : replay.out().lines().skip(1).toList()) {
      JsonNode letter = new ObjectMapper().readTree(line);
      outcomes.merge(
          Reason.valueOf(letter.path("reason").asText()),
          letter.path("outcome").asText(),
          (a, b) -> a.equals(b) ? a : a + ", " + b);
    }
    return outcomes;
  }

  private static QueryResult result(String key, Column... columns) {
    return Results.named(key).addFrames(Results.user(key, columns)).setQueryTimestamp(NOW).build();
  }

  private static OutgoingMessage message(QueryResult result) {
    return OutgoingMessage.of(result.toByteArray());
  }
}
