package io.tailrace.pipelines.local;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;
import static org.junit.Assume.assumeTrue;

import com.google.common.collect.Range;
import io.tailrace.DocumentedCounters;
import io.tailrace.MonitoringTemplates;
import io.tailrace.offline.bulk.Notification;
import io.tailrace.offline.bulk.NotificationFormat;
import io.tailrace.offline.bulk.OfflineResults;
import io.tailrace.parquet.WideMapping;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Kind;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.pipelines.local.watch.Books;
import io.tailrace.result.ValueType;
import io.tailrace.testing.Messages;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column;
import io.tailrace.v1.Column.CacheNulls;
import io.tailrace.v1.Column.Origin;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/**
 * What Prometheus sees of the writers: a few results of every kind are carried, and the endpoint
 * must tell of each what became of it.
 */
@RunWith(JUnit4.class)
public class MetricsEndpointTest {
  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();

  /** What the list of dead letters tells, not a writer. */
  private static final String OF_LETTERS = "tailrace_letters_";

  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final long HOUR_MICROS = TimeUnit.HOURS.toMicros(1);

  /** Seven features, and the query without a name. */
  private static final long SERIES = 8;

  private static final Pattern SAMPLE =
      Pattern.compile("(\\w+)\\{(?:.*,)?job_name=\"([^\"]*)\".*\\} ([-+.0-9E]+|NaN)");

  private static LocalStack stack;
  private static long resultBytes;
  private static String exposition = "";

