package io.tailrace.pipelines.benchmark.faults;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.proof.Departure;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** What runs came to, kept from one day to the next. */
public class FaultReportTest {
  @Rule public final TemporaryFolder files = new TemporaryFolder();

  @Test
  public void runsAddUpOverSeveralStartsOfTheProgram() throws Exception {
    Path file = files.getRoot().toPath().resolve("new/faults.jsonl");
    FaultResult calm = result(Fault.IDLE, Map.of(), Map.of("online-writer", "nothing for 60 s"));
    FaultResult bad = result(Fault.REDIS_FROZEN, Map.of(Departure.STALE, 3L), Map.of());
    new FaultReport(file).add(calm);
    new FaultReport(file).add(bad);

    assertThat(new FaultReport(file).read()).containsExactly(calm, bad).inOrder();
    assertThat(calm.hasPassed()).isTrue();
    assertThat(bad.hasMattered()).isFalse();
    assertThat(bad.hasPassed()).isFalse();
    StringWriter words = new StringWriter();
    FaultReport.summarize(new FaultReport(file).read(), new PrintWriter(words));
    List<String> lines =
        words.toString().lines().map(it -> it.strip().replaceAll(" +", " ")).toList();
    assertThat(lines.get(1)).isEqualTo("redis-frozen 1 0 0 10 0 0 3 0 0 2 to 2");
    assertThat(lines.get(3)).isEqualTo("all 2 1 1 20 0 0 3 0 0 2 to 2");
  }

  @Test
  public void aMissingReportAndALineThatIsNoneAreNamed() throws Exception {
    Path file = files.getRoot().toPath().resolve("faults.jsonl");
    assertThat(assertThrows(CommandException.class, () -> new FaultReport(file).read()))
        .hasMessageThat()
        .contains("run benchmark faults");
    new FaultReport(file).add(result(Fault.IDLE, Map.of(), Map.of()));
    Files.writeString(file, Files.readString(file) + "{\n");
    assertThat(assertThrows(CommandException.class, () -> new FaultReport(file).read()))
        .hasMessageThat()
        .contains("line 2");
  }

  @Test
  public void aFaultThatNobodyHasNoticedProvesNothing() {
    assertThat(result(Fault.IDLE, Map.of(), Map.of()).hasPassed()).isFalse();
  }

  @Test
  public void whereNothingIsStoredNothingIsProved() {
    Map<String, String> seen = Map.of("offline-writer", "nothing for 60 s");

    assertThat(result(Fault.IDLE, 1, Map.of(), seen).hasPassed()).isTrue();
    assertThat(result(Fault.IDLE, 0, Map.of(), seen).hasPassed()).isFalse();
  }

  private static FaultResult result(
      Fault fault, Map<Departure, Long> departures, Map<String, String> seen) {
    return result(fault, 20, departures, seen);
  }

  private static FaultResult result(
      Fault fault, long stored, Map<Departure, Long> departures, Map<String, String> seen) {
    return new FaultResult(
        "2026-11-26T05:00:00Z",
        7,
        fault,
        "",
        List.of("online-writer"),
        10,
        stored,
        departures,
        0,
        2.0,
        seen,
        true,
        List.of());
  }
}
