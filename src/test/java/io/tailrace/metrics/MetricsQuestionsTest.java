package io.tailrace.metrics;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.testing.Summaries;
import io.tailrace.v1.FeatureSummary;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.Numbers;
import io.tailrace.v1.QuerySummary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameters;

/** The questions in the documentation of the metrics store have the answers that it shows. */
@RunWith(Parameterized.class)
public class MetricsQuestionsTest {
  private static final Pattern QUESTION =
      Pattern.compile(
          "```sql\n(SELECT [^`]*)```\n\n\\|[^\n]*\\|\n\\|[-|]*\\|\n(.*?)\n\n", Pattern.DOTALL);

  @Rule public final MetricsDatabase database;

  public MetricsQuestionsTest(MetricsDatabase.Kind kind) {
    database = new MetricsDatabase(kind);
  }

  @Parameters(name = "{0}")
  public static MetricsDatabase.Kind[] kinds() {
    return MetricsDatabase.Kind.values();
  }

  /** Returns the distribution of 1, 2 … 100, each times a factor. */
  private static Numbers percents(double factor) {
    return Summaries.numbers(
        IntStream.rangeClosed(1, 100).mapToDouble(percent -> percent * factor).toArray());
  }

  private static MetricsSummary minute(int minute, FeatureSummary.Builder feature) {
    return Summaries.of(feature).toBuilder()
        .setMinute(Summaries.MINUTE + minute * Summaries.ONE_MINUTE)
        .build();
  }

  private static MetricsSummary minute(int minute, String query, int executions, int failures) {
    return Summaries.of(
            QuerySummary.newBuilder()
                .setQueryName(query)
                .setExecutions(executions)
                .setFailures(failures)
                .setLatencyMillis(percents(minute + 1)))
        .toBuilder()
        .setMinute(Summaries.MINUTE + minute * Summaries.ONE_MINUTE)
        .build();
  }

  private static FeatureSummary.Builder age(String deployment, int computed, int nulls) {
    return FeatureSummary.newBuilder()
        .setFeature("user.age")
        .setResolverFqn("resolvers.age_of")
        .setDeploymentId(deployment)
        .setComputed(computed)
        .setNulls(nulls)
        .setValues(percents(1));
  }

  private static FeatureSummary.Builder score(int computed, int nulls, int served, double age) {
    return FeatureSummary.newBuilder()
        .setFeature("user.score")
        .setResolverFqn("resolvers.score_of")
        .setDeploymentId("d1")
        .setComputed(computed)
        .setNulls(nulls)
        .setServedOnline(served)
        .setStalenessMillis(percents(age));
  }

  @Test
  public void everyQuestionHasTheAnswerThatIsShown() throws Exception {
    try (MetricsStore.Connection connection = database.store("").connect()) {
      connection.write(
          List.of(
              minute(0, age("d1", 100, 0)),
              minute(1, age("d1", 100, 0)),
              minute(1, age("d2", 300, 10)),
              minute(0, score(50, 20, 150, 10)),
              minute(1, score(50, 5, 50, 5)),
              minute(0, "profile", 100, 5),
              minute(1, "profile", 200, 10),
              minute(1, "ranking", 50, 0),
              Summaries.publisher("engine-1", 197, 1, 200),
              Summaries.publisher("engine-2", 102, 1, 100),
              Summaries.publisher("engine-3", 100, 1, 100)));
    }
    Matcher question = QUESTION.matcher(Files.readString(Path.of("docs/metrics-store.md")));
    int questions = 0;
    while (question.find()) {
      questions++;
      List<String> shown = new ArrayList<>();
      for (String row : question.group(2).lines().toList()) {
        shown.add(row.replaceFirst("^\\| ", "").replaceFirst(" \\|$", "").replace(" | ", "|"));
      }
      assertWithMessage(question.group(1))
          .that(database.rows(question.group(1)))
          .containsExactlyElementsIn(shown)
          .inOrder();
    }
    assertThat(questions).isEqualTo(7);
  }

  @Test
  public void everyColumnIsDocumented() throws Exception {
    String page = Files.readString(Path.of("docs/metrics-store.md"));
    for (MetricsTable table : MetricsTable.ALL) {
      assertThat(page).contains("| `" + table.name() + "` | |");
    }
    try (MetricsStore.Connection connection = database.store("").connect()) {
      connection.write(List.of(Summaries.feature("user.age")));
    }
    for (String column :
        database.rows(
            "SELECT DISTINCT column_name FROM information_schema.columns"
                + " WHERE table_schema = 'tailrace_metrics'")) {
      // A distribution's are shown once in full.
      assertThat(page)
          .contains(
              "`" + column.replaceFirst("^staleness_(min|max|mean|p\\d+)", "latency_$1") + "`");
    }
  }
}
