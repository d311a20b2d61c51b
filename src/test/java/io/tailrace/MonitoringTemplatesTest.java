package io.tailrace;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import com.fasterxml.jackson.databind.JsonNode;
import io.tailrace.stage.FreshnessCounters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** The dashboard and the alerts ask for metrics that there are. */
@RunWith(JUnit4.class)
public class MonitoringTemplatesTest {
  @Test
  public void everyMetricInDashboardAndAlertsIsDocumentedOrOneOfFlinksOwn() throws Exception {
    Set<String> known = new TreeSet<>();
    for (DocumentedCounters.Stage stage : DocumentedCounters.read().values()) {
      for (String counter : stage.counters()) {
        String scraped = DocumentedCounters.atEndpoint(stage.name(), counter);
        known.add(MonitoringTemplates.relabelled(scraped).getOrDefault("__name__", ""));
      }
    }

    // What a command counts, and no writer.
    Pattern.compile("(?m)^\\| `(tailrace_letters_\\w+)`")
        .matcher(Files.readString(Path.of("docs", "metrics.md")))
        .results()
        .forEach(row -> known.add(row.group(1)));

    for (String expression : MonitoringTemplates.expressions()) {
      Set<String> metrics = MonitoringTemplates.metrics(expression);
      assertWithMessage(expression).that(metrics).isNotEmpty();
      for (String metric : metrics) {
        if (!isFlinksOwn(metric)) {
          assertWithMessage(expression).that(known).contains(metric);
        }
      }
    }
  }

  /** Whether a name is not a writer's. That Flink has it, the test of the endpoint says. */
  private static boolean isFlinksOwn(String metric) {
    return metric.startsWith("flink_jobmanager_")
        || (metric.startsWith("flink_taskmanager_job_task_")
            && !metric.startsWith(DocumentedCounters.atEndpoint("", "").replaceFirst("_$", "")));
  }

  @Test
  public void freshnessOfAnyStageIsScrapedAsOneHistogram() throws IOException {
    Map<String, String> buckets = new TreeMap<>();
    for (String counter : FreshnessCounters.names()) {
      Map<String, String> labels =
          MonitoringTemplates.relabelled(DocumentedCounters.atEndpoint("WriteOnline", counter));
      assertThat(labels).containsEntry("stage", "WriteOnline");
      if (counter.equals("freshness_sum_ms")) {
        assertThat(labels).containsEntry("__name__", "tailrace_freshness_milliseconds_sum");
        assertThat(labels).doesNotContainKey("le");
      } else {
        assertThat(labels).containsEntry("__name__", "tailrace_freshness_milliseconds_bucket");
        buckets.put(counter, labels.getOrDefault("le", ""));
      }
    }

    assertThat(buckets).containsEntry("freshness_up_to_10_ms", "10");
    assertThat(buckets).containsEntry("freshness_up_to_1000_ms", "1000");
    assertThat(buckets).containsEntry("freshness_up_to_3600000_ms", "3600000");
    assertThat(buckets).containsEntry("freshness_count", "+Inf");
    assertThat(buckets.values()).containsNoDuplicates();
  }

  @Test
  public void deadLettersAreScrapedByReason() throws IOException {
    assertThat(
            MonitoringTemplates.relabelled(
                DocumentedCounters.atEndpoint("DeadLetters", "dead_letters_type_changed")))
        .containsExactly("__name__", "tailrace_dead_letters", "reason", "type_changed");
  }

  @Test
  public void whatIsNotAccountedForIsScrapedByStage() throws IOException {
    for (String counter : List.of("unaccounted", "staging_unaccounted")) {
      assertThat(
              MonitoringTemplates.relabelled(
                  DocumentedCounters.atEndpoint("InsertObservations", counter)))
          .containsExactly("__name__", "tailrace_unaccounted", "stage", "InsertObservations");
    }
  }

