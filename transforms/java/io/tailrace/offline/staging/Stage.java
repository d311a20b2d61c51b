package io.tailrace.offline.staging;

import io.tailrace.endpoint.UnavailableException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * A place that a store reads files from: a directory, a bucket, a warehouse's own stage. Immutable.
 */
public interface Stage extends Serializable {
  /** Returns the address, without secrets; references to staged files carry it. */
  String uri();

  /**
   * Returns the stage of the same kind, with the present settings and secrets, at an address that a
   * reference carries: one that was restored may point to where files were staged before.
   */
  Stage at(String uri);

  /** Returns how the store that reads from here wants its files. */
  default StagedForm form() {
    return StagedForm.CANONICAL;
  }

  /** Opens a connection, which is for one thread and connects when it is first used. */
  Connection open();

  /**
   * Checks that files can be staged, read, listed and deleted: does so with one.
   *
   * @throws UnavailableException with one sentence that names the stage and the correction
   */
  default void check() throws UnavailableException {
    String name = "check-" + UUID.randomUUID();
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    try (Connection connection = open()) {
      connection.put(Map.of(name, bytes));
      Optional<byte[]> read = connection.read(name);
      boolean listed = connection.list().stream().anyMatch(each -> each.name().equals(name));
      connection.delete(List.of(name));
      if (read.isEmpty() || !Arrays.equals(read.get(), bytes) || !listed) {
        throw new UnavailableException(
            "the stage " + uri() + " does not give back what was put into it");
      }
    }
  }

  /** A connection to a stage. Not thread-safe. */
  interface Connection extends AutoCloseable {
    /**
     * Stages files. When it returns, they are durable, and whoever lists or reads one sees the
     * whole of it or nothing. A name always stands for the same bytes, so a file that is there may
     * be replaced or left.
     *
     * @param files by their names, in which a slash stands between folder and file
     * @throws UnavailableException if the stage can't be used now; then any of them may be staged
     */
    void put(Map<String, byte[]> files) throws UnavailableException;

    /**
     * Returns the bytes of a file; empty if it is not there.
     *
     * @throws UnavailableException if the stage can't be used now
     */
    Optional<byte[]> read(String name) throws UnavailableException;

    /**
     * Lists all files that are staged.
     *
     * @throws UnavailableException if the stage can't be used now
     */
    List<Entry> list() throws UnavailableException;

    /**
     * Deletes files, those among them that are still there.
     *
     * @throws UnavailableException if the stage can't be used now
     */
    void delete(Collection<String> names) throws UnavailableException;

    @Override
    void close();
  }

  /**
   * A file in a stage. Immutable.
   *
   * @param stagedAt by the stage's clock
   */
  record Entry(String name, Instant stagedAt) {}
}
