package io.tailrace.pipelines;

import io.tailrace.bus.BusFacts;
import io.tailrace.online.OnlineStore;
import io.tailrace.online.OnlineStores;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.beam.sdk.options.Default;
import org.apache.beam.sdk.options.Description;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Options of the {@link OnlineWriter}, beside those of Beam and of the runner. */
public interface OnlineWriterOptions extends ResultBusOptions {
  @Description("The store to write to. A password is named, not given.")
  @Nullable String getOnlineStore();

  void setOnlineStore(@Nullable String uri);

  @Description(
      "How far an observation may lie after its publication before it is taken for the error of a"
          + " clock and becomes a dead letter; and how far this writer's clock may be behind the"
          + " store's and the brokers' before it judges nothing.")
  @Default.String("5m")
  String getMaxClockSkew();

  void setMaxClockSkew(String duration);

  @Description(
      "For how long a deletion holds back older values that are still on their way; at least as"
          + " long as the bus and the dead-letter bus keep messages.")
  @Default.String("14d")
  String getDeletionRetention();

  void setDeletionRetention(String duration);

  /** What the options mean. */
  record Parsed(OnlineStore onlineStore, Duration maxClockSkew, Duration deletionRetention) {
    private static final Logger LOG = LoggerFactory.getLogger(OnlineWriterOptions.class);

    private static void checkRetention(String option, Duration deletions, OptionCheck check) {
      Optional<BusFacts> facts = check.facts(option);
      if (facts.isEmpty()) {
        return;
      }
      findings(option, deletions, facts.get()).forEach(LOG::warn);
      facts
          .get()
          .retention()
          .filter(messages -> messages.compareTo(deletions) > 0)
          .ifPresent(
              messages ->
                  check.problem(
                      "--deletionRetention="
                          + deletions.toDays()
                          + "d is shorter than the time for which --"
                          + option
                          + " can hold a message (Kafka: retention.ms and segment.ms; Pub/Sub: the"
                          + " longer of topic and subscription), "
                          + messages.toHours()
                          + "h: a deleted value could come back. Give at least"
                          + " --deletionRetention="
                          + (messages.toDays() + 1)
                          + "d"));
    }

    /** Returns what is to be known of how long a bus keeps messages, in sentences. */
    static List<String> findings(String option, Duration deletions, BusFacts facts) {
      List<String> findings = new ArrayList<>();
      if (facts.retention().isEmpty()) {
        findings.add(
            "--"
                + option
                + (facts.times() == BusFacts.Times.UNKNOWN
                    ? " does not say for how long it keeps messages"
                    : " keeps messages for ever (retention.ms=-1, or compacted)")
                + ": a message that is read again more than --deletionRetention="
                + deletions.toDays()
                + "d after a deletion can bring the deleted value back");
      }
      if (facts.times() == BusFacts.Times.ANY) {
        findings.add(
            "--"
                + option
                + " takes any time that a publisher gives (CreateTime, without"
                + " message.timestamp.after.max.ms): a message from the future is kept until then,"
                + " and no time of such a message is that of its publication. Set"
                + " message.timestamp.type=LogAppendTime");
      } else if (facts.times() == BusFacts.Times.PUBLISHERS) {
        findings.add(
            "--"
                + option
                + " has the times that publishers give (CreateTime): what is observed in the future"
                + " is judged by this writer's clock. message.timestamp.type=LogAppendTime is"
                + " better");
      }
      return findings;
    }
  }

  /** Looks at the options; what it returns is to be asked for when all are right. */
  static Supplier<Parsed> parse(OnlineWriterOptions options, OptionCheck check) {
    Optional<OnlineStore> store =
        check
            .endpoint("onlineStore", options.getOnlineStore(), OnlineStores.KINDS)
            .map(it -> it.ofEnvironments(WriterOptions.environments(options)))
            .map(it -> check.instead("onlineStore", it));
    store
        .filter(it -> !it.separatesEnvironments())
        .filter(it -> WriterOptions.environments(options).size() != 1)
        .ifPresent(
            it ->
                check.problem(
                    "--onlineStore="
                        + it.uri()
                        + " holds one environment: name it with --environments=NAME, or give each"
                        + " its own table with {environment} in the table's name"));
    Optional<Duration> maxClockSkew = check.duration("maxClockSkew", options.getMaxClockSkew());
    Optional<Duration> retention =
        check.duration("deletionRetention", options.getDeletionRetention());
    return () -> {
      for (String bus : List.of("resultBus", "deadLetterBus")) {
        Parsed.checkRetention(bus, retention.orElseThrow(), check);
      }
      return new Parsed(store.orElseThrow(), maxClockSkew.orElseThrow(), retention.orElseThrow());
    };
  }
}
