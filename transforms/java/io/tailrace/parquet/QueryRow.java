package io.tailrace.parquet;

import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * A row of the log of queries. Immutable. Times are in microseconds since the epoch.
 *
 * @param operationId unique id of the execution
 * @param operationKind such as {@code ONLINE_QUERY}
 * @param status such as {@code SUCCEEDED}
 * @param queryTimestamp when the query was asked
 * @param executionStartedAt absent for a query that failed early
 * @param executionFinishedAt absent for a query that failed early
 * @param texts the other columns by name (see {@link ObservationSchema#QUERY_TEXTS}); absent ones
 *     are left out
 * @param valueTables the tables that hold the query's values
 */
public record QueryRow(
    String operationId,
    String operationKind,
    String status,
    long queryTimestamp,
    OptionalLong executionStartedAt,
    OptionalLong executionFinishedAt,
    Map<String, String> texts,
    List<String> valueTables) {}
