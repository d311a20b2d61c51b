package io.tailrace.testing;

import io.tailrace.endpoint.AddedKind;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.rules.ExternalResource;
import org.junit.rules.TemporaryFolder;

/**
 * While a test runs, adds kinds of buses and stores as somebody who uses the library does: by a
 * file that names them, in a directory on the class path. Other tests don't see them.
 */
public final class AddedKinds extends ExternalResource {
  private final TemporaryFolder folder = new TemporaryFolder();
  private final String names;
  private ClassLoader before;
  private URLClassLoader during;

  private AddedKinds(String names) {
    this.names = names;
  }

  /** Adds the kinds that these classes name, each by its constructor without arguments. */
  public static AddedKinds of(Class<?>... kinds) {
    return new AddedKinds(
        Arrays.stream(kinds).map(Class::getName).collect(Collectors.joining("\n")));
  }

  /** Returns the directory that goes onto the class path of another process. */
  public File directory() {
    return folder.getRoot();
  }

  @Override
  protected void before() throws Throwable {
    folder.create();
    Path file =
        folder.newFolder("META-INF", "services").toPath().resolve(AddedKind.class.getName());
    Files.writeString(file, names);
    before = Thread.currentThread().getContextClassLoader();
    during = new URLClassLoader(new URL[] {folder.getRoot().toURI().toURL()}, before);
    Thread.currentThread().setContextClassLoader(during);
  }

  @Override
  protected void after() {
    Thread.currentThread().setContextClassLoader(before);
    try {
      during.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    folder.delete();
  }
}
