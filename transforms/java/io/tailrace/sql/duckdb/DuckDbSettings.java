package io.tailrace.sql.duckdb;

import io.tailrace.endpoint.EndpointUri;
import java.io.Serializable;
import java.util.Optional;
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

  /**
   * A table that was written to takes blocks for each of its columns, in memory and in the file,
   * whatever it got: a quarter of DuckDB's default, which makes no difference to large tables.
   */
  private static final String BLOCK_BYTES = "65536";

  /**
   * The oldest format that compresses a text in one way instead of trying two that cost much more,
   * milliseconds a table. Any DuckDB from this version on reads it.
   */
  private static final String FORMAT = "v1.3.0";

  private static final int DEFAULT_LOG_MEGABYTES = 64;

  /**
   * Whoever runs a statement works on it as well, beside the others who do: DuckDB's own threads
   * then only make small inserts dearer, by a fifth.
   */
  private static final int DEFAULT_THREADS =
      Math.max(1, Runtime.getRuntime().availableProcessors() / 2);

  /**
   * Takes the settings out of a URI: {@code memoryLimit} (default {@code 1GB}), {@code threads}
   * (default: half the processors), {@code logMegabytes} (default 64), {@code compression} ({@code
   * full} or {@code fast}).
   */
  public static DuckDbSettings of(EndpointUri uri) {
    String memoryLimit = uri.take("memoryLimit").orElse("1GB");
    if (!memoryLimit.matches("[1-9][0-9]{0,6}(MB|GB)")) {
      uri.problem("memoryLimit=" + memoryLimit + " is not a size such as 512MB or 4GB");
    }
    Optional<Integer> threads = uri.takeInt("threads", 1, 1024);
    Optional<Integer> logMegabytes = uri.takeInt("logMegabytes", 1, 1 << 20);
    String compression = uri.take("compression").orElse("full");
    if (!compression.equals("full") && !compression.equals("fast")) {
      uri.problem("compression=" + compression + " is not full or fast");
    }
    return new DuckDbSettings(
        memoryLimit,
        threads.orElse(DEFAULT_THREADS),
        compression.equals("fast"),
        (long) logMegabytes.orElse(DEFAULT_LOG_MEGABYTES) << 20);
  }

  /** Returns the limit in bytes, as DuckDB counts: a megabyte is a million. */
  public long memoryBytes() {
    long number = Long.parseLong(memoryLimit.substring(0, memoryLimit.length() - 2));
    return number * (memoryLimit.endsWith("GB") ? 1_000_000_000 : 1_000_000);
  }

  Properties forWriting() {
    Properties properties = new Properties();
    properties.setProperty("memory_limit", memoryLimit);
    properties.setProperty("threads", Integer.toString(threads));
    properties.setProperty("checkpoint_threshold", NEVER);
    // Both only say how a new file is made.
    properties.setProperty("default_block_size", BLOCK_BYTES);
    properties.setProperty("storage_compatibility_version", FORMAT);
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
