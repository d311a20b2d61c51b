package io.tailrace.pipelines;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStore.Role;
import io.tailrace.offline.bulk.ResultBucket;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.beam.sdk.io.FileSystems;
import org.apache.beam.sdk.options.Default;
import org.apache.beam.sdk.options.Description;
import org.checkerframework.checker.nullness.qual.Nullable;

/** Options of the {@link BulkInsertWriter}, beside those of Beam and of the runner. */
public interface BulkInsertWriterOptions extends OfflineStoreOptions {
  /** The variable of the environment that names the bucket where no option does. */
  String UPLOAD_BUCKET = "BQ_UPLOAD_BUCKET";

  @Description("The bus with messages that name files with results.")
  @Nullable String getBulkUploadBus();

  void setBulkUploadBus(@Nullable String uri);

  @Shown(under = "Source")
  @Description(
      "The bucket, or a folder in it, from where alone files are loaded. Default: what the"
          + " environment's variable BQ_UPLOAD_BUCKET says.")
  @Nullable String getUploadBucket();

  void setUploadBucket(@Nullable String uri);

  @Description(
      "How far a row may be observed after its message's publication before it is taken for the"
          + " error of a clock, or of a unit, and becomes a dead letter.")
  @Default.String("5m")
  String getMaxClockSkew();

  void setMaxClockSkew(String duration);

  /** What the options mean. */
  record Parsed(ResultBucket uploadBucket, OfflineStore offlineStore, Duration maxClockSkew) {}

  /** Looks at the options; what it returns is to be asked for when all are right. */
  static Supplier<Parsed> parse(BulkInsertWriterOptions options, OptionCheck check) {
    String named =
        options.getUploadBucket() == null
            ? System.getenv(UPLOAD_BUCKET)
            : options.getUploadBucket();
    if (named != null) {
      // Beam's file systems are those of the options.
      FileSystems.setDefaultPipelineOptions(options);
    }
    Optional<ResultBucket> bucket = check.endpoint("uploadBucket", named, ResultBucket.KINDS);
    bucket
        .filter(ResultBucket::isLocal)
        .filter(unused -> Workers.areElsewhere(options))
        .ifPresent(
            it ->
                check.problem(
                    "--uploadBucket: '"
                        + it
                        + "' is a folder of this machine, and the writer runs on others: use"
                        + " gs://bucket/folder or s3://bucket/folder"));
    Optional<OfflineStore> store =
        OfflineStoreOptions.offlineStore(
            options, Set.of(Role.CREATE_TABLES, Role.BULK_LOAD), check);
    Optional<Duration> maxClockSkew = check.duration("maxClockSkew", options.getMaxClockSkew());
    return () -> new Parsed(bucket.orElseThrow(), store.orElseThrow(), maxClockSkew.orElseThrow());
  }
}
