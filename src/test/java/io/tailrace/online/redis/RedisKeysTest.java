package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.online.EntityKey;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.Test;

/** That a key is readable, and that no two entities share one. */
public class RedisKeysTest {
  private static final String[] PIECES = {
    ":", "%", "%3A", "%25", "%7B", "3A", "{", "}", "\u0000", "a", "b", "é", "日", "😀", "\uFFFF",
    " ", "\n"
  };

  @Test
  public void aKeyIsReadable() {
    assertThat(key("production", "user", "42")).isEqualTo("production:user:42");
    assertThat(key("production", "user", "größe 😀")).isEqualTo("production:user:größe 😀");
  }

  @Test
  public void colonAndPercentAreEscapedWithinAPart() {
    assertThat(key("a:b", "c%", "%3A")).isEqualTo("a%3Ab:c%25:%253A");
  }

  @Test
  public void noPartOfAKeyChoosesItsSlot() {
    assertThat(key("{prod}", "{user}", "{42}")).isEqualTo("%7Bprod}:%7Buser}:%7B42}");
    Random random = new Random(12);
    for (int i = 0; i < 10_000; i++) {
      String key = key(text(random), text(random), text(random));

      assertWithMessage("seed 12, entity %s", i).that(key).doesNotContain("{");
    }
  }

  @Test
  public void theKeyOfATrialIsNoEntitys() {
    EntityKey entity = new EntityKey("a{b", "c:d", "e");

    assertThat(new String(RedisKeys.trial(entity, 7), StandardCharsets.UTF_8))
        .isEqualTo("a%7Bb:c%3Ad:%trial7");
    assertThat(key("a{b", "c:d", "%trial7")).isNotEqualTo("a%7Bb:c%3Ad:%trial7");
  }

  @Test
  public void noTwoEntitiesShareAKey() {
    Random random = new Random(11);
    Map<String, EntityKey> seen = new HashMap<>();
    for (int i = 0; i < 50_000; i++) {
      EntityKey entity = new EntityKey(text(random), text(random), text(random));
      EntityKey other =
          seen.putIfAbsent(new String(RedisKeys.of(entity), StandardCharsets.ISO_8859_1), entity);

      if (other != null) {
        assertWithMessage("seed 11, entity %s", i).that(entity).isEqualTo(other);
      }
    }
    assertThat(seen.size()).isGreaterThan(10_000);
  }

  private static String text(Random random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(4); i > 0; i--) {
      text.append(PIECES[random.nextInt(PIECES.length)]);
    }
    return text.toString();
  }

  private static String key(String environment, String namespace, String primaryKey) {
    return new String(
        RedisKeys.of(new EntityKey(environment, namespace, primaryKey)), StandardCharsets.UTF_8);
  }
}
