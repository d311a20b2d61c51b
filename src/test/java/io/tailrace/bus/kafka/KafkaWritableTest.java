package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.local.servers.LocalKafka;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** That a topic which can't take what is published is found before anything is. */
public class KafkaWritableTest {
  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();

  private static LocalKafka kafka;

  @BeforeClass
  public static void start() {
    kafka =
        LocalKafka.start(
            folder.getRoot().toPath().resolve("kafka"),
            0,
            Map.of(
                "authorizer.class.name",
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "allow.everyone.if.no.acl.found",
                "true"));
  }

  @AfterClass
  public static void stop() {
    kafka.close();
  }

  @Test
  public void aTopicThatForgetsWhatHasNoKeyIsRefusedByWhoPublishesAndReadByOthers()
      throws Exception {
    for (String policy : List.of("compact", "compact,delete")) {
      String topic = policy.replace(',', '-');
      kafka.createTopic(topic, 1, Map.of("cleanup.policy", policy));

      UnavailableException e =
          assertThrows(UnavailableException.class, () -> bus(topic).checkWritable());

      assertThat(e).hasMessageThat().contains("is compacted (cleanup.policy=" + policy + ")");
      assertThat(e).hasMessageThat().contains("set cleanup.policy=delete");
      assertThat(bus(topic).checkReadable("group").partitions()).isEqualTo(1);
    }
  }

  @Test
  public void aTopicThatTheUserMayNotWriteIsRefused() throws Exception {
    kafka.createTopic("forbidden", 1);
    allow("forbidden", AclOperation.READ, AclOperation.DESCRIBE_CONFIGS);

    UnavailableException e =
        assertThrows(UnavailableException.class, () -> bus("forbidden").checkWritable());

    assertThat(e).hasMessageThat().contains("the user may not publish to the topic");
    assertThat(e).hasMessageThat().contains("--operation Write --topic forbidden");
  }

  @Test
  public void aTopicThatTheUserMayOnlyWriteIsTaken() throws Exception {
    kafka.createTopic("allowed", 1);
    allow("allowed", AclOperation.WRITE);

    // Its settings can't be seen.
    assertThat(bus("allowed").checkWritable().maxMessageBytes()).isEmpty();
  }

  private static void allow(String topic, AclOperation... operations) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
      admin
          .createAcls(
              Stream.of(operations)
                  .map(
                      each ->
                          new AclBinding(
                              new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
                              new AccessControlEntry(
                                  "User:ANONYMOUS", "*", each, AclPermissionType.ALLOW)))
                  .toList())
          .all()
          .get();
    }
  }

  private static KafkaBus bus(String topic) {
    return KafkaBus.at(EndpointUri.parse("kafka://" + kafka.bootstrapServers() + "/" + topic));
  }
}
