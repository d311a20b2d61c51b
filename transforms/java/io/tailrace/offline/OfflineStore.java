package io.tailrace.offline;

import io.tailrace.endpoint.Endpoint;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.parquet.ObservationFile;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A kind of offline store at an address. Immutable and serializable.
 *
 * <p>A store implements it in a folder of its own, with one line in {@link OfflineStores}. It may
 * take a file as it is ({@link ObservationFile#bytes}, for stores that read Parquet: DuckDB, or a
 * warehouse that copies it from a stage and merges) or its rows ({@link ObservationFile#rows}).
 */
public interface OfflineStore extends Endpoint {
  /**
   * Returns whether each environment has a place of its own, because the URI contains {@code
   * {environment}}; otherwise the store holds one environment.
   */
  boolean separatesEnvironments();

  /**
   * Returns how many rows to gather at most for one {@link Connection#insert}; a store that sorts
   * them in little memory says fewer.
   */
  default long maxRowsAtATime() {
    return Long.MAX_VALUE;
  }

  /** Opens a connection, which is for one thread. */
  Connection connect();

  /**
   * Runs a query that only reads.
   *
   * @param sql one statement
   * @param limit how many rows to return at most
   * @throws UnavailableException if the store can't be reached, or refuses the statement; then the
   *     message says what is wrong with it
   */
  Table query(String sql, int limit) throws UnavailableException;

  /**
   * What a query returns.
   *
   * @param columns their names
   * @param rows values as text, in the columns' order; null where they are null
   * @param complete whether there are no more rows than these
   */
  record Table(List<String> columns, List<List<@Nullable String>> rows, boolean complete) {}

  /** A connection to the store; not thread-safe. Connects anew by itself when it breaks. */
  interface Connection extends AutoCloseable {
    /**
     * Creates what is missing of an environment's schema, its log of queries and tables of
     * features. Safe when many do so at once. A table that has no values yet gets them when they
     * are wanted; nothing is altered otherwise.
     *
     * @return those tables that exist and can't hold what is wanted, as their keys or values are of
     *     another type: each with a part of a sentence that says so, such as {@code has value
     *     BIGINT, not DOUBLE}
     * @throws ContentRejectedException if a definition can never work
     * @throws UnavailableException if the store can't be used now
     */
    Map<FeatureTable, String> create(String environment, List<FeatureTable> tables)
        throws ContentRejectedException, UnavailableException;

    /**
     * Inserts the rows of files that are not there yet, by {@code observation_id}, or {@code
     * operation_id} for the log of queries. When it returns, they are durable and readable. Of rows
     * with the same id, the greatest stands: a deletion before a null before a value, then by the
     * bytes of the value.
     *
     * <p>May be repeated with the same files, and by others at the same time, without a reader
     * seeing a row twice. When it throws, any part of the files may have been inserted.
     *
     * @throws ContentRejectedException if the store refuses the content of one of the files
     * @throws UnavailableException if the store can't be used now
     */
    Inserted insert(FileBatch batch) throws ContentRejectedException, UnavailableException;

    @Override
    void close();
  }

  /**
   * What became of a batch.
   *
   * @param rows how many rows are new in the store
   * @param duplicates how many were there before, or more than once in the batch
   * @param rejected rows that the store can never hold; the others were inserted
   */
  record Inserted(long rows, long duplicates, List<Rejected> rejected) {}

  /**
   * A row that the store can never hold.
   *
   * @param file the position of its file in the batch
   * @param feature empty for the log of queries
   * @param key the primary key; the operation id for the log of queries
   * @param message why, such as {@code value has a NUL character, which PostgreSQL's text can't
   *     hold}
   */
  record Rejected(int file, String feature, String key, String message) {}
}
