package io.tailrace.metrics;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import com.fasterxml.jackson.databind.JsonNode;
import io.tailrace.MonitoringTemplates;
import io.tailrace.testing.Summaries;
import io.tailrace.testing.TestDatabase;
import io.tailrace.v1.FeatureSummary;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.Numbers;
import io.tailrace.v1.QuerySummary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/**
 * The dashboard of the metrics store asks a real PostgreSQL, with Grafana's macros and variables
 * replaced as Grafana does it, and is told what was written.
 */
@RunWith(JUnit4.class)
public class MetricsDashboardTest {
  /** Has a quote, which must not end a text in a query. */
  private static final String ENVIRONMENT = "dev's";

  private static final String FROM = "2026-11-24T10:00:00Z";
  private static final String TO = "2026-11-24T10:59:59.999Z";

  private static final Pattern GRANTS = Pattern.compile("```sql\n(GRANT .*?)```", Pattern.DOTALL);

  @Rule public final TestDatabase postgres = new TestDatabase();

  @Before
  public void writeTwoMinutes() throws Exception {
    write(
        minute(0, feature("age", "d1", 60, 3).setServedOnline(180).setServedOffline(60)),
        minute(1, feature("age", "d1", 120, 0).setServedOnline(120)),
        minute(1, feature("age", "d2", 60, 30)),
        minute(1, feature("score", "d1", 60, 0)),
        // Before the time that is shown.
        minute(-1, feature("old", "d1", 60, 0)),
        minute(0, "profile", 120, 6),
        minute(1, "profile", 240, 0),
        minute(1, "ranking", 60, 3),
        minute(1, "", 60, 0),
        minute(-1, "profile", 600, 600),
        // Of another environment.
        minute(0, feature("age", "d1", 6_000, 6_000)).toBuilder().setEnvironmentId("prod").build(),
        minute(0, "profile", 6_000, 6_000).toBuilder().setEnvironmentId("prod").build());
    grantWhatIsDocumented();
  }

  /** Lets a user read as the documentation says, as whom everything is asked. */
  private void grantWhatIsDocumented() throws Exception {
    Matcher grants = GRANTS.matcher(Files.readString(Path.of("docs", "metrics-store.md")));
    assertThat(grants.find()).isTrue();
    // Of the whole server: another test's database may have it already.
    postgres.execute(
        "DO $$BEGIN CREATE ROLE grafana; EXCEPTION WHEN duplicate_object THEN NULL; END$$",
        grants.group(1));
  }

  private void write(MetricsSummary... summaries) throws Exception {
    try (MetricsStore.Connection connection = MetricsStores.at(postgres.uri("")).connect()) {
      connection.write(List.of(summaries));
    }
  }

  /** Returns the distribution of 1, 2 … 100. */
  private static Numbers percents() {
    return Summaries.numbers(IntStream.rangeClosed(1, 100).asDoubleStream().toArray());
  }

  private static FeatureSummary.Builder feature(
      String name, String deployment, int computed, int nulls) {
    return FeatureSummary.newBuilder()
        .setFeature("user." + name)
        .setResolverFqn(name + "_of")
        .setDeploymentId(deployment)
        .setComputed(computed)
        .setNulls(nulls)
        .setValues(percents())
        .setStalenessMillis(percents());
  }

  private static MetricsSummary minute(int minute, FeatureSummary.Builder feature) {
    return at(Summaries.MINUTE + minute * Summaries.ONE_MINUTE, Summaries.of(feature));
  }

  private static MetricsSummary minute(int minute, String query, int executions, int failures) {
    return at(
        Summaries.MINUTE + minute * Summaries.ONE_MINUTE,
        Summaries.of(
            QuerySummary.newBuilder()
                .setQueryName(query)
                .setExecutions(executions)
                .setFailures(failures)
                .setPartial(1)
                .setLatencyMillis(percents())));
  }

  private static MetricsSummary at(long micros, MetricsSummary summary) {
    return summary.toBuilder().setEnvironmentId(ENVIRONMENT).setMinute(micros).build();
  }

  /**
   * What a query answered.
   *
   * @param columns their types as PostgreSQL names them, by their names in their order
   * @param rows values joined with a bar
   */
  private record Answer(Map<String, String> columns, List<String> rows) {}

