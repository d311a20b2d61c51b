package io.tailrace.pipelines.benchmark;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** What the report says of a simulated DynamoDB: counts, not speed. */
@RunWith(JUnit4.class)
public class DynamoDbBenchmarkTest {
  private static final int RESULTS = 1_200;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private final Figures figures =
      new Figures(
          new CommandLine(CommandSpec.create())
              .setOut(new PrintWriter(new StringWriter()))
              .getCommandSpec());

  @Test
  public void whatAThousandResultsCostIsToldForEachNumberOfWritersBesideBeamsOwn()
      throws Exception {
    Path report = folder.getRoot().toPath().resolve("report.json");
    new DynamoDbBenchmark("dynamodb://eu-west-1/features", RESULTS, figures).run();
    figures.finish(report);

    JsonNode told = new ObjectMapper().readTree(report.toFile());
    assertThat(told.path("setting.dynamodb_results").asText()).isEqualTo("" + RESULTS);
    for (String who : List.of("writers_1", "writers_2", "writers_4", "replay", "dynamodb_io")) {
      for (String what : List.of("requests", "conflicts", "retries", "write_units", "read_units")) {
        assertWithMessage(who + " " + what)
            .that(told.has(who + "." + what + "_per_thousand"))
            .isTrue();
      }
      assertWithMessage(who).that(figure(told, who, "requests")).isGreaterThan(0.0);
    }
    for (String who : List.of("writers_1", "writers_2", "writers_4", "dynamodb_io")) {
      assertWithMessage(who).that(figure(told, who, "write_units")).isGreaterThan(0.0);
    }
    // Beam's own writes without a condition, many items a request and all that comes.
    assertThat(figure(told, "dynamodb_io", "conflicts")).isEqualTo(0.0);
    assertThat(figure(told, "dynamodb_io", "requests"))
        .isLessThan(figure(told, "writers_1", "requests"));
    assertThat(figure(told, "dynamodb_io", "write_units"))
        .isGreaterThan(figure(told, "writers_1", "write_units"));
    // One request of five hundred is throttled, and tried again.
    assertThat(figure(told, "writers_1", "retries")).isGreaterThan(0.0);
  }

  private static double figure(JsonNode told, String who, String what) {
    return told.path(who + "." + what + "_per_thousand").asDouble();
  }

  @Test
  public void aServerOfSomebodysOwnIsNotMeasured() {
    assertThat(
            assertThrows(
                IllegalArgumentException.class,
                () ->
                    new DynamoDbBenchmark("dynamodb://eu-west-1/t?endpoint=http://x", 1, figures)))
        .hasMessageThat()
        .contains("name a table, such as dynamodb://eu-west-1/features");
  }
}
