package io.tailrace.offline.bulk;

import io.tailrace.endpoint.Endpoint;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Kinds;
import io.tailrace.endpoint.Kinds.Kind;
import io.tailrace.endpoint.UnavailableException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.apache.beam.sdk.io.FileSystems;
import org.apache.beam.sdk.io.fs.EmptyMatchTreatment;
import org.apache.beam.sdk.io.fs.MatchResult.Metadata;
import org.apache.beam.sdk.util.MimeTypes;

/**
 * The place that files with results may come from: {@code s3://bucket/folder}, {@code
 * gs://bucket/folder} or {@code file:///folder}. Buckets are reached as Beam reaches them, with the
 * credentials and the endpoint of the pipeline's options; they are listed and read, and never
 * written. Immutable.
 *
 * @param uri its address, without a slash at the end
 */
public record ResultBucket(String uri) implements Endpoint {
  private static final long serialVersionUID = 1;

  /** The places there are; of wrong spellings the right one is told. */
  public static final Kinds<ResultBucket> KINDS =
      Kinds.of(
          "bucket",
          ResultBucket.class,
          List.of(
              new Kind<>(List.of("s3", "s3a", "s3n"), "s3://bucket/results", ResultBucket::at),
              new Kind<>(List.of("gs", "gcs"), "gs://bucket/results", ResultBucket::at),
              Kind.of("file", "file:///data/results", ResultBucket::at)));

  private static final String FILE = BucketAddress.FILE;
  private static final String PARQUET = ".parquet";

  /**
   * Names a bucket or a folder in one.
   *
   * @throws IllegalArgumentException with one sentence that says what is wrong
   */
  public ResultBucket {
    uri = uri.strip();
    Optional<String> whyNot = BucketAddress.whyNot(uri);
    if (whyNot.isPresent()) {
      throw new IllegalArgumentException(whyNot.get());
    }
    uri = uri.replaceFirst("/+$", "");
  }

  private static ResultBucket at(EndpointUri uri) {
    return new ResultBucket(uri.toString());
  }

  /** Returns why a file, or a folder, may not be loaded: it is elsewhere; empty: it may. */
  Optional<String> whyOutside(String other) {
    return other.startsWith(uri + "/")
        ? Optional.empty()
        : Optional.of("'" + other + "' is not in " + uri + "/, from where alone files are loaded");
  }

  /** Returns whether it is a folder of this machine. */
  public boolean isLocal() {
    return uri.startsWith(FILE);
  }

  /**
   * A file that is there. Immutable.
   *
   * @param version changes when its content does
   */
  record Found(String uri, String version, long size) {}

  private static Path path(String uri) {
    return Path.of(uri.substring(FILE.length()));
  }

  /**
   * Checks that the place is there and can be listed, and that one of its files can be read, if it
   * has any.
   *
   * @throws UnavailableException with one sentence that names it and the correction
   */
  @Override
  public void check() throws UnavailableException {
    if (isLocal() && !Files.isDirectory(path(uri))) {
      throw new UnavailableException(uri + " is no folder of this machine: create it");
    }
    List<String> some;
    try {
      some = first();
    } catch (UnavailableException e) {
      throw new UnavailableException(
          e.getMessage()
              + (isLocal()
                  ? ""
                  : "; the writer needs "
                      + (uri.startsWith("s3:")
                          ? "s3:ListBucket of the bucket and s3:GetObject of its objects"
                          : "roles/storage.objectViewer of the bucket")),
          e);
    }
    BucketProbe probe = BucketProbe.ofAll(this, some, Set.of());
    if (!probe.given() && probe.refused().isPresent()) {
      FileRefusedException e = probe.refused().get();
      throw new UnavailableException("a file that is listed: " + e.getMessage(), e);
    }
  }

  /**
   * Returns a file; empty if there is none of that name.
   *
   * @throws UnavailableException if the bucket can't be asked now; {@link FileRefusedException} if
   *     it refuses to tell
   */
  Optional<Found> find(String file) throws UnavailableException {
    try {
      if (isLocal()) {
        Path path = path(file);
        return Files.isRegularFile(path) ? Optional.of(local(file, path)) : Optional.empty();
      }
      // Matching a single file forgets what the service has answered.
      return Optional.of(
          remote(
              FileSystems.match(file, EmptyMatchTreatment.DISALLOW).metadata().stream()
                  .findFirst()
                  .orElseThrow(FileNotFoundException::new)));
    } catch (FileNotFoundException | java.nio.file.NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException | RuntimeException e) {
      throw notGiven(file, e);
    }
  }

  /**
   * Returns whether a file is gone, or another, since it was found.
   *
   * @throws UnavailableException if the bucket can't be asked now
   */
  boolean hasChanged(Found before) throws UnavailableException {
    Optional<Found> now = find(before.uri);
    return now.isEmpty() || !now.get().version.equals(before.version);
  }

  /**
   * Lists the files with results of a folder, some at a time. A list says nothing of a file but its
   * name: see {@link #find}.
   *
   * @param folder ends with a slash
   * @throws UnavailableException if the bucket can't be listed now
   */
  void list(String folder, BucketPages.Visitor visitor) throws UnavailableException {
    try {
      if (isLocal()) {
        boolean unused = visitor.take(listed(folder, path(folder)));
      } else {
        BucketPages.visit(
            folder,
            page ->
                visitor.take(
                    page.stream()
                        .filter(each -> isName(each.substring(folder.length())))
                        .toList()));
      }
    } catch (IOException | RuntimeException e) {
      throw away(folder, e);
    }
  }

