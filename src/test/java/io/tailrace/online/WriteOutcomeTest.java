package io.tailrace.online;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.online.WriteOutcome.Status;
import io.tailrace.testing.FrozenBytes;
import org.apache.beam.sdk.testing.CoderProperties;
import org.junit.Test;

/** What a {@link WriteOutcome} says of a result as a whole, and that it travels. */
public class WriteOutcomeTest {
  @Test
  public void itsBytesAreThoseOfSavepoints() throws Exception {
    WriteOutcome full = new WriteOutcome("größe", 1L << 50, 1, 2, 3, 4, 5, 600);
    WriteOutcome empty = new WriteOutcome("", 0, 0, 0, 0, 0, 0, 0);

    assertThat(
            FrozenBytes.of("WriteOutcome.OutcomeCoder", "full")
                .writtenFor(WriteOutcome.OutcomeCoder.of(), full))
        .isEqualTo(full);
    assertThat(
            FrozenBytes.of("WriteOutcome.OutcomeCoder", "empty")
                .writtenFor(WriteOutcome.OutcomeCoder.of(), empty))
        .isEqualTo(empty);
  }

  @Test
  public void oneCellWrittenIsWritten() {
    assertThat(outcome(1, 2, 3, 4, 5, 6).status()).isEqualTo(Status.WRITTEN);
  }

  @Test
  public void rejectedCellsWithoutAWrittenOneAreAFailure() {
    assertThat(outcome(0, 2, 3, 4, 5, 6).status()).isEqualTo(Status.FAILED);
  }

  @Test
  public void onlyOlderAndEqualCellsAreOlderThanStored() {
    assertThat(outcome(0, 2, 0, 4, 5, 0).status()).isEqualTo(Status.OLDER_THAN_STORED);
    assertThat(outcome(0, 0, 3, 4, 5, 0).status()).isEqualTo(Status.OLDER_THAN_STORED);
  }

  @Test
  public void skippedAndExpiredCellsAreNotToBeStored() {
    assertThat(outcome(0, 0, 0, 4, 5, 0).status()).isEqualTo(Status.NOT_TO_BE_STORED);
    assertThat(outcome(0, 0, 0, 0, 0, 0).status()).isEqualTo(Status.NOT_TO_BE_STORED);
  }

  @Test
  public void comesBackFromItsBytes() throws Exception {
    WriteOutcome.OutcomeCoder coder = WriteOutcome.OutcomeCoder.of();

    CoderProperties.coderSerializable(coder);
    CoderProperties.coderDecodeEncodeEqual(coder, outcome(1, 2, 3, 4, 5, 6));
    CoderProperties.coderDecodeEncodeEqual(
        coder, new WriteOutcome("größe 😀", -1, Integer.MAX_VALUE, 0, 0, 0, 0, 0));
    CoderProperties.coderDeterministic(coder, outcome(1, 2, 3, 4, 5, 6), outcome(1, 2, 3, 4, 5, 6));
  }

  private static WriteOutcome outcome(
      int written, int stale, int duplicate, int expired, int skipped, int rejected) {
    return new WriteOutcome(
        "op-1", 1_000_000, written, stale, duplicate, expired, skipped, rejected);
  }
}
