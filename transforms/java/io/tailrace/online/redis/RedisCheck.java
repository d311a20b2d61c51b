package io.tailrace.online.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.endpoint.Secrets;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.redis.RedisAddress.Node;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.Connection;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisAccessControlException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Looks at a Redis before a pipeline starts, so that what is wrong is said once, at once and in
 * words.
 */
final class RedisCheck {
  private static final Logger LOG = LoggerFactory.getLogger(RedisCheck.class);

  /** As rules of {@code ACL SETUSER}; INFO is not among them, but more is checked with it. */
  static final String NEEDED_PERMISSIONS =
      "~* +@connection +@hash +@scripting +persist +pexpireat +wait";

  private RedisCheck() {}

  static void check(RedisAddress address, RedisNodes nodes) throws UnavailableException {
    JedisException last = new JedisException("the URI names no host");
    for (Node host : address.hosts()) {
      try {
        Connection connection = nodes.connection(host);
        check(address, connection);
        checkScript(connection);
        return;
      } catch (JedisAccessControlException e) {
        if (String.valueOf(e.getMessage()).startsWith("NOPERM")) {
          throw new UnavailableException(
              address.text()
                  + ": the user lacks a permission ("
                  + e.getMessage()
                  + "); it needs "
                  + NEEDED_PERMISSIONS,
              e);
        }
        throw new UnavailableException(
            address.text()
                + ": the server refuses the user or the password ("
                + e.getMessage()
                + "); give ?user=NAME&password="
                + Secrets.example(),
            e);
      } catch (JedisDataException e) {
        throw new UnavailableException(
            address.text() + ": the server answers: " + e.getMessage(), e);
      } catch (JedisException e) {
        last = e;
      }
    }
    throw new UnavailableException(
        address.text()
            + " can't be reached: "
            + rootMessage(last)
            + "; check host and port"
            + (address.encrypted()
                ? ", and that the server speaks TLS with a certificate that is trusted"
                : ", and use rediss:// if the server speaks TLS"),
        last);
  }

  private static void check(RedisAddress address, Connection connection)
      throws UnavailableException {
    Map<String, String> facts = new HashMap<>();
    for (String section : new String[] {"server", "cluster", "memory", "replication"}) {
      connection.sendCommand(Protocol.Command.INFO, section);
      try {
        String reply = new String((byte[]) connection.getOne(), UTF_8);
        reply
            .lines()
            .filter(line -> line.indexOf(':') > 0)
            .forEach(
                line ->
                    facts.put(
                        line.substring(0, line.indexOf(':')),
                        line.substring(line.indexOf(':') + 1).strip()));
      } catch (JedisAccessControlException e) {
        if (!String.valueOf(e.getMessage()).startsWith("NOPERM")) {
          throw e;
        }
        LOG.info("{}: the user may not run INFO; its settings are not checked", address.text());
        return;
      }
    }
    String version = facts.getOrDefault("redis_version", "");
    if (isBefore(version, 6, 2)) {
      throw new UnavailableException(
          address.text() + " is Redis " + version + "; 6.2 or later is needed");
    }
    boolean cluster = facts.getOrDefault("cluster_enabled", "0").equals("1");
    if (cluster != address.cluster()) {
      throw new UnavailableException(
          address.text()
              + (cluster
                  ? " is a node of a cluster: use redis+cluster:// or rediss+cluster://"
                  : " is no cluster: use redis:// or rediss://"));
    }
    if (!cluster && facts.getOrDefault("role", "master").equals("slave")) {
      throw new UnavailableException(
          address.text()
              + " is a replica, which can't be written to; its master is "
              + facts.get("master_host")
              + ":"
              + facts.get("master_port"));
    }
    String policy = facts.getOrDefault("maxmemory_policy", "noeviction");
    if (policy.startsWith("allkeys")) {
      LOG.warn(
          "{} has maxmemory-policy {}: under memory pressure it drops entities that have not"
              + " expired. Set noeviction or volatile-ttl.",
          address.text(),
          policy);
    }
  }

  /** Loads the script and calls it for no entity: what a writer does first. */
  private static void checkScript(Connection connection) {
    connection.sendCommand(Protocol.Command.SCRIPT, "LOAD".getBytes(UTF_8), WriteScript.SOURCE);
    connection.getOne();
    connection.sendCommand(Protocol.Command.EVALSHA, WriteScript.SHA, "0".getBytes(UTF_8));
    connection.getOne();
  }

  private static boolean isBefore(String version, int major, int minor) {
    String[] parts = version.split("\\.", -1);
    if (parts.length < 2 || !parts[0].matches("\\d{1,6}") || !parts[1].matches("\\d{1,6}")) {
      return false;
    }
    int theirs = Integer.parseInt(parts[0]);
    return theirs < major || (theirs == major && Integer.parseInt(parts[1]) < minor);
  }

  /** Returns what went wrong at the bottom of it. */
  static String rootMessage(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null || root.getSuppressed().length > 0) {
      // Jedis tries each address of a host, and each host of a cluster, and suppresses the
      // failures.
      root = root.getCause() != null ? root.getCause() : root.getSuppressed()[0];
    }
    return String.valueOf(root.getMessage());
  }
}
