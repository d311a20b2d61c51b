package io.tailrace.pipelines.benchmark.rivals;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.common.primitives.Bytes;
import com.google.common.primitives.Longs;
import io.tailrace.v1.Column;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.Protocol;

/**
 * What a team writes in a day: a thread for each partition that polls, parses and pipelines to
 * Redis, one round trip a poll, and commits every second. The rival that the writer is measured
 * against.
 */
public final class HandWrittenConsumer implements AutoCloseable {
  /** How it writes. */
  public enum Ordering {
    /** {@code HSET}: what comes last stands. */
    NONE,
    /** One script call an entity, which compares the time of each field. */
    SCRIPT_PER_FIELD
  }

  private static final String SCRIPT =
      "for i = 1, #ARGV, 2 do "
          + "local old = redis.call('HGET', KEYS[1], ARGV[i]) "
          + "if not old or string.sub(old, 1, 8) < string.sub(ARGV[i + 1], 1, 8) then "
          + "redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end end return 1";

  private final LongAdder done = new LongAdder();
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean stopped;

  public HandWrittenConsumer(
      String bootstrapServers, String topic, int partitions, int redisPort, Ordering ordering) {
    for (int p = 0; p < partitions; p++) {
      int partition = p;
      Thread thread =
          new Thread(
              () ->
                  run(bootstrapServers, new TopicPartition(topic, partition), redisPort, ordering),
              "hand-written-" + p);
      threads.add(thread);
      thread.start();
    }
  }

  public long done() {
    return done.sum();
  }

  private void run(String servers, TopicPartition partition, int redisPort, Ordering ordering) {
    Map<String, Object> config = new HashMap<>();
    config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, servers);
    config.put(ConsumerConfig.GROUP_ID_CONFIG, "hand-written-" + ordering);
    config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 2_000);
    config.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, 2 << 20);
    try (KafkaConsumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        Jedis jedis = new Jedis("127.0.0.1", redisPort)) {
      byte[] sha = jedis.scriptLoad(SCRIPT.getBytes(UTF_8));
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long lastCommit = System.nanoTime();
      while (!stopped) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(100));
        if (records.isEmpty()) {
          continue;
        }
        try (Pipeline pipeline = jedis.pipelined()) {
          for (ConsumerRecord<byte[], byte[]> record : records) {
            write(pipeline, QueryResult.parseFrom(record.value()), ordering, sha);
          }
          pipeline.sync();
        }
        done.add(records.count());
        if (System.nanoTime() - lastCommit > 1_000_000_000L) {
          consumer.commitAsync();
          lastCommit = System.nanoTime();
        }
      }
    } catch (com.google.protobuf.InvalidProtocolBufferException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void write(Pipeline pipeline, QueryResult result, Ordering ordering, byte[] sha) {
    for (Frame frame : result.getFramesList()) {
      for (int row = 0; row < frame.getStringKeysCount(); row++) {
        byte[] key =
            (result.getEnvironmentId()
                    + ":"
                    + frame.getNamespace()
                    + ":"
                    + frame.getStringKeys(row))
                .getBytes(UTF_8);
        byte[][] arguments = new byte[1 + 2 * frame.getColumnsCount()][];
        int i = 0;
        arguments[i++] = key;
        for (Column column : frame.getColumnsList()) {
          arguments[i++] = column.getFeature().getBytes(UTF_8);
          byte[] value = value(column, row);
          arguments[i++] =
              ordering == Ordering.NONE
                  ? value
                  : Bytes.concat(
                      Longs.toByteArray(
                          column.getObservedAt(column.getObservedAtCount() == 1 ? 0 : row)),
                      value);
        }
        if (ordering == Ordering.NONE) {
          pipeline.sendCommand(Protocol.Command.HSET, arguments);
        } else {
          pipeline.evalsha(sha, 1, arguments);
        }
      }
    }
  }

  private static byte[] value(Column column, int row) {
    return Longs.toByteArray(
        column.getType() == Column.Type.INT64
            ? column.getInt64Values(row)
            : Double.doubleToLongBits(column.getFloat64Values(row)));
  }

  @Override
  public void close() {
    stopped = true;
    for (Thread thread : threads) {
      try {
        thread.join(10_000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
