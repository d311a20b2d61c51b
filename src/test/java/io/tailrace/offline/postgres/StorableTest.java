package io.tailrace.offline.postgres;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.testing.TestDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What is thought of PostgreSQL's limits is what PostgreSQL does. */
@RunWith(JUnit4.class)
public class StorableTest {
  private static final long MICROS_PER_DAY = 86_400_000_000L;

  @Rule public final TestDatabase database = new TestDatabase();

  @Test
  public void jsonIsRefusedWherePostgresRefusesIt() throws Exception {
    List<String> texts =
        List.of(
            "{}",
            "[]",
            " \t\r\n1 ",
            "null",
            "\"\"",
            "{\"a\":1,\"a\":2}",
            "-0.0e+10",
            "1e999999",
            "1".repeat(5_000),
            "\"\\u0000\\ud800\"",
            "\"\u007f\u2028\ud83d\ude00\"",
            "{\"\":[{},[],\"\\\"\\/\\b\"]}",
            "[".repeat(5_000) + "]".repeat(5_000),
            "",
            " ",
            "nul",
            "NaN",
            "[1,]",
            "[1 2]",
            "{\"a\"}",
            "{a:1}",
            "{'a':1}",
            "[1",
            "1 2",
            "{}}",
            "{}[]",
            "01",
            "+1",
            ".5",
            "1.",
            "0x1",
            "\"\t\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"a",
            "// a\n1",
            "/* a */1",
            "\ufeff1",
            "\u00a01",
            "\f1");
    try (Connection connection = database.connect();
        PreparedStatement statement = connection.prepareStatement("SELECT ?::json")) {
      for (String text : texts) {
        assertWithMessage("%s", text)
            .that(Storable.whyNotJson(text.getBytes(UTF_8)) == null)
            .isEqualTo(isAccepted(statement, text));
      }
    }
  }

  private static boolean isAccepted(PreparedStatement statement, String text) throws SQLException {
    statement.setString(1, text);
    try {
      statement.executeQuery().close();
      return true;
    } catch (SQLException e) {
      assertThat(e.getSQLState()).isEqualTo("22P02");
      return false;
    }
  }

  @Test
  public void jsonThatIsDeepIsRefusedBeforePostgresRunsOutOfStack() {
    byte[] deep = ("[".repeat(5_001) + "]".repeat(5_001)).getBytes(UTF_8);

    assertThat(Storable.whyNotJson(deep))
        .isEqualTo("is JSON of more than 5000 levels, for which a store's stack may not be enough");
  }

  @Test
  public void textIsUtf8WithoutNul() {
    assertThat(Storable.whyNotText("a\u0001ä".getBytes(UTF_8))).isNull();
    assertThat(Storable.whyNotText(new byte[] {'a', 0}))
        .isEqualTo("has a NUL character, which PostgreSQL's text can't hold");
    assertThat(Storable.whyNotText(new byte[] {'a', (byte) 0xc3})).isEqualTo("is not UTF-8");
    assertThat(Storable.whyNotJson(new byte[] {'"', (byte) 0xc3, '"'})).isEqualTo("is not UTF-8");
  }

  @Test
  public void timesAndDaysEndWherePostgresEnds() throws Exception {
    long firstDay = -2_440_588;
    long lastDay = 2_145_042_905;

    assertThat(Storable.whyNotDay(firstDay)).isNull();
    assertThat(Storable.whyNotDay(firstDay - 1)).isNotNull();
    assertThat(Storable.whyNotDay(lastDay)).isNull();
    assertThat(Storable.whyNotDay(lastDay + 1)).isNotNull();
    assertThat(Storable.whyNotTime(firstDay * MICROS_PER_DAY)).isNull();
    assertThat(Storable.whyNotTime(firstDay * MICROS_PER_DAY - 1)).isNotNull();
    assertThat(Storable.whyNotTime(Long.MAX_VALUE)).isNull();
    assertThat(
            database.rows(
                "SELECT '4714-11-24 BC'::date - '1970-01-01'::date,"
                    + " '5874897-12-31'::date - '1970-01-01'::date"))
        .containsExactly(firstDay + "|" + lastDay);
  }
}
