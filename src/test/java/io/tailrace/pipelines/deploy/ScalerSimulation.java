package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * What KEDA and Kubernetes' autoscaler make of a writer's queue, second by second: KEDA's formula
 * for Kafka (2.20), the autoscaler's tolerance, stabilization and policies (v2), as a ScaledObject
 * sets them, and a writer on Flink that commits at checkpoints and restarts whenever the number of
 * its task managers changes. Not thread-safe.
 */
final class ScalerSimulation {
  /** How often the autoscaler looks. */
  private static final int AUTOSCALER_SECONDS = 15;

  /** What is so near to the target is left as it is. */
  private static final double TOLERANCE = 0.1;

  /**
   * A writer.
   *
   * @param rate messages that one copy does in a second
   * @param checkpointSeconds how often it commits
   * @param restartSeconds for how long nothing is read when the number of copies changes
   * @param partitions of its topic
   * @param threads of one copy, each of which reads partitions of its own
   */
  record Writer(
      double rate, int checkpointSeconds, int restartSeconds, int partitions, int threads) {
    /** Returns how many messages so many copies do in a second. */
    double rate(int replicas) {
      return Math.min(replicas * threads, partitions) * rate / threads;
    }
  }

  /**
   * A second of it.
   *
   * @param lag what the group has not committed
   */
  record Moment(int replicas, long lag) {}

  private record Recommendation(int second, int replicas) {}

  private record Change(int second, int by) {}

  private final Writer writer;
  private final JsonNode scaled;
  private final double threshold;

  private final double[] ends;
  private final double[] read;
  private final double[] committed;
  private final double[] previous;
  private final List<Recommendation> recommendations = new ArrayList<>();
  private final List<Change> changes = new ArrayList<>();
  private final List<Moment> moments = new ArrayList<>();

  private int replicas;
  private int restartedUntil;
  private int lastCheckpoint;
  private int lastActive;
  private double metric;
  private boolean storeIsDown;

  ScalerSimulation(Writer writer, JsonNode scaledObject) {
    this.writer = writer;
    scaled = scaledObject.path("spec");
    threshold = trigger().path("lagThreshold").asDouble();
    replicas = scaled.path("minReplicaCount").asInt();
    ends = new double[writer.partitions];
    read = new double[writer.partitions];
    committed = new double[writer.partitions];
    previous = new double[writer.partitions];
    // Nobody has committed anything yet.
    Arrays.fill(committed, -1);
    Arrays.fill(previous, Double.NaN);
  }

  private JsonNode trigger() {
    return scaled.at("/triggers/0/metadata");
  }

  private JsonNode behavior(String direction) {
    return scaled.at("/advanced/horizontalPodAutoscalerConfig/behavior/" + direction);
  }

  /** Says whether the store takes what is read. */
  ScalerSimulation storeIsDown(boolean isDown) {
    storeIsDown = isDown;
    return this;
  }

  /** Goes on for some seconds, in each of which so many messages are published. */
  ScalerSimulation run(int seconds, double published) {
    for (int i = 0; i < seconds; i++) {
      second(published);
    }
    return this;
  }

  /** Returns every second so far. */
  List<Moment> moments() {
    return List.copyOf(moments);
  }

  /** Returns how often the number of copies has changed. */
  int changes() {
    return changes.size();
  }

  private void second(double published) {
    int now = moments.size();
    for (int p = 0; p < writer.partitions; p++) {
      ends[p] += published / writer.partitions;
    }
    if (replicas > 0 && now >= restartedUntil && !storeIsDown) {
      if (now - lastCheckpoint >= writer.checkpointSeconds) {
        System.arraycopy(read, 0, committed, 0, read.length);
        lastCheckpoint = now;
      }
      double each = writer.rate(replicas) / writer.partitions;
      for (int p = 0; p < writer.partitions; p++) {
        read[p] = Math.min(ends[p], read[p] + each);
      }
    }
    scale(now);
  }

  /** Goes on for a second, at the end of which the queue was seen to be like this. */
  void observe(double[] endsThen, double[] committedThen) {
    System.arraycopy(endsThen, 0, ends, 0, ends.length);
    System.arraycopy(committedThen, 0, committed, 0, committed.length);
    scale(moments.size());
  }

  private void scale(int now) {
    if (now % scaled.path("pollingInterval").asInt() == 0) {
      poll(now);
    }
    if (replicas > 0 && now % AUTOSCALER_SECONDS == 0) {
      autoscale(now);
    }
    moments.add(new Moment(replicas, Math.round(lag(true))));
  }

