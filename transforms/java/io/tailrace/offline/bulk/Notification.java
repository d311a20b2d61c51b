package io.tailrace.offline.bulk;

import com.google.common.collect.ImmutableList;
import io.tailrace.bus.BusMessage;
import io.tailrace.parquet.WideMapping;
import java.util.List;
import java.util.Optional;
import org.apache.beam.sdk.coders.DefaultCoder;

/**
 * Says that files with results were written, and what they hold. Immutable.
 *
 * @param files their URIs, as they were given
 * @param folder where the files are not named: the folder that has them
 * @param contents what they hold; empty: the footer of each says it
 * @param origin who says it
 * @param message what carried it
 */
@DefaultCoder(NotificationCoder.class)
public record Notification(
    List<String> files,
    Optional<Folder> folder,
    Optional<Contents> contents,
    Origin origin,
    BusMessage message) {
  /** Who says that files were written. */
  public enum Origin {
    /** Whoever wrote them: each must be there, and in the bucket. */
    WRITER,
    /** The cloud, of every object of a bucket: what is no file with results is passed over. */
    CLOUD,
    /** Nobody: the message is a file of rows, which a store has refused before. */
    ROWS
  }

  /** Copies the list. */
  public Notification {
    files = ImmutableList.copyOf(files);
  }

  /**
   * A folder with files, and what says that all of them are there.
   *
   * @param uri ends with a slash
   * @param count how many files it has; zero: the manifest says it
   * @param manifest the URI of a file that lists them; empty: the count says it
   */
  public record Folder(String uri, int count, String manifest) {}

  /**
   * What files hold.
   *
   * @param operationId the execution that computed the values
   * @param environment that they belong to
   * @param deploymentId empty: not known
   */
  public record Contents(
      String operationId, String environment, String deploymentId, WideMapping mapping) {}
}