  @BeforeClass
  public static void carryResultsOfEveryKind() throws Exception {
    resultBytes = 0;
    stack = LocalStack.in(folder.newFolder().toPath()).partitions(2).start();
    long now = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    Column age = Results.int64("age", now, 40);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", stack.kafka().bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      publish(producer, result("newest", age), "");
      publish(producer, result("newest", age), "");
      publish(producer, result("stale", Results.int64("age", now - HOUR_MICROS, 39)), "");
      publish(producer, result("expired", Results.expiring("score", now - HOUR_MICROS, 1, 7)), "");
      publish(
          producer,
          result(
              "skipped",
              Results.expiring("history", now, 0, 1),
              Results.int64("offline", now, 1).toBuilder().setSkipOnline(true).build(),
              Results.int64("online", now, 1).toBuilder().setSkipOffline(true).build(),
              Results.int64("cached", now, 1).toBuilder().setOrigin(Origin.ONLINE_STORE).build(),
              Results.nothing("absent", now, CacheNulls.SKIP_NULLS)),
          "");
      publish(producer, result("ahead", Results.int64("age", now + 24 * HOUR_MICROS, 41)), "");
      publish(producer, "this is no result".getBytes(UTF_8), "");
      publish(producer, result("elsewhere", age), "offline-writer");
      producer
          .send(
              new ProducerRecord<>(
                  LocalStack.STREAMING_INSERT_TOPIC, "this is no file".getBytes(UTF_8)))
          .get();
      producer
          .send(
              new ProducerRecord<>(LocalStack.METRICS_TOPIC, "this is no summary".getBytes(UTF_8)))
          .get();
      for (String notification : List.of(notification(now), "this is no notification")) {
        producer
            .send(new ProducerRecord<>(LocalStack.BULK_UPLOAD_TOPIC, notification.getBytes(UTF_8)))
            .get();
      }
    }
    awaitCounts();
  }

  /** Writes a file of one row into the bucket that the bulk insert writer loads from. */
  private static String notification(long now) throws Exception {
    FeatureColumn feature =
        new FeatureColumn(
            "user", "user.bulk", "bulk", new Kind(ValueType.INT64, Nulls.NOT_COMPUTED), "");
    WideMapping mapping = new WideMapping("id", new WideMapping.Time("at", 0), List.of(feature));
    try (OfflineResults results =
        OfflineResults.of(new Notification.Contents("bulk", Results.ENVIRONMENT, "", mapping))
            .into(stack.uploadBucket() + "/bulk")) {
      results.add(7L, now, List.of(70L));
      return NotificationFormat.json(results.finish());
    }
  }

  /** Of a store that stages files before it loads them. */
  private static final Set<String> STAGING_COUNTERS =
      Set.of(
          "files_to_stage",
          "files_staged",
          "bytes_staged",
          "loads",
          "files_found",
          "files_deleted",
          "staging_unaccounted");

  @AfterClass
  public static void stop() {
    stack.close();
  }

  @Test
  public void theOnlineWriterTellsWhatBecameOfEveryCell() {
    assertThat(counts("online-writer", "DecodeResults"))
        .containsExactly(
            "results_read", 8L,
            "bytes_read", resultBytes,
            "results_for_other_writers", 1L,
            "results_rejected", 1L,
            "results_decoded", 6L,
            "unaccounted", 0L);
    Map<String, Long> written = counts("online-writer", "WriteOnline");
    assertThat(written.remove("bytes_sent")).isGreaterThan(0L);
    // How many requests there were, is a matter of time.
    assertThat(written.remove("entities_sent")).isIn(Set.of(1L, 2L, 3L, 4L, 5L, 6L));
    assertThat(written)
        .containsExactly(
            "results_received", 6L,
            "cells_received", 10L,
            "unaccounted", 0L,
            "results_settled", 6L,
            "cells_written", 2L,
            "cells_stale", 1L,
            "cells_duplicate", 1L,
            "cells_expired", 1L,
            "cells_skipped_by_policy", 4L,
            "cells_skipped_not_computed", 1L,
            "cells_skipped_no_max_staleness", 1L,
            "cells_skipped_by_feature", 1L,
            "cells_skipped_null", 1L,
            "cells_rejected", 1L,
            // What a store charges, of which Redis tells nothing.
            "store_requests", 0L,
            "store_conflicts", 0L,
            "store_retries", 0L,
            "store_write_units", 0L,
            "store_read_units", 0L);
    assertIsFresh("online-writer", "WriteOnline", 6);
    assertDeadLetters("online-writer", Map.of("undecodable", 1L, "observed_in_future", 1L));
  }

  @Test
  public void theOfflineWriterTellsWhatBecameOfEveryRow() {
    assertThat(counts("offline-writer", "DecodeResults"))
        .containsExactly(
            "results_read", 8L,
            "bytes_read", resultBytes,
            "results_for_other_writers", 0L,
            "results_rejected", 1L,
            "results_decoded", 7L,
            "unaccounted", 0L);
    assertThat(counts("offline-writer", "CreateFeatureTables"))
        .containsExactly(
            "results_received", 7L,
            "results_passed", 7L,
            "results_rejected", 0L,
            "columns_refused", 0L,
            "unaccounted", 0L);
    Map<String, Long> encoded = counts("offline-writer", "EncodeObservations");
    assertThat(encoded.remove("bytes_encoded")).isGreaterThan(0L);
    assertThat(encoded.remove("files_encoded")).isAtLeast(2L);
    assertThat(encoded)
        .containsExactly(
            "results_received", 7L,
            "rows_received", 11L,
            "unaccounted", 0L,
            "queries_encoded", 7L,
            "queries_rejected", 0L,
            "rows_encoded", 8L,
            "rows_skipped_by_policy", 2L,
            "rows_skipped_not_computed", 1L,
            "rows_skipped_by_feature", 1L,
            "rows_rejected", 1L);
    assertIsFresh("offline-writer", "EncodeObservations", 7);
    assertDeadLetters("offline-writer", Map.of("undecodable", 1L, "observed_in_future", 1L));
  }

  @Test
  public void theStreamingInsertWriterTellsWhatBecameOfEveryFile() {
    Map<String, Long> encoded = counts("offline-writer", "EncodeObservations");
    long files = encoded.getOrDefault("files_encoded", 0L);
    long bytes = encoded.getOrDefault("bytes_encoded", 0L);

    assertThat(counts("streaming-insert-writer", "DecodeObservationFiles"))
        .containsExactly(
            "files_read", files + 1,
            "bytes_read", bytes + "this is no file".length(),
            "rows_read", 15L,
            "rows_rejected", 0L,
            "files_for_other_writers", 0L,
            "files_rejected", 1L,
            "files_decoded", files,
            "unaccounted", 0L);
    Map<String, Long> inserted = counts("streaming-insert-writer", "InsertObservations");
    assertThat(inserted.remove("tables_written")).isAtLeast(5L);
    assertThat(inserted)
        .containsExactly(
            "files_received", files,
            "unaccounted", 0L,
            "rows_refused", 0L,
            "rows_handed_over", 0L,
            "write_backs_failed", 0L,
            "files_inserted", files,
            "files_rejected", 0L,
            "bytes_inserted", bytes,
            // What is published twice is one row.
            "rows_received", 15L,
            "rows_inserted", 7L,
            "rows_duplicate", 1L,
            "rows_known", 0L,
            "rows_of_rejected_files", 0L,
            "rows_rejected", 0L,
            "queries_inserted", 6L,
            "queries_duplicate", 1L);
    assertIsFresh("streaming-insert-writer", "InsertObservations", files);
    assertDeadLetters("streaming-insert-writer", Map.of("undecodable", 1L));
  }

  @Test
  public void theMetricsWriterTellsWhatItCounted() {
    assertThat(counts("metrics-writer", "DecodeResults"))
        .containsExactly(
            "results_read", 8L,
            "bytes_read", resultBytes,
            "results_for_other_writers", 1L,
            "results_rejected", 1L,
            "results_decoded", 6L,
            "unaccounted", 0L);
    Map<String, Long> summarized = counts("metrics-writer", "SummarizeResults");
    // How often a summary is told again, is a matter of time.
    assertThat(summarized.remove("summaries_published")).isAtLeast(SERIES);
    assertThat(summarized)
        .containsExactly(
            "results_received", 6L,
            "values_received", 10L,
            "unaccounted", 0L,
            "values_dropped_late", 0L,
            "results_summarized", 6L,
            // What no store takes is counted too: it was computed, or served.
            "values_summarized", 10L,
            "values_over_limit", 0L,
            "results_clock_ahead", 0L);
    assertIsFresh("metrics-writer", "SummarizeResults", 6);
    assertDeadLetters("metrics-writer", Map.of("undecodable", 1L));
  }

  @Test
  public void theMetricsBusWriterTellsWhatBecameOfEverySummary() {
    long published =
        counts("metrics-writer", "SummarizeResults").getOrDefault("summaries_published", 0L);
    Map<String, Long> read = counts("metrics-bus-writer", "DecodeSummaries");
    Map<String, Long> settled = counts("metrics-bus-writer", "WriteSummaries");

    long bytes = read.getOrDefault("bytes_read", 0L) - "this is no summary".length();
    assertThat(read)
        .containsExactly(
            "summaries_read",
            published + 1,
            "bytes_read",
            bytes + "this is no summary".length(),
            "summaries_for_other_writers",
            0L,
            "summaries_rejected",
            1L,
            "summaries_decoded",
            published,
            "unaccounted",
            0L);
    // Summaries of a series that are written together are one for the store.
    long written = settled.getOrDefault("summaries_written", 0L);
    assertThat(written).isAtLeast(SERIES);
    assertThat(settled)
        .containsExactly(
            "summaries_received", published,
            "unaccounted", 0L,
            "write_backs_failed", 0L,
            "summaries_settled", published,
            "bytes_written", bytes,
            "summaries_written", written,
            "summaries_stale", published - written);
    assertIsFresh("metrics-bus-writer", "WriteSummaries", published);
    assertDeadLetters("metrics-bus-writer", Map.of("undecodable", 1L));
  }

  @Test
  public void theBulkInsertWriterTellsWhatBecameOfEveryFile() {
    Map<String, Long> decoded = counts("bulk-insert-writer", "DecodeNotifications");
    assertThat(decoded.remove("bytes_read")).isGreaterThan(0L);
    assertThat(decoded)
        .containsExactly(
            "notifications_read", 2L,
            "notifications_for_other_writers", 0L,
            "notifications_rejected", 1L,
            "notifications_decoded", 1L,
            "unaccounted", 0L);
    Map<String, Long> loaded = counts("bulk-insert-writer", "LoadResultFiles");
    assertThat(loaded.remove("bytes_loaded")).isGreaterThan(0L);
    assertThat(loaded)
        .containsExactly(
            "notifications_received", 1L,
            "notifications_settled", 1L,
            "notifications_ignored", 0L,
            "files_named", 1L,
            "files_loaded", 1L,
            "files_known", 0L,
            "files_rejected", 0L,
            "loads", 1L,
            "rows_read", 1L,
            "rows_inserted", 1L,
            "rows_duplicate", 0L,
            "rows_rejected", 0L,
            "rows_decoded", 0L,
            "unaccounted", 0L);
    assertIsFresh("bulk-insert-writer", "LoadResultFiles", 1);
    assertDeadLetters("bulk-insert-writer", Map.of("undecodable", 1L));
  }

  @Test
  public void theBooksOfTheWritersAgreeButForWhatOthersPublished() throws InterruptedException {
    // At the end of a minute its series are told once more, and are on their way for a moment.
    Books books = Books.of(stack);
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while ((!books.differences().isEmpty() || books.remarks().size() < 2)
        && System.nanoTime() < deadline) {
      Thread.sleep(200);
      books = Books.of(stack);
    }

    assertThat(books.differences()).isEmpty();
    // This test published one message to each bus between the writers.
    assertThat(books.remarks()).hasSize(2);
    assertThat(books.remarks().get(0)).contains("DecodeObservationFiles_files_read");
    assertThat(books.remarks().get(1)).contains("DecodeSummaries_summaries_read");
  }

  @Test
  public void everyStageShowsExactlyTheDocumentedCountersInItsWriters() throws IOException {
    Map<String, Map<String, Set<String>>> shown = new TreeMap<>();
    Set<String> writers = new TreeSet<>();
    stack.writers().forEach(writer -> writers.add(writer.name()));
    for (String writer : writers) {
      shown.put(writer, new TreeMap<>());
    }
    Map<String, Map<String, Set<String>>> documented = new TreeMap<>();
    for (DocumentedCounters.Stage stage : DocumentedCounters.read().values()) {
      for (String writer : stage.writers()) {
        if (writers.contains(writer)) {
          Set<String> counters = new TreeSet<>(stage.counters());
          if (!stage.name().equals("LoadResultFiles")) {
            // The store here has no stage.
            counters.removeAll(STAGING_COUNTERS);
          }
          documented.computeIfAbsent(writer, unused -> new TreeMap<>()).put(stage.name(), counters);
          TreeSet<String> names = new TreeSet<>();
          samples(stage.name()).getOrDefault(writer, Map.of()).keySet().forEach(names::add);
          shown.get(writer).put(stage.name(), names);
        }
      }
    }

    assertThat(shown).isEqualTo(documented);
    for (String stage : DocumentedCounters.read().keySet()) {
      for (String writer : samples(stage).keySet()) {
        assertWithMessage("stage %s in %s", stage, writer)
            .that(documented.get(writer))
            .containsKey(stage);
      }
    }
  }

  @Test
  public void everyMetricOfDashboardAndAlertsIsShown() throws IOException {
    Set<String> shown = new TreeSet<>();
    for (String line : exposition.lines().toList()) {
      if (!line.startsWith("#")) {
        String name = line.replaceFirst("[{ ].*", "");
        shown.add(MonitoringTemplates.relabelled(name).getOrDefault("__name__", ""));
      }
    }

    for (String expression : MonitoringTemplates.expressions()) {
      assertWithMessage(expression)
          .that(shown)
          .containsAtLeastElementsIn(
              MonitoringTemplates.metrics(expression).stream()
                  .filter(name -> !name.startsWith(OF_LETTERS))
                  .toList());
    }
  }

  @Test
  public void aSeriesSaysWriterStepAndSubtaskAndNoLongTaskName() {
    String series =
        exposition
            .lines()
            .filter(
                line ->
                    line.startsWith(
                        DocumentedCounters.atEndpoint("WriteOnline", "cells_written") + "{"))
            .findFirst()
            .orElseThrow();

    assertThat(series).contains("job_name=\"online-writer\"");
    assertThat(series).contains("operator_name=\"WriteOnline/Write\"");
    assertThat(series).containsMatch("subtask_index=\"[01]\"");
    assertThat(series).doesNotContain("task_name=");
  }

  @Test
  public void noSeriesIsShownTwice() {
    List<String> series =
        exposition
            .lines()
            .filter(line -> !line.startsWith("#"))
            .map(line -> line.substring(0, line.lastIndexOf(' ')))
            .toList();

    assertThat(series).containsNoDuplicates();
  }

  @Test
  public void theEndpointIsOnTheLoopbackAddressOnly() throws IOException {
    URI url = URI.create(stack.metricsUrl());
    assertThat(url.getHost()).isEqualTo("127.0.0.1");
    assumeTrue("this machine has a second loopback address", canBind("127.0.0.2", 0));
    // Taken here, if it were on all addresses.
    assertThat(canBind("127.0.0.2", url.getPort())).isTrue();
  }

  private static boolean canBind(String address, int port) throws IOException {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(InetAddress.getByName(address), port));
      return true;
    } catch (BindException e) {
      return false;
    }
  }

  @Test
  public void aPortThatIsTakenIsSaidAndNoClusterIsStarted() throws IOException {
    int taken = URI.create(stack.metricsUrl()).getPort();
    LocalFlink.Builder another = LocalFlink.in(folder.newFolder().toPath()).prometheusPort(taken);

    IllegalStateException e = assertThrows(IllegalStateException.class, another::start);

    assertThat(e).hasMessageThat().contains("metrics on port " + taken + ": it is taken");
  }

  private static byte[] result(String operation, Column... columns) {
    return Results.named(operation).addFrames(Results.user("u1", columns)).build().toByteArray();
  }

  private static void publish(
      KafkaProducer<byte[], byte[]> producer, byte[] payload, String addressee) throws Exception {
    resultBytes += payload.length;
    ProducerRecord<byte[], byte[]> message =
        new ProducerRecord<>(LocalStack.RESULT_TOPIC, "u1".getBytes(UTF_8), payload);
    if (!addressee.isEmpty()) {
      Messages.letterOf(addressee)
          .all()
          .forEach(each -> message.headers().add(each.name(), each.value()));
    }
    producer.send(message).get();
  }

  /**
   * Waits until every writer has told of all that was published, and tells no more: a scrape may
   * come while a bundle's counters are being taken over one by one.
   */
  private static void awaitCounts() throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    List<String> before;
    int same = 0;
    exposition = "";
    do {
      before = counters();
      Thread.sleep(500);
      exposition = get();
      same = isEverythingCounted() && counters().equals(before) ? same + 1 : 0;
    } while (same < 3 && System.nanoTime() < deadline);
  }

  /** What our stages have counted, in any order. Flink's own names begin with a small letter. */
  private static List<String> counters() {
    Pattern ours = Pattern.compile(DocumentedCounters.atEndpoint("[A-Z]\\w*", "\\w+\\{.*"));
    return exposition.lines().filter(ours.asMatchPredicate()).sorted().toList();
  }

  private static boolean isEverythingCounted() {
    return isEverythingWritten()
        && isEverythingSummarized()
        && counts("bulk-insert-writer", "LoadResultFiles").getOrDefault("files_loaded", 0L) == 1
        && counts("bulk-insert-writer", "DeadLetters").getOrDefault("letters_written", 0L) == 1;
  }

  private static boolean isEverythingSummarized() {
    Map<String, Long> results = counts("metrics-writer", "SummarizeResults");
    long published = results.getOrDefault("summaries_published", 0L);
    return results.getOrDefault("results_summarized", 0L) == 6
        && published >= SERIES
        && counts("metrics-bus-writer", "DecodeSummaries").getOrDefault("summaries_read", 0L)
            == published + 1
        && counts("metrics-bus-writer", "WriteSummaries").getOrDefault("summaries_settled", 0L)
            == published
        && counts("metrics-writer", "DeadLetters").getOrDefault("letters_written", 0L) == 1
        && counts("metrics-bus-writer", "DeadLetters").getOrDefault("letters_written", 0L) == 1;
  }

  private static boolean isEverythingWritten() {
    Map<String, Long> files = counts("streaming-insert-writer", "InsertObservations");
    return counts("online-writer", "WriteOnline").getOrDefault("results_settled", 0L) == 6
        && files.getOrDefault("queries_inserted", 0L) + files.getOrDefault("queries_duplicate", 0L)
            == 7
        && files.getOrDefault("rows_inserted", 0L) + files.getOrDefault("rows_duplicate", 0L) == 8
        && counts("online-writer", "DeadLetters").getOrDefault("letters_written", 0L) == 2
        && counts("offline-writer", "DeadLetters").getOrDefault("letters_written", 0L) == 2
        && counts("streaming-insert-writer", "DeadLetters").getOrDefault("letters_written", 0L)
            == 1;
  }

  private static String get() throws IOException, InterruptedException {
    HttpResponse<String> response =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create(stack.metricsUrl())).build(),
                HttpResponse.BodyHandlers.ofString());
    assertThat(response.statusCode()).isEqualTo(200);
    return response.body();
  }

  /** The counters of a stage by writer and name, summed over subtasks. */
  private static Map<String, Map<String, Long>> samples(String stage) {
    String prefix = DocumentedCounters.atEndpoint(stage, "");
    Map<String, Map<String, Long>> byWriter = new TreeMap<>();
    exposition
        .lines()
        .filter(line -> line.startsWith(prefix))
        .forEach(
            line -> {
              Matcher sample = SAMPLE.matcher(line);
              assertWithMessage(line).that(sample.matches()).isTrue();
              byWriter
                  .computeIfAbsent(sample.group(2), unused -> new TreeMap<>())
                  .merge(
                      sample.group(1).substring(prefix.length()),
                      (long) Double.parseDouble(sample.group(3)),
                      Long::sum);
            });
    return byWriter;
  }

  /** The counters of a writer's stage, without its freshness. */
  private static Map<String, Long> counts(String writer, String stage) {
    Map<String, Long> counts = new HashMap<>(samples(stage).getOrDefault(writer, Map.of()));
    counts.keySet().removeIf(name -> name.startsWith("freshness_"));
    return counts;
  }

  private static void assertDeadLetters(String writer, Map<String, Long> byReason) {
    Map<String, Long> letters = counts(writer, "DeadLetters");
    Map<String, Long> found = new HashMap<>();
    letters.forEach(
        (name, count) -> {
          if (name.startsWith("dead_letters_") && count > 0) {
            found.put(name.substring("dead_letters_".length()), count);
          }
        });
    assertThat(found).isEqualTo(byReason);
    assertThat(letters)
        .containsEntry(
            "letters_written", byReason.values().stream().mapToLong(Long::longValue).sum());
    assertThat(letters.get("bytes_written")).isGreaterThan(0L);
    assertThat(letters).containsEntry("overflow_files_written", 0L);
  }

  private static void assertIsFresh(String writer, String stage, long messages) {
    Map<String, Long> counts = new HashMap<>();
    samples(stage)
        .getOrDefault(writer, Map.of())
        .forEach(
            (name, count) -> {
              if (name.startsWith("freshness_")) {
                counts.put(name, count);
              }
            });
    assertThat(counts).containsEntry("freshness_count", messages);
    assertThat(counts).containsEntry("freshness_up_to_3600000_ms", messages);
    assertThat(counts.get("freshness_up_to_10_ms")).isAtMost(messages);
    assertThat(counts.get("freshness_sum_ms"))
        .isIn(Range.closed(1L, messages * PATIENCE.toMillis()));
  }
}
