package io.tailrace.bus.pubsub;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.testing.FrozenBytes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.beam.sdk.util.SerializableUtils;
import org.junit.Test;

/** What of a mark, and of a source, is kept in a checkpoint. */
public class PubSubMarkTest {
  private static final PubSubMark.MarkCoder CODER = new PubSubMark.MarkCoder();

  /** Made when the format was frozen; a change of it is a file more. */
  private static final Path FIRST = Path.of("src/test/resources/pubsub-split-1.txt");

  @Test
  public void itsBytesAreThoseOfSavepoints() throws Exception {
    PubSubMark full =
        FrozenBytes.of("PubSubMark.MarkCoder", "full")
            .writtenFor(
                CODER, new PubSubMark(1_795_514_400_123L, 7, PubSubMark.Acknowledges.NOTHING));
    PubSubMark empty =
        FrozenBytes.of("PubSubMark.MarkCoder", "empty")
            .writtenFor(CODER, new PubSubMark(0, 0, PubSubMark.Acknowledges.NOTHING));

    assertThat(full.watermarkMillis()).isEqualTo(1_795_514_400_123L);
    assertThat(empty.watermarkMillis()).isEqualTo(0);
    // Nobody is there any more who could acknowledge.
    full.finalizeCheckpoint();
  }

  @Test
  public void aMarkThatIsDurableAcknowledgesWhatIsBeforeIt() {
    List<Long> acknowledged = new ArrayList<>();

    new PubSubMark(0, 7, acknowledged::add).finalizeCheckpoint();

    assertThat(acknowledged).containsExactly(7L);
  }

  @Test
  public void aSplitOfTheFirstFormatIsUnderstood() throws Exception {
    byte[] bytes = Base64.getMimeDecoder().decode(Files.readString(FIRST));

    PubSubSource split =
        (PubSubSource) SerializableUtils.deserializeFromByteArray(bytes, "a split");

    assertThat(split.bus().name()).isEqualTo("pubsub://my-project/result-bus-online");
    assertThat(split.bus().publishesTo()).isEqualTo("pubsub://my-project/result-bus");
    assertThat(split.bus().leaseSeconds()).isEqualTo(60);
    assertThat(split.bus().reader().orElseThrow().store()).isEqualTo("store-1");
    assertThat(split.bus().server().root()).isEqualTo("http://localhost:8085");
    assertThat(split.toString()).isEqualTo("pubsub://my-project/result-bus-online 1");
    // The bytes are the same as this version's own.
    assertThat(SerializableUtils.serializeToByteArray(split)).isEqualTo(bytes);
  }
}