  private Answer ask(String sql, Map<String, String> variables) throws Exception {
    String plain =
        sql.replace("$__timeFilter(minute)", "minute BETWEEN '" + FROM + "' AND '" + TO + "'");
    for (Map.Entry<String, String> variable : variables.entrySet()) {
      plain = plain.replace("${" + variable.getKey() + ":sqlstring}", variable.getValue());
    }
    assertWithMessage("is replaced as a whole").that(plain).doesNotContain("$");
    try (Connection connection = postgres.connect();
        Statement statement = connection.createStatement()) {
      statement.execute("SET TimeZone = 'UTC'");
      statement.execute("SET ROLE grafana");
      try (ResultSet found = statement.executeQuery(plain)) {
        ResultSetMetaData columns = found.getMetaData();
        Map<String, String> types = new LinkedHashMap<>();
        for (int column = 1; column <= columns.getColumnCount(); column++) {
          types.put(columns.getColumnLabel(column), columns.getColumnTypeName(column));
        }
        List<String> rows = new ArrayList<>();
        while (found.next()) {
          List<String> row = new ArrayList<>();
          for (Map.Entry<String, String> column : types.entrySet()) {
            row.add(
                switch (column.getValue()) {
                  case "timestamptz" ->
                      String.valueOf(found.getString(column.getKey())).substring(11, 16);
                  case "float8", "numeric" ->
                      String.valueOf(
                          Math.round(found.getDouble(column.getKey()) * 1_000) / 1_000.0);
                  default -> String.valueOf(found.getString(column.getKey()));
                });
          }
          rows.add(String.join("|", row));
        }
        return new Answer(types, rows);
      }
    }
  }

  /** The variables as they stand in a query after a choice of queries and features. */
  private static Map<String, String> chosen(String queries, String features) {
    return Map.of("environment", "'dev''s'", "query", queries, "feature", features);
  }

  private static Map<String, String> allQueries() throws Exception {
    return chosen(variable("query").path("allValue").asText(), "'user.age','user.score'");
  }

  private static JsonNode variable(String name) throws Exception {
    for (JsonNode variable : MonitoringTemplates.dashboardOfMetricsStore().at("/templating/list")) {
      if (variable.path("name").asText().equals(name)) {
        return variable;
      }
    }
    throw new AssertionError("no variable " + name);
  }

  /** Returns the queries of panels by the panel's title. */
  private static Map<String, List<JsonNode>> targets() throws Exception {
    Map<String, List<JsonNode>> all = new TreeMap<>();
    for (JsonNode panel : MonitoringTemplates.dashboardOfMetricsStore().path("panels")) {
      List<JsonNode> targets = new ArrayList<>();
      panel.path("targets").forEach(targets::add);
      if (!panel.path("type").asText().equals("row")) {
        assertWithMessage(panel.path("title").asText()).that(targets).isNotEmpty();
        all.put(panel.path("title").asText(), targets);
      }
    }
    return all;
  }

  private List<String> rows(String title, Map<String, String> variables) throws Exception {
    List<String> rows = new ArrayList<>();
    for (JsonNode target : targets().getOrDefault(title, List.of())) {
      rows.addAll(ask(target.path("rawSql").asText(), variables).rows);
    }
    return rows;
  }

  @Test
  public void everyQueryAnswersWithTheColumnsThatItsPanelUses() throws Exception {
    int queries = 0;
    for (JsonNode panel : MonitoringTemplates.dashboardOfMetricsStore().path("panels")) {
      String title = panel.path("title").asText();
      for (JsonNode target : panel.path("targets")) {
        queries++;
        Answer answer = ask(target.path("rawSql").asText(), allQueries());
        assertWithMessage(title).that(answer.rows).isNotEmpty();
        Map<String, String> values = new LinkedHashMap<>(answer.columns);
        if (target.path("format").asText().equals("time_series")) {
          assertWithMessage(title).that(values.remove("time")).isEqualTo("timestamptz");
          assertWithMessage(title).that(values.remove("metric")).isEqualTo("text");
        } else {
          values.values().remove("text");
        }
        // Anything else would be no line and no number in Grafana.
        assertWithMessage(title).that(values).isNotEmpty();
        assertWithMessage(title)
            .that(List.of("int8", "float8", "numeric"))
            .containsAtLeastElementsIn(values.values().stream().distinct().toList());
        for (JsonNode override : panel.at("/fieldConfig/overrides")) {
          assertWithMessage(title)
              .that(values)
              .containsKey(override.at("/matcher/options").asText());
        }
      }
    }
    assertThat(queries).isAtLeast(15);
  }

  @Test
  public void panelsOfQueriesShowThemByName() throws Exception {
    assertThat(rows("Executions by query", allQueries()))
        .containsExactly(
            "10:00|profile|2.0", "10:01|(no name)|1.0", "10:01|profile|4.0", "10:01|ranking|1.0")
        .inOrder();
    assertThat(rows("Error rate by query", allQueries()))
        .containsExactly(
            "10:00|profile|0.05", "10:01|(no name)|0.0", "10:01|profile|0.0", "10:01|ranking|0.05")
        .inOrder();
    assertThat(rows("Latency by query", chosen("'ranking'", "'user.age'")))
        .containsExactly("10:01|ranking|50.0|95.0|99.0");
    assertThat(rows("Executions", allQueries())).containsExactly("480|4");
    assertThat(rows("Failed", allQueries())).containsExactly("0.019");
  }

  @Test
  public void onlyTheChosenQueriesAreShown() throws Exception {
    for (String title : List.of("Executions by query", "Error rate by query", "Latency by query")) {
      assertWithMessage(title)
          .that(
              rows(title, chosen("'profile','ranking'", "'user.age'")).stream()
                  .map(row -> row.split("\\|", -1)[1])
                  .collect(Collectors.toSet()))
          .containsExactly("profile", "ranking");
    }
  }

