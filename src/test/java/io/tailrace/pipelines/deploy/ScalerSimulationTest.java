package io.tailrace.pipelines.deploy;

import static com.google.common.truth.Truth.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tailrace.pipelines.deploy.DeploymentFile.Beside;
import io.tailrace.pipelines.deploy.ScalerSimulation.Moment;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.Test;

/** How many copies there are over time, by the formulas of KEDA and of the autoscaler. */
public class ScalerSimulationTest {
  private static final int RATE = 1_000;
  private static final int CHECKPOINT = 10;
  private static final int HOUR = 3_600;

  /** A restart takes 20 s, as the page says. */
  private static final ScalerSimulation.Writer WRITER =
      new ScalerSimulation.Writer(RATE, CHECKPOINT, 20, 12, 1);

  @Test
  public void aSteadyLoadFindsItsNumberAndKeepsIt() throws Exception {
    for (double load : new double[] {0.3, 0.7, 1.2, 2.5, 3.9, 5.0, 7.3}) {
      ScalerSimulation simulation = new ScalerSimulation(WRITER, scaled(1, 12));
      simulation.run(HOUR, load * RATE);
      int found = simulation.changes();
      simulation.run(4 * HOUR, load * RATE);
      List<Moment> moments = simulation.moments();

      // No more changes in four hours, as many copies as the load needs, and nothing waits.
      assertThat(simulation.changes()).isEqualTo(found);
      assertThat(moments.get(5 * HOUR - 1).replicas()).isAtLeast((int) Math.ceil(load));
      assertThat(moments.get(5 * HOUR - 1).replicas())
          .isAtMost((int) Math.ceil(load / Scaling.UTILIZATION) + 1);
      assertThat(moments.get(5 * HOUR - 1).lag())
          .isAtMost(Math.round(load * RATE * (CHECKPOINT + 2)));
    }
  }

  @Test
  public void aBacklogIsWorkedOffByMoreAndThenTheyGo() throws Exception {
    ScalerSimulation simulation = new ScalerSimulation(WRITER, scaled(1, 8));
    // Half an hour of a load that one copy can do, a store that is down for as long, and on.
    simulation.run(HOUR / 2, 0.6 * RATE);
    simulation.storeIsDown(true).run(HOUR / 2, 0.6 * RATE);
    List<Moment> down = simulation.moments();
    simulation.storeIsDown(false).run(4 * HOUR, 0.6 * RATE);
    List<Moment> all = simulation.moments();

    // While the store is down more copies would help nothing.
    assertThat(ScalerSimulation.most(down, HOUR / 2, HOUR)).isEqualTo(1);
    // One copy would need 45 minutes.
    int drained = ScalerSimulation.drained(all, HOUR, 20 * RATE) - HOUR;
    assertThat(drained).isAtMost(25 * 60);
    assertThat(ScalerSimulation.most(all, HOUR, 2 * HOUR)).isAtLeast(4);
    assertThat(all.get(all.size() - 1).replicas()).isEqualTo(1);
    // Up in steps, down in steps, and no step twice.
    assertThat(simulation.changes()).isAtMost(8);
    assertThat(turns(all)).isEqualTo(1);
  }

  @Test
  public void whatThePageShowsIsARunOfTheSimulation() throws Exception {
    ScalerSimulation simulation = new ScalerSimulation(WRITER, scaled(1, 8));
    simulation.run(HOUR / 2, 0.6 * RATE);
    simulation.storeIsDown(true).run(HOUR / 2, 0.6 * RATE);
    simulation.storeIsDown(false).run(2 * HOUR, 0.6 * RATE);
    List<String> rows = new ArrayList<>();
    for (int minute : new int[] {30, 45, 60, 65, 70, 75, 80, 85, 90, 120}) {
      Moment moment = simulation.moments().get(minute * 60 - 1);
      rows.add("| %d | %d | %,d |".formatted(minute, moment.replicas(), moment.lag()));
    }

    List<String> page =
        Files.readString(Path.of("docs/kubernetes.md"))
            .lines()
            .filter(line -> line.matches("\\| \\d+ \\| \\d+ \\| [\\d,]+ \\|"))
            .toList();
    assertThat(page).containsExactlyElementsIn(rows).inOrder();
  }

  @Test
  public void aCopyOfTwoProcessorsWantsTwoPartitions() throws Exception {
    // KEDA starts a copy for each partition, and half as many find one.
    ScalerSimulation few =
        new ScalerSimulation(
            new ScalerSimulation.Writer(RATE, CHECKPOINT, 20, 16, 2), scaled(1, 16));
    few.run(3 * HOUR, 10.0 * RATE);
    assertThat(ScalerSimulation.most(few.moments(), 0, 3 * HOUR)).isEqualTo(16);
    assertThat(few.moments().get(3 * HOUR - 1).lag()).isAtLeast((long) HOUR * RATE);

    ScalerSimulation enough =
        new ScalerSimulation(
            new ScalerSimulation.Writer(RATE, CHECKPOINT, 20, 32, 2), scaled(1, 16));
    enough.run(3 * HOUR, 10.0 * RATE);
    assertThat(enough.moments().get(3 * HOUR - 1).lag()).isAtMost(10L * RATE * (CHECKPOINT + 2));
  }

