package io.tailrace.offline.bigquery;

import com.google.api.services.bigquery.model.TableConstraints;
import com.google.api.services.bigquery.model.TableReference;
import com.google.api.services.bigquery.model.TableRow;
import com.google.api.services.bigquery.model.TableSchema;
import com.google.cloud.bigquery.storage.v1.AppendRowsRequest.MissingValueInterpretation;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.bigquery.AppendedRow.Observed;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.Failure;
import io.tailrace.stage.Outputs;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryIO;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryIO.Write.CreateDisposition;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryIO.Write.Method;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryIO.Write.WriteDisposition;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryOptions;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryServices;
import org.apache.beam.sdk.io.gcp.bigquery.DynamicDestinations;
import org.apache.beam.sdk.io.gcp.bigquery.RowMutationInformation;
import org.apache.beam.sdk.io.gcp.bigquery.RowMutationInformation.MutationType;
import org.apache.beam.sdk.io.gcp.bigquery.TableDestination;
import org.apache.beam.sdk.io.gcp.bigquery.WriteResult;
import org.apache.beam.sdk.transforms.Filter;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.windowing.GlobalWindows;
import org.apache.beam.sdk.transforms.windowing.Window;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollection.IsBounded;
import org.apache.beam.sdk.values.PCollectionList;
import org.apache.beam.sdk.values.ValueInSingleWindow;
import org.joda.time.Duration;

/**
 * The sink of BigQuery: appends the rows of files to tables of rows by Beam's Storage Write API, in
 * front of which views show each id once.
 *
 * <p>By default a row is appended at least once, in the stream that every table has, and is
 * readable when its bundle ends; with {@code exactlyOnce=true} once, in streams of their own, which
 * are committed every few seconds. Readers see the same either way. With {@code latest=true}, the
 * newest observation of each entity and feature is upserted, too.
 *
 * <p>A table that is missing is created, and its rows wait until streams see it. Rows that BigQuery
 * refuses become failures that hold them. What it puts out is one outcome for those rows of a
 * bundle that were published at one time, when they are durable.
 */
final class BigQueryAppends
    extends PTransform<
        PCollection<ObservationFile>, WithFailures.Result<PCollection<InsertOutcome>, Failure>> {
  private static final long serialVersionUID = 1;

  private final BigQueryAddress address;
  private final BigQueryServices services;

  BigQueryAppends(BigQueryAddress address, BigQueryServices services) {
    this.address = address;
    this.services = services;
  }

  @Override
  public WithFailures.Result<PCollection<InsertOutcome>, Failure> expand(
      PCollection<ObservationFile> files) {
    WithFailures.Result<PCollection<AppendedRow>, Failure> rows =
        Outputs.of(
            files.apply("Forever", Window.into(new GlobalWindows())),
            "Rows",
            new AppendFn(address, services));
    PCollection<AppendedRow> all = rows.output().setCoder(AppendedRowCoder.of());
    List<PCollection<Failure>> failures = new ArrayList<>();
    failures.add(rows.failures());
    PCollection<AppendedRow> history = all;
    if (address.sink().latest()) {
      history = all.apply("OfHistory", Filter.by(row -> !isLatest(row)));
      WriteResult upserts =
          all.apply("OfLatest", Filter.by(BigQueryAppends::isLatest)).apply("Upsert", upserts());
      failures.add(refused(upserts, "RefusedLatest"));
    }
    WriteResult appends = history.apply("Append", appends(files));
    failures.add(refused(appends, "Refused"));
    PCollection<InsertOutcome> outcomes =
        Outputs.<TableRow, InsertOutcome>of(
                appends.getSuccessfulStorageApiInserts(), "Appended", new AppendedFn())
            .output();
    return WithFailures.Result.of(
        outcomes, PCollectionList.of(failures).apply("Failures", Flatten.pCollections()));
  }

  private static boolean isLatest(AppendedRow row) {
    return row.destination().shape().kind() == Shape.Kind.LATEST;
  }

  private static PCollection<Failure> refused(WriteResult written, String step) {
    return Outputs.of(written.getFailedStorageApiInserts(), step, new RefusedFn()).failures();
  }

  private BigQueryIO.Write<AppendedRow> write() {
    return BigQueryIO.<AppendedRow>write()
        .to(new Tables())
        .withFormatFunction(RowFormat::of)
        .withFormatRecordOnFailureFunction(RefusedFn::keep)
        .withCreateDisposition(CreateDisposition.CREATE_NEVER)
        .withWriteDisposition(WriteDisposition.WRITE_APPEND)
        .withDefaultMissingValueInterpretation(MissingValueInterpretation.DEFAULT_VALUE)
        .withTestServices(services);
  }

  private BigQueryIO.Write<AppendedRow> appends(PCollection<ObservationFile> files) {
    BigQueryIO.Write<AppendedRow> write =
        write().withPropagateSuccessfulStorageApiWrites(new Counted());
    if (!address.sink().exactlyOnce()) {
      return write.withMethod(Method.STORAGE_API_AT_LEAST_ONCE);
    }
    write = write.withMethod(Method.STORAGE_WRITE_API);
    if (files.isBounded() == IsBounded.BOUNDED) {
      return write;
    }
    int streams =
        files.getPipeline().getOptions().as(BigQueryOptions.class).getNumStorageWriteApiStreams();
    write = write.withTriggeringFrequency(Duration.millis(address.sink().commitEvery().toMillis()));
    return streams > 0 ? write.withNumStorageWriteApiStreams(streams) : write.withAutoSharding();
  }

  private BigQueryIO.Write<AppendedRow> upserts() {
    return write()
        .withMethod(Method.STORAGE_API_AT_LEAST_ONCE)
        .withRowMutationInformationFn(
            row ->
                RowMutationInformation.of(
                    MutationType.UPSERT, LatestSequence.of((Observed) row.content())));
  }

  /** The columns of rows that come back when they are durable. */
  private static final class Counted implements Predicate<String>, Serializable {
    private static final long serialVersionUID = 1;

    @Override
    public boolean test(String column) {
      return column.equals(AppendedFn.COLUMN);
    }
  }

  /** The table of each row. */
  private static final class Tables extends DynamicDestinations<AppendedRow, String> {
    private static final long serialVersionUID = 1;

    @Override
    public String getDestination(ValueInSingleWindow<AppendedRow> row) {
      return row.getValue().destination().text();
    }

    @Override
    public Coder<String> getDestinationCoder() {
      return StringUtf8Coder.of();
    }

    @Override
    public TableDestination getTable(String text) {
      Destination destination = Destination.parse(text);
      return new TableDestination(
          new TableReference()
              .setProjectId(destination.project())
              .setDatasetId(destination.dataset())
              .setTableId(destination.table()),
          null);
    }

    @Override
    public TableSchema getSchema(String text) {
      return TableDesign.written(Destination.parse(text).shape());
    }

    @Override
    public TableConstraints getTableConstraints(String text) {
      return TableDesign.latest("any").constraints();
    }
  }
}
