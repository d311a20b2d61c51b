package io.tailrace.bus.pubsub;

import io.tailrace.bus.Bus;
import io.tailrace.bus.Buses;
import io.tailrace.testing.BusContract;
import io.tailrace.testing.fakes.FakePubSub;
import java.net.ServerSocket;
import org.junit.AfterClass;
import org.junit.BeforeClass;

/** Pub/Sub is a bus. */
public class PubSubContractTest extends BusContract {
  private static FakePubSub server;
  private static int names;

  @BeforeClass
  public static void start() throws Exception {
    server = FakePubSub.start();
  }

  @AfterClass
  public static void stop() {
    server.close();
  }

  private static PubSubTopics topics() {
    return PubSubTopics.at(server.host());
  }

  @Override
  protected String newTopic(int partitions) throws Exception {
    return topics().create("topic-" + names++);
  }

  @Override
  protected String missingTopic() {
    return topics().uri("no-such-topic");
  }

  @Override
  protected String unreachable() throws Exception {
    try (ServerSocket closed = new ServerSocket(0)) {
      return PubSubTopics.at("127.0.0.1:" + closed.getLocalPort()).uri("topic");
    }
  }

  /** A subscription is a group. */
  @Override
  protected Bus ofAnotherGroup(Bus bus) throws Exception {
    return Buses.at(topics().subscribe("subscription-" + names++, bus.topic()));
  }

  @Override
  protected boolean keepsOrder() {
    return false;
  }

  @Override
  protected int partitions(int asked) {
    return 1;
  }

  /** The direct runner leaves the readers of a job that failed as they are. */
  @Override
  protected void forgetReaders() {
    server.expireLeases();
  }
}
