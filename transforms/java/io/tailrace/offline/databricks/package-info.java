/**
 * Databricks as an offline store: a SQL warehouse that copies files from a volume of Unity Catalog,
 * or a bucket, and merges them.
 */
package io.tailrace.offline.databricks;
