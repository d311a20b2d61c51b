package io.tailrace.offline.bulk;

import io.tailrace.testing.fakes.FakeS3;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.function.Supplier;
import org.junit.rules.ExternalResource;
import org.junit.rules.TemporaryFolder;

/** Where a test's files with results are, which others than the writer put there and change. */
public abstract class ResultsPlace extends ExternalResource {
  /** Returns its address, as {@code --uploadBucket} has it. */
  public abstract String uri();

  /** Puts a file there, perhaps in the place of one. */
  public abstract void put(String file, byte[] bytes) throws IOException;

  /** Returns the bytes of a file. */
  public abstract byte[] get(String file) throws IOException;

  /** Deletes a file. */
  public abstract void remove(String file) throws IOException;

  /** Makes another version of a file, with the same bytes. */
  public abstract void touch(String file) throws IOException;

  /** A folder of this machine. */
  public static ResultsPlace local() {
    return new Local();
  }

  /** A folder in a bucket of a server that has started when a test does. */
  public static ResultsPlace in(Supplier<FakeS3> s3, String bucket) {
    return new S3Results(s3, bucket);
  }

  private static final class Local extends ResultsPlace {
    private final TemporaryFolder folder = new TemporaryFolder();
    private long touched = 1_000_000;

    @Override
    protected void before() throws IOException {
      folder.create();
    }

    @Override
    protected void after() {
      folder.delete();
    }

    @Override
    public String uri() {
      return "file://" + folder.getRoot();
    }

    private static Path path(String file) {
      return Path.of(file.substring("file://".length()));
    }

    @Override
    public void put(String file, byte[] bytes) throws IOException {
      Path unused = Files.write(path(file), bytes);
    }

    @Override
    public byte[] get(String file) throws IOException {
      return Files.readAllBytes(path(file));
    }

    @Override
    public void remove(String file) throws IOException {
      Files.delete(path(file));
    }

    @Override
    public void touch(String file) throws IOException {
      touched += 1_000;
      Path unused = Files.setLastModifiedTime(path(file), FileTime.fromMillis(touched));
    }
  }
}
