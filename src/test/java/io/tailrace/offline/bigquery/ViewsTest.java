package io.tailrace.offline.bigquery;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.offline.Feature;
import io.tailrace.offline.FeatureTable;
import io.tailrace.result.ValueType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import net.sf.jsqlparser.parser.CCJSqlParserUtil;
import net.sf.jsqlparser.statement.select.Select;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** The text of the views, as BigQuery gets it. */
@RunWith(JUnit4.class)
public class ViewsTest {
  private static final Path GOLDEN = Path.of("src/test/resources/bigquery/views.sql");

  private static Map<String, String> views() {
    BigQueryAddress address =
        BigQueryAddress.of(EndpointUri.parse("bigquery://my-project/tailrace_{environment}"));
    Views views = new Views(address, "tailrace_prod");
    Map<String, String> all = new LinkedHashMap<>();
    all.put("user__age", views.feature(feature("age", true, Optional.of(ValueType.INT64))));
    all.put("user__face", views.feature(feature("face", false, Optional.of(ValueType.VECTOR))));
    all.put("user__it_s", views.feature(feature("it's \\ so", true, Optional.of(ValueType.JSON))));
    all.put("user__gone", views.feature(feature("gone", true, Optional.empty())));
    all.put("user__", views.feature(feature("", true, Optional.empty())));
    all.put("query_log", views.queries());
    all.put("latest_user", views.latest("user"));
    return all;
  }

  private static FeatureTable feature(
      String name, boolean stringKeys, Optional<ValueType> valueType) {
    return new FeatureTable(Feature.named("user", name), stringKeys, valueType);
  }

  @Test
  public void theirTextIsThatOfTheFile() throws Exception {
    StringBuilder all = new StringBuilder();
    views()
        .forEach(
            (name, sql) -> all.append("-- ").append(name).append('\n').append(sql).append(";\n\n"));

    assertThat(all.toString().stripTrailing()).isEqualTo(Files.readString(GOLDEN).stripTrailing());
  }

  @Test
  public void anIndependentGrammarTakesThem() {
    views()
        .forEach(
            (name, sql) -> {
              try {
                assertWithMessage(name)
                    .that(CCJSqlParserUtil.parse(parsable(sql)))
                    .isInstanceOf(Select.class);
              } catch (net.sf.jsqlparser.JSQLParserException e) {
                throw new AssertionError(name + ": " + e.getMessage() + "\n" + sql, e);
              }
            });
  }

  /** What this grammar does not know of GoogleSQL. */
  private static String parsable(String sql) {
    return sql.replaceAll("ANY_VALUE\\((\\w+) HAVING MIN inserted_at\\)", "ANY_VALUE($1)")
        .replace("\\'", "''")
        .replaceAll("CAST\\(NULL AS ARRAY<(\\w+)>\\)", "CAST(NULL AS $1[])");
  }
}
