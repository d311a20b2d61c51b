package io.tailrace.offline.staging;

import io.tailrace.bus.BusMessage;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.result.ValueType;
import java.util.Optional;
import org.apache.beam.sdk.coders.DefaultCoder;

/**
 * A reference to a staged file: small, so that it can be kept in state, and complete, so that it
 * can be loaded wherever it is restored. Immutable.
 *
 * @param stage the address of the stage that it points into
 * @param name the file's name in the stage
 * @param type what the file holds
 * @param size how much
 * @param origin the message that carried it, without its payload
 */
@DefaultCoder(StagedFileCoder.class)
public record StagedFile(String stage, String name, Type type, Size size, BusMessage origin) {
  /**
   * What a file holds.
   *
   * @param stringKeys whether primary keys are strings; false for queries
   * @param valueType the type of all values; empty for deletions and queries
   */
  public record Type(
      String environment, Kind kind, boolean stringKeys, Optional<ValueType> valueType) {}

  /**
   * How much a file holds.
   *
   * @param bytes what it has in the stage
   * @param publishedFrom when the oldest of its results was published, in microseconds since the
   *     epoch; zero when it does not say
   */
  public record Size(long bytes, long rows, long publishedFrom) {}

  /** Refers to a file that was staged as it is. */
  static StagedFile of(ObservationFile file, String stage, String name) {
    return of(file, stage, name, file.bytes().length);
  }

  /**
   * Refers to a file that was staged.
   *
   * @param bytes what it has in the stage
   */
  static StagedFile of(ObservationFile file, String stage, String name, int bytes) {
    return new StagedFile(
        stage,
        name,
        new Type(file.environment(), file.kind(), file.stringKeys(), file.valueType()),
        new Size(bytes, file.rowCount(), file.publishedFrom().orElse(0L)),
        file.message().withPayload(new byte[0]));
  }
}
