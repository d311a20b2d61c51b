/** What Snowflake calls things. */
package io.tailrace.sql.snowflake;