  @Test
  public void aDayGoesUpAndThenOnlyDown() throws Exception {
    ScalerSimulation simulation = new ScalerSimulation(WRITER, scaled(1, 12));
    for (int minute = 0; minute < 24 * 60; minute++) {
      double load = 3 - 2.5 * Math.cos(2 * Math.PI * minute / (24 * 60));
      simulation.run(60, load * RATE);
    }
    List<Moment> moments = simulation.moments();

    // Going up, what has gathered before a copy came is worked off by one more, which then goes.
    assertThat(turns(moments)).isAtMost(4);
    assertThat(turns(moments.subList(13 * HOUR, 24 * HOUR))).isEqualTo(0);
    assertThat(ScalerSimulation.most(moments, 0, 24 * HOUR)).isAtMost(9);
    assertThat(simulation.changes()).isAtMost(18);
    assertThat(moments.get(24 * HOUR - 1).replicas()).isEqualTo(1);
  }

  @Test
  public void aTargetAboveWhatACopyDoesAtItsBestWouldSwing() throws Exception {
    // What the file refuses, for this very reason.
    ObjectNode high = scaled(1, 12);
    ((ObjectNode) high.at("/spec/triggers/0/metadata"))
        .put("lagThreshold", String.valueOf(Scaling.depth(RATE, 1.25, interval())));
    ScalerSimulation simulation = new ScalerSimulation(WRITER, high);
    simulation.run(5 * HOUR, 2.4 * RATE);

    assertThat(simulation.changes()).isAtLeast(15);
  }

  @Test
  public void withoutPatienceARestartWouldCallForTheNext() throws Exception {
    ObjectNode hasty = scaled(1, 12);
    ((ObjectNode) hasty.at("/spec/advanced/horizontalPodAutoscalerConfig/behavior/scaleUp"))
        .put("stabilizationWindowSeconds", 0);
    ScalerSimulation hastySimulation = new ScalerSimulation(WRITER, hasty);
    hastySimulation.run(HOUR / 6, 0.5 * RATE).run(HOUR / 2, 1.4 * RATE);
    ScalerSimulation patient = new ScalerSimulation(WRITER, scaled(1, 12));
    patient.run(HOUR / 6, 0.5 * RATE).run(HOUR / 2, 1.4 * RATE);

    assertThat(ScalerSimulation.most(hastySimulation.moments(), 0, HOUR / 2))
        .isGreaterThan(ScalerSimulation.most(patient.moments(), 0, HOUR / 2));
  }

  @Test
  public void noneRunWhileNothingWaitsAndTheFirstMessageStartsOne() throws Exception {
    ScalerSimulation simulation = new ScalerSimulation(WRITER, scaled(0, 4));
    simulation.run(HOUR, 0);
    assertThat(ScalerSimulation.most(simulation.moments(), 0, HOUR)).isEqualTo(0);

    // The group has never committed.
    simulation.run(1, 12).run(299, 0);
    assertThat(simulation.moments().get(HOUR + 60).replicas()).isEqualTo(1);
    assertThat(simulation.moments().get(HOUR + 299).lag()).isEqualTo(0);

    simulation.run(HOUR, 0);
    assertThat(simulation.moments().get(2 * HOUR).replicas()).isEqualTo(0);
    assertThat(simulation.changes()).isEqualTo(2);
  }

  /** A queue as it was at a second. */
  private record Seen(double seconds, double[] ends, double[] committed) {
    double lag() {
      return Arrays.stream(ends).sum() - Arrays.stream(committed).map(it -> Math.max(0, it)).sum();
    }
  }

  @Test
  public void whatARealHealthyGroupHasNotCommittedIsItsRateTimesTheInterval() throws Exception {
    for (String curve : List.of("lag-steady.txt", "lag-fast.txt")) {
      List<Seen> seen = recorded(curve);
      double rate = rate(seen);
      double[] seconds = seen.stream().mapToDouble(each -> each.lag() / rate).sorted().toArray();

      // Checkpoints every second: never nothing, and seldom more than two intervals.
      assertThat(seconds[seconds.length / 10]).isGreaterThan(0.2);
      assertThat(seconds[seconds.length / 2]).isAtMost(1.5);
    }
  }

