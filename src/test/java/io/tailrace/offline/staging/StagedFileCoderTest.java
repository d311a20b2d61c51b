package io.tailrace.offline.staging;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.result.ValueType;
import io.tailrace.testing.FrozenBytes;
import java.util.Optional;
import org.junit.Test;

/** That references to staged files outlive the version that wrote them. */
public class StagedFileCoderTest {
  @Test
  public void itsBytesAreThoseOfSavepoints() throws Exception {
    StagedFile full =
        new StagedFile(
            "s3://bucket/größe",
            "o-1.parquet",
            new StagedFile.Type(
                "production", Kind.OBSERVATIONS, true, Optional.of(ValueType.FLOAT64)),
            new StagedFile.Size(8_000_000, 300, 1L << 50),
            FrozenBytes.fullMessage(new byte[0]));
    StagedFile empty =
        new StagedFile(
            "",
            "",
            new StagedFile.Type("", Kind.QUERIES, false, Optional.empty()),
            new StagedFile.Size(0, 0, 0),
            FrozenBytes.bareMessage(new byte[0]));

    assertThat(FrozenBytes.of("StagedFileCoder", "full").writtenFor(StagedFileCoder.of(), full))
        .isEqualTo(full);
    assertThat(FrozenBytes.of("StagedFileCoder", "empty").writtenFor(StagedFileCoder.of(), empty))
        .isEqualTo(empty);
  }

  @Test
  public void everyTypeHasTheNumberThatSavepointsHave() {
    StringBuilder numbers = new StringBuilder();
    for (ValueType type : ValueType.values()) {
      numbers.append(type).append('=').append(type.code()).append(' ');
    }

    assertThat(numbers.toString())
        .isEqualTo("INT64=1 FLOAT64=2 BOOL=3 STRING=4 BYTES=5 TIMESTAMP=6 DATE=7 VECTOR=8 JSON=9 ");
  }
}
