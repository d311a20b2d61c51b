package io.tailrace.pipelines.benchmark.faults;

import io.tailrace.pipelines.Writer;
import java.util.Locale;

/** A server that writers talk to. */
enum Server {
  KAFKA("deadLetterBus", "deadLetterBus"),
  REDIS("onlineStore", "onlineStore"),
  POSTGRES("offlineStore", "metricsStore");

  private final String option;
  private final String other;

  /** A server that whoever has one of these options talks to. */
  Server(String option, String other) {
    this.option = option;
    this.other = other;
  }

  /** Returns whether a writer talks to it. */
  boolean serves(Writer<?> writer) {
    return writer.endpoints().containsKey(option) || writer.endpoints().containsKey(other);
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