  @Test
  public void onWhatWasRecordedTheNumberIsThatOfTheLoadWheneverOneLooks() throws Exception {
    for (String curve : List.of("lag-steady.txt", "lag-fast.txt")) {
      List<Seen> seen = recorded(curve);
      double load = rate(seen) / RATE;
      for (int phase = 0; phase < 30; phase += 7) {
        ScalerSimulation simulation =
            new ScalerSimulation(
                new ScalerSimulation.Writer(RATE, 1, 20, seen.get(0).ends.length, 1),
                scaled(1, 12, "1s"));
        for (int i = 0; i < 2 * HOUR; i++) {
          Seen now = again(seen, i + phase);
          simulation.observe(now.ends, now.committed);
        }
        int last = simulation.moments().get(2 * HOUR - 1).replicas();

        assertThat((double) last).isAtLeast(Math.floor(load));
        assertThat((double) last).isAtMost(Math.ceil(load / Scaling.UTILIZATION) + 1);
        assertThat(turns(simulation.moments())).isEqualTo(0);
        assertThat(simulation.changes()).isAtMost(3);
      }
    }
  }

  /** Returns what was seen in the second half of a curve while messages came. */
  private static List<Seen> recorded(String resource) throws IOException {
    List<Seen> seen = new ArrayList<>();
    try (InputStream in = ScalerSimulationTest.class.getResourceAsStream("/" + resource)) {
      for (String line :
          new String(in.readAllBytes(), StandardCharsets.UTF_8)
              .lines()
              .filter(it -> !it.startsWith("#"))
              .toList()) {
        String[] words = line.split(" ", -1);
        seen.add(
            new Seen(Double.parseDouble(words[0]) / 1_000, numbers(words[1]), numbers(words[2])));
      }
    }
    double all = Arrays.stream(seen.get(seen.size() - 1).ends).sum();
    List<Seen> steady =
        seen.stream()
            .filter(each -> Arrays.stream(each.ends).sum() > all / 4)
            .filter(each -> Arrays.stream(each.ends).sum() < all)
            .toList();
    assertThat(steady.size()).isAtLeast(20);
    return steady;
  }

  private static double[] numbers(String list) {
    return Arrays.stream(list.split(",", -1)).mapToDouble(Double::parseDouble).toArray();
  }

  /** Returns how many messages came in a second. */
  private static double rate(List<Seen> seen) {
    return (Arrays.stream(seen.get(seen.size() - 1).ends).sum()
            - Arrays.stream(seen.get(0).ends).sum())
        / (seen.get(seen.size() - 1).seconds - seen.get(0).seconds);
  }

  /** Returns what would be seen if the same came again and again. */
  private static Seen again(List<Seen> seen, int second) {
    Seen now = seen.get(second % seen.size());
    int round = second / seen.size();
    double[] ends = now.ends.clone();
    double[] committed = now.committed.clone();
    for (int p = 0; p < ends.length; p++) {
      double by = seen.get(seen.size() - 1).ends[p] - seen.get(0).ends[p] + 1;
      ends[p] += by * round;
      committed[p] += by * round;
    }
    return new Seen(now.seconds, ends, committed);
  }

  /** Returns how often the number of copies begins to fall after it has risen. */
  private static int turns(List<Moment> moments) {
    int turns = 0;
    boolean isRising = false;
    for (int i = 1; i < moments.size(); i++) {
      int by = moments.get(i).replicas() - moments.get(i - 1).replicas();
      if (by < 0 && isRising) {
        turns++;
      }
      isRising = by == 0 ? isRising : by > 0;
    }
    return turns;
  }

  private static Duration interval() {
    return Duration.ofSeconds(CHECKPOINT);
  }

  /** Returns what the command makes of a file. */
  static ObjectNode scaled(int minimum, int maximum) throws Exception {
    return scaled(minimum, maximum, CHECKPOINT + "s");
  }

  private static ObjectNode scaled(int minimum, int maximum, String interval) throws Exception {
    Deployment deployment =
        DeploymentFile.parse(
            """
            image: a
            state: s3://b
            writers:
            - name: online-writer
              options:
                resultBus: kafka://b/results
                deadLetterBus: kafka://b/letters
                onlineStore: redis://cache
              checkpointInterval: %s
              replicas: {minimum: %d, maximum: %d, rate: %d}
            """
                .formatted(interval, minimum, maximum, RATE),
            Beside.NOTHING);
    JsonNode scaled =
        new Scaler(deployment.shared())
            .manifests(deployment.writers().get(0)).stream()
                .filter(manifest -> manifest.path("kind").asText().equals("ScaledObject"))
                .findFirst()
                .orElseThrow();
    return (ObjectNode) StrictManifests.read(Manifests.yaml(List.of((ObjectNode) scaled))).get(0);
  }
}
