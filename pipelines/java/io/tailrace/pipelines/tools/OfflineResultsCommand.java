package io.tailrace.pipelines.tools;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.tailrace.bus.Bus;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.bulk.NotificationFormat;
import io.tailrace.offline.bulk.OfflineResults;
import io.tailrace.offline.bulk.ResultBucket;
import io.tailrace.parquet.WideMapping;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Kind;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.parquet.WideMapping.Time;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.RunningStack;
import io.tailrace.result.ValueType;
import io.tailrace.v1.BulkUpload;
import io.tailrace.v1.Column;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.checkerframework.checker.nullness.qual.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes results that people have as JSON lines as an engine writes those that are to be kept. */
@Command(
    name = "offline-results",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Writes the results of offline queries as Parquet files into the bucket of the"
          + " bulk-insert-writer, and publishes a message for each that has them loaded, as an"
          + " engine does whose results are to be kept. Each line of FILE is a QueryResult in"
          + " protobuf's JSON mapping, as 'publish' takes it."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:all results were written and published",
      "1:a line is wrong, or the bus or the bucket can't be used; those before it are published",
      "2:wrong use"
    })
public final class OfflineResultsCommand implements Callable<Integer> {
  private static final String KEY = "primary_key";
  private static final String TIME = "observed_at";

  @Parameters(index = "0", paramLabel = "FILE", description = "JSON lines.")
  private Path file = Path.of("");

  @Mixin private UploadTarget target = new UploadTarget();
  @Spec private CommandSpec spec = CommandSpec.create();

  private final Path stackFile;

  /** Creates the command. */
  public OfflineResultsCommand() {
    this(RunningStack.defaultFile());
  }

  /** Creates the command for a test. */
  OfflineResultsCommand(Path stackFile) {
    this.stackFile = stackFile;
  }

  /** Columns that can be in one file: those of one namespace whose times are the same. */
  private record Group(List<Long> times, List<Column> columns) {}

