package io.tailrace.testing.fakes;

import com.google.api.core.ApiFuture;
import com.google.api.core.ApiFutures;
import com.google.api.gax.grpc.GrpcStatusCode;
import com.google.api.gax.rpc.ApiException;
import com.google.api.services.bigquery.model.TableReference;
import com.google.cloud.bigquery.storage.v1.AppendRowsRequest.MissingValueInterpretation;
import com.google.cloud.bigquery.storage.v1.AppendRowsResponse;
import com.google.cloud.bigquery.storage.v1.BatchCommitWriteStreamsResponse;
import com.google.cloud.bigquery.storage.v1.Exceptions;
import com.google.cloud.bigquery.storage.v1.FinalizeWriteStreamResponse;
import com.google.cloud.bigquery.storage.v1.FlushRowsResponse;
import com.google.cloud.bigquery.storage.v1.ProtoRows;
import com.google.cloud.bigquery.storage.v1.TableSchema;
import com.google.cloud.bigquery.storage.v1.WriteStream;
import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import io.grpc.Status;
import io.tailrace.testing.fakes.FakeBigQueryTables.FaultException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryOptions;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryServices;
import org.apache.beam.sdk.io.gcp.bigquery.TableRowToStorageApiProto;
import org.apache.beam.sdk.io.gcp.testing.FakeDatasetService;
import org.apache.beam.sdk.io.gcp.testing.FakeJobService;
import org.jspecify.annotations.Nullable;

/**
 * The streams of a simulated BigQuery, in place of Beam's client of the Storage Write API: they
 * decode the rows that Beam's sink sends, hold them against the table's columns, and keep upserts
 * by their sequence as the documentation says. Serializable, as Beam wants it: all copies are one.
 * Thread-safe.
 */
public final class FakeStorageWrite implements BigQueryServices, AutoCloseable {
  private static final long serialVersionUID = 1;
  private static final Map<Integer, State> STATES = new ConcurrentHashMap<>();
  private static final AtomicInteger NUMBERS = new AtomicInteger();

  private final int number;

  private FakeStorageWrite(int number) {
    this.number = number;
  }

  /** A stream that was made for one writer. */
  private static final class Stream {
    final TableReference table;
    final List<Map<String, Object>> rows = new ArrayList<>();
    long flushed;

    Stream(TableReference table) {
      this.table = table;
    }
  }

  private static final class State {
    final FakeBigQueryTables tables;
    final Map<String, Stream> streams = new ConcurrentHashMap<>();
    final AtomicInteger created = new AtomicInteger();
    final Map<String, AtomicInteger> unseen = new ConcurrentHashMap<>();
    final Map<String, Function<Map<String, Object>, Optional<String>>> refusals =
        new ConcurrentHashMap<>();
    final AtomicInteger toThrottle = new AtomicInteger();
    final AtomicInteger toLose = new AtomicInteger();
    final AtomicInteger toCrash = new AtomicInteger();
    final Set<String> hidden = ConcurrentHashMap.newKeySet();
    final AtomicInteger appends = new AtomicInteger();
    volatile int unseenFor;
    volatile boolean isDown;

    State(FakeBigQueryTables tables) {
      this.tables = tables;
    }

    /** A table is not seen at first. */
    boolean sees(TableReference table) {
      if (hidden.contains(table.getTableId())) {
        return false;
      }
      return unseen
              .computeIfAbsent(table.getTableId(), unused -> new AtomicInteger(unseenFor))
              .getAndDecrement()
          <= 0;
    }
  }

  static FakeStorageWrite over(FakeBigQueryTables tables) {
    int number = NUMBERS.incrementAndGet();
    STATES.put(number, new State(tables));
    FakeDatasetService.setUp();
    return new FakeStorageWrite(number);
  }

  private State state() {
    return STATES.get(number);
  }

  /** Answers nothing any more, or again. */
  public void setDown(boolean down) {
    state().isDown = down;
  }

  /** Does not see a table that it has not seen yet so many times that it is asked. */
  public void seeLate(int asks) {
    state().unseenFor = asks;
  }

  /** Answers so many appends that there are too many. */
  public void throttle(int appends) {
    state().toThrottle.set(appends);
  }

  /** Loses the answers to so many appends that it has done. */
  public void loseAnswers(int appends) {
    state().toLose.set(appends);
  }

  /** Does so many appends, and then answers what makes Beam fail the bundle. */
  public void crash(int appends) {
    state().toCrash.set(appends);
  }

