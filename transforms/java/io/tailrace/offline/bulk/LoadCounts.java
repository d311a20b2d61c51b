package io.tailrace.offline.bulk;

import io.tailrace.stage.FreshnessCounters;
import io.tailrace.stage.StageCounters;

/** What loads of files with results count. Not thread-safe. */
final class LoadCounts extends StageCounters {
  private static final long serialVersionUID = 1;

  final Count notificationsReceived =
      count("notifications_received", "messages", "notifications, before anything is done");
  final Count notificationsSettled =
      count(
          "notifications_settled",
          "messages",
          "notifications whose files are loaded, or in dead letters");
  final Count notificationsIgnored =
      count(
          "notifications_ignored",
          "messages",
          "of these, events of a cloud that are tests, or of objects that were deleted or are no"
              + " files with results of the bucket");
  final Count filesNamed =
      count("files_named", "files", "files of all notifications, good and bad");
  final Count filesLoaded =
      count("files_loaded", "files", "files whose rows are durable, but for those in dead letters");
  final Count filesKnown =
      count("files_known", "files", "skipped: the store's ledger has them, as they are");
  final Count filesRejected =
      count(
          "files_rejected",
          "files",
          "files that are missing, damaged or not as the message says: in dead letters");
  final Count bytesLoaded = count("bytes_loaded", "bytes", "the files that were loaded");
  final Count loads = count("loads", "times", "times that files were loaded together");
  final Count rowsRead =
      count("rows_read", "rows", "cells of files that have a value: a row of a table each");
  final Count rowsInserted =
      count(
          "rows_inserted",
          "rows",
          "observations that are new in the store, or were given to its own sink");
  final Count rowsDuplicate =
      count(
          "rows_duplicate",
          "rows",
          "skipped: the store had them, or had just got them by its own statements");
  final Count rowsRejected =
      count("rows_rejected", "rows", "cells that are not stored, for any reason: in dead letters");
  final Count rowsDecoded =
      count(
          "rows_decoded",
          "rows",
          "those of the rows read that were decoded one by one, not loaded by the store's own"
              + " statements");
  final FreshnessCounters freshness = freshness();

  LoadCounts() {
    super(LoadResultFiles.STAGE);
    accounts(notificationsReceived, notificationsSettled);
    accounts(filesNamed, filesLoaded, filesKnown, filesRejected);
    accounts(rowsRead, rowsInserted, rowsDuplicate, rowsRejected);
  }
}
