package io.tailrace.pipelines.local;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.Micros;
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
 * Offline queries whose results are kept: each is written as files, which a message has loaded.
 * Stateless and thread-safe.
 */
public final class SampleUpload {
  private static final String NAMESPACE = "history";
  private static final String DEPLOYMENT = "offline-query";
  private static final String RESOLVER = "history.backfill";
  private static final String ENVIRONMENT = "prod";

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
   * Writes the result of a query as files, and tells the models of its rows.
   *
   * @param bucket where writers may load from
   * @param seed another query for another number
   * @param rows how many there are, of entities that all queries have in common
   * @param rowsOfFile how many a file has at most
   * @return the message that has the files loaded
   * @throws CommandException if a file can't be written
   */
  public static OutgoingMessage write(
      String bucket, long seed, int rows, int rowsOfFile, StoreModels models)
      throws CommandException {
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
        OfflineResults.of(contents).withFileRows(rowsOfFile).into(bucket + "/" + operation)) {
      for (long user = 0; user < rows; user++) {
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
      models.addLoaded(result(operation, known(rows), List.of(segment)), now);
      return OutgoingMessage.of(NotificationFormat.json(files.finish()).getBytes(UTF_8));
    } catch (IOException e) {
      throw new CommandException("Files can't be written: " + e.getMessage(), e);
    }
  }

  private static Frame.Builder known(int rows) {
    Frame.Builder frame = Frame.newBuilder().setNamespace(NAMESPACE);
    for (long user = 0; user < rows; user++) {
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
