package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.quicktheories.QuickTheory.qt;
import static org.quicktheories.generators.SourceDSL.arbitrary;
import static org.quicktheories.generators.SourceDSL.lists;

import java.util.List;
import java.util.regex.Pattern;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What a pattern takes, and what the writer does. */
@RunWith(JUnit4.class)
public class TextFormTest {
  private static boolean matches(TextForm<?> form, String text) {
    return Pattern.compile(form.pattern()).matcher(text).find();
  }

  private static boolean isParsed(TextForm<?> form, String text) {
    try {
      var unused = form.parser().apply(text);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  @Test
  public void noPatternRefusesWhatTheWriterTakes() {
    List<TextForm<?>> forms = List.of(TextForm.DURATION, TextForm.DURATION_OR_ZERO, TextForm.COUNT);
    // Made of the letters of all that is right, most are wrong, and some are right.
    qt().withExamples(20_000)
        .forAll(
            lists()
                .of(
                    arbitrary()
                        .pick(
                            "0", "1", "7", "25", "ms", "s", "M", "h", "D", "P", "pt", "T", "-", "+",
                            ".5", ","))
                .ofSizeBetween(0, 6),
            arbitrary().pick(forms))
        .check(
            (parts, form) -> {
              String text = String.join("", parts);
              return !isParsed(form, text) || matches(form, text);
            });
  }

  @Test
  public void aPatternRefusesMostOfWhatIsWrong() {
    for (String wrong : List.of("", "soon", "5", "5 m", "m", "-5m", "P", "1.5h", "5m\n6m")) {
      assertWithMessage(wrong).that(isParsed(TextForm.DURATION, wrong)).isFalse();
      if (!wrong.equals("P")) {
        assertWithMessage(wrong).that(matches(TextForm.DURATION, wrong)).isFalse();
      }
    }
    for (String wrong : List.of("", "0", "-1", "1e3", "ten", "1,000")) {
      assertWithMessage(wrong).that(isParsed(TextForm.COUNT, wrong)).isFalse();
      assertWithMessage(wrong).that(matches(TextForm.COUNT, wrong)).isFalse();
    }
  }

  @Test
  public void whatIsRightIsTaken() {
    for (String right : List.of("500ms", "30s", "10m", "1h", "14d", "PT1M30S", "pt0.5s", "P2D")) {
      assertThat(isParsed(TextForm.DURATION, right)).isTrue();
      assertThat(matches(TextForm.DURATION, right)).isTrue();
    }
    assertThat(TextForm.DURATION_OR_ZERO.parser().apply("0s").isZero()).isTrue();
    assertThat(TextForm.COUNT.parser().apply(" 500 ")).isEqualTo(500);
    assertThat(matches(TextForm.COUNT, " 500 ")).isTrue();
  }

  @Test
  public void oneOfAFewIsMatchedAsAWhole() {
    TextForm<String> form = TextForm.oneOf(List.of("kafkaio", "batching"), text -> text);

    assertThat(matches(form, "kafkaio")).isTrue();
    assertThat(matches(form, "batching")).isTrue();
    assertThat(matches(form, "kafkaio2")).isFalse();
    assertThat(matches(form, "")).isFalse();
  }
}
