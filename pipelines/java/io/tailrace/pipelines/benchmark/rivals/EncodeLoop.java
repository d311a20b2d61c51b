package io.tailrace.pipelines.benchmark.rivals;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.EncodeObservations;
import io.tailrace.offline.ResultEncoder;
import io.tailrace.parquet.ObservationIds;
import io.tailrace.pipelines.benchmark.BenchmarkTraffic;
import io.tailrace.result.Column;
import io.tailrace.result.Frame;
import io.tailrace.result.Result;
import io.tailrace.result.ResultDecoder;
import io.tailrace.result.ValueType;
import io.tailrace.stage.InvalidMessageException;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.beam.runners.core.metrics.MetricsContainerImpl;
import org.apache.beam.sdk.io.parquet.ParquetIO;
import org.apache.beam.sdk.metrics.MetricsEnvironment;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/**
 * Encodes the same results over and over in one thread, without a pipeline: as the offline writer
 * does, and with the sink of Beam's {@code ParquetIO} over Avro records.
 */
public final class EncodeLoop {
  /** About what a reader's bundle of half a second has. */
  private static final int BUNDLE = 12_500;

  private static final int BUNDLES = 4;
  private static final long WARM_UP_NANOS = 4_000_000_000L;
  private static final long MEASURED_NANOS = 6_000_000_000L;

  private final List<List<Result>> bundles = new ArrayList<>();
  private long bytes;
  private double bytesPerRow;

  public EncodeLoop(BenchmarkTraffic traffic) throws InvalidMessageException {
    ResultDecoder decoder = new ResultDecoder();
    long now = Micros.ofMillis(System.currentTimeMillis());
    for (int b = 0; b < BUNDLES; b++) {
      List<Result> bundle = new ArrayList<>();
      for (int i = 0; i < BUNDLE; i++) {
        byte[] payload = traffic.result(traffic.entity(), now + i).toByteArray();
        bundle.add(
            decoder.decode(
                BusMessage.of(
                    payload, Place.numbered("results", 0, i), MessageTime.ofBus(now + i))));
      }
      bundles.add(bundle);
    }
  }

  private interface Encode {
    void encode(List<Result> bundle) throws IOException;
  }

  /** Returns observations a second, log of queries included in the work but not in the count. */
  @SuppressWarnings("try") // The scope is all that matters of the metrics' container.
  public double tailrace() throws IOException {
    // Somebody must take what is counted.
    try (Closeable unused =
            MetricsEnvironment.scopedMetricsContainer(new MetricsContainerImpl("encode"));
        ResultEncoder encoder =
            new ResultEncoder(
                EncodeObservations.DEFAULT_MAX_FILE_BYTES,
                EncodeObservations.DEFAULT_MAX_CLOCK_SKEW)) {
      return rate(
          bundle -> {
            for (Result result : bundle) {
              try {
                encoder.add(result, this::take, failure -> refused());
              } catch (UnavailableException e) {
                throw new IllegalStateException(
                    "the benchmark's messages have this clock's time", e);
              }
            }
            encoder.flush(this::take, failure -> refused());
          });
    }
  }

  /** Returns observations a second, without a log of queries. */
  public double parquetIo() throws IOException {
    Map<ValueType, Schema> schemas = new TreeMap<>();
    schemas.put(ValueType.INT64, schema(Schema.create(Schema.Type.LONG)));
    schemas.put(ValueType.FLOAT64, schema(Schema.create(Schema.Type.DOUBLE)));
    return rate(bundle -> parquetIo(bundle, schemas));
  }

  private void take(OutgoingMessage file) {
    bytes += file.bytes().length;
  }

  private static void refused() {
    throw new IllegalStateException("no row of the benchmark's can be refused");
  }

