/**
 * A simulated DynamoDB: its HTTP interface over items in memory, with the conditions, sizes and
 * units of the service.
 */
package io.tailrace.pipelines.local.servers.dynamodb;
