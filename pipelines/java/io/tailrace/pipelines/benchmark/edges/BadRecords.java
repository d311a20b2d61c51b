package io.tailrace.pipelines.benchmark.edges;

import com.google.protobuf.ByteString;
import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.v1.Column;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Makes records that every reader of their topic must refuse, of every kind in turn: those that
 * Kafka takes and that are hard to carry on, and those that break a rule of the format. Not
 * thread-safe.
 */
final class BadRecords {
  /** What a topic takes at most, unless somebody sets it. */
  static final int TOPIC_BYTES = 1_048_588;

  /** What Kafka adds to a record, and to the batch that it comes in. */
  private static final int RECORD_OVERHEAD = 138;

  private static final int COMPRESSIBLE_BYTES = 3 << 20;
  private static final int NAME_CHARACTERS = 600_000;
  private static final int HEADERS = 500;
  private static final String RESULTS = LocalStack.RESULT_TOPIC;

  private interface Maker {
    ProducerRecord<byte[], byte[]> make(BadRecords records);
  }

  /** A kind, and what makes one of it. */
  private enum Kind {
    GARBAGE(records -> results(null, records.garbage(1_000))),
    GARBAGE_AS_LARGE_AS_THE_TOPIC_TAKES(
        records -> results(null, records.garbage(TOPIC_BYTES - RECORD_OVERHEAD))),
    ZEROS_LARGER_THAN_THE_TOPIC_TAKES(records -> results(null, new byte[COMPRESSIBLE_BYTES])),
    NO_VALUE(records -> results(records.text(20), null)),
    EMPTY_VALUE(records -> results(records.text(20), new byte[0])),
    KEY_OF_900_KB(records -> results(records.garbage(900_000), records.garbage(100))),
    EMPTY_KEY(records -> results(new byte[0], records.garbage(100))),
    HEADERS_WITHOUT_VALUES(BadRecords::headersWithoutValues),
    MANY_HEADERS(BadRecords::manyHeaders),
    HEADERS_OF_LETTERS(BadRecords::headersOfLetters),
    FEATURE_NAME_OF_600_KB(
        records ->
            broken(
                records
                    .sound()
                    .setFeature("edge." + "n".repeat(NAME_CHARACTERS))
                    .setTypeValue(77))),
    NAMESPACE_OF_600_KB(
        records -> frame(records.frame().setNamespace("n".repeat(NAME_CHARACTERS)))),
    UNKNOWN_TYPE(records -> broken(records.sound().setTypeValue(99))),
    UNKNOWN_ORIGIN(records -> broken(records.sound().setOriginValue(99))),
    UNKNOWN_CACHE_NULLS(records -> broken(records.sound().setCacheNullsValue(99))),
    UNKNOWN_CACHE_DEFAULTS(records -> broken(records.sound().setCacheDefaultsValue(99))),
    NULL_BITMAP_TOO_SHORT(
        records ->
            frame(
                Frame.newBuilder()
                    .setNamespace("edge")
                    .addAllStringKeys(nine("k"))
                    .addColumns(
                        records
                            .sound()
                            .clearInt64Values()
                            .addAllInt64Values(Collections.nCopies(9, 1L))
                            .setNulls(ByteString.copyFrom(new byte[1]))))),
    NEGATIVE_STALENESS(records -> broken(records.sound().setMaxStaleness(-1))),
    VECTOR_WITHOUT_DIMENSION(
        records ->
            broken(
                records.sound().setType(Column.Type.VECTOR).clearInt64Values().addVectorValues(1))),
    VALUE_TOO_MANY(records -> broken(records.sound().addInt64Values(2))),
    KEYS_OF_BOTH_KINDS(records -> frame(records.frame().addInt64Keys(1))),
    OBSERVED_AT_NO_TIME(records -> broken(records.sound().clearObservedAt())),
    DELETION_WITHOUT_KEYS(
        records -> deletion(Deletion.newBuilder().setNamespace("edge").setObservedAt(records.now))),
    DELETION_WITHOUT_TIME(
        records -> deletion(Deletion.newBuilder().setNamespace("edge").addStringKeys("k"))),
    NO_ENVIRONMENT(records -> result(records.result().clearEnvironmentId())),
    NO_OPERATION_ID(records -> result(records.result().clearOperationId())),
    FILE_OF_GARBAGE(records -> file(records.garbage(5_000))),
    FILE_CUT_OFF(
        records -> file(("PAR1" + "x".repeat(records.random.nextInt(200))).getBytes(UTF_8))),
    FILE_WITHOUT_BYTES(records -> file(new byte[0])),
    NO_FILE(records -> file(null)),
    SUMMARIES_OF_GARBAGE(
        records -> new ProducerRecord<>(LocalStack.METRICS_TOPIC, records.garbage(500))),
    UPLOAD_OF_GARBAGE(
        records -> new ProducerRecord<>(LocalStack.BULK_UPLOAD_TOPIC, records.garbage(500))),
    UPLOAD_OF_FILES_FROM_ELSEWHERE(
        records -> new ProducerRecord<>(LocalStack.BULK_UPLOAD_TOPIC, ELSEWHERE.getBytes(UTF_8)));

