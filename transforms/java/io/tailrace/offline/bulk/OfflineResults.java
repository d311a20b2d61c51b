package io.tailrace.offline.bulk;

import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.parquet.WideFileWriter;
import io.tailrace.parquet.WideMapping;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.v1.BulkUpload;
import io.tailrace.v1.ColumnMapping;
import io.tailrace.v1.FeatureColumn;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.checkerframework.checker.nullness.qual.Nullable;

/**
 * Writes the results of an offline query as files and makes the notification that has them loaded:
 * what an engine does whose results are to be kept. Each file says in its footer what it holds, so
 * that it can be loaded without a notification, too.
 *
 * <pre>{@code
 * try (OfflineResults results = OfflineResults.of(contents).into("s3://bucket/results/" + id)) {
 *   for (Row row : rows) {
 *     results.add(row.key(), row.time(), row.values());
 *   }
 *   bus.publish(OutgoingMessage.of(NotificationFormat.json(results.finish()).getBytes(UTF_8)));
 * }
 * }</pre>
 *
 * <p>Files on this machine have their name when they are whole; in a bucket they are there when
 * they are. Not thread-safe.
 */
public final class OfflineResults implements AutoCloseable {
  /** Rows of a file: few enough for one row group to be decoded in little memory. */
  private static final int FILE_ROWS = 100_000;

  /** Bytes of a file, before compression. */
  private static final long FILE_BYTES = 32L << 20;

  private final Contents contents;
  private final ResultBucket folder;
  private final int fileRows;
  private final CompressionCodecName codec;
  private final BulkUpload description;
  private final List<String> files = new ArrayList<>();
  private @Nullable WideFileWriter writer;
  // Of the first row: all are of one kind.
  private Optional<Boolean> stringKeys = Optional.empty();

  private OfflineResults(Draft draft, ResultBucket folder) {
    this.contents = draft.contents;
    this.folder = folder;
    this.fileRows = draft.fileRows;
    this.codec = draft.codec;
    this.description = description(contents);
  }

  /** What results are written, and where to. Immutable. */
  public record Draft(Contents contents, int fileRows, CompressionCodecName codec) {
    /** Begins another file after so many rows. */
    public Draft withFileRows(int rows) {
      return new Draft(contents, rows, codec);
    }

    /** Compresses files otherwise than by ZSTD, which Redshift does not read. */
    public Draft compressedBy(CompressionCodecName other) {
      return new Draft(contents, fileRows, other);
    }

    /**
     * Writes files into a folder, which is no other result's.
     *
     * @param folder {@code s3://bucket/folder}, {@code gs://bucket/folder} or {@code
     *     file:///folder}
     * @throws IllegalArgumentException if it is none
     */
    public OfflineResults into(String folder) {
      return new OfflineResults(this, new ResultBucket(folder));
    }
  }

  /** Writes results of an execution. */
  public static Draft of(Contents contents) {
    return new Draft(contents, FILE_ROWS, CompressionCodecName.ZSTD);
  }

  /** Returns what a message or a footer says of files. */
  public static BulkUpload description(Contents contents) {
    WideMapping mapping = contents.mapping();
    ColumnMapping.Builder columns =
        ColumnMapping.newBuilder()
            .setPrimaryKeyColumn(mapping.keyColumn())
            .setObservedAtColumn(mapping.time().column())
            .setObservedAt(mapping.time().constant());
    for (WideMapping.FeatureColumn feature : mapping.features()) {
      columns.addFeatures(
          FeatureColumn.newBuilder()
              .setFeature(feature.feature())
              .setNamespace(feature.namespace())
              .setColumn(feature.column())
              .setTypeValue(feature.kind().type().code())
              .setNulls(
                  feature.kind().nulls() == Nulls.COMPUTED
                      ? FeatureColumn.Nulls.COMPUTED
                      : FeatureColumn.Nulls.NOT_COMPUTED)
              .setResolverFqn(feature.resolverFqn()));
    }
    return BulkUpload.newBuilder()
        .setOperationId(contents.operationId())
        .setEnvironmentId(contents.environment())
        .setDeploymentId(contents.deploymentId())
        .setMapping(columns)
        .build();
  }

  /**
   * Adds a row; see {@link WideFileWriter#add}.
   *
   * @param key a String, or a Long: all of one kind
   * @param observedAt microseconds since the epoch; of no meaning where all rows have one time
   * @param values of the features, in the mapping's order; null: none
   */
  public void add(Object key, long observedAt, List<? extends @Nullable Object> values)
      throws IOException {
    if (writer == null) {
      stringKeys = stringKeys.or(() -> Optional.of(key instanceof String));
      writer = new WideFileWriter(contents.mapping(), stringKeys.orElseThrow(), codec);
    }
    writer.add(key, observedAt, values);
    if (writer.rows() >= fileRows || writer.bytes() >= FILE_BYTES) {
      endFile();
    }
  }

  private void endFile() throws IOException {
    WideFileWriter ended = writer;
    if (ended != null) {
      writer = null;
      try (ended) {
        String uri = folder.uri() + "/part-" + files.size() + ".parquet";
        byte[] file =
            ended.finish(
                Map.of(NotificationFormat.FOOTER_KEY, NotificationFormat.json(description)));
        folder.write(uri, Channels.newChannel(new ByteArrayInputStream(file)));
        files.add(uri);
      }
    }
  }

  /**
   * Ends the last file, and returns the notification that names all of them: to be published once
   * this has returned, and only then.
   */
  public BulkUpload finish() throws IOException {
    endFile();
    return description.toBuilder().addAllFiles(files).build();
  }

  @Override
  public void close() throws IOException {
    if (writer != null) {
      writer.close();
      writer = null;
    }
  }
}