  @Test
  public void panelsOfFeaturesShowThemByResolverAndDeployment() throws Exception {
    assertThat(rows("Highest null rates", allQueries()))
        .containsExactly("user.age|240|33|0.138", "user.score|60|0|0.0")
        .inOrder();
    assertThat(rows("Cache-hit rate", chosen("query_name", "'user.age'")))
        .containsExactly(
            "10:00|(all features)|0.6", "10:01|(all features)|0.333",
            "10:00|user.age|0.6", "10:01|user.age|0.4")
        .inOrder();
    assertThat(rows("Values", chosen("query_name", "'user.age'")))
        .containsExactly(
            "10:00|user.age age_of d1|50.0|95.0|99.0|50.5",
            "10:01|user.age age_of d1|50.0|95.0|99.0|50.5",
            "10:01|user.age age_of d2|50.0|95.0|99.0|50.5")
        .inOrder();
    assertThat(rows("Staleness at serving", chosen("query_name", "'user.score'")))
        .containsExactly("10:01|user.score score_of d1|50.0|95.0|99.0");
    assertThat(rows("Null rate", chosen("query_name", "'user.age'")))
        .containsExactly(
            "10:00|user.age age_of d1|0.05",
            "10:01|user.age age_of d1|0.0",
            "10:01|user.age age_of d2|0.5")
        .inOrder();
    assertThat(rows("Computed and served", chosen("query_name", "'user.age'")))
        .containsExactly("10:00|user.age|1.0|3.0|1.0", "10:01|user.age|3.0|2.0|0.0")
        .inOrder();
  }

  @Test
  public void panelsOfResolversTellDeploymentsApart() throws Exception {
    assertThat(rows("Computed values by resolver and deployment", allQueries()))
        .containsExactly(
            "10:00|age_of d1|1.0",
            "10:01|age_of d1|2.0",
            "10:01|age_of d2|1.0",
            "10:01|score_of d1|1.0")
        .inOrder();
    assertThat(rows("Null rate by resolver and deployment", allQueries()))
        .containsExactly(
            "10:00|age_of d1|0.05",
            "10:01|age_of d1|0.0",
            "10:01|age_of d2|0.5",
            "10:01|score_of d1|0.0")
        .inOrder();
  }

  @Test
  public void whatIsBeyondTheLimitOfSeriesIsRedAndNotMistakenForASeries() throws Exception {
    assertThat(rows("Beyond the limit of series", allQueries())).containsExactly("0|0");

    write(
        at(
            Summaries.MINUTE,
            Summaries.of(
                FeatureSummary.newBuilder().setOverflow(true).setComputed(600).setNulls(600))),
        at(
            Summaries.MINUTE,
            Summaries.of(QuerySummary.newBuilder().setOverflow(true).setExecutions(60))));

    assertThat(rows("Beyond the limit of series", allQueries())).containsExactly("600|60");
    assertThat(rows("Executions by query", allQueries()))
        .containsAtLeast("10:00|(beyond the limit)|1.0", "10:01|(no name)|1.0");
    assertThat(rows("Computed values by resolver and deployment", allQueries()))
        .contains("10:00|(beyond the limit)|10.0");
    assertThat(rows("Highest null rates", allQueries())).hasSize(2);
    for (JsonNode panel : MonitoringTemplates.dashboardOfMetricsStore().path("panels")) {
      if (panel.path("title").asText().equals("Beyond the limit of series")) {
        JsonNode steps = panel.at("/fieldConfig/defaults/thresholds/steps");
        assertThat(steps.toString())
            .isEqualTo("[{\"color\":\"green\",\"value\":null},{\"color\":\"red\",\"value\":1}]");
        assertThat(panel.at("/options/colorMode").asText()).isEqualTo("background");
      }
    }
  }

  @Test
  public void theNewestMinuteIsThatOfFeaturesOrQueriesWhateverTimeIsShown() throws Exception {
    long minute = Instant.now().getEpochSecond() / 60 * 60_000_000;
    write(at(minute, Summaries.of(QuerySummary.newBuilder().setQueryName("q").setExecutions(1))));

    List<String> age = rows("Age of the newest minute", allQueries());

    assertThat(age).hasSize(1);
    // The minute may have ended since.
    assertThat(Double.parseDouble(age.get(0))).isWithin(60).of(60);
  }

  @Test
  public void theVariablesOfferWhatTheTimeThatIsShownHas() throws Exception {
    assertThat(ask(variable("environment").path("query").asText(), Map.of()).rows)
        .containsExactly("dev's", "prod")
        .inOrder();
    assertThat(ask(variable("query").path("query").asText(), allQueries()).rows)
        .containsExactly("profile", "ranking")
        .inOrder();
    assertThat(ask(variable("feature").path("query").asText(), allQueries()).rows)
        .containsExactly("user.age", "user.score")
        .inOrder();
  }
}
