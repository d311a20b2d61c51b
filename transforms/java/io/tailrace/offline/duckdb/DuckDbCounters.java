package io.tailrace.offline.duckdb;

import io.tailrace.offline.InsertObservations;
import io.tailrace.sql.duckdb.DuckDbFile;
import io.tailrace.stage.StageCounters;

/** What a DuckDB file has counted beside what every store's stage does. Not thread-safe. */
final class DuckDbCounters extends StageCounters {
  private static final long serialVersionUID = 1;

  private final Count writeBacksFailed =
      count(
          "write_backs_failed",
          "times",
          "times that the log of the DuckDB file could not be written back: it grows, nothing is"
              + " lost");

  DuckDbCounters() {
    super(InsertObservations.STAGE);
  }

  /** Tells what became of an open file's log; in a bundle, whose metrics they are. */
  void count(DuckDbFile file) {
    writeBacksFailed.add(file.takeFailedWriteBacks());
    flush();
  }
}