  private static List<String> listed(String folder, Path root) throws IOException {
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    try (Stream<Path> all = Files.walk(root)) {
      return all.filter(Files::isRegularFile)
          .map(each -> root.relativize(each).toString())
          .filter(ResultBucket::isName)
          .sorted()
          .map(folder::concat)
          .toList();
    }
  }

  /**
   * Returns those files that are listed first: none if there are none.
   *
   * @throws UnavailableException if the bucket can't be listed now
   */
  List<String> first() throws UnavailableException {
    List<String> first = new ArrayList<>();
    list(
        uri + "/",
        page -> {
          first.addAll(page);
          return first.isEmpty();
        });
    return first;
  }

  /** Returns whether an address is one of a file with results in this bucket. */
  boolean isResult(String file) {
    return BucketAddress.whyNoFile(file).isEmpty()
        && whyOutside(file).isEmpty()
        && isName(file.substring(uri.length() + 1));
  }

  private static boolean isName(String name) {
    if (!name.endsWith(PARQUET)) {
      return false;
    }
    for (String part : name.split("/", -1)) {
      if (part.startsWith("_") || part.startsWith(".")) {
        return false;
      }
    }
    return true;
  }

  /** Its size and time may be those of another that was written in the same moment. */
  private Found local(String file, Path path) throws IOException {
    // A link may lead out of the folder.
    if (!path.toRealPath().startsWith(path(uri).toRealPath())) {
      throw new FileNotFoundException(file + " is a link to a file outside of " + uri);
    }
    CRC32C hash = new CRC32C();
    try (SeekableByteChannel channel = Files.newByteChannel(path)) {
      ByteBuffer buffer = ByteBuffer.allocate(64 << 10);
      while (channel.read(buffer.clear()) >= 0) {
        hash.update(buffer.flip());
      }
    }
    long size = Files.size(path);
    return new Found(
        file,
        size
            + "-"
            + Files.getLastModifiedTime(path).toMillis()
            + "-"
            + HexFormat.of().toHexDigits((int) hash.getValue()),
        size);
  }

  private static Found remote(Metadata file) {
    String checksum = file.checksum();
    return new Found(
        file.resourceId().toString(),
        checksum == null || checksum.isEmpty()
            ? file.sizeBytes() + "-" + file.lastModifiedMillis()
            : checksum.replace("\"", ""),
        file.sizeBytes());
  }

  private static ReadableByteChannel remote(Found file) throws IOException {
    try {
      return BucketChannel.of(FileSystems.open(FileSystems.matchNewResource(file.uri, false)));
    } catch (RuntimeException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** Opens a file to read any part of it. */
  SeekableByteChannel open(Found file) throws IOException {
    if (isLocal()) {
      return Files.newByteChannel(path(file.uri));
    }
    ReadableByteChannel channel = remote(file);
    if (channel instanceof SeekableByteChannel seekable) {
      return seekable;
    }
    Path copy = Files.createTempFile("tailrace-bulk-", PARQUET);
    try {
      copy(channel, copy);
    } finally {
      channel.close();
    }
    return Files.newByteChannel(
        copy, Set.of(StandardOpenOption.READ, StandardOpenOption.DELETE_ON_CLOSE));
  }

  /** Returns where a file is on this machine: itself, or a copy in a directory. */
  Path local(Found file, Path directory, int number) throws IOException {
    if (isLocal()) {
      return path(file.uri);
    }
    Path copy = directory.resolve(number + PARQUET);
    try (ReadableByteChannel channel = remote(file)) {
      copy(channel, copy);
    }
    return copy;
  }

  /**
   * Writes a file, which has its name when it is whole.
   *
   * @param file its address in this bucket
   */
  public void write(String file, ReadableByteChannel from) throws IOException {
    Optional<String> whyNot = BucketAddress.whyNoFile(file).or(() -> whyOutside(file));
    if (whyNot.isPresent()) {
      throw new IOException(whyNot.get());
    }
    if (!isLocal()) {
      try (WritableByteChannel to =
          FileSystems.create(FileSystems.matchNewResource(file, false), MimeTypes.BINARY)) {
        copy(from, to);
      }
      return;
    }
    Path path = path(file);
    Files.createDirectories(path.getParent());
    Path writing = Files.createTempFile(path.getParent(), ".", ".unfinished");
    copy(from, writing);
    Files.move(writing, path, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Where it can't be copied as a whole, nothing stays. */
  private static void copy(ReadableByteChannel from, Path to) throws IOException {
    try (SeekableByteChannel out =
        Files.newByteChannel(
            to,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      copy(from, out);
    } catch (Throwable e) {
      boolean unused = Files.deleteIfExists(to);
      throw e;
    }
  }

  private static void copy(ReadableByteChannel from, WritableByteChannel to) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(256 << 10);
    while (from.read(buffer) >= 0 || buffer.position() > 0) {
      buffer.flip();
      int unused = to.write(buffer);
      buffer.compact();
    }
  }

  /** Returns what is to be said of a file that could not be read: whether it is refused. */
  static UnavailableException notGiven(String file, Exception e) {
    return BucketAnswers.isRefusal(file, e)
        ? new FileRefusedException(file + " can't be read: " + e.getMessage(), e)
        : away(file, e);
  }

  private static UnavailableException away(String file, Exception e) {
    return new UnavailableException(file + " can't be reached: " + e.getMessage(), e);
  }

  @Override
  public String toString() {
    return uri;
  }
}
