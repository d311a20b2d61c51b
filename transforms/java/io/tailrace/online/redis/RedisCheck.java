package io.tailrace.online.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.endpoint.Secrets;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.EntityKey;
import io.tailrace.online.redis.RedisAddress.Node;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import redis.clients.jedis.Connection;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.exceptions.JedisAccessControlException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisRedirectionException;

/**
 * Looks at a Redis before a pipeline starts, so that what is wrong is said once, at once and in
 * words. It does what a writer does, on every node that a writer writes to: it asks which those
 * are, loads the script, runs each of its commands, and writes a key that is over at once.
 */
final class RedisCheck {
  /**
   * As rules of {@code ACL SETUSER}. INFO is not needed to write: without it, settings go
   * unchecked.
   */
  static final String NEEDED_PERMISSIONS =
      "~* +@connection +@hash +@scripting +persist +pexpireat +time +wait +info";

  /** What a cluster needs beside them. */
  static final String NEEDED_IN_A_CLUSTER = "+cluster|slots +asking";

  private static final EntityKey TRIAL = new EntityKey("tailrace", "check", "");

  private final RedisAddress address;
  private final RedisNodes nodes;
  private final Set<String> findings = new LinkedHashSet<>();

  private RedisCheck(RedisAddress address, RedisNodes nodes) {
    this.address = address;
    this.nodes = nodes;
  }

  /**
   * Looks at it.
   *
   * @return what is better mended, in sentences
   * @throws UnavailableException with what must be mended first
   */
  static List<String> check(RedisAddress address, RedisNodes nodes) throws UnavailableException {
    RedisCheck check = new RedisCheck(address, nodes);
    check.checkHosts();
    return List.copyOf(check.findings);
  }

  private void checkHosts() throws UnavailableException {
    JedisException last = new JedisException("the URI names no host");
    for (Node host : address.hosts()) {
      try {
        checkServer(facts(nodes.connection(asked(host))));
        for (Node master : nodes.masters()) {
          Connection connection = nodes.connection(master);
          checkPermissions(connection, nodes.trialKey(TRIAL, master));
          checkPolicy(master, facts(connection));
        }
        return;
      } catch (JedisAccessControlException e) {
        throw refused(e);
      } catch (JedisDataException e) {
        throw new UnavailableException(
            address.text() + ": the server answers: " + e.getMessage(), e);
      } catch (JedisException e) {
        if (RedisReplies.isForPermission(rootMessage(e))) {
          throw lacking(rootMessage(e), e);
        }
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

  /** Returns who is asked about itself: sentinels have nothing to say. */
  private Node asked(Node host) {
    return address.master().isPresent() ? nodes.nodeOf(RedisKeys.RESERVED_FIELD) : host;
  }

  private UnavailableException refused(JedisAccessControlException e) {
    String message = String.valueOf(e.getMessage());
    if (RedisReplies.isForPermission(message)) {
      return lacking(message, e);
    }
    return new UnavailableException(
        address.text()
            + ": the server refuses the user or the password ("
            + message
            + "); give ?user=NAME&password="
            + Secrets.example(),
        e);
  }

  private UnavailableException lacking(String permission, JedisException e) {
    return new UnavailableException(
        address.text() + ": the user lacks a permission (" + permission + "); it needs " + needed(),
        e);
  }

  private String needed() {
    return address.cluster() ? NEEDED_PERMISSIONS + " " + NEEDED_IN_A_CLUSTER : NEEDED_PERMISSIONS;
  }

  /** Returns what a server says of itself; nothing if the user may not ask. */
  private Map<String, String> facts(Connection connection) {
    Map<String, String> facts = new HashMap<>();
    for (String section : new String[] {"server", "cluster", "memory", "replication"}) {
      connection.sendCommand(Command.INFO, section);
      Object reply = RedisReplies.read(connection);
      if (reply instanceof JedisDataException error) {
        if (!RedisReplies.isForPermission(String.valueOf(error.getMessage()))) {
          throw error;
        }
        findings.add(
            "the user may not run INFO: whether its maxmemory-policy is noeviction, and its version"
                + " 6.2 or later, is not known");
        return Map.of();
      }
      new String((byte[]) reply, UTF_8)
          .lines()
          .filter(line -> line.indexOf(':') > 0)
          .forEach(
              line ->
                  facts.put(
                      line.substring(0, line.indexOf(':')),
                      line.substring(line.indexOf(':') + 1).strip()));
    }
    return facts;
  }

  private void checkServer(Map<String, String> facts) throws UnavailableException {
    String version = facts.getOrDefault("redis_version", "");
    if (isBefore(version, 6, 2)) {
      throw new UnavailableException(
          address.text() + " is Redis " + version + "; 6.2 or later is needed");
    }
    if (facts.isEmpty()) {
      return;
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
  }

  private void checkPolicy(Node node, Map<String, String> facts) {
    String policy = facts.getOrDefault("maxmemory_policy", "noeviction");
    if (!policy.equals("noeviction")) {
      findings.add(
          node
              + " has maxmemory-policy "
              + policy
              + ": when its memory is full it drops values and deletions that have not expired, and"
              + " older values can come back. Set maxmemory-policy noeviction");
    }
  }

  /** Does what a writer does, on one node. */
  private void checkPermissions(Connection connection, byte[] key) throws UnavailableException {
    connection.sendCommand(WriteScript.load());
    connection.getOne();
    byte[] field = "trial".getBytes(UTF_8);
    List<String> lacking = new ArrayList<>();
    // The script's own errors do not say which command the user may not run.
    run(connection, lacking, Command.HLEN, key);
    run(connection, lacking, Command.HGET, key, field);
    run(connection, lacking, Command.HMGET, key, field);
    run(connection, lacking, Command.HGETALL, key);
    run(connection, lacking, Command.HSET, key, field, field);
    run(connection, lacking, Command.PERSIST, key);
    run(connection, lacking, Command.PEXPIREAT, key, "1".getBytes(UTF_8));
    run(connection, lacking, Command.HDEL, key, field);
    run(connection, lacking, Command.TIME);
    if (address.writing().waitReplicas() > 0) {
      run(connection, lacking, Command.WAIT, "0".getBytes(UTF_8), "1".getBytes(UTF_8));
    }
    if (address.cluster()) {
      run(connection, lacking, Command.ASKING);
    }
    connection.sendCommand(WriteScript.trial(key));
    Object reply = RedisReplies.read(connection);
    if (lacking.isEmpty()) {
      accept(reply, lacking);
    }
    if (!lacking.isEmpty()) {
      throw new UnavailableException(
          address.text()
              + ": the user lacks a permission ("
              + String.join("; ", lacking)
              + "); it needs "
              + needed());
    }
  }

  private static void run(
      Connection connection, List<String> lacking, Command command, byte[]... arguments) {
    connection.sendCommand(command, arguments);
    accept(RedisReplies.read(connection), lacking);
  }

  /** Takes the answer to a trial; only a command that may not be run, and an outage, matter. */
  private static void accept(Object reply, List<String> lacking) {
    if (!(reply instanceof JedisDataException error)
        || reply instanceof JedisRedirectionException) {
      // A slot that moves is elsewhere perhaps; the writer follows.
      return;
    }
    String message = String.valueOf(error.getMessage());
    if (!RedisReplies.isForPermission(message)) {
      throw error;
    }
    // A user who may only touch the keys of an environment may not touch this one.
    if (message.contains("command")) {
      lacking.add(message);
    }
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
