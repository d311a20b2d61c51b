package io.tailrace.offline.staging;

import io.tailrace.bus.MemoryBudget;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.PlainFile;
import java.io.IOException;
import java.io.UncheckedIOException;

/** How a store wants the files that it reads. Both forms decode to the same canonical file. */
public enum StagedForm {
  /** As they are. */
  CANONICAL {
    @Override
    public byte[] of(ObservationFile file, String name) {
      return file.bytes();
    }
  },
  /** For stores that know few of Parquet's types: see {@link PlainFile}. */
  PLAIN {
    @Override
    public byte[] of(ObservationFile file, String name) {
      try (MemoryBudget.Share memory = MemoryBudget.ofProcess().share()) {
        memory.hold(file.decodedBytes());
        return PlainFile.of(file, name);
      } catch (IOException e) {
        throw new UncheckedIOException("a canonical file can't be decoded", e);
      }
    }
  };

  /**
   * Returns what is staged of a file.
   *
   * @param name its name in the stage
   */
  public abstract byte[] of(ObservationFile file, String name);
}
