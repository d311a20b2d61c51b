package io.tailrace.offline;

import io.tailrace.stage.FreshnessCounters;
import io.tailrace.stage.StageCounters;
import java.util.List;

/** What every sink of an offline store counts. Not thread-safe. */
public final class InsertCounters extends StageCounters {
  private static final long serialVersionUID = 1;

  private final Count filesInserted =
      count("files_inserted", "files", "files whose rows are durable");
  private final Count filesRejected =
      count("files_rejected", "files", "files that the store refuses as a whole: dead letters");
  private final Count bytesInserted =
      count("bytes_inserted", "bytes", "the files that were inserted");
  private final Count rowsInserted =
      count("rows_inserted", "rows", "observations and deletions that are new in the store");
  private final Count rowsDuplicate =
      count("rows_duplicate", "rows", "skipped: the store had them");
  private final Count rowsRejected =
      count("rows_rejected", "rows", "rows that can never be stored: in dead letters");
  private final Count queriesInserted =
      count("queries_inserted", "rows", "rows that are new in the query log");
  private final Count queriesDuplicate =
      count("queries_duplicate", "rows", "skipped: the query log had them");
  private final Count tablesWritten =
      count("tables_written", "tables", "tables in the insert requests");
  private final FreshnessCounters freshness = freshness();

  /** Counts for the stage that inserts. */
  public InsertCounters() {
    super(InsertObservations.STAGE);
  }

  /**
   * A file, as it is counted.
   *
   * @param publishedAt when the oldest result in it was published, or itself if it does not say; in
   *     microseconds since the epoch
   */
  public record File(long bytes, long publishedAt) {
    /**
     * Returns a file.
     *
     * @param publishedFrom zero if the file does not say
     */
    public static File of(long bytes, long publishedFrom, long publishedAt) {
      return new File(bytes, publishedFrom == 0 ? publishedAt : publishedFrom);
    }
  }

  /**
   * Counts files; in a bundle, whose metrics they are.
   *
   * @param now microseconds since the epoch
   */
  public void count(List<File> files, Inserted inserted, long now) {
    rowsInserted.add(inserted.rows().inserted());
    rowsDuplicate.add(inserted.rows().duplicates());
    queriesInserted.add(inserted.queries().inserted());
    queriesDuplicate.add(inserted.queries().duplicates());
    tablesWritten.add(inserted.tables());
    rowsRejected.add(
        inserted.rejected().stream().mapToLong(rejected -> rejected.rows().count()).sum());
    filesRejected.add(inserted.refused().size());
    filesInserted.add(files.size() - inserted.refused().size());
    long bytes = 0;
    for (int i = 0; i < files.size(); i++) {
      if (!inserted.refused().containsKey(i)) {
        bytes += files.get(i).bytes;
        freshness.count(files.get(i).publishedAt, now, 1);
      }
    }
    bytesInserted.add(bytes);
    flush();
  }
}
