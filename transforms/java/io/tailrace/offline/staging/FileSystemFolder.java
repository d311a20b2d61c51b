package io.tailrace.offline.staging;

import io.tailrace.endpoint.UnavailableException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.beam.sdk.io.FileSystems;
import org.apache.beam.sdk.io.fs.EmptyMatchTreatment;
import org.apache.beam.sdk.io.fs.MatchResult;
import org.apache.beam.sdk.io.fs.MoveOptions.StandardMoveOptions;
import org.apache.beam.sdk.io.fs.ResourceId;
import org.apache.beam.sdk.util.MimeTypes;

/**
 * A folder in one of Beam's file systems, which are what the pipeline's options make them. What is
 * still being written has another name: where writing breaks off, some file systems keep what they
 * have. Not thread-safe.
 *
 * @param uri without a slash at its end
 */
record FileSystemFolder(String uri) implements Stage.Connection {
  /** What a file is called that is still being written. */
  private static final String UNFINISHED = ".unfinished";

  private ResourceId at(String name) {
    return FileSystems.matchNewResource(uri + "/" + name, false);
  }

  private UnavailableException unusable(Exception e) {
    return new UnavailableException("the stage " + uri + " can't be used: " + e, e);
  }

  @Override
  public void put(Map<String, byte[]> files) throws UnavailableException {
    List<ResourceId> unfinished = new ArrayList<>();
    List<ResourceId> finished = new ArrayList<>();
    try {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        ResourceId writing = at(file.getKey() + "." + UUID.randomUUID() + UNFINISHED);
        unfinished.add(writing);
        finished.add(at(file.getKey()));
        try (WritableByteChannel channel = FileSystems.create(writing, MimeTypes.BINARY)) {
          ByteBuffer bytes = ByteBuffer.wrap(file.getValue());
          while (bytes.hasRemaining()) {
            int unused = channel.write(bytes);
          }
        }
      }
      FileSystems.rename(unfinished, finished);
    } catch (IOException | RuntimeException e) {
      throw unusable(e);
    }
  }

  @Override
  public Optional<byte[]> read(String name) throws UnavailableException {
    try (InputStream in = Channels.newInputStream(FileSystems.open(at(name)))) {
      return Optional.of(in.readAllBytes());
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (IOException | RuntimeException e) {
      throw unusable(e);
    }
  }

  @Override
  public List<Stage.Entry> list() throws UnavailableException {
    try {
      String from = FileSystems.matchNewResource(uri + "/", true).toString();
      MatchResult found = FileSystems.match(uri + "/**", EmptyMatchTreatment.ALLOW);
      List<Stage.Entry> entries = new ArrayList<>();
      for (MatchResult.Metadata file : found.metadata()) {
        String name = file.resourceId().toString().substring(from.length());
        if (!name.endsWith(UNFINISHED)) {
          entries.add(new Stage.Entry(name, Instant.ofEpochMilli(file.lastModifiedMillis())));
        }
      }
      return entries;
    } catch (IOException | RuntimeException e) {
      throw unusable(e);
    }
  }

  @Override
  public void delete(Collection<String> names) throws UnavailableException {
    try {
      FileSystems.delete(
          names.stream().map(this::at).toList(), StandardMoveOptions.IGNORE_MISSING_FILES);
    } catch (IOException | RuntimeException e) {
      throw unusable(e);
    }
  }

  @Override
  public void close() {}
}
