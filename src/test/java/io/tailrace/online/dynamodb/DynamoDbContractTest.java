package io.tailrace.online.dynamodb;

import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.bus.BusMessage;
import io.tailrace.online.Cell;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.pipelines.local.servers.dynamodb.FakeDynamoDb;
import io.tailrace.testing.ExpectedCells;
import io.tailrace.testing.OnlineStoreContract;
import io.tailrace.testing.OnlineWriters;
import java.net.ServerSocket;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.After;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** A simulated DynamoDB is an online store. */
@RunWith(JUnit4.class)
public class DynamoDbContractTest extends OnlineStoreContract {
  @ClassRule public static final TemporaryFolder temporary = new TemporaryFolder();

  private FakeDynamoDb server;

  @Before
  @Override
  public void startEmpty() throws Exception {
    server = FakeDynamoDb.start();
    super.startEmpty();
  }

  @After
  public void stop() {
    server.close();
  }

  @Test
  public void itEndsInTheSameBytesAsRedis() throws Exception {
    try (LocalRedis redis = LocalRedis.start(temporary.newFolder().toPath())) {
      for (int seed = 200; seed < 204; seed++) {
        Random random = new Random(seed);
        List<BusMessage> messages = OnlineWriters.messages(seed, 40);
        for (String uri : List.of(uri(), redis.uri())) {
          OnlineWriters.write(
              OnlineWriters.to(uri), OnlineWriters.shares(messages, 3, random), random);
        }

        assertWithMessage("seed %s", seed)
            .that(read(uri(), messages))
            .isEqualTo(read(redis.uri(), messages));
      }
    }
  }

  private static List<Map<String, Cell>> read(String uri, List<BusMessage> messages)
      throws Exception {
    List<EntityKey> keys = List.copyOf(ExpectedCells.after(messages).keySet());
    try (OnlineReader reader = OnlineReader.open(uri)) {
      return reader.readCells(keys);
    }
  }

  @Override
  protected String uri() {
    return FakeTables.uri(server.endpoint(), "features") + "&create=true";
  }

  @Override
  protected String uri(String retryFor) {
    return uri() + "&retryFor=" + retryFor;
  }

  @Override
  protected String unreachable() throws Exception {
    try (ServerSocket closed = new ServerSocket(0)) {
      return FakeTables.uri("http://127.0.0.1:" + closed.getLocalPort(), "features")
          + "&retryFor=1s";
    }
  }

  @Override
  protected void removeAll() {
    server.removeAll();
  }

  @Override
  protected void stopStore() {
    server.stop();
  }

  @Override
  protected void restartStore() {
    server.restart();
  }
}
