package io.tailrace.sql;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;
import static org.quicktheories.QuickTheory.qt;
import static org.quicktheories.generators.SourceDSL.strings;

import com.google.common.collect.ImmutableMap;
import java.util.Map;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What a table's comment says of it. */
@RunWith(JUnit4.class)
public class LabelTest {
  private static Label label(String name, Map<String, String> facts) {
    return new Label(ImmutableMap.of(Label.KIND, "feature", "name", name), facts);
  }

  @Test
  public void whateverAnOwnerIsCalledIsReadBackFromOneLine() {
    qt().forAll(strings().allPossible().ofLengthBetween(0, 20))
        .checkAssert(
            name -> {
              String line = label(name, Map.of("key", "text")).line();
              assertThat(line.lines()).hasSize(1);
              assertThat(Label.in(line))
                  .containsExactly(Label.KIND, "feature", "name", name, "key", "text");
            });
  }

  @Test
  public void aTableIsTheOneThatIsMeantIfItSaysSoOrNothing() {
    Label age = label("age", Map.of());

    assertThat(age.fits(Map.of())).isTrue();
    assertThat(age.fits(Label.in(label("age", Map.of("key", "text")).line()))).isTrue();
    assertThat(age.fits(Label.in(label("Age", Map.of()).line()))).isFalse();
    assertThat(age.fits(Map.of(Label.KIND, "other", "name", "age"))).isFalse();
  }

  @Test
  public void otherLinesOfACommentStay() {
    String comment = "Ages of users.\n" + label("age", Map.of("old", "1")).line() + "\nAsk Ann.";

    String after = label("age", Map.of("new", "2")).in(comment, Label.in(comment));

    assertThat(after.lines())
        .containsExactly(
            "Ages of users.",
            "Ask Ann.",
            "{\"tailrace\":\"feature\",\"name\":\"age\",\"old\":\"1\",\"new\":\"2\"}")
        .inOrder();
  }

  @Test
  public void whatIsNoLabelSaysNothing() {
    for (String comment :
        new String[] {
          "",
          "ages",
          "{",
          "{}",
          "{\"name\":\"age\"}",
          "{\"tailrace\":1}",
          "{\"tailrace\":\"feature\"",
          "{\"tailrace\":\"feature\"} and more",
          "[\"tailrace\"]"
        }) {
      assertThat(Label.in(comment)).isEmpty();
    }
    assertThrows(IllegalArgumentException.class, () -> new Label(Map.of("name", "x"), Map.of()));
  }
}
