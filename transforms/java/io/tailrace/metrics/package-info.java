/**
 * The metrics path: results become summaries of minutes ({@link
 * io.tailrace.metrics.SummarizeResults}), and summaries become rows of a metrics store ({@link
 * io.tailrace.metrics.WriteSummaries}).
 */
package io.tailrace.metrics;