  /** KEDA looks at the queue, and decides between none and one. */
  private void poll(int now) {
    metric = lag(false);
    System.arraycopy(committed, 0, previous, 0, committed.length);
    if (lag(true) > trigger().path("activationLagThreshold").asDouble()) {
      lastActive = now;
      if (replicas == 0) {
        change(now, 1);
      }
    } else if (replicas > 0
        && scaled.path("minReplicaCount").asInt() == 0
        && now - lastActive >= scaled.path("cooldownPeriod").asInt()) {
      change(now, 0);
      recommendations.clear();
    }
  }

  private double lag(boolean withStuck) {
    double total = 0;
    int waiting = 0;
    for (int p = 0; p < writer.partitions; p++) {
      // From earliest on, where nothing was committed.
      double lag = ends[p] - Math.max(0, committed[p]);
      boolean isStuck =
          trigger().path("excludePersistentLag").asBoolean() && committed[p] == previous[p];
      if (withStuck || !isStuck) {
        total += lag;
        waiting += lag > 0 ? 1 : 0;
      }
    }
    if (!withStuck && total / threshold > waiting) {
      total = waiting * threshold;
    }
    return total;
  }

  private void autoscale(int now) {
    int least = Math.max(1, scaled.path("minReplicaCount").asInt());
    int most = scaled.path("maxReplicaCount").asInt();
    double usage = metric / (threshold * replicas);
    int desired = Math.abs(1 - usage) <= TOLERANCE ? replicas : (int) Math.ceil(metric / threshold);
    desired = Math.min(most, Math.max(least, desired));
    int stable = stabilized(now, desired);
    recommendations.add(new Recommendation(now, desired));
    int allowed =
        stable > replicas
            ? Math.min(stable, Math.min(most, limit(now, "scaleUp", 1)))
            : Math.max(stable, Math.max(least, limit(now, "scaleDown", -1)));
    change(now, allowed);
  }

  private int stabilized(int now, int desired) {
    int up = desired;
    int down = desired;
    int upSince = now - behavior("scaleUp").path("stabilizationWindowSeconds").asInt();
    int downSince = now - behavior("scaleDown").path("stabilizationWindowSeconds").asInt();
    recommendations.removeIf(each -> each.second <= Math.min(upSince, downSince));
    for (Recommendation each : recommendations) {
      up = each.second > upSince ? Math.min(up, each.replicas) : up;
      down = each.second > downSince ? Math.max(down, each.replicas) : down;
    }
    int stable = Math.max(replicas, up);
    return stable > down ? Math.min(stable, down) : stable;
  }

  /** Returns how far the policies let the number go. */
  private int limit(int now, String direction, int sign) {
    int limit = replicas;
    for (JsonNode policy : behavior(direction).path("policies")) {
      int since = now - policy.path("periodSeconds").asInt();
      int done =
          changes.stream()
              .filter(change -> change.second > since && change.by * sign > 0)
              .mapToInt(Change::by)
              .sum();
      int start = replicas - done;
      double by =
          policy.path("type").asText().equals("Percent")
              ? start * policy.path("value").asDouble() / 100
              : policy.path("value").asDouble();
      limit =
          sign > 0
              ? Math.max(limit, (int) Math.ceil(start + by))
              : Math.min(limit, (int) Math.floor(start - by));
    }
    return limit;
  }

  private void change(int now, int to) {
    if (to == replicas) {
      return;
    }
    changes.add(new Change(now, to - replicas));
    replicas = to;
    restartedUntil = now + writer.restartSeconds;
    lastCheckpoint = restartedUntil;
    // It begins again where the last checkpoint was.
    for (int p = 0; p < writer.partitions; p++) {
      read[p] = Math.max(0, committed[p]);
    }
  }

  /** Returns the second from which on the lag stays below a number. */
  static int drained(List<Moment> moments, int from, long below) {
    int last = from;
    for (int i = from; i < moments.size(); i++) {
      if (moments.get(i).lag >= below) {
        last = i + 1;
      }
    }
    return last;
  }

  /** Returns the highest number of copies within some seconds. */
  static int most(List<Moment> moments, int from, int to) {
    return (int)
        moments.subList(from, to).stream()
            .flatMapToLong(moment -> LongStream.of(moment.replicas))
            .max()
            .orElse(0);
  }
}