  /** Never sees a table. */
  public void hide(String table) {
    state().hidden.add(table);
  }

  /** Refuses rows of a table, for the reason that a function returns. */
  public void refuse(String table, Function<Map<String, Object>, Optional<String>> why) {
    state().refusals.put(table, why);
  }

  /** Returns how many appends there were. */
  public int appends() {
    return state().appends.get();
  }

  @Override
  public JobService getJobService(BigQueryOptions options) {
    return new FakeJobService();
  }

  @Override
  public DatasetService getDatasetService(BigQueryOptions options) {
    return new FakeDatasetService();
  }

  @Override
  public WriteStreamService getWriteStreamService(BigQueryOptions options) {
    return new Streams(state());
  }

  @Override
  public StorageClient getStorageClient(BigQueryOptions options) {
    throw new UnsupportedOperationException("nothing is read by streams");
  }

  @Override
  public void close() {
    STATES.remove(number);
  }

  private static ApiException fault(Status.Code code, String message) {
    return new ApiException(
        code.toStatus().withDescription(message).asRuntimeException(),
        GrpcStatusCode.of(code),
        false);
  }

  /** Returns sections of hexadecimal digits as a text that sorts as their numbers do. */
  static String sequence(String sections) {
    return Arrays.stream(sections.split("/"))
        .map(section -> String.format("%016x", Long.parseUnsignedLong(section, 16)))
        .collect(Collectors.joining("/"));
  }

  /** Returns the table of a name such as projects/p/datasets/d/tables/t/streams/_default. */
  private static TableReference table(String name) {
    List<String> parts = Arrays.asList(name.split("/"));
    return new TableReference()
        .setProjectId(parts.get(1))
        .setDatasetId(parts.get(3))
        .setTableId(parts.get(5));
  }

  private static final class Streams implements WriteStreamService {
    private final State state;

    Streams(State state) {
      this.state = state;
    }

    private void checkUp() {
      if (state.isDown) {
        throw fault(Status.Code.UNAVAILABLE, "The service is unavailable");
      }
    }

    private com.google.api.services.bigquery.model.Table seen(TableReference table) {
      checkUp();
      try {
        if (state.sees(table)) {
          return state.tables.table(table);
        }
      } catch (FaultException e) {
        // Not found either way.
      }
      throw fault(Status.Code.NOT_FOUND, "Requested entity was not found: " + table.getTableId());
    }

    @Override
    public TableSchema getWriteStreamSchema(String stream) {
      return TableRowToStorageApiProto.schemaToProtoTableSchema(seen(table(stream)).getSchema());
    }

    @Override
    public WriteStream createWriteStream(String table, WriteStream.Type type) {
      TableReference reference = table(table);
      var unused = seen(reference);
      String name = table + "/streams/s" + state.created.getAndIncrement();
      state.streams.put(name, new Stream(reference));
      return WriteStream.newBuilder().setName(name).setType(type).build();
    }

    @Override
    public StreamAppendClient getStreamAppendClient(
        String stream,
        DescriptorProto descriptor,
        boolean useConnectionPool,
        MissingValueInterpretation missing)
        throws Exception {
      var table = seen(table(stream));
      Descriptor rows = TableRowToStorageApiProto.wrapDescriptorProto(descriptor);
      List<String> columns =
          table.getSchema().getFields().stream().map(field -> field.getName()).toList();
      for (FieldDescriptor field : rows.getFields()) {
        if (!columns.contains(field.getName()) && !field.getName().startsWith("_")) {
          throw fault(Status.Code.INVALID_ARGUMENT, "no column " + field.getName());
        }
      }
      return new Appends(state, stream, rows);
    }

    @Override
    public ApiFuture<FlushRowsResponse> flush(String name, long offset) {
      Stream stream = state.streams.get(name);
      synchronized (stream) {
        if (offset >= stream.rows.size()) {
          return ApiFutures.immediateFailedFuture(
              fault(Status.Code.OUT_OF_RANGE, "offset " + offset));
        }
        List<Map<String, Object>> some =
            stream.rows.subList((int) Math.min(stream.flushed, offset + 1), (int) offset + 1);
        append(state, stream.table, some);
        stream.flushed = Math.max(stream.flushed, offset + 1);
      }
      return ApiFutures.immediateFuture(FlushRowsResponse.newBuilder().setOffset(offset).build());
    }

