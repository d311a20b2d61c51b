package io.tailrace.pipelines.benchmark.edges;

import io.tailrace.pipelines.benchmark.edges.Acknowledged.Expected;
import io.tailrace.pipelines.benchmark.edges.Acknowledged.Place;
import io.tailrace.pipelines.local.LocalStack;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Holds the dead-letter topic to what must be on it: each record that must be refused has one
 * letter of each writer that reads it, with its value where that fits, and nothing else has one. A
 * writer that is started anew reads again what was not committed, and writes its letters again:
 * such a letter is the same, and no more often there than its writer was started.
 */
public final class LetterAudit {
  private static final Duration POLL = Duration.ofMillis(500);
  private static final int LISTED = 10;

  /**
   * What was found.
   *
   * @param letters how many there are
   * @param again how many of them were written again when their writer was started anew
   * @param wrong how many are missing, too many, of other records or without their bytes
   * @param first the first of those, in words
   */
  public record Findings(long letters, long again, long wrong, List<String> first) {}

  private final Map<Place, Map<String, List<String>>> stages = new HashMap<>();
  private final Map<Place, Set<Integer>> values = new HashMap<>();
  private final Set<Place> inFiles = new HashSet<>();
  private final List<String> first = new ArrayList<>();
  private long letters;
  private long again;
  private long wrong;

  /**
   * Reads the topic to its end and compares.
   *
   * @param starts how often each writer was started anew, by its name
   */
  public static Findings of(
      String bootstrapServers, Map<Place, Expected> expected, Map<String, Integer> starts) {
    LetterAudit audit = new LetterAudit();
    audit.read(bootstrapServers);
    audit.compare(expected, starts);
    return new Findings(audit.letters, audit.again, audit.wrong, List.copyOf(audit.first));
  }

  private void read(String bootstrapServers) {
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrapServers,
                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
                false,
                ConsumerConfig.MAX_POLL_RECORDS_CONFIG,
                50),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(LocalStack.DEAD_LETTER_TOPIC).stream()
              .map(it -> new TopicPartition(it.topic(), it.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (ends.entrySet().stream()
          .anyMatch(it -> consumer.position(it.getKey()) < it.getValue())) {
        consumer.poll(POLL).forEach(this::note);
      }
    }
  }

  private void note(ConsumerRecord<byte[], byte[]> letter) {
    letters++;
    Place place =
        new Place(
            text(letter, "tailrace.topic"),
            (int) number(text(letter, "tailrace.partition")),
            number(text(letter, "tailrace.offset")));
    stages
        .computeIfAbsent(place, it -> new TreeMap<>())
        .computeIfAbsent(text(letter, "tailrace.writer"), it -> new ArrayList<>())
        .add(
            text(letter, "tailrace.stage")
                + ": "
                + text(letter, "tailrace.reason")
                + ", "
                + text(letter, "tailrace.message"));
    values.computeIfAbsent(place, it -> new HashSet<>()).add(Arrays.hashCode(letter.value()));
    if (letter.headers().lastHeader("tailrace.payload-uri") != null
        || text(letter, "tailrace.reason").equals("TOO_LARGE")) {
      inFiles.add(place);
    }
  }

  /** A letter that does not say where its record is has a place that no record has. */
  private static long number(String text) {
    return text.matches("\\d{1,18}") ? Long.parseLong(text) : -1;
  }

  private static String text(ConsumerRecord<byte[], byte[]> letter, String name) {
    Header header = letter.headers().lastHeader(name);
    return header == null || header.value() == null
        ? ""
        : new String(header.value(), StandardCharsets.UTF_8);
  }

  private void compare(Map<Place, Expected> expected, Map<String, Integer> starts) {
    expected.forEach(
        (place, record) -> {
          Map<String, List<String>> found = stages.getOrDefault(place, Map.of());
          for (String writer : record.writers()) {
            int count = found.getOrDefault(writer, List.of()).size();
            again += Math.max(0, count - 1);
            if (count < 1 || count > 1 + starts.getOrDefault(writer, 0)) {
              wrong(record.kind() + " at " + place + ": " + count + " letters of " + writer);
            }
          }
          if (!inFiles.contains(place)
              && !values.getOrDefault(place, Set.of()).equals(Set.of(record.hash()))) {
            wrong(record.kind() + " at " + place + ": a letter has other bytes");
          }
        });
    stages.forEach(
        (place, found) ->
            found.forEach(
                (writer, its) -> {
                  Expected record = expected.get(place);
                  if (record == null || !record.writers().contains(writer)) {
                    wrong(
                        "a letter of " + writer + " (" + its + ") for " + place + " of no reason");
                  }
                }));
  }

  private void wrong(String what) {
    wrong++;
    if (first.size() < LISTED) {
      first.add(what);
    }
  }
}
