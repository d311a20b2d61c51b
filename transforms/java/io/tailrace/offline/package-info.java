/**
 * Writes observations to an offline store: results become Parquet files ({@link
 * io.tailrace.offline.EncodeObservations}), files become rows of a table for each feature ({@link
 * io.tailrace.offline.InsertObservations}).
 */
package io.tailrace.offline;