    @Override
    public ApiFuture<FinalizeWriteStreamResponse> finalizeWriteStream(String name) {
      return ApiFutures.immediateFuture(
          FinalizeWriteStreamResponse.newBuilder()
              .setRowCount(state.streams.get(name).rows.size())
              .build());
    }

    @Override
    public ApiFuture<BatchCommitWriteStreamsResponse> commitWriteStreams(
        String table, Iterable<String> names) {
      for (String name : names) {
        Stream stream = state.streams.get(name);
        append(state, stream.table, stream.rows);
      }
      return ApiFutures.immediateFuture(
          BatchCommitWriteStreamsResponse.newBuilder()
              .setCommitTime(com.google.protobuf.Timestamp.getDefaultInstance())
              .build());
    }

    @Override
    public void close() {}
  }

  private static void append(State state, TableReference table, List<Map<String, Object>> rows) {
    try {
      state.tables.append(table, rows);
    } catch (SQLException | FaultException e) {
      throw fault(Status.Code.INVALID_ARGUMENT, e.getMessage());
    }
  }

  private static final class Appends implements StreamAppendClient {
    private final State state;
    private final String name;
    private final Descriptor descriptor;

    Appends(State state, String name, Descriptor descriptor) {
      this.state = state;
      this.name = name;
      this.descriptor = descriptor;
    }

    @Override
    public ApiFuture<AppendRowsResponse> appendRows(long offset, ProtoRows rows) throws Exception {
      state.appends.incrementAndGet();
      if (state.isDown) {
        return ApiFutures.immediateFailedFuture(
            Status.UNAVAILABLE.withDescription("down").asRuntimeException());
      }
      if (state.toThrottle.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        return ApiFutures.immediateFailedFuture(
            Status.RESOURCE_EXHAUSTED.withDescription("throughput quota").asRuntimeException());
      }
      List<Map<String, Object>> decoded = new ArrayList<>();
      for (ByteString row : rows.getSerializedRowsList()) {
        decoded.add(row(DynamicMessage.parseFrom(descriptor, row)));
      }
      TableReference table = table(name);
      Map<Integer, String> refused = new HashMap<>();
      var why = state.refusals.get(table.getTableId());
      for (int i = 0; why != null && i < decoded.size(); i++) {
        int index = i;
        why.apply(decoded.get(i)).ifPresent(message -> refused.put(index, message));
      }
      if (!refused.isEmpty()) {
        return ApiFutures.immediateFailedFuture(
            new Exceptions.AppendSerializationError(
                Status.Code.INVALID_ARGUMENT.value(),
                "Append serialization failed",
                name,
                refused));
      }
      Stream stream = state.streams.get(name);
      if (stream == null) {
        append(state, table, decoded);
      } else {
        synchronized (stream) {
          if (offset >= 0 && offset != stream.rows.size()) {
            Status status =
                offset < stream.rows.size() ? Status.ALREADY_EXISTS : Status.OUT_OF_RANGE;
            return ApiFutures.immediateFailedFuture(
                status.withDescription("offset " + offset).asRuntimeException());
          }
          stream.rows.addAll(decoded);
        }
      }
      if (state.toCrash.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        return ApiFutures.immediateFailedFuture(
            Status.FAILED_PRECONDITION.withDescription("stream is gone").asRuntimeException());
      }
      if (state.toLose.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        return ApiFutures.immediateFailedFuture(
            Status.UNAVAILABLE.withDescription("connection reset").asRuntimeException());
      }
      return ApiFutures.immediateFuture(AppendRowsResponse.newBuilder().build());
    }

    private static Map<String, Object> row(DynamicMessage message) {
      if (!message.getUnknownFields().asMap().isEmpty()) {
        throw new IllegalStateException("fields that nobody knows: " + message.getUnknownFields());
      }
      Map<String, Object> row = new HashMap<>();
      message
          .getAllFields()
          .forEach(
              (field, value) -> {
                String column = field.getName().toLowerCase(Locale.ROOT);
                row.put(
                    column,
                    column.equals(FakeBigQueryTables.SEQUENCE)
                        ? sequence((String) value)
                        : value instanceof ByteString bytes ? bytes.toByteArray() : value);
              });
      return row;
    }

    @Override
    public @Nullable TableSchema getUpdatedSchema() {
      return null;
    }

    @Override
    public void pin() {}

    @Override
    public void unpin() {}

    @Override
    public void close() {}
  }
}
