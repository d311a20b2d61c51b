package io.tailrace.result;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.nio.charset.StandardCharsets;
import org.junit.Test;

/** Which entity gives a result's message its key. */
public class MessageKeyTest {
  @Test
  public void theFirstEntityOfTheFirstFrameWithRows() {
    QueryResult.Builder result =
        QueryResult.newBuilder()
            .addFrames(Frame.newBuilder().setNamespace("empty"))
            .addFrames(
                Frame.newBuilder().setNamespace("user").addStringKeys("é").addStringKeys("b"))
            .addFrames(Frame.newBuilder().setNamespace("item").addInt64Keys(-7))
            .addDeletions(Deletion.newBuilder().setNamespace("user").addStringKeys("c"));

    assertThat(key(result)).isEqualTo("user:é");
    assertThat(key(result.removeFrames(1))).isEqualTo("item:-7");
  }

  @Test
  public void withoutRowsTheFirstEntityThatIsDeleted() {
    QueryResult.Builder result =
        QueryResult.newBuilder()
            .addDeletions(Deletion.newBuilder().setNamespace("item").addInt64Keys(8))
            .addDeletions(Deletion.newBuilder().setNamespace("user").addStringKeys("c"));

    assertThat(key(result)).isEqualTo("item:8");
    assertThat(key(result.removeDeletions(0))).isEqualTo("user:c");
  }

  @Test
  public void withoutAnyEntityNone() {
    assertThat(key(QueryResult.newBuilder().addFrames(Frame.newBuilder().setNamespace("user"))))
        .isEmpty();
  }

  private static String key(QueryResult.Builder result) {
    return new String(MessageKey.of(result.build()), StandardCharsets.UTF_8);
  }
}
