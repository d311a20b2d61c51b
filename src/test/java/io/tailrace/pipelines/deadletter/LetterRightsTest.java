package io.tailrace.pipelines.deadletter;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.bus.OutgoingMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AccessControlEntryFilter;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.RuleChain;
import org.junit.rules.TemporaryFolder;

/** Which rights on Kafka the commands need, and what they say and do without one. */
public class LetterRightsTest {
  private static final TemporaryFolder folder = new TemporaryFolder();
  private static final LetterServers servers =
      new LetterServers(
          folder,
          Map.of(
              "authorizer.class.name",
              "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
              "allow.everyone.if.no.acl.found",
              "true"));

  @ClassRule public static final RuleChain rules = RuleChain.outerRule(folder).around(servers);

  @Before
  public void publishLetters() throws Exception {
    servers.createTopics(Map.of("max.message.bytes", "20000"));
    servers.publish(servers.letter(1).message(), servers.letter(2).message());
  }

  @Test
  public void whoListsNeedsNoMoreThanToReadTheTopic() throws Exception {
    deny(ResourceType.GROUP, "tailrace-log", AclOperation.ALL);
    deny(ResourceType.TOPIC, servers.letters().topic(), AclOperation.WRITE);
    deny(ResourceType.TOPIC, servers.letters().topic(), AclOperation.DESCRIBE_CONFIGS);
    deny(ResourceType.TOPIC, servers.results().topic(), AclOperation.ALL);

    try {
      assertThat(servers.run("list").out()).contains("2 letters wait");
      assertThat(servers.run("show").code()).isEqualTo(0);
    } finally {
      allow(ResourceType.GROUP, "tailrace-log");
    }
  }

  @Test
  public void whoMayNotReadTheTopicIsToldWhichRightIsMissing() throws Exception {
    deny(ResourceType.TOPIC, servers.letters().topic(), AclOperation.READ);

    for (String command : List.of("list", "show", "replay", "discard")) {
      assertRefused(servers.run(command), "read", servers.letters().topic(), "Read");
    }
  }

  @Test
  public void whoMayNotEvenSeeTheTopicIsToldTheSame() throws Exception {
    deny(ResourceType.TOPIC, servers.letters().topic(), AclOperation.DESCRIBE);

    assertRefused(servers.run("list"), "read", servers.letters().topic(), "Read");
  }

  @Test
  public void whatCouldNotBeSettledIsNotSent() throws Exception {
    deny(ResourceType.TOPIC, servers.letters().topic(), AclOperation.WRITE);
    // Nothing would be taken back.
    deny(ResourceType.TRANSACTIONAL_ID, transactions(), AclOperation.WRITE);

    for (String command : List.of("replay", "discard")) {
      assertRefused(
          servers.run(command, "--yes"), "publish to", servers.letters().topic(), "Write");
    }

    assertThat(servers.read(servers.results())).isEmpty();
    assertThat(servers.waiting()).hasSize(2);
  }

  @Test
  public void whoMayNotPublishToTheTopicOfALetterIsToldWhichRightIsMissing() throws Exception {
    deny(ResourceType.TOPIC, servers.results().topic(), AclOperation.WRITE);

    assertRefused(servers.run("replay", "--yes"), "publish to", servers.results().topic(), "Write");

    assertThat(servers.waiting()).hasSize(2);
  }

  @Test
  public void whereTheWritersCommitsMayNotBeSeenALetterIsSentAndNotKnownToBeStored()
      throws Exception {
    deny(ResourceType.GROUP, "online-writer", AclOperation.DESCRIBE);

    try {
      LetterServers.Run run = servers.run("replay", "--yes", "--wait=1s");

      assertThat(run.code()).isEqualTo(1);
      assertThat(run.out()).contains("2 sent, and the bus does not tell more");
      assertThat(servers.read(servers.results())).hasSize(2);
    } finally {
      allow(ResourceType.GROUP, "online-writer");
    }
  }

  @Test
  public void withoutTheRightToTransactionsEachLetterIsSentOnceAndOneThatIsRefusedStays()
      throws Exception {
    deny(ResourceType.TRANSACTIONAL_ID, transactions(), AclOperation.WRITE);
    byte[] large = new byte[50_000];
    new Random(1).nextBytes(large);
    List<OutgoingMessage> letters = new ArrayList<>();
    letters.add(servers.letter(3).value(large).message());
    for (int i = 4; i < 20; i++) {
      letters.add(servers.letter(i).message());
    }
    servers.publish(servers.letters(), letters);

    LetterServers.Run run = servers.run("replay", "--yes");

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("was not sent: ");
    assertThat(run.out()).contains("18 letters sent");
    assertThat(servers.read(servers.results())).hasSize(18);
    assertThat(servers.waiting().stream().map(it -> it.letter().text("tailrace.offset")))
        .containsExactly("3");
    assertThat(servers.run("replay", "--yes").out()).contains("0 letters sent");
    assertThat(servers.read(servers.results())).hasSize(18);
  }

  private static String transactions() {
    return "tailrace-dead-letters-" + servers.letters().topic();
  }

  private static void assertRefused(
      LetterServers.Run run, String what, String topic, String operation) {
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.err())
        .contains(
            "the user may not "
                + what
                + " the topic '"
                + topic
                + "': give it the right, as with kafka-acls.sh --add --allow-principal User:NAME"
                + " --operation "
                + operation
                + " --topic "
                + topic);
  }

  private static void deny(ResourceType type, String name, AclOperation operation)
      throws Exception {
    ResourcePattern resource = new ResourcePattern(type, name, PatternType.LITERAL);
    // As soon as there is one rule, what no rule allows is refused.
    List<AclBinding> rules =
        List.of(
            binding(resource, AclOperation.ALL, AclPermissionType.ALLOW),
            binding(resource, operation, AclPermissionType.DENY));
    try (Admin admin = admin()) {
      admin.createAcls(rules).all().get();
      // The controller's word is given before the broker has heard it.
      while (!admin.describeAcls(all(resource)).values().get().containsAll(rules)) {
        Thread.sleep(10);
      }
    }
  }

  private static void allow(ResourceType type, String name) throws Exception {
    ResourcePattern resource = new ResourcePattern(type, name, PatternType.LITERAL);
    try (Admin admin = admin()) {
      admin.deleteAcls(List.of(all(resource))).all().get();
      while (!admin.describeAcls(all(resource)).values().get().isEmpty()) {
        Thread.sleep(10);
      }
    }
  }

  private static AclBindingFilter all(ResourcePattern resource) {
    return new AclBindingFilter(resource.toFilter(), AccessControlEntryFilter.ANY);
  }

  private static AclBinding binding(
      ResourcePattern resource, AclOperation operation, AclPermissionType permission) {
    return new AclBinding(
        resource, new AccessControlEntry("User:ANONYMOUS", "*", operation, permission));
  }

  private static Admin admin() {
    return Admin.create(Map.of("bootstrap.servers", (Object) servers.kafka().bootstrapServers()));
  }
}
