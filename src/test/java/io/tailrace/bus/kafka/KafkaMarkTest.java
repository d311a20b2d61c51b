package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.beam.sdk.util.CoderUtils;
import org.junit.Test;

/** What of a mark is kept in a checkpoint. */
public class KafkaMarkTest {
  private static final KafkaMark.MarkCoder CODER = new KafkaMark.MarkCoder();

  @Test
  public void aMarkComesBackAsItWas() throws Exception {
    KafkaMark mark = mark(Map.of(3, 17L, 0, 4L), -5);

    KafkaMark copy = CoderUtils.clone(CODER, mark);

    assertThat(copy.nextOffsets()).containsExactly(0, 4L, 3, 17L);
    assertThat(copy.watermarkMillis()).isEqualTo(-5);
  }

  @Test
  public void itsBytesAreThoseOfItsPartitionsInOrder() throws Exception {
    assertThat(CoderUtils.encodeToByteArray(CODER, mark(Map.of(200, 2L, 1, 1L), 9)))
        .isEqualTo(
            new byte[] {
              2, 1, 0, 0, 0, 0, 0, 0, 0, 1, -56, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 9
            });
  }

  @Test
  public void theyAreTheSameInWhateverOrderPartitionsCome() throws Exception {
    CODER.verifyDeterministic();
    List<Integer> partitions = new ArrayList<>(IntStream.range(0, 100).boxed().toList());
    byte[] ordered = CoderUtils.encodeToByteArray(CODER, mark(offsets(partitions), 9));
    for (int seed = 0; seed < 20; seed++) {
      Collections.shuffle(partitions, new Random(seed));

      assertThat(CoderUtils.encodeToByteArray(CODER, mark(offsets(partitions), 9)))
          .isEqualTo(ordered);
    }
  }

  private static Map<Integer, Long> offsets(List<Integer> partitions) {
    Map<Integer, Long> offsets = new LinkedHashMap<>();
    partitions.forEach(partition -> offsets.put(partition, 1_000L + partition));
    return offsets;
  }

  private static KafkaMark mark(Map<Integer, Long> nextOffsets, long watermarkMillis) {
    return new KafkaMark(nextOffsets, watermarkMillis, new KafkaMark.Commits());
  }
}
