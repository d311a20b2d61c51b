package io.tailrace.pipelines.benchmark.rivals;

import com.google.protobuf.InvalidProtocolBufferException;
import io.tailrace.v1.Column;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.coders.KvCoder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.io.kafka.KafkaIO;
import org.apache.beam.sdk.io.kafka.KafkaRecord;
import org.apache.beam.sdk.io.redis.RedisIO;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.values.KV;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** What Beam has out of the box: {@code RedisIO.write}, a string for each feature, no ordering. */
public final class RedisIoPipeline {
  private RedisIoPipeline() {}

  /** Results that have been handed to {@code RedisIO}; everything runs in this JVM. */
  public static final LongAdder DONE = new LongAdder();

  public static PipelineResult start(
      String bootstrapServers, String topic, int redisPort, String... args) {
    Pipeline pipeline =
        Pipeline.create(PipelineOptionsFactory.fromArgs(args).withValidation().create());
    pipeline
        .apply(
            "Read",
            KafkaIO.<byte[], byte[]>read()
                .withBootstrapServers(bootstrapServers)
                .withTopics(List.of(topic))
                .withKeyDeserializer(ByteArrayDeserializer.class)
                .withValueDeserializer(ByteArrayDeserializer.class)
                .withConsumerConfigUpdates(
                    Map.of("auto.offset.reset", "earliest", "group.id", "redis-io")))
        .apply("Flatten", ParDo.of(new FlattenFn()))
        .setCoder(KvCoder.of(StringUtf8Coder.of(), StringUtf8Coder.of()))
        .apply(
            "Write",
            RedisIO.write()
                .withEndpoint("127.0.0.1", redisPort)
                .withMethod(RedisIO.Write.Method.SET));
    return pipeline.run();
  }

  private static final class FlattenFn
      extends DoFn<KafkaRecord<byte[], byte[]>, KV<String, String>> {
    private static final long serialVersionUID = 1;

    @ProcessElement
    public void flatten(
        @Element KafkaRecord<byte[], byte[]> record, OutputReceiver<KV<String, String>> out)
        throws InvalidProtocolBufferException {
      QueryResult result = QueryResult.parseFrom(record.getKV().getValue());
      for (Frame frame : result.getFramesList()) {
        for (int row = 0; row < frame.getStringKeysCount(); row++) {
          String entity =
              result.getEnvironmentId()
                  + ":"
                  + frame.getNamespace()
                  + ":"
                  + frame.getStringKeys(row);
          for (Column column : frame.getColumnsList()) {
            String value =
                column.getType() == Column.Type.INT64
                    ? Long.toString(column.getInt64Values(row))
                    : Double.toString(column.getFloat64Values(row));
            out.output(KV.of(entity + ":" + column.getFeature(), value));
          }
        }
      }
      DONE.increment();
    }
  }
}
