package io.tailrace.online;

import io.tailrace.result.Result;
import io.tailrace.stage.FreshnessCounters;
import io.tailrace.stage.StageCounters;

/** What {@link WriteOnline} counts. Not thread-safe. */
final class WriteCounts extends StageCounters {
  private static final long serialVersionUID = 1;

  final Count received = count("results_received", "messages", "results, before anything is done");
  final Count cellsReceived =
      count("cells_received", "cells", "their cells, and deletions by entity and feature");
  final Count settled =
      count("results_settled", "messages", "results of which every cell was dealt with");
  final Count entitiesSent =
      count(
          "entities_sent",
          "entities",
          "entities in the write requests to the store; several results of one entity are one");
  final Count bytesSent =
      count("bytes_sent", "bytes", "names and cells in those requests, without keys and protocol");
  final Count written =
      count(
          "cells_written",
          "cells",
          "cells that are in the store, or were replaced by a newer one of the same bundle");
  final Count stale =
      count("cells_stale", "cells", "skipped: the store, or the same bundle, holds a newer one");
  final Count duplicate =
      count(
          "cells_duplicate",
          "cells",
          "skipped: the store, or the same bundle, holds the very same");
  final Count expired = count("cells_expired", "cells", "skipped: expired before they came");
  final Count skipped =
      count(
          "cells_skipped_by_policy",
          "cells",
          "skipped: not to be stored online; the four reasons that follow together");
  final Count notComputed =
      count(
          "cells_skipped_not_computed",
          "cells",
          "skipped: served from a store, given by the caller, or a default that is not to be"
              + " stored");
  final Count noMaxStaleness =
      count(
          "cells_skipped_no_max_staleness", "cells", "skipped: the feature has no `max_staleness`");
  final Count skippedByFeature =
      count(
          "cells_skipped_by_feature",
          "cells",
          "skipped: the feature is kept out of the online store");
  final Count nullSkipped =
      count("cells_skipped_null", "cells", "skipped: null, and the feature's nulls are not stored");
  final Count rejected =
      count("cells_rejected", "cells", "cells that can never be stored: in dead letters");
  final Count storeRequests =
      count("store_requests", "requests", "to a store that is paid by requests (DynamoDB)");
  final Count storeConflicts =
      count(
          "store_conflicts",
          "requests",
          "writes that such a store refused, as what it holds is newer, or another writer was"
              + " first");
  final Count storeRetries =
      count("store_retries", "requests", "sent to such a store again, after a pause");
  final Count storeWriteUnits =
      count("store_write_units", "units", "charged for writes, those that were refused included");
  final Count storeReadUnits = count("store_read_units", "units", "charged for reads");
  final FreshnessCounters freshness = freshness();

  WriteCounts() {
    super(WriteOnline.STAGE);
    accounts(received, settled);
    accounts(cellsReceived, written, stale, duplicate, expired, skipped, rejected);
    accounts(skipped, notComputed, noMaxStaleness, skippedByFeature, nullSkipped);
  }

  /** Counts a result that comes. */
  void receive(Result result) {
    received.add(1);
    cellsReceived.add(result.cells());
  }

  /** Counts what the store was asked and has charged. */
  void count(StoreCosts costs) {
    storeRequests.add(costs.requests());
    storeConflicts.add(costs.conflicts());
    storeRetries.add(costs.retries());
    storeWriteUnits.add(costs.writeUnits());
    storeReadUnits.add(costs.readUnits());
  }

  /** Counts a result that was settled at a time in microseconds. */
  void count(WriteOutcome outcome, long settledAt) {
    settled.add(1);
    written.add(outcome.written());
    stale.add(outcome.stale());
    duplicate.add(outcome.duplicate());
    expired.add(outcome.expired());
    skipped.add(outcome.skipped());
    rejected.add(outcome.rejected());
    freshness.count(outcome.publishedAt(), settledAt, 1);
  }
}
