package io.tailrace.offline.redshift;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedFile;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A list of the files that a COPY takes, no others and none of them less, in the stage itself; gone
 * when it is closed. Not thread-safe.
 */
final class RedshiftManifest implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RedshiftManifest.class);
  private static final String FOLDER = "manifests/";

  private final Stage.Connection connection;
  private final String uri;
  private final String name = FOLDER + UUID.randomUUID() + ".manifest";

  private RedshiftManifest(Stage.Connection connection, String stage) {
    this.connection = connection;
    this.uri = stage + "/" + name;
  }

  /** A file, and how many bytes it has: Redshift wants to know it of files that are in columns. */
  record Listed(String url, long bytes) {}

  /** Writes one of files that are all in one stage, by a connection that stays open. */
  static RedshiftManifest of(Stage.Connection connection, List<StagedFile> files)
      throws UnavailableException {
    return of(
        connection,
        files.get(0).stage(),
        files.stream()
            .map(file -> new Listed(file.stage() + "/" + file.name(), file.size().bytes()))
            .toList());
  }

  /** Writes one of files that may be anywhere. */
  static RedshiftManifest of(Stage.Connection connection, String stage, List<Listed> files)
      throws UnavailableException {
    RedshiftManifest manifest = new RedshiftManifest(connection, stage);
    connection.put(Map.of(manifest.name, json(files)));
    return manifest;
  }

  private static byte[] json(List<Listed> files) {
    ObjectNode manifest = new ObjectMapper().createObjectNode();
    ArrayNode entries = manifest.putArray("entries");
    for (Listed file : files) {
      ObjectNode entry = entries.addObject();
      entry.put("url", file.url);
      entry.put("mandatory", true);
      entry.putObject("meta").put("content_length", file.bytes);
    }
    return manifest.toString().getBytes(StandardCharsets.UTF_8);
  }

  String uri() {
    return uri;
  }

  @Override
  public void close() {
    try {
      connection.delete(List.of(name));
    } catch (UnavailableException e) {
      LOG.info("{} stays: {}", uri, e.getMessage());
    }
  }
}
