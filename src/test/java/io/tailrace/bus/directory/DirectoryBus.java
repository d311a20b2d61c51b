package io.tailrace.bus.directory;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusFacts;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.values.PBegin;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PDone;

/**
 * A topic that is a directory: a subdirectory is a partition, a file in it is a message, and its
 * name the message's number. The smallest bus that keeps what is promised of one; for tests.
 * Immutable and serializable.
 *
 * <p>{@code dir:///data/results} is the directory {@code /data/results}. How far a group has read
 * is in {@code groups}, beside the partitions.
 */
final class DirectoryBus implements Bus {
  private static final long serialVersionUID = 1;

  /** A correct URI. */
  static final String EXAMPLE = "dir:///data/result-bus";

  private final String path;

  private DirectoryBus(String path) {
    this.path = path;
  }

  static DirectoryBus at(EndpointUri uri) {
    if (!uri.withoutSecrets().startsWith("dir:///") || uri.path().isEmpty()) {
      uri.problem("the path of the topic follows three slashes");
    }
    uri.finish(EXAMPLE);
    return new DirectoryBus("/" + uri.path());
  }

  DirectoryTopic files() {
    return new DirectoryTopic(Path.of(path));
  }

  @Override
  public String topic() {
    return Path.of(path).getFileName().toString();
  }

  @Override
  public String uri() {
    return "dir://" + path;
  }

  @Override
  public String name() {
    return uri();
  }

  @Override
  public String group(String fallback) {
    return fallback;
  }

  @Override
  public PTransform<PBegin, PCollection<BusMessage>> read(String group) {
    return new ReadDirectory(this, group);
  }

  @Override
  public PTransform<PCollection<OutgoingMessage>, PDone> write() {
    return new WriteDirectory(this);
  }

  @Override
  public BusPublisher publisher() {
    return new DirectoryPublisher(this);
  }

  @Override
  public BusFacts checkReadable(String group) throws UnavailableException {
    Path topic = Path.of(path);
    if (!Files.isDirectory(topic.getParent())) {
      throw new UnavailableException(uri() + ": there is no directory " + topic.getParent());
    }
    if (!Files.isDirectory(topic)) {
      throw new UnavailableException(
          uri() + ": the topic '" + topic.getFileName() + "' does not exist");
    }
    return BusFacts.ofPartitions(files().partitions().size());
  }

  @Override
  public BusFacts checkWritable() throws UnavailableException {
    return checkReadable("");
  }

  @Override
  public String toString() {
    return name();
  }
}