  @Override
  public Integer call() throws CommandException {
    RunningStack.Uploads uploads =
        target.uploads(target.isGiven() ? Optional.empty() : RunningStack.find(stackFile));
    int number = 0;
    try {
      ResultBucket bucket = ResultBucket.KINDS.at(uploads.bucket());
      Bus bus = Buses.at(uploads.bus());
      bus.check();
      bucket.check();
      try (BusPublisher publisher = bus.publisher()) {
        for (String line : Files.readAllLines(file)) {
          number++;
          if (!line.isBlank()) {
            write(parse(line), bucket, publisher);
          }
        }
      }
      return 0;
    } catch (NoSuchFileException e) {
      throw new CommandException("There is no file " + file, e);
    } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
      throw new CommandException((number == 0 ? "" : "line " + number + ": ") + e.getMessage(), e);
    } catch (IOException e) {
      throw new CommandException("Files can't be written: " + e.getMessage(), e);
    } catch (UnavailableException | IllegalStateException e) {
      throw new CommandException(String.valueOf(e.getMessage()), e);
    }
  }

  private static QueryResult parse(String line) throws InvalidProtocolBufferException {
    QueryResult.Builder result = QueryResult.newBuilder();
    JsonFormat.parser().merge(line, result);
    if (result.getOperationId().isEmpty() || result.getEnvironmentId().isEmpty()) {
      throw new IllegalArgumentException("operation_id and environment_id are required");
    }
    if (result.getDeletionsCount() > 0) {
      throw new IllegalArgumentException(
          "files hold no deletions: publish them to the result bus, with 'publish'");
    }
    return result.build();
  }

  private void write(QueryResult result, ResultBucket bucket, BusPublisher publisher)
      throws IOException, UnavailableException {
    String folder = bucket.uri() + "/offline-results-" + UUID.randomUUID();
    int number = 0;
    for (Frame frame : result.getFramesList()) {
      for (Group group : groups(frame)) {
        Contents contents =
            new Contents(
                result.getOperationId(),
                result.getEnvironmentId(),
                result.getDeploymentId(),
                new WideMapping(
                    KEY,
                    new Time(TIME, 0),
                    group.columns.stream().map(column -> feature(frame, column)).toList()));
        try (OfflineResults files = OfflineResults.of(contents).into(folder + "/" + number++)) {
          for (int row = 0; row < group.times.size(); row++) {
            List<@Nullable Object> values = new ArrayList<>();
            for (Column column : group.columns) {
              values.add(value(column, row));
            }
            files.add(
                frame.getStringKeysCount() > 0
                    ? frame.getStringKeys(row)
                    : (Object) frame.getInt64Keys(row),
                group.times.get(row),
                values);
          }
          BulkUpload upload = files.finish();
          if (upload.getFilesCount() > 0) {
            publisher.publish(OutgoingMessage.of(NotificationFormat.json(upload).getBytes(UTF_8)));
            publisher.flush();
            say(
                result.getOperationId()
                    + ": "
                    + group.times.size()
                    + " rows of "
                    + group.columns.size()
                    + " features in "
                    + String.join(", ", upload.getFilesList()));
          }
        }
      }
    }
  }

  private void say(String line) {
    spec.commandLine().getOut().println(line);
    spec.commandLine().getOut().flush();
  }

  private static List<Group> groups(Frame frame) {
    int rows = Math.max(frame.getStringKeysCount(), frame.getInt64KeysCount());
    Map<List<Long>, List<Column>> byTimes = new LinkedHashMap<>();
    for (Column column : frame.getColumnsList()) {
      if (column.getSkipOffline() || column.getOrigin() != Column.Origin.COMPUTED) {
        continue;
      }
      int times = column.getObservedAtCount();
      if (times != 1 && times != rows) {
        throw new IllegalArgumentException(
            column.getFeature() + " has " + times + " times for " + rows + " rows");
      }
      List<Long> each = new ArrayList<>();
      for (int row = 0; row < rows; row++) {
        each.add(column.getObservedAt(times == 1 ? 0 : row));
      }
      byTimes.computeIfAbsent(each, unused -> new ArrayList<>()).add(column);
    }
    return byTimes.entrySet().stream()
        .map(entry -> new Group(entry.getKey(), entry.getValue()))
        .toList();
  }

  private static FeatureColumn feature(Frame frame, Column column) {
    // A name of its own, whatever those of the key and the times are.
    return new FeatureColumn(
        frame.getNamespace(),
        column.getFeature(),
        column.getFeature(),
        new Kind(ValueType.ofCode(column.getTypeValue()), Nulls.COMPUTED),
        column.getResolverFqn());
  }

  private static @Nullable Object value(Column column, int row) {
    int bits = column.getNulls().size() * Byte.SIZE;
    if (row < bits && (column.getNulls().byteAt(row / 8) >> (row % 8) & 1) == 1) {
      return null;
    }
    try {
      return switch (ValueType.ofCode(column.getTypeValue())) {
        case INT64 -> column.getInt64Values(row);
        case FLOAT64 -> column.getFloat64Values(row);
        case BOOL -> column.getBoolValues(row);
        case STRING -> column.getStringValues(row);
        case BYTES -> column.getBytesValues(row).toByteArray();
        case TIMESTAMP -> Micros.instant(column.getTimestampValues(row));
        case DATE -> LocalDate.ofEpochDay(column.getDateValues(row));
        case JSON -> column.getJsonValues(row);
        case VECTOR -> vector(column, row);
      };
    } catch (IndexOutOfBoundsException e) {
      throw new IllegalArgumentException(column.getFeature() + " has no value for row " + row, e);
    }
  }

  private static float[] vector(Column column, int row) {
    float[] vector = new float[column.getVectorDimension()];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = column.getVectorValues(row * vector.length + i);
    }
    return vector;
  }
}
