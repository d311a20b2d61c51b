package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.bus.BusFacts;
import io.tailrace.bus.Buses;
import io.tailrace.pipelines.local.servers.LocalKafka;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** For how long a topic can hold a message, and so for how long deletions must be remembered. */
public class DeletionRetentionTest {
  private static final Duration WEEK = Duration.ofDays(7);

  @ClassRule public static final TemporaryFolder temporary = new TemporaryFolder();

  private static LocalKafka kafka;

  @BeforeClass
  public static void start() {
    kafka = LocalKafka.start(temporary.getRoot().toPath(), 0);
  }

  @AfterClass
  public static void stop() {
    kafka.close();
  }

  private static BusFacts facts(String topic, Map<String, String> settings) throws Exception {
    kafka.createTopic(topic, 1, settings);
    return Buses.at("kafka://" + kafka.bootstrapServers() + "/" + topic).checkReadable("group");
  }

  @Test
  public void aSegmentKeepsItsFirstMessageUntilItIsRolled() throws Exception {
    assertThat(facts("defaults", Map.of()).retention()).hasValue(WEEK.plus(WEEK));
    assertThat(
            facts("set", Map.of("retention.ms", "86400000", "segment.ms", "3600000")).retention())
        .hasValue(Duration.ofHours(25));
    assertThat(
            facts("both", Map.of("cleanup.policy", "compact,delete", "retention.ms", "86400000"))
                .retention())
        .hasValue(Duration.ofDays(8));
  }

  @Test
  public void whatIsCompactedOrKeptForEverHasNoEnd() throws Exception {
    for (Map<String, String> settings :
        List.of(
            Map.of("cleanup.policy", "compact"),
            Map.of("retention.ms", "-1"),
            Map.of("retention.ms", Long.toString(Long.MAX_VALUE)),
            Map.of("segment.ms", Long.toString(Long.MAX_VALUE)))) {
      BusFacts facts = facts("ever-" + Integer.toHexString(settings.hashCode()), settings);

      assertWithMessage(settings.toString()).that(facts.retention()).isEmpty();
      assertThat(findings(facts).get(0)).contains("--resultBus keeps messages for ever");
    }
  }

  @Test
  public void whoGivesMessagesTheirTimesIsSaid() throws Exception {
    BusFacts appended = facts("appended", Map.of("message.timestamp.type", "LogAppendTime"));
    BusFacts bounded = facts("bounded", Map.of("message.timestamp.after.max.ms", "3600000"));
    BusFacts any = facts("any", Map.of());

    assertThat(appended.times()).isEqualTo(BusFacts.Times.BUS);
    assertThat(findings(appended)).isEmpty();
    assertThat(bounded.times()).isEqualTo(BusFacts.Times.PUBLISHERS);
    assertThat(findings(bounded).get(0)).contains("judged by this writer's clock");
    assertThat(any.times()).isEqualTo(BusFacts.Times.ANY);
    assertThat(findings(any).get(0)).contains("message.timestamp.after.max.ms");
  }

  @Test
  public void aBusThatDoesNotTellIsNamed() {
    assertThat(findings(BusFacts.ofPartitions(1)).get(0))
        .contains("--resultBus does not say for how long it keeps messages");
    assertThat(findings(new BusFacts(1, Optional.empty(), Optional.of(WEEK), BusFacts.Times.BUS)))
        .isEmpty();
  }

  private static List<String> findings(BusFacts facts) {
    return OnlineWriterOptions.Parsed.findings("resultBus", Duration.ofDays(14), facts);
  }
}
