/** What Databricks calls things. */
package io.tailrace.sql.databricks;
