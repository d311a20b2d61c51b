package io.tailrace.database.duckdb;

import java.io.Serializable;
import java.util.Properties;

/**
 * How an instance of DuckDB works.
 *
 * @param memoryLimit what it takes beside the heap, such as {@code 512MB}
 * @param threads on how many threads it works
 * @param fastCompression whether it leaves out the compression of texts that costs most
 * @param logBytes how large its log grows before it is written back into the tables, which costs
 *     milliseconds a table, whatever was inserted
 */
public record DuckDbSettings(
    String memoryLimit, int threads, boolean fastCompression, long logBytes)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /** DuckDB would write its log back within a commit, and every other insert would wait. */
  private static final String NEVER = "1000TB";

  Properties forWriting() {
    Properties properties = new Properties();
    properties.setProperty("memory_limit", memoryLimit);
    properties.setProperty("threads", Integer.toString(threads));
    properties.setProperty("checkpoint_threshold", NEVER);
    // The order of rows says nothing; keeping it costs memory.
    properties.setProperty("preserve_insertion_order", "false");
    return properties;
  }

  Properties forReading() {
    Properties properties = new Properties();
    properties.setProperty("access_mode", "READ_ONLY");
    properties.setProperty("memory_limit", memoryLimit);
    properties.setProperty("threads", Integer.toString(threads));
    return properties;
  }
}