    @SuppressWarnings("ImmutableEnumChecker") // Those above hold nothing.
    final Maker maker;

    Kind(Maker maker) {
      this.maker = maker;
    }

    String words() {
      return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
  }

  private static final Charset UTF_8 = StandardCharsets.UTF_8;

  private static final String ELSEWHERE =
      """
      {
        "operationId": "offline-query",
        "environmentId": "prod",
        "files": ["file:///elsewhere/part-0.parquet"],
        "mapping": {
          "primaryKeyColumn": "id",
          "observedAt": 1767225600000000,
          "features": [{"feature": "edge.count", "type": "INT64"}]
        }
      }
      """;

  private final SplittableRandom random;
  private final Map<String, Set<String>> readers;
  private int count;
  private long now;

  /**
   * Makes them.
   *
   * @param readers the writers that read each topic
   */
  BadRecords(long seed, Map<String, Set<String>> readers) {
    this.random = new SplittableRandom(seed);
    this.readers = readers;
  }

  /** Returns all kinds, in words. */
  static List<String> kinds() {
    return Arrays.stream(Kind.values()).map(Kind::words).collect(Collectors.toList());
  }

  /**
   * Makes the next one.
   *
   * @param now microseconds since the epoch
   */
  EdgeRecord next(long now) {
    this.now = now;
    Kind kind = Kind.values()[count++ % Kind.values().length];
    ProducerRecord<byte[], byte[]> record = kind.maker.make(this);
    return new EdgeRecord(
        kind.words(),
        record.value() != null && record.value().length > TOPIC_BYTES,
        record,
        readers.getOrDefault(record.topic(), Set.of()));
  }

  private static ProducerRecord<byte[], byte[]> results(
      byte @Nullable [] key, byte @Nullable [] value) {
    return new ProducerRecord<>(RESULTS, key, value);
  }

  private static ProducerRecord<byte[], byte[]> file(byte @Nullable [] value) {
    return new ProducerRecord<>(LocalStack.STREAMING_INSERT_TOPIC, value);
  }

  private byte[] garbage(int bytes) {
    byte[] garbage = new byte[bytes];
    random.nextBytes(garbage);
    // The first field's number would be 0, which no message of protobuf has.
    garbage[0] = 7;
    return garbage;
  }

  private byte[] text(int letters) {
    return random
        .ints(letters, 'a', 'z')
        .mapToObj(Character::toString)
        .collect(Collectors.joining())
        .getBytes(UTF_8);
  }

  private ProducerRecord<byte[], byte[]> headersWithoutValues() {
    ProducerRecord<byte[], byte[]> record = results(text(5), garbage(300));
    for (String name : List.of("tailrace.writer", "tailrace.failed-at", "trace", "trace", "")) {
      record.headers().add(name, null);
    }
    return record;
  }

  private ProducerRecord<byte[], byte[]> manyHeaders() {
    ProducerRecord<byte[], byte[]> record = results(null, garbage(400_000));
    for (int i = 0; i < HEADERS; i++) {
      record.headers().add("h" + i % 7, garbage(1_000));
    }
    return record;
  }

  /** A record that somebody made by copying a letter's headers: it is for nobody in particular. */
  private ProducerRecord<byte[], byte[]> headersOfLetters() {
    ProducerRecord<byte[], byte[]> record = results(text(5), garbage(300));
    record
        .headers()
        .add("tailrace.writer", "online-writer".getBytes(UTF_8))
        .add("tailrace.reason", "TYPE_CHANGED".getBytes(UTF_8))
        .add("tailrace.reason", "TOO_LARGE".getBytes(UTF_8))
        .add("tailrace.offset", "not a number".getBytes(UTF_8));
    return record;
  }

  private static List<String> nine(String prefix) {
    List<String> keys = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      keys.add(prefix + i);
    }
    return keys;
  }

  private Column.Builder sound() {
    return Column.newBuilder()
        .setFeature("edge.count")
        .setType(Column.Type.INT64)
        .setMaxStaleness(1_000_000)
        .addObservedAt(now)
        .addInt64Values(1);
  }

  private Frame.Builder frame() {
    return Frame.newBuilder().setNamespace("edge").addStringKeys("k").addColumns(sound());
  }

  private static QueryResult.Builder named() {
    return QueryResult.newBuilder()
        .setOperationId(UUID.randomUUID().toString())
        .setEnvironmentId("prod")
        .setQueryTimestamp(1_767_225_600_000_000L);
  }

  private QueryResult.Builder result() {
    return named().addFrames(frame());
  }

  private static ProducerRecord<byte[], byte[]> broken(Column.Builder column) {
    return frame(Frame.newBuilder().setNamespace("edge").addStringKeys("k").addColumns(column));
  }

  private static ProducerRecord<byte[], byte[]> frame(Frame.Builder frame) {
    return result(named().addFrames(frame));
  }

  private static ProducerRecord<byte[], byte[]> deletion(Deletion.Builder deletion) {
    return result(named().addDeletions(deletion));
  }

  private static ProducerRecord<byte[], byte[]> result(QueryResult.Builder result) {
    return results(null, result.build().toByteArray());
  }
}
