package io.tailrace.offline.staging;

import java.io.Serializable;
import java.time.Duration;

/**
 * How much is loaded at once, and how often. Immutable.
 *
 * @param gathering how long a file waits for others at most
 * @param bytes a load is due when the files that wait have so many bytes
 * @param files a load is due when so many files wait
 * @param owners how many load the files of an environment side by side
 */
public record Limits(Duration gathering, long bytes, int files, int owners)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /** A minute, or 32 MB, or 1,000 files (what one COPY of a warehouse takes), by one owner. */
  public static final Limits DEFAULT = new Limits(Duration.ofMinutes(1), 32L << 20, 1_000, 1);

  /** Checks the numbers. */
  public Limits {
    if (gathering.toMillis() < 1 || bytes < 1 || files < 1 || owners < 1) {
      throw new IllegalArgumentException("limits must be above zero");
    }
  }

  /** Lets a file wait for others for another time. */
  public Limits waiting(Duration other) {
    return new Limits(other, bytes, files, owners);
  }
}
