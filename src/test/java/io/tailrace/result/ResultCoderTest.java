package io.tailrace.result;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusMessageCoder;
import io.tailrace.testing.Messages;
import io.tailrace.testing.RandomResults;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import org.apache.beam.sdk.testing.CoderProperties;
import org.apache.beam.sdk.util.CoderUtils;
import org.junit.Test;

/** That results travel between workers as the messages they came from. */
public class ResultCoderTest {
  @Test
  public void aResultComesBackFromItsBytes() throws Exception {
    RandomResults results = RandomResults.seeded(3);
    for (int i = 0; i < 50; i++) {
      BusMessage message = Messages.of(results.next(), RandomResults.START);
      Result result = new ResultDecoder().decode(message);

      Result copy = CoderUtils.clone(ResultCoder.of(), result);

      assertThat(copy).isEqualTo(result);
      assertThat(copy.message()).isEqualTo(message);
      assertThat(ResultText.of(copy)).isEqualTo(ResultText.of(result));
      CoderProperties.coderDeterministic(ResultCoder.of(), result, copy);
    }
  }

  @Test
  public void theCoderIsSerializable() {
    CoderProperties.coderSerializable(ResultCoder.of());
  }

  @Test
  public void bytesThatAreNoResultAreAnError() throws Exception {
    byte[] encoded =
        CoderUtils.encodeToByteArray(
            BusMessageCoder.of(), Messages.of(new byte[0], RandomResults.START));

    assertThrows(
        IOException.class, () -> ResultCoder.of().decode(new ByteArrayInputStream(encoded)));
  }
}
