/**
 * Databases that more than one kind of store is kept in: how they are reached, and what their
 * errors mean. Knows nothing of what is kept in them.
 */
package io.tailrace.sql;
