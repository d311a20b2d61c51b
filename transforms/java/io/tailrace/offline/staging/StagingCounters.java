package io.tailrace.offline.staging;

import io.tailrace.offline.InsertObservations;
import io.tailrace.stage.StageCounters;

/** What a sink with a stage counts beside what every sink does. Not thread-safe. */
final class StagingCounters extends StageCounters {
  private static final long serialVersionUID = 1;

  final Count filesToStage =
      count("files_to_stage", "files", "files, before anything is done with them");
  final Count filesStaged = count("files_staged", "files", "files that were staged durably");
  final Count bytesStaged = count("bytes_staged", "bytes", "the files that were staged");
  final Count loads = count("loads", "loads", "loads of files that were gathered");
  final Count filesFound =
      count(
          "files_found",
          "files",
          "files that were staged and not loaded, found by listing the stage");
  final Count filesDeleted =
      count(
          "files_deleted",
          "files",
          "files that were deleted from the stage after they were loaded");

  StagingCounters() {
    super(InsertObservations.STAGE);
    accounts(filesToStage, filesStaged);
  }

  /** Beside that of the stage's other counters. */
  @Override
  protected String unaccountedName() {
    return "staging_unaccounted";
  }
}
