package io.tailrace.online.redis;

import io.tailrace.pipelines.local.servers.LocalRedis;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.TestRule;
import org.junit.runner.Description;
import org.junit.runners.model.Statement;
import redis.clients.jedis.Jedis;

/**
 * A real Redis for a class of tests, empty before each. Annotate a static field of it with both
 * {@code ClassRule} and {@code Rule}.
 */
final class EmptyRedis implements TestRule {
  private final TemporaryFolder folder = new TemporaryFolder();
  private LocalRedis server;
  private Jedis client;

  @Override
  public Statement apply(Statement base, Description description) {
    if (description.isTest()) {
      return new Statement() {
        @Override
        public void evaluate() throws Throwable {
          client.flushAll();
          base.evaluate();
        }
      };
    }
    Statement running =
        new Statement() {
          @Override
          public void evaluate() throws Throwable {
            try (LocalRedis started = LocalRedis.start(folder.getRoot().toPath());
                Jedis connected = started.connect()) {
              server = started;
              client = connected;
              base.evaluate();
            }
          }
        };
    return folder.apply(running, description);
  }

  String uri() {
    return server.uri();
  }

  int port() {
    return server.port();
  }

  /** A connection of the tests' own. */
  Jedis client() {
    return client;
  }
}
