/**
 * Loads files with results, which somebody has written into a bucket, into an offline store: a
 * {@link io.tailrace.offline.bulk.Notification} names them, {@link
 * io.tailrace.offline.bulk.LoadResultFiles} loads each once.
 */
package io.tailrace.offline.bulk;
