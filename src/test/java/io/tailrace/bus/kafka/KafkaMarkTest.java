package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.testing.FrozenBytes;
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
  public void itsBytesAreThoseOfSavepoints() throws Exception {
    Map<Integer, KafkaPosition> next =
        Map.of(300, new KafkaPosition(1L << 40, 7), 0, KafkaPosition.at(4));

    KafkaMark full =
        FrozenBytes.of("KafkaMark.MarkCoder", "full")
            .writtenFor(
                CODER,
                new KafkaMark(
                    "u4RxLodgRMGv2FXUeRJeKA", next, 1_795_514_400_123L, new KafkaMark.Commits()));
    KafkaMark empty =
        FrozenBytes.of("KafkaMark.MarkCoder", "empty")
            .writtenFor(CODER, new KafkaMark("", Map.of(), 0, new KafkaMark.Commits()));

    assertThat(full.topicId()).isEqualTo("u4RxLodgRMGv2FXUeRJeKA");
    assertThat(full.next()).isEqualTo(next);
    assertThat(full.watermarkMillis()).isEqualTo(1_795_514_400_123L);
    assertThat(empty.topicId()).isEmpty();
    assertThat(empty.next()).isEmpty();
    assertThat(empty.watermarkMillis()).isEqualTo(0);
  }

  @Test
  public void aMarkComesBackAsItWas() throws Exception {
    Map<Integer, KafkaPosition> next = Map.of(3, new KafkaPosition(17, 2), 0, KafkaPosition.at(4));

    KafkaMark copy = CoderUtils.clone(CODER, mark(next, -5));

    assertThat(copy.topicId()).isEqualTo("id");
    assertThat(copy.next()).isEqualTo(next);
    assertThat(copy.watermarkMillis()).isEqualTo(-5);
  }

  @Test
  public void itsBytesAreThoseOfItsPartitionsInOrder() throws Exception {
    Map<Integer, KafkaPosition> next = Map.of(200, KafkaPosition.at(2), 1, new KafkaPosition(1, 6));

    assertThat(CoderUtils.encodeToByteArray(CODER, mark(next, 9)))
        .isEqualTo(
            new byte[] {
              1, 2, 'i', 'd', 2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 7, -56, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0,
              0, 0, 0, 0, 0, 0, 9
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

  private static Map<Integer, KafkaPosition> offsets(List<Integer> partitions) {
    Map<Integer, KafkaPosition> offsets = new LinkedHashMap<>();
    partitions.forEach(partition -> offsets.put(partition, KafkaPosition.at(1_000L + partition)));
    return offsets;
  }

  private static KafkaMark mark(Map<Integer, KafkaPosition> next, long watermarkMillis) {
    return new KafkaMark("id", next, watermarkMillis, new KafkaMark.Commits());
  }
}
