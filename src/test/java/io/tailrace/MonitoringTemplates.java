package io.tailrace;

import static com.google.common.truth.Truth.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** What the templates for Prometheus and Grafana ask for. */
public final class MonitoringTemplates {
  private static final Path PROMETHEUS = Path.of("templates", "prometheus");
  private static final Path GRAFANA = Path.of("templates", "grafana");
  private static final Pattern METRIC = Pattern.compile("\\b(?:flink|tailrace)_\\w+");
  private static final ObjectMapper JSON = new ObjectMapper();

  private MonitoringTemplates() {}

  /** Reads the scrape configuration. */
  public static JsonNode scrapeConfig() throws IOException {
    return yaml("prometheus.yml");
  }

  /** Reads the rules of the alerts. */
  public static List<JsonNode> alerts() throws IOException {
    List<JsonNode> rules = new ArrayList<>();
    yaml("alerts.yml").path("groups").forEach(group -> group.path("rules").forEach(rules::add));
    return rules;
  }

  /** Reads the dashboard of the writers. */
  public static JsonNode dashboard() throws IOException {
    return JSON.readTree(GRAFANA.resolve("writers.json").toFile());
  }

  /** Reads the dashboard of the metrics store. */
  public static JsonNode dashboardOfMetricsStore() throws IOException {
    return JSON.readTree(GRAFANA.resolve("metrics-store.json").toFile());
  }

  /** Returns all expressions of the dashboard and of the alerts, and the dashboard's variables. */
  public static List<String> expressions() throws IOException {
    List<String> all = new ArrayList<>();
    for (JsonNode rule : alerts()) {
      all.add(rule.path("expr").asText());
    }
    for (JsonNode panel : dashboard().path("panels")) {
      panel.path("targets").forEach(target -> all.add(target.path("expr").asText()));
    }
    for (JsonNode variable : dashboard().path("templating").path("list")) {
      if (variable.has("definition")) {
        all.add(variable.path("definition").asText());
      }
    }
    return all;
  }

  /** Returns the names of the metrics in an expression. */
  public static Set<String> metrics(String expression) {
    Set<String> names = new TreeSet<>();
    Matcher found = METRIC.matcher(expression);
    while (found.find()) {
      names.add(found.group());
    }
    return names;
  }

  /**
   * Returns the labels that a scraped metric has after relabelling, as Prometheus does it, {@code
   * __name__} among them.
   */
  public static Map<String, String> relabelled(String name) throws IOException {
    Map<String, String> labels = new TreeMap<>();
    labels.put("__name__", name);
    for (JsonNode rule : scrapeConfig().at("/scrape_configs/0/metric_relabel_configs")) {
      assertThat(rule.at("/source_labels/0").asText()).isEqualTo("__name__");
      assertThat(rule.path("action").asText("replace")).isEqualTo("replace");
      Matcher match =
          Pattern.compile(rule.path("regex").asText()).matcher(labels.getOrDefault("__name__", ""));
      if (match.matches()) {
        labels.put(
            rule.path("target_label").asText(),
            match.replaceFirst(rule.path("replacement").asText()));
      }
    }
    return labels;
  }

  private static JsonNode yaml(String file) throws IOException {
    return JSON.valueToTree(
        new Load(LoadSettings.builder().build())
            .loadFromString(Files.readString(PROMETHEUS.resolve(file))));
  }
}
