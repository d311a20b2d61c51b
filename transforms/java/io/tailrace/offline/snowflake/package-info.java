/** Snowflake as an offline store, loaded from a stage. */
package io.tailrace.offline.snowflake;
