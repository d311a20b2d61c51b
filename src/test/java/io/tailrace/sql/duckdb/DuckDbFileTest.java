package io.tailrace.sql.duckdb;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.sql.SQLException;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** What an error of DuckDB is. */
public class DuckDbFileTest {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  @Test
  public void anErrorIsWhatItsMessageBeginsWithWhateverRowItQuotes() {
    assertThat(
            type(
                "Conversion Error: Malformed JSON at byte 3. Input: \"{\"level\":\"FATAL Error:"
                    + " \"\""))
        .isEqualTo("Conversion Error");
    assertThat(type("Invalid Input Error: 'IO Error: x' is not UTF8"))
        .isEqualTo("Invalid Input Error");
    assertThat(type("FATAL Error: Failed: database has been invalidated")).isEqualTo("FATAL Error");
    assertThat(
            type(
                "Invalid Input Error: Attempting to execute an unsuccessful or closed pending query"
                    + " result\nError: Out of Memory Error: failed to pin block"))
        .isEqualTo("Out of Memory Error");
    assertThat(type("Connection was closed")).isEmpty();
    assertThat(DuckDbFile.errorType(new SQLException())).isEmpty();
  }

  @Test
  public void theCauseOfARefusalIsTheLineThatSaysIt() {
    assertThat(
            DuckDbFile.cause(
                "Invalid Input Error: Attempting to execute an unsuccessful or closed pending query"
                    + " result\n"
                    + "Error: Conversion Error: Could not convert string 'x' to INT64\n"
                    + "LINE 1"))
        .isEqualTo("Conversion Error: Could not convert string 'x' to INT64");
    assertThat(DuckDbFile.cause("Constraint Error: NOT NULL\n\nrow"))
        .isEqualTo("Constraint Error: NOT NULL");
  }

  @Test
  public void anotherCopyOfTheLibraryInThisProcessIsKeptOut() throws Exception {
    Path path = folder.getRoot().toPath().resolve("a.db");
    DuckDbSettings settings = DuckDbSettings.of(EndpointUri.parse("duckdb://" + path));
    DuckDbFile file = DuckDbFile.open(path, settings);
    try (CopyingLoader other = new CopyingLoader()) {
      Class<?> owner = other.loadClass("io.tailrace.sql.duckdb.FileOwner");
      assertThat(owner).isNotSameInstanceAs(FileOwner.class);
      Method of = owner.getDeclaredMethod("of", Path.class);
      of.setAccessible(true);

      InvocationTargetException refused =
          assertThrows(InvocationTargetException.class, () -> of.invoke(null, path));
      assertThat(refused)
          .hasCauseThat()
          .hasMessageThat()
          .contains(path + " is in use by another job in this process");

      // Whoever has the same copy shares the instance.
      DuckDbFile.open(path, settings).release();
      file.release();
      Object later = of.invoke(null, path);
      assertThat(assertThrows(UnavailableException.class, () -> DuckDbFile.open(path, settings)))
          .hasMessageThat()
          .contains("another job in this process");
      ((AutoCloseable) later).close();
      DuckDbFile.open(path, settings).release();
    }
  }

  /** Loads this project's classes anew, as a job of a Flink cluster does. */
  private static final class CopyingLoader extends ClassLoader implements AutoCloseable {
    CopyingLoader() {
      super(DuckDbFileTest.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith("io.tailrace.sql.")) {
        return super.loadClass(name, resolve);
      }
      Class<?> loaded = findLoadedClass(name);
      if (loaded != null) {
        return loaded;
      }
      try (InputStream bytes = getResourceAsStream(name.replace('.', '/') + ".class")) {
        byte[] copy = bytes.readAllBytes();
        return defineClass(name, copy, 0, copy.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }

    @Override
    public void close() {}
  }

  private static String type(String message) {
    return DuckDbFile.errorType(new SQLException(message));
  }
}
