package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import org.apache.beam.sdk.util.SerializableUtils;
import org.junit.Test;

/** What of a split is kept in a checkpoint: one of this version must be understood by the next. */
public class KafkaSplitTest {
  /** Made when the format was frozen; a change of it is a file more. */
  private static final Path FIRST = Path.of("src/test/resources/kafka-split-1.txt");

  @Test
  public void aSplitOfTheFirstFormatIsUnderstood() throws Exception {
    byte[] bytes = Base64.getMimeDecoder().decode(Files.readString(FIRST));

    KafkaSource split = (KafkaSource) SerializableUtils.deserializeFromByteArray(bytes, "a split");

    assertThat(split.bus().name()).isEqualTo("kafka://127.0.0.1:19977/results");
    assertThat(split.bus().start()).isEqualTo("latest");
    assertThat(split.bus().continuesAfterOverrun()).isTrue();
    assertThat(split.bus().properties()).containsExactly("fetch.max.bytes", "1000000");
    assertThat(split.group()).isEqualTo("g");
    assertThat(split.share()).isEqualTo(new PartitionShare(1, 3));
    assertThat(split.start().orElseThrow())
        .isEqualTo(
            new TopicStart(
                "u4RxLodgRMGv2FXUeRJeKA", 3, new TreeMap<>(Map.of(0, 0L, 1, 0L, 2, 0L))));
    assertThat(split.subscriber())
        .isEqualTo(
            new KafkaSource.Subscriber(
                "online-writer",
                "online-writer",
                "online-writer",
                "store-1",
                "7a237003-6aa1-477a-95b6-a11829f65a62"));
    assertThat(split.reader().alone()).isTrue();
    // The bytes are the same as this version's own.
    assertThat(SerializableUtils.serializeToByteArray(split)).isEqualTo(bytes);
  }
}