  @Test
  public void whatIsNeitherKeepsItsName() throws IOException {
    String scraped = DocumentedCounters.atEndpoint("WriteOnline", "cells_written");

    assertThat(MonitoringTemplates.relabelled(scraped)).containsExactly("__name__", scraped);
  }

  @Test
  public void everyPanelHasAnIdAPlaceAndATitleOfItsOwn() throws IOException {
    assertIsLaidOut(MonitoringTemplates.dashboard(), "datasource", "writer");
    assertIsLaidOut(
        MonitoringTemplates.dashboardOfMetricsStore(),
        "datasource",
        "environment",
        "query",
        "feature");
  }

  @Test
  public void everyPanelOfTheWritersShowsTheChosenOnes() throws IOException {
    for (JsonNode panel : MonitoringTemplates.dashboard().path("panels")) {
      for (JsonNode target : panel.path("targets")) {
        assertWithMessage(panel.path("title").asText())
            .that(target.path("expr").asText())
            .contains("job_name=~\"$writer\"");
      }
    }
  }

  private static void assertIsLaidOut(JsonNode dashboard, String... variables) {
    Set<Integer> ids = new HashSet<>();
    Set<String> places = new HashSet<>();
    Set<String> titles = new HashSet<>();
    for (JsonNode panel : dashboard.path("panels")) {
      JsonNode place = panel.path("gridPos");
      int right = place.path("x").asInt() + place.path("w").asInt();
      String title = panel.path("title").asText();
      assertWithMessage(title).that(ids.add(panel.path("id").asInt())).isTrue();
      assertWithMessage(title).that(right).isAtMost(24);
      for (int x = place.path("x").asInt(); x < right; x++) {
        for (int y = 0; y < place.path("h").asInt(); y++) {
          assertWithMessage(title)
              .that(places.add(x + "," + (place.path("y").asInt() + y)))
              .isTrue();
        }
      }
      assertWithMessage(title).that(titles.add(title)).isTrue();
      Set<String> letters = new HashSet<>();
      for (JsonNode target : panel.path("targets")) {
        assertThat(letters.add(target.path("refId").asText())).isTrue();
        assertThat(target.at("/datasource/uid").asText()).isEqualTo("${datasource}");
      }
    }

    assertThat(dashboard.path("schemaVersion").asInt()).isEqualTo(39);
    List<String> offered = new ArrayList<>();
    dashboard.at("/templating/list").forEach(each -> offered.add(each.path("name").asText()));
    assertThat(offered).containsExactlyElementsIn(variables).inOrder();
  }

  @Test
  public void everyAlertHasANameASeverityAndSaysWhatToDo() throws IOException {
    Set<String> names = new HashSet<>();
    for (JsonNode rule : MonitoringTemplates.alerts()) {
      String name = rule.path("alert").asText();
      assertThat(name).startsWith("Tailrace");
      assertThat(names.add(name)).isTrue();
      assertWithMessage(name)
          .that(rule.at("/labels/severity").asText())
          .matches("warning|critical");
      assertWithMessage(name).that(rule.at("/annotations/summary").asText()).isNotEmpty();
      assertWithMessage(name).that(rule.at("/annotations/description").asText()).isNotEmpty();
    }
    assertThat(names)
        .containsExactly(
            "TailracePartitionsUnread",
            "TailraceCommitsFail",
            "TailraceWriteBackFails",
            "TailraceNoProgress",
            "TailraceRestarts",
            "TailraceDeadLetters",
            "TailraceNotFresh",
            "TailraceUnaccounted",
            "TailraceDroppedLate",
            "TailraceSickTable",
            "TailraceLettersForgottenSoon");
  }

  @Test
  public void theScrapeConfigurationNamesTheRules() throws IOException {
    JsonNode files = MonitoringTemplates.scrapeConfig().path("rule_files");

    assertThat(files).hasSize(1);
    assertThat(Files.exists(Path.of("templates", "prometheus", files.get(0).asText()))).isTrue();
  }
}
