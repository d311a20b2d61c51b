package io.tailrace.parquet;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.testing.FrozenBytes;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import org.junit.Test;

/**
 * That files outlive the version that wrote them. What is frozen has files of that version's
 * encoder: another encoder may make other bytes of the same rows, which is no fault.
 */
public class ObservationFileCoderTest {
  private static final long T = RandomResults.START;

  @Test
  public void itsBytesAreThoseOfSavepoints() throws Exception {
    ObservationFile full =
        FrozenBytes.of("ObservationFileCoder", "full").read(ObservationFileCoder.of());
    ObservationFile empty =
        FrozenBytes.of("ObservationFileCoder", "empty").read(ObservationFileCoder.of());

    assertThat(full.message()).isEqualTo(FrozenBytes.fullMessage(full.message().payload()));
    assertThat(full.kind()).isEqualTo(Kind.OBSERVATIONS);
    assertThat(full.environment()).isEqualTo(Results.ENVIRONMENT);
    assertThat(full.stringKeys()).isTrue();
    assertThat(full.observedUntil()).isEqualTo(T + 1);
    // The file has another row, which was observed later.
    assertThat(FileRows.of(full))
        .containsExactly(
            "user.age | e5a0e2f030b08e3661ec9307161023d3 | ann | 42 | 1767225600000001 |  |  | op"
                + " | false");
    assertThat(empty.message()).isEqualTo(FrozenBytes.bareMessage(empty.message().payload()));
    assertThat(empty.kind()).isEqualTo(Kind.OBSERVATIONS);
    assertThat(empty.valueType()).isEmpty();
    assertThat(empty.observedUntil()).isEqualTo(FileDecoder.ANY_TIME);
    assertThat(FileRows.of(empty))
        .containsExactly(
            "user.age | 9a82e278ffb785c6bbaa50ff0fbd62e3 | bob | null | 1767225600000000 |  |  | op"
                + " | true");
  }
}
