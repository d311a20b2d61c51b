package io.tailrace.bus.directory;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The files of a topic: written once, numbered without a gap. */
final class DirectoryTopic {
  private final Path directory;

  DirectoryTopic(Path directory) {
    this.directory = directory;
  }

  /** Makes an empty one. */
  void create(int partitions) throws IOException {
    for (int p = 0; p < partitions; p++) {
      Files.createDirectories(directory.resolve(Integer.toString(p)));
    }
  }

  List<Integer> partitions() {
    try (Stream<Path> all = Files.list(directory)) {
      return all.map(path -> path.getFileName().toString())
          .filter(name -> name.matches("\\d+"))
          .map(Integer::valueOf)
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Appends a message; what has returned is there for every reader. */
  void append(OutgoingMessage message) throws IOException {
    List<Integer> partitions = partitions();
    int place = Math.floorMod(Arrays.hashCode(message.key()), partitions.size());
    Path partition = directory.resolve(partitions.get(place).toString());
    Path whole = Files.createTempFile(directory, "new", ".message");
    Files.write(whole, bytes(message));
    try (Stream<Path> there = Files.list(partition)) {
      for (long number = there.count(); ; number++) {
        try {
          // Another publisher that takes the same number fails here.
          Files.createLink(partition.resolve(Long.toString(number)), whole);
          return;
        } catch (FileAlreadyExistsException taken) {
          // The next one, then.
        }
      }
    } finally {
      Files.delete(whole);
    }
  }

  private static byte[] bytes(OutgoingMessage message) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeLong(System.currentTimeMillis() * 1_000);
    OutgoingMessage.MessageCoder.of().encode(message, out);
    return bytes.toByteArray();
  }

  /** Returns a message, if it is there. */
  Optional<BusMessage> read(int partition, long number) throws IOException {
    Path file = directory.resolve(Integer.toString(partition)).resolve(Long.toString(number));
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(Files.readAllBytes(file)));
    long publishedAt = in.readLong();
    OutgoingMessage message = OutgoingMessage.MessageCoder.of().decode(in);
    return Optional.of(
        BusMessage.of(
            message.payload(),
            message.key(),
            Place.numbered(directory.getFileName().toString(), partition, number),
            MessageTime.ofBus(publishedAt),
            message.headers()));
  }

  /** Returns the number of the first message that a group has not acknowledged. */
  long acknowledged(String group, int partition) throws IOException {
    Path file = ofGroup(group, partition);
    return Files.exists(file) ? Long.parseLong(Files.readString(file)) : 0;
  }

  void acknowledge(String group, int partition, long next) throws IOException {
    Path file = ofGroup(group, partition);
    Files.createDirectories(file.getParent());
    Path whole = Files.createTempFile(file.getParent(), "new", "");
    Files.writeString(whole, Long.toString(next));
    Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private Path ofGroup(String group, int partition) {
    return directory.resolve("groups").resolve(group).resolve(Integer.toString(partition));
  }
}
