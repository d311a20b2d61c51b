package io.tailrace.result;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusMessageCoder;
import io.tailrace.testing.FrozenBytes;
import io.tailrace.testing.Messages;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.QueryResult;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.BitSet;
import org.apache.beam.sdk.testing.CoderProperties;
import org.apache.beam.sdk.util.CoderUtils;
import org.junit.Test;

/** That results travel between workers as the messages they came from. */
public class ResultCoderTest {
  @Test
  public void itsBytesAreThoseOfSavepoints() throws Exception {
    QueryResult result =
        Results.named("op")
            .setDeploymentId("d-1")
            .setQueryName("größe")
            .setPublisherId("p-1")
            .setSequence(-1)
            .addFrames(
                Results.user(
                    "ann",
                    Results.int64("age", RandomResults.START, 42),
                    Results.string("name", RandomResults.START, "Ann")))
            .addDeletions(Results.deletion("bob", RandomResults.START, "age", "zip"))
            .build();
    BitSet positions = new BitSet();
    positions.set(0);
    positions.set(3);
    ResultDecoder decoder = new ResultDecoder();
    Result full = decoder.decode(FrozenBytes.fullMessage(result.toByteArray())).without(positions);
    Result empty =
        decoder.decode(FrozenBytes.bareMessage(Results.named("op").build().toByteArray()));

    Result read = FrozenBytes.of("ResultCoder", "full").writtenFor(ResultCoder.of(), full);

    assertThat(read).isEqualTo(full);
    assertThat(ResultText.of(read)).isEqualTo(ResultText.of(full));
    assertThat(FrozenBytes.of("ResultCoder", "empty").writtenFor(ResultCoder.of(), empty))
        .isEqualTo(empty);
  }

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
  public void whatAResultLacksIsStillLackingWhenItComesBack() throws Exception {
    QueryResult whole =
        Results.named("op")
            .addFrames(
                Results.user(
                    "ann",
                    Results.int64("age", RandomResults.START, 42),
                    Results.string("name", RandomResults.START, "Ann")))
            .addDeletions(Results.deletion("bob", RandomResults.START, "age", "zip"))
            .addDeletions(Results.deletion("eve", RandomResults.START))
            .build();
    Result result = new ResultDecoder().decode(Messages.of(whole, RandomResults.START));
    BitSet positions = new BitSet();
    positions.set(0);
    positions.set(3);
    positions.set(4);

    Result fewer = result.without(positions);
    Result copy = CoderUtils.clone(ResultCoder.of(), fewer);

    assertThat(copy).isEqualTo(fewer);
    assertThat(copy).isNotEqualTo(result);
    assertThat(ResultText.of(copy)).isEqualTo(ResultText.of(fewer));
    assertThat(copy.frames().get(0).columns().get(0).spec().feature()).isEqualTo("user.name");
    assertThat(copy.frames().get(0).columns()).hasSize(1);
    assertThat(copy.deletions()).hasSize(1);
    assertThat(copy.deletions().get(0).names()).containsExactly("age");
    CoderProperties.coderDeterministic(ResultCoder.of(), fewer, copy);
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
