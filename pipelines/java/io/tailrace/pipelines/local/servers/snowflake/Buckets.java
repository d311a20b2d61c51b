package io.tailrace.pipelines.local.servers.snowflake;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The storage integrations of a simulated account: which buckets it may read. Thread-safe. */
public final class Buckets {
  /** Reads an object of a bucket; empty: there is none. */
  @FunctionalInterface
  public interface Reader {
    /** Reads it. */
    Optional<byte[]> read(String bucket, String key);
  }

  private record Integration(String allowed, Reader reader) {}

  private final Map<String, Integration> integrations = new HashMap<>();
  private final Map<String, String> refused = new HashMap<>();

  /** Lets the account read what is in a location, such as {@code s3://bucket/folder/}. */
  public synchronized void integrate(String name, String allowed, Reader reader) {
    integrations.put(name, new Integration(allowed, reader));
  }

  private synchronized Integration integration(String name) throws FakeSnowflake.RefusedException {
    Integration integration = integrations.get(name);
    if (integration == null) {
      throw new FakeSnowflake.RefusedException(
          "002003", "02000", "Integration '" + name + "' does not exist or not authorized.");
    }
    return integration;
  }

  /** Has the cloud refuse what is asked by an integration; empty: it does not any more. */
  public synchronized void refuse(String name, String message) {
    refused.put(name, message);
  }

  /** Returns what a look at a location says, as JSON. */
  synchronized String validate(String name, String location) throws FakeSnowflake.RefusedException {
    Integration integration = integration(name);
    String message =
        location.startsWith(integration.allowed)
            ? refused.getOrDefault(name, "")
            : "Location is not allowed";
    ObjectNode answer = Answer.JSON.createObjectNode();
    answer.put("status", message.isEmpty() ? "success" : "failure");
    ObjectNode list = answer.putObject("actions").putObject("LIST");
    list.put("status", message.isEmpty() ? "success" : "failure");
    if (!message.isEmpty()) {
      list.put("message", message);
    }
    return answer.toString();
  }

  /** Returns the locations that an integration allows. */
  String allowed(String name) throws FakeSnowflake.RefusedException {
    return integration(name).allowed;
  }

  /** Brings files of a location into a directory, in the folders that they have in the bucket. */
  void fetch(String name, String location, List<String> files, Path directory)
      throws SQLException, FakeSnowflake.RefusedException {
    Integration integration = integration(name);
    if (!location.startsWith(integration.allowed)) {
      throw new FakeSnowflake.RefusedException(
          "003167", "42601", "Location '" + location + "' is not allowed by integration " + name);
    }
    String[] parts = location.replaceFirst("^[a-z0-9]+://", "").split("/", 2);
    for (String file : files) {
      Optional<byte[]> bytes = integration.reader.read(parts[0], parts[1] + file);
      if (bytes.isEmpty()) {
        continue;
      }
      Path to = directory.resolve(parts[1] + file);
      try {
        Path unused = Files.createDirectories(to.resolveSibling(""));
        unused = Files.write(to, bytes.get());
      } catch (IOException e) {
        throw new SQLException(e);
      }
    }
  }
}
