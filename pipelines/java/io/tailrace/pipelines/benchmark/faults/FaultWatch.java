package io.tailrace.pipelines.benchmark.faults;

import io.tailrace.pipelines.local.RunningWriter;
import io.tailrace.pipelines.local.servers.TcpProxy;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Looks at the writers before a fault, and says afterwards what they have noticed of it. */
final class FaultWatch {
  private record Connections(int opened, int ended, int truncated, long delayed) {
    static Connections of(TcpProxy proxy) {
      return new Connections(proxy.opened(), proxy.ended(), proxy.truncated(), proxy.delayed());
    }
  }

  private final FaultServers servers;
  private final Map<String, RunningWriter> writers;
  private final Map<String, Integer> restarts;
  private final Map<Server, Connections> connections = new EnumMap<>(Server.class);

  FaultWatch(FaultServers servers) {
    this.servers = servers;
    this.writers =
        servers.writers().stream().collect(Collectors.toMap(RunningWriter::name, it -> it));
    this.restarts =
        servers.writers().stream().collect(Collectors.toMap(RunningWriter::name, this::restarts));
    for (Server server : Server.values()) {
      connections.put(server, Connections.of(servers.proxy(server)));
    }
  }

  private int restarts(RunningWriter writer) {
    return servers.flink().cluster().restarts(writer.job());
  }

  /** Returns how often a writer was started or restarted since. */
  int starts(RunningWriter writer) {
    RunningWriter before = writers.get(writer.name());
    return writer.equals(before)
        ? restarts(writer) - restarts.getOrDefault(writer.name(), 0)
        : 1 + restarts(writer);
  }

  /**
   * Says what each writer has noticed.
   *
   * <p>To be asked when they have recovered: a loss takes its time to be noticed.
   */
  Map<String, String> seen(Evidence evidence) {
    Map<String, String> seen = new TreeMap<>();
    for (RunningWriter writer : servers.writers()) {
      List<String> words = new ArrayList<>();
      boolean isAnother = !writer.equals(writers.get(writer.name()));
      if (isAnother && servers.flink().restores(writer.job()) > 0) {
        words.add("goes on from its state");
      } else if (!isAnother && starts(writer) > 0) {
        words.add("restarted " + starts(writer) + " times");
      }
      evidence.broken().stream()
          .filter(server -> server.serves(writer.writer()))
          .map(this::brokenConnections)
          .filter(it -> !it.isEmpty())
          .forEach(words::add);
      if (!evidence.noticed().isEmpty()) {
        words.add(evidence.noticed());
      }
      if (!words.isEmpty()) {
        seen.put(writer.name(), String.join(", ", words));
      }
    }
    return seen;
  }

  /** Connections that ended and were opened again, or on which answers came late. */
  private String brokenConnections(Server server) {
    Connections before = connections.getOrDefault(server, new Connections(0, 0, 0, 0));
    Connections now = Connections.of(servers.proxy(server));
    int ended = now.ended - before.ended;
    int opened = now.opened - before.opened;
    List<String> words = new ArrayList<>();
    if (ended > 0 && opened > 0) {
      words.add(ended + " connections to " + server + " ended, " + opened + " were opened");
    }
    if (now.truncated > before.truncated && opened > 0) {
      words.add((now.truncated - before.truncated) + " answers were cut off");
    }
    if (now.delayed > before.delayed) {
      words.add((now.delayed - before.delayed) + " pieces of " + server + "'s answers came late");
    }
    return String.join(", ", words);
  }
}
