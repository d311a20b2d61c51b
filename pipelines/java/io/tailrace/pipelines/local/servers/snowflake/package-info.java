/**
 * A simulated Snowflake: what its driver asks of the service over HTTP, answered by a DuckDB in
 * this process.
 */
package io.tailrace.pipelines.local.servers.snowflake;
