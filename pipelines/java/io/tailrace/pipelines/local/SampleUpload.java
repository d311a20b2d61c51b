package io.tailrace.pipelines.local;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.bulk.NotificationFormat;
import io.tailrace.offline.bulk.OfflineResults;
import io.tailrace.parquet.WideMapping;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Kind;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.parquet.WideMapping.Time;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.proof.StoreModels;
import io.tailrace.result.ValueType;
import io.tailrace.v1.Column;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * An offline query whose result is kept: it is written as files, which a message has loaded, and
 * that message is published twice, as an engine does that is not sure of the first. Stateless and
 * thread-safe.
 */
final class SampleUpload {
  private static final String NAMESPACE = "history";
  private static final String DEPLOYMENT = "offline-query";
  private static final String RESOLVER = "history.backfill";
  private static final String ENVIRONMENT = "prod";

  private static final int ROWS = 2_000;
  private static final int ROWS_OF_A_FILE = 700;

  private static final List<FeatureColumn> FEATURES =
      List.of(
          feature("visits", ValueType.INT64),
          feature("spent", ValueType.FLOAT64),
          feature("segment", ValueType.STRING));

  private SampleUpload() {}

  private static FeatureColumn feature(String name, ValueType type) {
    return new FeatureColumn(
        NAMESPACE, NAMESPACE + "." + name, name, new Kind(type, Nulls.NOT_COMPUTED), RESOLVER);
  }

  /**
   * Writes files, publishes the message and tells the models of the rows.
   *
   * @throws CommandException if that can't be done
   */
  static void publish(LocalStack stack, long seed, StoreModels models) throws CommandException {
    Random random = new Random(seed);
    long now = Micros.now();
    String operation = "offline-query-" + Long.toUnsignedString(seed);
    Frame.Builder frame = Frame.newBuilder().setNamespace(NAMESPACE);
    Column.Builder visits = column(0);
    Column.Builder spent = column(1);
    Column.Builder segment = column(2);
    Contents contents =
        new Contents(
            operation,
            ENVIRONMENT,
            DEPLOYMENT,
            new WideMapping("user_id", new Time("observed_at", 0), FEATURES));
    try (OfflineResults files =
            OfflineResults.of(contents)
                .withFileRows(ROWS_OF_A_FILE)
                .into(stack.uploadBucket() + "/" + operation);
        BusPublisher bus = Buses.at(stack.bulkUploadBus()).publisher()) {
      for (long user = 0; user < ROWS; user++) {
        long observedAt = now - Micros.of(Duration.ofDays(1)) - user;
        long count = random.nextInt(1_000);
        double amount = random.nextInt(100_000) / 100.0;
        boolean isKnown = user % 5 != 0;
        files.add(
            user,
            observedAt,
            Arrays.asList(count, amount, isKnown ? "segment " + count % 7 : null));
        frame.addInt64Keys(user);
        visits.addObservedAt(observedAt).addInt64Values(count);
        spent.addObservedAt(observedAt).addFloat64Values(amount);
        if (isKnown) {
          segment.addObservedAt(observedAt).addStringValues("segment " + count % 7);
        }
      }
      models.addLoaded(result(operation, frame, List.of(visits, spent)), now);
      models.addLoaded(result(operation, known(), List.of(segment)), now);
      byte[] message = NotificationFormat.json(files.finish()).getBytes(UTF_8);
      bus.publish(OutgoingMessage.of(message));
      bus.publish(OutgoingMessage.of(message));
      bus.flush();
    } catch (IOException | UnavailableException e) {
      throw new CommandException("Files can't be published: " + e.getMessage(), e);
    }
  }

  private static Frame.Builder known() {
    Frame.Builder frame = Frame.newBuilder().setNamespace(NAMESPACE);
    for (long user = 0; user < ROWS; user++) {
      if (user % 5 != 0) {
        frame.addInt64Keys(user);
      }
    }
    return frame;
  }

  private static Column.Builder column(int number) {
    FeatureColumn feature = FEATURES.get(number);
    return Column.newBuilder()
        .setFeature(feature.feature())
        .setTypeValue(feature.kind().type().code())
        .setResolverFqn(feature.resolverFqn());
  }

  private static QueryResult result(
      String operation, Frame.Builder frame, List<Column.Builder> columns) {
    Frame.Builder filled = frame.clone().clearColumns();
    columns.forEach(filled::addColumns);
    return QueryResult.newBuilder()
        .setOperationId(operation)
        .setEnvironmentId(ENVIRONMENT)
        .setDeploymentId(DEPLOYMENT)
        .addFrames(filled)
        .build();
  }
}
