package io.tailrace.offline.bigquery;

import com.google.api.services.bigquery.model.TableRow;
import io.tailrace.offline.Feature;
import io.tailrace.offline.GroupedInserts;
import io.tailrace.offline.InsertCounters;
import io.tailrace.offline.InsertObservations;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.bigquery.AppendedRow.Asked;
import io.tailrace.offline.bigquery.AppendedRow.Observed;
import io.tailrace.parquet.LooseRow;
import io.tailrace.parquet.LooseRows;
import io.tailrace.parquet.QueryRow;
import io.tailrace.parquet.TableNames;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Held;
import io.tailrace.stage.Outputs;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryStorageApiInsertError;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.joda.time.Instant;

/**
 * Makes failures of the rows that BigQuery has refused: for each table one, or several where the
 * rows are many, that holds those rows alone.
 */
final class RefusedFn extends DoFn<BigQueryStorageApiInsertError, InsertOutcome> {
  private static final long serialVersionUID = 1;

  /** Rows that are in one letter, in bytes, roughly. */
  private static final long MAX_LETTER_BYTES = 512 << 10;

  /** The field of a row that Beam hands back as it was given. */
  private static final String ROW = "row";

  private final InsertCounters counters = InsertCounters.behindSink();
  private transient Map<OfTable, List<Held<Refused>>> refused;
  private transient Outputs<InsertOutcome> outputs;

  /** What rows have in common that are in one letter. */
  private record OfTable(
      Destination destination, String environment, boolean stringKeys, Optional<ValueType> type) {
    static OfTable of(AppendedRow row) {
      return row.content() instanceof Observed observed
          ? new OfTable(
              row.destination(), row.environment(), observed.stringKeys(), observed.valueType())
          : new OfTable(row.destination(), row.environment(), false, Optional.empty());
    }
  }

  private record Refused(AppendedRow row, String why, int bytes) {}

  /** Returns a row as Beam hands it back where it is refused. */
  static TableRow keep(AppendedRow row) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      AppendedRowCoder.of().encode(row, bytes);
    } catch (IOException e) {
      throw new IllegalStateException("memory can't be written to", e);
    }
    return new TableRow().set(ROW, Base64.getEncoder().encodeToString(bytes.toByteArray()));
  }

  @StartBundle
  public void startBundle() {
    counters.clear();
    refused = new LinkedHashMap<>();
    outputs = new Outputs<>();
  }

  @ProcessElement
  public void refuse(
      @Element BigQueryStorageApiInsertError error,
      @Timestamp Instant timestamp,
      BoundedWindow window)
      throws IOException {
    byte[] bytes = Base64.getDecoder().decode(String.valueOf(error.getRow().get(ROW)));
    AppendedRow row = AppendedRowCoder.of().decode(new ByteArrayInputStream(bytes));
    Refused one = new Refused(row, String.valueOf(error.getErrorMessage()), bytes.length);
    refused
        .computeIfAbsent(OfTable.of(row), unused -> new ArrayList<>())
        .add(new Held<>(one, timestamp, window));
  }

  @FinishBundle
  public void finishBundle(FinishBundleContext context) throws IOException {
    Outputs.Receiver<InsertOutcome> out = outputs.atEnd(context);
    for (Map.Entry<OfTable, List<Held<Refused>>> each : refused.entrySet()) {
      List<Held<Refused>> rows = each.getValue();
      int from = 0;
      long bytes = 0;
      for (int i = 0; i < rows.size(); i++) {
        bytes += rows.get(i).element().bytes;
        if (bytes > MAX_LETTER_BYTES && i > from) {
          fail(each.getKey(), rows.subList(from, i), out);
          from = i;
          bytes = rows.get(i).element().bytes;
        }
      }
      fail(each.getKey(), rows.subList(from, rows.size()), out);
    }
    counters.finish();
  }

  private void fail(OfTable of, List<Held<Refused>> rows, Outputs.Receiver<InsertOutcome> out)
      throws IOException {
    RejectedCells cells = new RejectedCells();
    List<LooseRow> observations = new ArrayList<>();
    List<QueryRow> queries = new ArrayList<>();
    String table = TableNames.QUERY_LOG;
    for (Held<Refused> each : rows) {
      Refused one = each.element();
      if (one.row.content() instanceof Observed observed) {
        LooseRow row = observed.row();
        Feature feature = new Feature(row.name().namespace(), row.name().feature());
        table = feature.table();
        observations.add(row);
        cells.add(
            Reason.TABLE_REFUSES,
            row.name().namespace(),
            RowFormat.keyText(observed),
            row.name().feature(),
            GroupedInserts.sentence(table, one.why),
            1);
      } else if (one.row.content() instanceof Asked asked) {
        queries.add(asked.row());
        cells.add(
            Reason.TABLE_REFUSES,
            "",
            asked.row().operationId(),
            "",
            GroupedInserts.sentence(table, one.why),
            1);
      }
      counters.countRefused(table, Reason.TABLE_REFUSES, 1);
    }
    byte[] alone =
        queries.isEmpty()
            ? LooseRows.file(of.environment, of.stringKeys, of.type, observations)
            : LooseRows.queries(of.environment, queries);
    Held<Refused> first = rows.get(0);
    cells
        .failure(InsertObservations.STAGE, first.element().row.origin())
        .map(failure -> failure.ofRows(alone))
        .ifPresent(failure -> out.fail(first, failure));
  }
}
