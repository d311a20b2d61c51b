/**
 * Redshift as an offline store: files are copied from a bucket into temporary tables by a manifest,
 * and merged in one transaction with the ledger.
 */
package io.tailrace.offline.redshift;
