package io.tailrace.offline.postgres;

import java.time.YearMonth;
import java.util.Optional;

/**
 * Rows of a batch that go into one table, or into one partition of it.
 *
 * @param month of all rows, where the table is partitioned
 * @param rows their places in the batch, sorted by id, no id twice; not to be written to
 */
@SuppressWarnings("ArrayRecordComponent")
record TableRows(String table, Optional<YearMonth> month, long[] rows) {}
