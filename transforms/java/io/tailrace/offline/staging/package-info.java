/**
 * The sink of a store that wants its rows by the minute ({@link
 * io.tailrace.offline.staging.StageThenLoad}): files are staged where the store can read them, and
 * one owner loads many of them at once.
 */
package io.tailrace.offline.staging;