  private double rate(Encode encode) throws IOException {
    long start = System.nanoTime();
    int bundle = 0;
    while (System.nanoTime() - start < WARM_UP_NANOS) {
      encode.encode(bundles.get(bundle++ % BUNDLES));
    }
    long measuredFrom = System.nanoTime();
    bytes = 0;
    long count = 0;
    while (System.nanoTime() - measuredFrom < MEASURED_NANOS) {
      encode.encode(bundles.get(bundle++ % BUNDLES));
      count += (long) BUNDLE * BenchmarkTraffic.FEATURES;
    }
    bytesPerRow = (double) bytes / count;
    return count * 1e9 / (System.nanoTime() - measuredFrom);
  }

  /** Returns the bytes of files for an observation in the last measurement. */
  public double bytesPerRow() {
    return bytesPerRow;
  }

  /** One file for each type of values, sorted by feature, as the contract wants. */
  private void parquetIo(List<Result> bundle, Map<ValueType, Schema> schemas) throws IOException {
    Map<ValueType, Map<String, List<GenericRecord>>> rows = new TreeMap<>();
    ObservationIds ids = new ObservationIds();
    for (Result result : bundle) {
      byte[] operation = result.operationId().getBytes(StandardCharsets.UTF_8);
      for (Frame frame : result.frames()) {
        for (Column column : frame.columns()) {
          ids.begin(operation, column.spec().feature().getBytes(StandardCharsets.UTF_8));
          List<GenericRecord> records =
              rows.computeIfAbsent(column.spec().type(), unused -> new TreeMap<>())
                  .computeIfAbsent(column.spec().feature(), unused -> new ArrayList<>());
          for (int row = 0; row < frame.rows(); row++) {
            records.add(
                record(
                    ids,
                    requireNonNull(schemas.get(column.spec().type())),
                    result,
                    frame,
                    column,
                    row));
          }
        }
      }
    }
    for (Map.Entry<ValueType, Map<String, List<GenericRecord>>> type : rows.entrySet()) {
      ParquetIO.Sink sink =
          ParquetIO.sink(requireNonNull(schemas.get(type.getKey())))
              .withCompressionCodec(CompressionCodecName.ZSTD);
      ByteArrayOutputStream file = new ByteArrayOutputStream();
      try (WritableByteChannel channel = Channels.newChannel(file)) {
        sink.open(channel);
        for (List<GenericRecord> records : type.getValue().values()) {
          for (GenericRecord record : records) {
            sink.write(record);
          }
        }
        sink.flush();
      }
      bytes += file.size();
    }
  }

  private static GenericRecord record(
      ObservationIds ids, Schema schema, Result result, Frame frame, Column column, int row) {
    byte[] id = new byte[ObservationIds.LENGTH];
    long observedAt = column.observedAt(row);
    ids.compute(
        frame.keys().source(),
        frame.keys().start(row),
        frame.keys().length(row),
        observedAt,
        id,
        0);
    GenericRecord record = new GenericData.Record(schema);
    record.put("feature", column.spec().feature());
    record.put(
        "observation_id", new GenericData.Fixed(schema.getField("observation_id").schema(), id));
    record.put("pkey", frame.keys().text(row));
    record.put(
        "value",
        column.spec().type() == ValueType.INT64
            ? (Object) column.int64(row)
            : (Object) column.float64(row));
    record.put("observed_at", observedAt);
    record.put("resolver_fqn", column.spec().resolverFqn());
    record.put("deployment_id", result.deploymentId());
    record.put("operation_id", result.operationId());
    record.put("deleted", false);
    return record;
  }

  private static Schema schema(Schema value) {
    return SchemaBuilder.record("observation")
        .fields()
        .requiredString("feature")
        .name("observation_id")
        .type(Schema.createFixed("uuid", "", "", ObservationIds.LENGTH))
        .noDefault()
        .requiredString("pkey")
        .name("value")
        .type(Schema.createUnion(Schema.create(Schema.Type.NULL), value))
        .noDefault()
        .name("observed_at")
        .type(LogicalTypes.timestampMicros().addToSchema(Schema.create(Schema.Type.LONG)))
        .noDefault()
        .optionalString("resolver_fqn")
        .optionalString("deployment_id")
        .requiredString("operation_id")
        .requiredBoolean("deleted")
        .endRecord();
  }
}
