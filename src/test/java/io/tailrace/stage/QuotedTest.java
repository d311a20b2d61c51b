package io.tailrace.stage;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.quicktheories.QuickTheory.qt;
import static org.quicktheories.generators.SourceDSL.integers;
import static org.quicktheories.generators.SourceDSL.strings;

import org.junit.Test;

/** That what is quoted of others has a bound. */
public class QuotedTest {
  @Test
  public void aShortTextStaysAsItIs() {
    assertThat(Quoted.cut("", 3)).isEmpty();
    assertThat(Quoted.cut("größe", 7)).isEqualTo("größe");
  }

  @Test
  public void aLongOneIsCutBetweenCharacters() {
    assertThat(Quoted.cut("größe", 6)).isEqualTo("gr…");
    assertThat(Quoted.cut("a\uD83D\uDE00b", 6)).isEqualTo("a\uD83D\uDE00b");
    assertThat(Quoted.cut("a\uD83D\uDE00bc", 6)).isEqualTo("a…");
  }

  @Test
  public void noTextIsLongerThanItMayBe() {
    qt().forAll(strings().allPossible().ofLengthBetween(0, 60), integers().between(3, 100))
        .checkAssert(
            (text, most) -> {
              String cut = Quoted.cut(text, most);
              int whole = text.getBytes(UTF_8).length;

              assertThat(cut.getBytes(UTF_8).length).isAtMost(most);
              if (cut.endsWith("…") && !text.endsWith("…")) {
                assertThat(text).startsWith(cut.substring(0, cut.length() - 1));
              } else {
                assertThat(cut).isEqualTo(text);
                assertThat(whole).isAtMost(most);
              }
            });
  }
}
