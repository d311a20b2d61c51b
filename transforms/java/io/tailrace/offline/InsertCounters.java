package io.tailrace.offline;

import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.FreshnessCounters;
import io.tailrace.stage.StageCounters;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.beam.sdk.metrics.Metrics;
import org.jspecify.annotations.Nullable;

/** What every sink of an offline store counts. Not thread-safe. */
public final class InsertCounters extends StageCounters {
  private static final long serialVersionUID = 1;

  /** Tables that have counters of their own. */
  private static final int MAX_TABLES = 100;

  private final Count filesReceived =
      count("files_received", "files", "files, before anything is done");
  private final Count filesInserted =
      count("files_inserted", "files", "files whose rows are durable");
  private final Count filesRejected =
      count("files_rejected", "files", "files that the store refuses as a whole: dead letters");
  private final Count bytesInserted =
      count("bytes_inserted", "bytes", "the files that were inserted");
  private final Count rowsReceived =
      count("rows_received", "rows", "rows of all files, those of the query log too");
  private final Count rowsInserted =
      count("rows_inserted", "rows", "observations and deletions that are new in the store");
  private final Count rowsHandedOver =
      count(
          "rows_handed_over",
          "rows",
          "rows of all kinds that were given to a sink of Beam's own, such as BigQuery's, which"
              + " are then inserted or rejected");
  private final Count rowsDuplicate =
      count("rows_duplicate", "rows", "skipped: the store had them");
  private final Count rowsKnown =
      count(
          "rows_known",
          "rows",
          "skipped: rows of files that the store's ledger has, as they were loaded before");
  private final Count rowsOfRejectedFiles =
      count(
          "rows_of_rejected_files",
          "rows",
          "rows of files that the store refuses as a whole: in dead letters");
  private final Count rowsRejected =
      count("rows_rejected", "rows", "rows that are not stored, for any reason: in dead letters");
  private final Count rowsRefused =
      count(
          "rows_refused",
          "rows",
          "those of them that a table refuses while others take theirs (`TABLE_REFUSES`)");
  private final Count queriesInserted =
      count("queries_inserted", "rows", "rows that are new in the query log");
  private final Count queriesDuplicate =
      count("queries_duplicate", "rows", "skipped: the query log had them");
  private final Count tablesWritten =
      count("tables_written", "tables", "tables in the insert requests");
  private final FreshnessCounters freshness = freshness();
  private transient @Nullable Set<String> counted;

  /** Where rows are counted. */
  private enum Where {
    /** Where files come in. */
    SINK,
    /** Behind a sink of Beam's own that rows were handed to. */
    BEHIND
  }

  /** Counts for the stage that inserts. */
  public InsertCounters() {
    this(Where.SINK);
  }

  /** Counts what became of rows that were handed to a sink of Beam's own. */
  public static InsertCounters behindSink() {
    return new InsertCounters(Where.BEHIND);
  }

  private InsertCounters(Where where) {
    super(InsertObservations.STAGE);
    if (where == Where.BEHIND) {
      // What comes there has been received before.
      return;
    }
    accounts(filesReceived, filesInserted, filesRejected);
    accounts(
        rowsReceived,
        rowsHandedOver,
        rowsInserted,
        rowsDuplicate,
        queriesInserted,
        queriesDuplicate,
        rowsKnown,
        rowsRejected,
        rowsOfRejectedFiles);
  }

  /** Counts a file that comes. */
  public void receive(long rows) {
    filesReceived.add(1);
    rowsReceived.add(rows);
  }

  /**
   * A file, as it is counted.
   *
   * @param publishedAt when the oldest result in it was published, or itself if it does not say; in
   *     microseconds since the epoch
   */
  public record File(long bytes, long rows, long publishedAt) {
    /**
     * Returns a file.
     *
     * @param publishedFrom zero if the file does not say
     */
    public static File of(long bytes, long rows, long publishedFrom, long publishedAt) {
      return new File(bytes, rows, publishedFrom == 0 ? publishedAt : publishedFrom);
    }

    /** Returns a file that is at hand. */
    public static File of(ObservationFile file) {
      return of(
          file.bytes().length,
          file.rowCount(),
          file.publishedFrom().orElse(0L),
          file.message().publishedAt());
    }
  }

  /**
   * Counts rows that were not stored, by their table and the reason: a table that refuses its rows
   * shows as a counter of its own. In a bundle, whose metrics they are.
   */
  void countRejected(String table, Reason reason, long rows) {
    countRejected(reason, rows);
    Set<String> known = counted == null ? new HashSet<>() : counted;
    counted = known;
    if (known.contains(table) || known.size() < MAX_TABLES) {
      known.add(table);
      Metrics.counter(InsertObservations.STAGE, "rows_rejected." + table + "." + reason).inc(rows);
    }
  }

  /** Counts rows that were not stored, of which nobody knows the table any more. */
  void countRejected(Reason reason, long rows) {
    if (reason == Reason.TABLE_REFUSES) {
      rowsRefused.add(rows);
    }
  }

  /**
   * Counts files; in a bundle, whose metrics they are.
   *
   * @param now microseconds since the epoch
   */
  public void count(List<File> files, Inserted inserted, long now) {
    rowsInserted.add(inserted.rows().inserted());
    queriesInserted.add(inserted.queries().inserted());
    countFiles(files, inserted);
    for (int i = 0; i < files.size(); i++) {
      if (!inserted.refused().containsKey(i)) {
        freshness.count(files.get(i).publishedAt, now, 1);
      }
    }
    flush();
  }

  /**
   * Counts files whose rows were handed to a sink, all but the rows that are new in the store,
   * which {@link #countInserted} counts when they are.
   */
  public void countHandedOver(List<File> files, Inserted inserted) {
    rowsHandedOver.add(inserted.rows().inserted() + inserted.queries().inserted());
    countFiles(files, inserted);
    flush();
  }

  private void countFiles(List<File> files, Inserted inserted) {
    rowsDuplicate.add(inserted.rows().duplicates());
    queriesDuplicate.add(inserted.queries().duplicates());
    rowsKnown.add(inserted.rows().known() + inserted.queries().known());
    tablesWritten.add(inserted.tables());
    rowsRejected.add(
        inserted.rejected().stream().mapToLong(rejected -> rejected.rows().count()).sum());
    filesRejected.add(inserted.refused().size());
    filesInserted.add(files.size() - inserted.refused().size());
    long bytes = 0;
    for (int i = 0; i < files.size(); i++) {
      if (inserted.refused().containsKey(i)) {
        rowsOfRejectedFiles.add(files.get(i).rows);
      } else {
        bytes += files.get(i).bytes;
      }
    }
    bytesInserted.add(bytes);
  }

  /**
   * Counts rows that are durable; in a bundle, whose metrics they are.
   *
   * @param publishedAt when the messages were published that brought them
   * @param now microseconds since the epoch
   */
  public void countInserted(
      Inserted.Count rows, Inserted.Count queries, Set<Long> publishedAt, long now) {
    rowsInserted.add(rows.inserted());
    queriesInserted.add(queries.inserted());
    publishedAt.forEach(time -> freshness.count(time, now, 1));
    flush();
  }

  /** Counts rows that the store has refused after they were handed over. */
  public void countRefused(String table, Reason reason, long rows) {
    rowsRejected.add(rows);
    countRejected(table, reason, rows);
    flush();
  }
}
