package io.tailrace.offline;

import io.tailrace.stage.FreshnessCounters;
import io.tailrace.stage.StageCounters;

/** What {@link EncodeObservations} counts. Not thread-safe. */
final class EncodeCounters extends StageCounters {
  private static final long serialVersionUID = 1;

  final Count received = count("results_received", "messages", "results, before anything is done");
  final Count rowsReceived =
      count("rows_received", "rows", "their cells, and deletions by entity and feature");
  final Count queriesEncoded =
      count("queries_encoded", "messages", "results whose row of the query log is in a file");
  final Count queriesRejected =
      count(
          "queries_rejected",
          "messages",
          "results whose row of the query log is too large for the bus: dead letters");
  final Count rowsEncoded = count("rows_encoded", "rows", "observations and deletions in files");
  final Count skipped =
      count(
          "rows_skipped_by_policy",
          "rows",
          "skipped: not to be stored offline; the two reasons that follow together");
  final Count notComputed =
      count(
          "rows_skipped_not_computed",
          "rows",
          "skipped: served from a store, given by the caller, or a default that is not to be"
              + " stored");
  final Count skippedByFeature =
      count(
          "rows_skipped_by_feature",
          "rows",
          "skipped: the feature is kept out of the offline store");
  final Count rowsRejected =
      count("rows_rejected", "rows", "rows that can never be stored: in dead letters");
  final Count filesEncoded =
      count("files_encoded", "files", "files handed to the streaming-insert bus");
  final Count bytesEncoded = count("bytes_encoded", "bytes", "those files");
  final FreshnessCounters freshness = freshness();

  EncodeCounters() {
    super(EncodeObservations.STAGE);
    accounts(received, queriesEncoded, queriesRejected);
    accounts(rowsReceived, rowsEncoded, skipped, rowsRejected);
    accounts(skipped, notComputed, skippedByFeature);
  }
}
