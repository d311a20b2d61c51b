package io.tailrace.parquet;

import io.tailrace.stage.InvalidMessageException;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import org.apache.parquet.schema.MessageType;

/**
 * What a Parquet file says of itself in its footer, whatever its rows are like: for who explains
 * it. Immutable.
 *
 * @param schema its columns
 * @param texts its key-value metadata
 */
public record FileDescription(MessageType schema, Map<String, String> texts) {
  /** Returns what a file says; empty if it is none, or its footer can't be believed. */
  public static Optional<FileDescription> of(byte[] file) {
    try {
      // Counts that lie are found before room is made for them.
      var unused = FileStructure.of(file);
      try (FileColumns columns = new FileColumns(file)) {
        return Optional.of(
            new FileDescription(
                columns.schema(),
                Map.copyOf(columns.footer().getFileMetaData().getKeyValueMetaData())));
      }
    } catch (InvalidMessageException | IOException | RuntimeException e) {
      return Optional.empty();
    }
  }
}
